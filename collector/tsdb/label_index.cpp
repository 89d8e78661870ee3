#include "collector/tsdb/label_index.hpp"

#include <algorithm>
#include <unordered_set>

#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

/// `a|b|c` without any operator: a list of values. nullopt when the expression needs RE2.
std::optional<std::vector<std::string_view>> literal_alternatives(std::string_view pattern) {
  if (pattern.find_first_of("\\.+*?()[]{}^$") != std::string_view::npos) return std::nullopt;
  std::vector<std::string_view> parts;
  while (true) {
    const auto bar = pattern.find('|');
    parts.push_back(pattern.substr(0, bar));
    if (bar == std::string_view::npos) return parts;
    pattern.remove_prefix(bar + 1);
  }
}

void sort_unique(std::vector<SeriesRef>& refs) {
  std::sort(refs.begin(), refs.end());
  refs.erase(std::unique(refs.begin(), refs.end()), refs.end());
}

void intersect(std::vector<SeriesRef>& refs, const std::vector<SeriesRef>& other) {
  std::vector<SeriesRef> both;
  std::set_intersection(refs.begin(), refs.end(), other.begin(), other.end(), std::back_inserter(both));
  refs = std::move(both);
}

}  // namespace

std::span<const LabelId> LabelIndex::row(SeriesRef ref) const {
  if (ref.get() >= rows_.size() || !rows_[ref.get()]) return {};
  const LabelId* at = rows_[ref.get()].get();
  return {at + 1, at[0]};
}

bool LabelIndex::has(SeriesRef ref) const { return ref.get() < rows_.size() && rows_[ref.get()] != nullptr; }

bool LabelIndex::same_labels(SeriesRef ref, const Labels& labels) const {
  const auto ids = row(ref);
  return std::equal(ids.begin(), ids.end(), labels.begin(), labels.end(), [this](LabelId id, const Label& label) {
    const auto& pair = table_.pair(id);
    return *pair.name == label.first && *pair.value == label.second;
  });
}

std::optional<SeriesRef> LabelIndex::find(const Labels& labels) const {
  const auto ref = by_hash_.find(labels.hash(), [&](SeriesRef known) { return same_labels(known, labels); });
  return ref == SeriesRef{} ? std::nullopt : std::optional{ref};
}

void LabelIndex::add(SeriesRef ref, const Labels& labels) {
  WARD_ASSERT(!has(ref));
  if (ref.get() >= rows_.size()) rows_.resize(ref.get() + std::size_t{1});
  auto row = std::make_unique<LabelId[]>(labels.size() + 1);
  row[0] = static_cast<LabelId>(labels.size());
  std::size_t n = 0;
  for (const auto& [name, value] : labels) {
    const auto id = table_.intern(name, value);
    row[++n] = id;
    auto& refs = table_.pair(id).refs;
    // Refs rise, so this is a push_back except while a store is loaded.
    refs.insert(std::upper_bound(refs.begin(), refs.end(), ref), ref);
  }
  rows_[ref.get()] = std::move(row);
  by_hash_.add(labels.hash(), ref);
  ++count_;
}

void LabelIndex::remove(std::span<const SeriesRef> refs) {
  table_.reclaim();
  if (!table_.pinned()) dropped_rows_.clear();
  const std::unordered_set<SeriesRef> gone(refs.begin(), refs.end());
  std::unordered_set<LabelId> touched;
  for (const auto ref : gone) {
    if (!has(ref)) continue;
    by_hash_.remove(labels(ref).hash(), ref);
    const auto ids = row(ref);
    touched.insert(ids.begin(), ids.end());
    if (table_.pinned()) dropped_rows_.push_back(std::move(rows_[ref.get()]));
    rows_[ref.get()].reset();
    --count_;
  }
  for (const auto id : touched) {
    auto& posted = table_.pair(id).refs;
    std::erase_if(posted, [&gone](SeriesRef ref) { return gone.contains(ref); });
    if (posted.empty()) table_.release(id);
  }
}

Labels LabelIndex::labels(SeriesRef ref) const {
  std::vector<Label> out;
  const auto ids = row(ref);
  out.reserve(ids.size());
  for (const auto id : ids) out.emplace_back(*table_.pair(id).name, *table_.pair(id).value);
  return Labels{std::move(out)};
}

void LabelIndex::sort_by_labels(std::vector<SeriesRef>& refs) const {
  std::sort(refs.begin(), refs.end(), [this](SeriesRef a, SeriesRef b) {
    const auto x = row(a);
    const auto y = row(b);
    const auto [at_x, at_y] = std::mismatch(x.begin(), x.end(), y.begin(), y.end());
    if (at_x == x.end() || at_y == y.end()) return at_x == x.end() && at_y != y.end();
    const auto& p = table_.pair(*at_x);
    const auto& q = table_.pair(*at_y);
    return p.name == q.name ? *p.value < *q.value : *p.name < *q.name;
  });
}

