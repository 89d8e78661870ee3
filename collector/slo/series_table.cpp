#include "collector/slo/series_table.hpp"

#include <utility>

namespace ward::collector::slo {

SeriesTable::Row SeriesTable::add(Labels labels) {
  if (const auto leaving = leaving_.find(labels.hash()); leaving != leaving_.end()) {
    const auto row = leaving->second;
    if (values_[place_[row]].series == labels) {
      leaving_.erase(leaving);
      removed_[row] = false;
      return row;
    }
  }
  if (!free_.empty()) {
    const auto row = free_.back();
    free_.pop_back();
    values_[place_[row]].series = std::move(labels);
    removed_[row] = false;
    set_in_[row] = kNever;
    return row;
  }
  const auto row = static_cast<Row>(place_.size());
  place_.push_back(static_cast<std::uint32_t>(values_.size()));
  row_at_.push_back(row);
  values_.push_back({std::move(labels), 0});
  set_in_.push_back(kNever);
  removed_.push_back(false);
  return row;
}

void SeriesTable::move_to(std::size_t from, std::size_t to) {
  if (from == to) return;
  std::swap(values_[from], values_[to]);
  std::swap(row_at_[from], row_at_[to]);
  place_[row_at_[from]] = static_cast<std::uint32_t>(from);
  place_[row_at_[to]] = static_cast<std::uint32_t>(to);
}

void SeriesTable::set(Row row, double value) {
  if (place_[row] >= told_) move_to(place_[row], told_++);
  values_[place_[row]].value = value;
  set_in_[row] = round_;
}

void SeriesTable::remove(Row row) {
  removed_[row] = true;
  if (place_[row] >= told_)
    free_.push_back(row);
  else
    leaving_[values_[place_[row]].series.hash()] = row;
}

std::span<const SeriesValue> SeriesTable::end() {
  for (const auto row : ended_) {
    if (set_in_[row] == round_ || place_[row] >= told_) continue;
    move_to(place_[row], --told_);
    if (!removed_[row]) continue;
    leaving_.erase(values_[place_[row]].series.hash());
    free_.push_back(row);
  }
  ended_.clear();
  for (std::size_t place = 0; place < told_; ++place) {
    const auto row = row_at_[place];
    if (set_in_[row] == round_) continue;
    values_[place].value = stale_marker();
    ended_.push_back(row);
  }
  return std::span{values_}.first(told_);
}

}  // namespace ward::collector::slo
