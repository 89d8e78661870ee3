#include "collector/ingest/catalogue.hpp"

#include <algorithm>

#include "common/wire/collector_session.hpp"

namespace ward::collector {

Catalogue::Entry& Catalogue::insert(SeriesId id, Labels labels) {
  auto& entry = *series_.emplace(std::move(labels), Known{}).first;
  entry.second.id = id;
  by_id_[id] = &entry;
  return entry;
}

Catalogue::Entry& Catalogue::create(Labels labels) {
  auto& entry = insert(next_++, std::move(labels));
  new_.push_back({entry.second.id, entry.first});
  return entry;
}

void Catalogue::load(SeriesId id, Labels labels) {
  const std::scoped_lock lock(mutex_);
  next_ = std::max(next_, id + 1);
  if (series_.contains(labels)) return;  // a damaged file; the head keeps the first of them too
  auto& of_tenant = by_tenant_[TenantId{std::string(labels.get("tenant"))}];
  ++of_tenant;
  insert(id, std::move(labels)).second.of_tenant = &of_tenant;
}

void Catalogue::reserve(SeriesId id) {
  const std::scoped_lock lock(mutex_);
  next_ = std::max(next_, id + 1);
}

void Catalogue::activate(Entry& entry) {
  auto& [labels, known] = entry;
  if (known.retired_in == 0) return;
  known.retired_in = 0;
  if (known.of_tenant != nullptr) ++*known.of_tenant;
  if (known.of_agent != nullptr) ++*known.of_agent;
  // Its row may be on the way out, or gone by a commit that is in doubt. Written twice is written once.
  new_.push_back({known.id, labels});
}

SeriesId Catalogue::resolve_own(const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  const auto found = series_.find(labels);
  auto& entry = found != series_.end() ? *found : create(labels);
  auto& known = entry.second;
  // The journal does not say whose series it is: after a start it took a place of the tenant that its labels name.
  if (known.of_tenant != nullptr && known.of_agent == nullptr) {
    if (known.retired_in == 0) --*known.of_tenant;
    known.of_tenant = nullptr;
  }
  activate(entry);
  return known.id;
}

Labels Catalogue::labels(SeriesId id) const {
  const std::scoped_lock lock(mutex_);
  const auto found = by_id_.find(id);
  return found != by_id_.end() ? found->second->first : Labels{};
}

SeriesId Catalogue::resolve(const TenantId& tenant, const AgentId& agent, Labels labels) {
  labels.set("tenant", tenant.get());
  const std::scoped_lock lock(mutex_);
  auto& of_tenant = by_tenant_[tenant];
  auto& of_agent = by_agent_[{tenant, agent}];
  const auto found = series_.find(labels);
  if (found != series_.end() && found->second.retired_in == 0) {
    auto& known = found->second;
    ++known.users;
    // The journal does not say whose series it is: after a start the first agent that names it has it.
    if (known.of_tenant != nullptr && known.of_agent == nullptr) ++*(known.of_agent = &of_agent);
    return known.id;
  }
  if (of_tenant >= caps_.per_tenant || of_agent >= caps_.per_agent) {
    ++refused_[tenant.get()];
    return wire::kRefusedSeries;
  }
  const bool fresh = found == series_.end();
  auto& entry = fresh ? create(std::move(labels)) : *found;
  auto& known = entry.second;
  known.of_tenant = &of_tenant;
  known.of_agent = &of_agent;
  ++known.users;
  if (fresh) {
    ++of_tenant;
    ++of_agent;
  } else {
    activate(entry);
  }
  return known.id;
}

void Catalogue::release(std::span<const SeriesId> series) {
  const std::scoped_lock lock(mutex_);
  for (const auto id : series)
    if (const auto found = by_id_.find(id); found != by_id_.end() && found->second->second.users > 0)
      --found->second->second.users;
}

void Catalogue::retire(std::span<const SeriesId> series) {
  const std::scoped_lock lock(mutex_);
  ++retired_;
  for (const auto id : series) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || found->second->second.retired_in != 0) continue;
    auto& known = found->second->second;
    known.retired_in = retired_;
    if (known.of_tenant != nullptr) --*known.of_tenant;
    if (known.of_agent != nullptr) --*known.of_agent;
  }
}

Labels Catalogue::revive(SeriesId id) {
  const std::scoped_lock lock(mutex_);
  const auto found = by_id_.find(id);
  if (found == by_id_.end()) return {};
  activate(*found->second);
  return found->second->first;
}

// One retire() later, so that no writer is still between asking for the number and writing a sample of it.
bool Catalogue::is_unused(const Known& known) const {
  return known.retired_in != 0 && known.retired_in < retired_ && known.users == 0;
}

std::vector<SeriesId> Catalogue::unused() const {
  const std::scoped_lock lock(mutex_);
  std::vector<SeriesId> out;
  for (const auto& [labels, known] : series_)
    if (is_unused(known)) out.push_back(known.id);
  std::sort(out.begin(), out.end());
  return out;
}

void Catalogue::erase(std::span<const SeriesId> series) {
  const std::scoped_lock lock(mutex_);
  for (const auto id : series) {
    const auto found = by_id_.find(id);
    if (found == by_id_.end() || !is_unused(found->second->second)) continue;
    const auto at = series_.find(found->second->first);
    by_id_.erase(found);
    series_.erase(at);
  }
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
  return series_.size();
}

bool Catalogue::has_room(const TenantId& tenant, const AgentId& agent, std::size_t refused) const {
  const std::scoped_lock lock(mutex_);
  const auto left = [](std::size_t cap, std::size_t used) { return cap - std::min(cap, used); };
  const auto of_tenant = by_tenant_.find(tenant);
  const auto of_agent = by_agent_.find({tenant, agent});
  const auto room = std::min(left(caps_.per_tenant, of_tenant != by_tenant_.end() ? of_tenant->second : 0),
                             left(caps_.per_agent, of_agent != by_agent_.end() ? of_agent->second : 0));
  // A label with ever new values is refused more often than the cap has places: to wait for all of them is to wait for ever.
  const auto share = std::max<std::size_t>(1, std::min(caps_.per_tenant, caps_.per_agent) / kOfferedShare);
  return room >= std::min(refused, share);
}

std::map<std::string, std::uint64_t> Catalogue::refused() const {
  const std::scoped_lock lock(mutex_);
  return refused_;
}

}  // namespace ward::collector
