#include "collector/tsdb/label_table.hpp"

#include "common/base/assert.hpp"

namespace ward::collector {

LabelTable::LabelTable() { blocks_.reserve(kMaxBlocks); }

const LabelTable::Name* LabelTable::find(std::string_view name) const {
  const auto at = names_.find(name);
  return at == names_.end() ? nullptr : &at->second;
}

LabelId LabelTable::intern(const std::string& name, const std::string& value) {
  const auto [name_at, new_name] = names_.try_emplace(name);
  if (new_name) name_at->second.number = next_name_++;
  const auto [value_at, is_new] = name_at->second.values.try_emplace(value, 0);
  if (!is_new) return value_at->second;
  LabelId id = 0;
  if (free_.empty()) {
    id = next_pair_++;
    if (id / kBlock == blocks_.size()) {
      WARD_ASSERT(blocks_.size() < kMaxBlocks);
      blocks_.push_back(std::make_unique<Pair[]>(kBlock));
    }
  } else {
    id = free_.back();
    free_.pop_back();
  }
  pair(id) = {&name_at->first, &value_at->first, name_at->second.number, {}};
  value_at->second = id;
  return id;
}

void LabelTable::release(LabelId id) {
  if (pinned())
    waiting_.push_back(id);
  else
    free_now(id);
}

void LabelTable::reclaim() {
  if (waiting_.empty() || pinned()) return;
  // A pair may have come back to life since, or wait twice.
  for (const auto id : waiting_)
    if (pair(id).name != nullptr && pair(id).refs.empty()) free_now(id);
  waiting_.clear();
}

void LabelTable::free_now(LabelId id) {
  auto& p = pair(id);
  const auto name_at = names_.find(*p.name);
  name_at->second.values.erase(name_at->second.values.find(*p.value));
  if (name_at->second.values.empty()) names_.erase(name_at);
  p = {};
  free_.push_back(id);
}

}  // namespace ward::collector
