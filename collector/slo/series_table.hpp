#pragma once
#include <cstdint>
#include <span>
#include <unordered_map>
#include <vector>

#include "common/model/batch.hpp"

namespace ward::collector::slo {

/// The series the engine exposes. Their labels are built once, and a tick writes values only: labels cost more than
/// arithmetic. What a tick does not set ends with one stale marker. Thread: its engine's.
class SeriesTable {
 public:
  using Row = std::uint32_t;

  /// A row that was removed and is still told lives on.
  Row add(Labels labels);
  /// Between begin() and end().
  void set(Row row, double value);
  void begin() { ++round_; }
  /// The values of this round, and stale markers of what ended with it. Valid until the next call of anything else.
  std::span<const SeriesValue> end();
  /// Ends the row for good; its number is given out again after its stale marker was told.
  void remove(Row row);
  [[nodiscard]] std::size_t size() const { return place_.size() - free_.size(); }

 private:
  void move_to(std::size_t from, std::size_t to);
  static constexpr std::uint32_t kNever = 0;

  std::vector<SeriesValue> values_;    // those told first, the others behind them
  std::vector<Row> row_at_;            // by place
  std::vector<std::uint32_t> place_;   // by row
  std::vector<std::uint32_t> set_in_;  // by row: the round of its last value
  std::vector<bool> removed_;
  std::vector<Row> free_;
  std::unordered_map<std::uint64_t, Row> leaving_;  // removed and still told, by hash of labels
  std::vector<Row> ended_;                          // of the last round: they are no longer told
  std::size_t told_ = 0;
  std::uint32_t round_ = 1;
};

}  // namespace ward::collector::slo
