#include "collector/ingest/catalogue.hpp"

#include <algorithm>

#include "common/wire/collector_session.hpp"

namespace ward::collector {

void Catalogue::load(SeriesId id, Labels labels) {
  const std::scoped_lock lock(mutex_);
  next_ = std::max(next_, id + 1);
  ++by_tenant_[TenantId{std::string(labels.get("tenant"))}];
  ids_.emplace(std::move(labels), id);
}

SeriesId Catalogue::resolve(const TenantId& tenant, const AgentId& agent, Labels labels) {
  labels.set("tenant", tenant.get());
  const std::scoped_lock lock(mutex_);
  const auto known = ids_.find(labels);
  if (known != ids_.end()) return known->second;
  auto& of_tenant = by_tenant_[tenant];
  auto& of_agent = by_agent_[{tenant, agent}];
  if (of_tenant >= caps_.per_tenant || of_agent >= caps_.per_agent) {
    ++refused_[tenant.get()];
    return wire::kRefusedSeries;
  }
  ++of_tenant;
  ++of_agent;
  const auto id = next_++;
  new_.push_back({id, labels});
  ids_.emplace(std::move(labels), id);
  return id;
}

std::vector<NewSeries> Catalogue::take_new() {
  const std::scoped_lock lock(mutex_);
  return std::exchange(new_, {});
}

void Catalogue::put_back(std::vector<NewSeries> series) {
  const std::scoped_lock lock(mutex_);
  new_.insert(new_.begin(), std::make_move_iterator(series.begin()), std::make_move_iterator(series.end()));
}

std::size_t Catalogue::size() const {
  const std::scoped_lock lock(mutex_);
  return ids_.size();
}

std::map<std::string, std::uint64_t> Catalogue::refused() const {
  const std::scoped_lock lock(mutex_);
  return refused_;
}

}  // namespace ward::collector
