#include "collector/promql/label_space.hpp"

#include <algorithm>
#include <cstring>

namespace ward::promql {

std::uint64_t LabelSet::hash() const {
  std::uint64_t h = size_;
  for (const auto id : ids()) h = (h ^ id) * 0x9e3779b97f4a7c15ULL;
  return h ^ (h >> 32);
}

bool operator==(LabelSet a, LabelSet b) {
  return a.size_ == b.size_ &&
         (a.ids_ == b.ids_ || a.size_ == 0 || std::memcmp(a.ids_, b.ids_, a.size_ * sizeof(LabelId)) == 0);
}

bool NameSet::has_text(const collector::SeriesReader& reader, LabelId id) const {
  return std::find(names_.begin(), names_.end(), reader.text(id).name) != names_.end();
}

bool NameSet::contains(const collector::SeriesReader& reader, LabelId id) {
  const auto number = reader.name_number(id);
  if (number >= kRemembered) return has_text(reader, id);
  if (number >= known_.size()) known_.resize(number + 1);
  auto& known = known_[number];
  if (known == Known::unknown) known = has_text(reader, id) ? Known::yes : Known::no;
  return known == Known::yes;
}

std::string_view LabelSpace::get(LabelSet set, std::string_view name) const {
  for (const auto id : set.ids()) {
    const auto text = reader_.text(id);
    if (text.name == name) return text.value;
  }
  return {};
}

Labels LabelSpace::labels(LabelSet set) const {
  std::vector<Label> out;
  out.reserve(set.size());
  for (const auto id : set.ids()) {
    const auto text = reader_.text(id);
    out.emplace_back(text.name, text.value);
  }
  return Labels{std::move(out)};
}

LabelId LabelSpace::name_id(LabelSet set) {
  for (const auto id : set.ids())
    if (metric_name_.contains(reader_, id)) return id;
  return kNone;
}

LabelSet LabelSpace::keep(std::span<const LabelId> ids) {
  if (ids.empty()) return {};
  auto* at = static_cast<LabelId*>(memory_.allocate(ids.size_bytes(), alignof(LabelId)));
  std::copy(ids.begin(), ids.end(), at);
  return LabelSet{{at, ids.size()}};
}

LabelSet LabelSpace::make(const Labels& labels) {
  std::vector<LabelId> ids;
  for (const auto& [name, value] : labels) ids.push_back(reader_.intern(name, value));
  return keep(ids);
}

LabelSet LabelSpace::with(LabelSet set, std::string_view name, std::string_view value) {
  if (value.empty()) return without(set, name);
  std::vector<LabelId> ids;
  ids.reserve(set.size() + 1);
  bool placed = false;
  for (const auto id : set.ids()) {
    const auto known = reader_.text(id).name;
    if (!placed && known >= name) {
      ids.push_back(reader_.intern(name, value));
      placed = true;
    }
    if (known != name) ids.push_back(id);
  }
  if (!placed) ids.push_back(reader_.intern(name, value));
  return keep(ids);
}

LabelSet LabelSpace::without(LabelSet set, std::string_view name) {
  const auto ids = set.ids();
  const auto at = std::find_if(ids.begin(), ids.end(), [&](LabelId id) { return reader_.text(id).name == name; });
  if (at == ids.end()) return set;
  std::vector<LabelId> kept(ids.begin(), at);
  kept.insert(kept.end(), at + 1, ids.end());
  return keep(kept);
}

LabelSet LabelSpace::without_name(LabelSet set) {
  const auto ids = set.ids();
  const auto at = std::find_if(ids.begin(), ids.end(), [&](LabelId id) { return metric_name_.contains(reader_, id); });
  if (at == ids.end()) return set;
  if (at == ids.begin()) return LabelSet{ids.subspan(1)};  // the usual place: nothing is copied
  std::vector<LabelId> kept(ids.begin(), at);
  kept.insert(kept.end(), at + 1, ids.end());
  return keep(kept);
}

void LabelSpace::only(LabelSet set, NameSet& names, std::vector<LabelId>& out) const {
  out.clear();
  for (const auto id : set.ids())
    if (names.contains(reader_, id)) out.push_back(id);
}

void LabelSpace::without(LabelSet set, NameSet& names, std::vector<LabelId>& out) const {
  out.clear();
  for (const auto id : set.ids())
    if (!names.contains(reader_, id)) out.push_back(id);
}

LabelSet LabelSpace::only(LabelSet set, NameSet& names) {
  std::vector<LabelId> ids;
  only(set, names, ids);
  return ids.size() == set.size() ? set : keep(ids);
}

LabelSet LabelSpace::without(LabelSet set, NameSet& names) {
  std::vector<LabelId> ids;
  without(set, names, ids);
  return ids.size() == set.size() ? set : keep(ids);
}

bool LabelSpace::less(LabelSet a, LabelSet b) const {
  const auto x = a.ids();
  const auto y = b.ids();
  const auto [at_x, at_y] = std::mismatch(x.begin(), x.end(), y.begin(), y.end());
  if (at_x == x.end() || at_y == y.end()) return at_x == x.end() && at_y != y.end();
  const auto p = reader_.text(*at_x);
  const auto q = reader_.text(*at_y);
  return p.name == q.name ? p.value < q.value : p.name < q.name;
}

std::size_t LabelSetIndex::slot(LabelSet set) const {
  const std::size_t mask = slots_.size() - 1;
  auto at = static_cast<std::size_t>(set.hash()) & mask;
  while (slots_[at] != 0 && sets_[slots_[at] - 1] != set) at = (at + 1) & mask;
  return at;
}

void LabelSetIndex::grow() {
  slots_.assign(std::max<std::size_t>(16, slots_.size() * 4), 0);
  for (std::uint32_t n = 0; n < sets_.size(); ++n) slots_[slot(sets_[n])] = n + 1;
}

LabelSetIndex::Place LabelSetIndex::insert(std::size_t at, LabelSet set) {
  sets_.push_back(set);
  slots_[at] = static_cast<std::uint32_t>(sets_.size());
  return {static_cast<std::uint32_t>(sets_.size() - 1), true};
}

LabelSetIndex::Place LabelSetIndex::add(LabelSet set) {
  if (sets_.size() * 2 >= slots_.size()) grow();
  const auto at = slot(set);
  return slots_[at] != 0 ? Place{slots_[at] - 1, false} : insert(at, set);
}

LabelSetIndex::Place LabelSetIndex::add(LabelSpace& space, std::span<const LabelId> ids) {
  if (sets_.size() * 2 >= slots_.size()) grow();
  const auto at = slot(LabelSet{ids});
  return slots_[at] != 0 ? Place{slots_[at] - 1, false} : insert(at, space.keep(ids));
}

}  // namespace ward::promql