std::vector<SeriesRef> LabelIndex::all() const {
  std::vector<SeriesRef> refs;
  refs.reserve(count_);
  for (std::size_t i = 0; i < rows_.size(); ++i)
    if (rows_[i]) refs.emplace_back(static_cast<std::uint32_t>(i));
  return refs;
}

const std::vector<SeriesRef>* LabelIndex::postings(std::string_view name, std::string_view value) const {
  const auto* values = table_.find(name);
  if (values == nullptr) return nullptr;
  const auto at = values->values.find(value);
  return at == values->values.end() ? nullptr : &table_.pair(at->second).refs;
}

std::vector<SeriesRef> LabelIndex::postings_of(const Matcher& m) const {
  std::vector<SeriesRef> refs;
  const auto add_all = [&refs](const std::vector<SeriesRef>* more) {
    if (more != nullptr) refs.insert(refs.end(), more->begin(), more->end());
  };
  const auto literals = m.op() == Matcher::Op::regex ? literal_alternatives(m.value()) : std::nullopt;
  if (literals) {
    for (const auto value : *literals) add_all(postings(m.name(), value));
  } else if (const auto* name = table_.find(m.name())) {
    for (const auto& [value, id] : name->values)
      if (m.matches(value)) add_all(&table_.pair(id).refs);
  }
  sort_unique(refs);
  return refs;
}

void LabelIndex::filter(std::vector<SeriesRef>& refs, const Matcher& m) const {
  const auto* name = table_.find(m.name());
  const std::uint32_t number = name == nullptr ? 0 : name->number;
  const bool absent_matches = m.matches("");
  enum class Verdict : std::uint8_t { unknown, yes, no };
  std::vector<Verdict> verdicts(table_.size());  // by pair: one comparison a value, not a series
  std::size_t usual_place = 0;                   // series of one metric mostly have a label at the same place
  std::erase_if(refs, [&](SeriesRef ref) {
    const auto ids = row(ref);
    const auto has_name = [&](LabelId id) { return table_.pair(id).name_number == number; };
    auto at = ids.begin() + static_cast<std::ptrdiff_t>(std::min(usual_place, ids.size()));
    if (at == ids.end() || !has_name(*at)) at = std::find_if(ids.begin(), ids.end(), has_name);
    if (at == ids.end()) return !absent_matches;
    usual_place = static_cast<std::size_t>(at - ids.begin());
    auto& verdict = verdicts[*at];
    if (verdict == Verdict::unknown) verdict = m.matches(*table_.pair(*at).value) ? Verdict::yes : Verdict::no;
    return verdict == Verdict::no;
  });
}

std::vector<SeriesRef> LabelIndex::match(std::span<const Matcher> matchers) const {
  std::vector<const Matcher*> rest;
  std::vector<const std::vector<SeriesRef>*> lists;
  for (const auto& m : matchers) {
    if (m.op() != Matcher::Op::equal || m.value().empty()) {
      rest.push_back(&m);
      continue;
    }
    const auto* list = postings(m.name(), m.value());
    if (list == nullptr) return {};
    lists.push_back(list);
  }
  std::sort(lists.begin(), lists.end(), [](const auto* a, const auto* b) { return a->size() < b->size(); });
  std::vector<SeriesRef> refs;
  if (!lists.empty()) {
    refs = *lists.front();
    for (std::size_t i = 1; i < lists.size() && !refs.empty(); ++i) intersect(refs, *lists[i]);
  } else {
    // No equality to start from: the first matcher that needs its label to be there gives the candidates.
    const auto positive = std::find_if(rest.begin(), rest.end(), [](const Matcher* m) { return !m->matches(""); });
    refs = positive == rest.end() ? all() : postings_of(**positive);
    if (positive != rest.end()) rest.erase(positive);
  }
  for (const auto* m : rest) filter(refs, *m);
  return refs;
}

std::vector<std::string> LabelIndex::values(std::string_view name) const {
  std::vector<std::string> out;
  if (const auto* known = table_.find(name))
    for (const auto& [value, id] : known->values)
      if (!table_.pair(id).refs.empty()) out.push_back(value);
  return out;
}

std::vector<std::string> LabelIndex::names() const {
  std::vector<std::string> out;
  for (const auto& [name, known] : table_.names()) {
    const bool used = std::any_of(known.values.begin(), known.values.end(),
                                  [this](const auto& value) { return !table_.pair(value.second).refs.empty(); });
    if (used) out.push_back(name);
  }
  return out;
}

}  // namespace ward::collector
