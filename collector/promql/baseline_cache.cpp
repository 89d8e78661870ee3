#include "collector/promql/baseline_cache.hpp"

namespace ward::promql {

std::optional<BaselineCache::Values> BaselineCache::find(const std::string& call, Time hour) const {
  const std::lock_guard lock(mutex_);
  const auto at = entries_.find(call);
  if (at == entries_.end() || at->second.hour != hour) return std::nullopt;
  return at->second.values;
}

void BaselineCache::put(const std::string& call, Time hour, Values values) {
  const std::lock_guard lock(mutex_);
  // Calls of rules that are gone keep an hour that is over.
  if (entries_.size() >= kMostCalls && !entries_.contains(call))
    std::erase_if(entries_, [hour](const auto& e) { return e.second.hour != hour; });
  if (entries_.size() >= kMostCalls && !entries_.contains(call)) return;
  entries_[call] = Entry{hour, std::move(values)};
}

void BaselineCache::clear() {
  const std::lock_guard lock(mutex_);
  entries_.clear();
}

}  // namespace ward::promql
