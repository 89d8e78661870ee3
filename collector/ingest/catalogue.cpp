#include "collector/ingest/catalogue.hpp"

#include <algorithm>

#include "common/wire/collector_session.hpp"

namespace ward::collector {

void Catalogue::load(SeriesId id, Labels labels) {
  const std::scoped_lock lock(mutex_);
  next_ = std::max(next_, id + 1);
  ++by_tenant_[TenantId{std::string(labels.get("tenant"))}];
  const auto at = ids_.emplace(std::move(labels), id).first;
  if (id >= by_id_.size()) by_id_.resize(static_cast<std::size_t>(id) + 1);
  by_id_[id] = &at->first;
}

SeriesId Catalogue::create(Labels labels) {
  const auto id = next_++;
  new_.push_back({id, labels});
  const auto at = ids_.emplace(std::move(labels), id).first;
  by_id_.resize(static_cast<std::size_t>(id) + 1);
  by_id_[id] = &at->first;
  return id;
}

SeriesId Catalogue::resolve_own(const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  const auto known = ids_.find(labels);
  return known != ids_.end() ? known->second : create(labels);
}

Labels Catalogue::labels(SeriesId id) const {
  const std::scoped_lock lock(mutex_);
  return id < by_id_.size() && by_id_[id] != nullptr ? *by_id_[id] : Labels{};
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
  return create(std::move(labels));
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
