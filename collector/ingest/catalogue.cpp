#include "collector/ingest/catalogue.hpp"

#include <algorithm>
#include <array>
#include <new>

#include "common/base/world.hpp"
#include "common/wire/collector_session.hpp"

namespace ward::collector {
namespace {

using PairId = LabelStore::PairId;
constexpr std::string_view kTenantLabel = "tenant";

std::uint64_t random_seed() {
  std::array<std::uint8_t, sizeof(std::uint64_t)> bytes{};
  fill_secure_random(bytes);
  std::uint64_t out = 0;
  for (const auto byte : bytes) out = out << 8 | byte;
  return out;
}

std::vector<LabelView> views_of(const Labels& labels) {
  std::vector<LabelView> out;
  out.reserve(labels.size());
  for (const auto& [name, value] : labels) out.push_back({name, value});
  return out;
}

Labels labels_for(std::span<const LabelView> views, const TenantId& tenant) {
  std::vector<Label> labels;
  labels.reserve(views.size() + 1);
  for (const auto& [name, value] : views) labels.emplace_back(name, value);
  Labels out(std::move(labels));
  out.set(kTenantLabel, tenant.get());
  return out;
}

}  // namespace

// With its pairs in one piece of memory: to compare a series is to read it once.
struct Catalogue::Known {
  explicit Known(std::size_t labels) : size(static_cast<std::uint32_t>(labels)) {}
  [[nodiscard]] std::span<PairId> pairs() { return {reinterpret_cast<PairId*>(this + 1), size}; }
  [[nodiscard]] std::span<const PairId> pairs() const { return {reinterpret_cast<const PairId*>(this + 1), size}; }

  std::uint32_t users = 0;
  std::uint32_t retired_in = 0;     // the number of that retire(); 0 while it counts
  Tenant* of_tenant = nullptr;      // the counts it is part of; none of the collector's own
  std::size_t* of_agent = nullptr;  // none after a start, until an agent names it
  std::uint32_t size;               // pairs
  bool leased = false;              // resolve_leased() has seen its labels
};

void Catalogue::Freer::operator()(Known* known) const {
  known->~Known();
  ::operator delete(known);
}

Catalogue::Catalogue(Caps caps, LabelStore::Hash with)
    : caps_(caps), hash_(with), seed_(random_seed()), store_(with, seed_) {}

Catalogue::Tenant& Catalogue::tenant_of(const TenantId& tenant) {
  auto& found = by_tenant_[tenant];
  if (found.label == LabelStore::kNone) found.label = store_.hold(kTenantLabel, tenant.get());
  return found;
}

Catalogue::Key Catalogue::key_of(std::span<const LabelView> labels, PairId tenant) {
  scratch_.clear();
  for (const auto& [name, value] : labels)
    if (name != kTenantLabel) append_label_bytes(scratch_, name, value);
  return {scratch_, tenant};
}

Catalogue::Key Catalogue::own_key(std::span<const LabelView> labels) {
  PairId tenant = LabelStore::kNone;
  for (const auto& [name, value] : labels)
    if (name == kTenantLabel) tenant = tenant_of(TenantId{std::string(value)}).label;
  return key_of(labels, tenant);
}

std::uint64_t Catalogue::hash(const Key& key) const {
  return hash_(key.bytes, seed_ + key.tenant * std::uint64_t{0x9e3779b97f4a7c15});
}

bool Catalogue::is(SeriesId id, const Key& key) const {
  auto rest = key.bytes;
  bool of_tenant = key.tenant == LabelStore::kNone;
  for (const auto pair : std::as_const(*by_id_[id]).pairs()) {
    if (pair == key.tenant) {
      of_tenant = true;
      continue;
    }
    if (!store_.begins(rest, pair)) return false;
    rest.remove_prefix(store_.size_of(pair));
  }
  return of_tenant && rest.empty();
}

SeriesId Catalogue::find(const Key& key, std::uint64_t hashed) const {
  const auto found = index_.find(hashed, [&](SeriesId place) { return is(place - 1, key); });
  return found == 0 ? kUnknown : found - 1;
}

Catalogue::Known& Catalogue::insert(SeriesId id, const Key& key, const Labels& labels) {
  void* memory = ::operator new(sizeof(Known) + labels.size() * sizeof(PairId));
  if (id >= by_id_.size()) by_id_.resize(static_cast<std::size_t>(id) + 1);
  by_id_[id].reset(new (memory) Known(labels.size()));
  auto& fresh = *by_id_[id];
  auto pair = fresh.pairs().begin();
  for (const auto& [name, value] : labels) *pair++ = store_.hold(name, value);
  index_.add(hash(key), id + 1);
  ++count_;
  return fresh;
}

Catalogue::Known& Catalogue::create(const Key& key, Labels labels) {
  const auto id = next_++;
  auto& fresh = insert(id, key, labels);
  new_.push_back({id, std::move(labels)});
  return fresh;
}

void Catalogue::load(SeriesId id, const Labels& labels) {
  const std::scoped_lock lock(mutex_);
  next_ = std::max(next_, id + 1);
  const auto views = views_of(labels);
  auto& of_tenant = tenant_of(TenantId{std::string(labels.get(kTenantLabel))});
  const auto key = own_key(views);
  if (find(key) != kUnknown) return;  // a damaged file; the head keeps the first of them too
  ++of_tenant.series;
  insert(id, key, labels).of_tenant = &of_tenant;
}

void Catalogue::reserve(SeriesId id) {
  const std::scoped_lock lock(mutex_);
  next_ = std::max(next_, id + 1);
}

void Catalogue::activate(SeriesId id, Known& series) {
  if (series.retired_in == 0) return;
  series.retired_in = 0;
  if (series.of_tenant != nullptr) ++series.of_tenant->series;
  if (series.of_agent != nullptr) ++*series.of_agent;
  // Its row may be on the way out, or gone by a commit that is in doubt. Written twice is written once.
  new_.push_back({id, labels_of(series)});
}

SeriesId Catalogue::resolve_own(const Labels& labels) {
  const auto views = views_of(labels);
  const std::scoped_lock lock(mutex_);
  const auto key = own_key(views);
  auto id = find(key);
  if (id == kUnknown) {
    id = next_;
    create(key, labels);
  }
  auto& series = *by_id_[id];
  // The journal does not say whose series it is: after a start it took a place of the tenant that its labels name.
  if (series.of_tenant != nullptr && series.of_agent == nullptr) {
    if (series.retired_in == 0) --series.of_tenant->series;
    series.of_tenant = nullptr;
  }
  activate(id, series);
  return id;
}

Labels Catalogue::labels_of(const Known& series) const {
  std::vector<Label> out;
  out.reserve(series.size);
  for (const auto pair : series.pairs()) out.emplace_back(store_.texts(pair));
  return Labels(std::move(out));
}

Labels Catalogue::labels(SeriesId id) const {
  const std::shared_lock lock(mutex_);
  const auto* series = known(id);
  return series != nullptr ? labels_of(*series) : Labels{};
}

SeriesId Catalogue::take(const TenantId& tenant, const AgentId& agent, std::span<const LabelView> labels) {
  auto& of_tenant = tenant_of(tenant);
  auto& of_agent = by_agent_[{tenant, agent}];
  const auto key = key_of(labels, of_tenant.label);
  auto id = find(key);
  if (id != kUnknown && by_id_[id]->retired_in == 0) {
    auto& series = *by_id_[id];
    // The journal does not say whose series it is: after a start the first agent that names it has it.
    if (series.of_tenant != nullptr && series.of_agent == nullptr) ++*(series.of_agent = &of_agent);
    return id;
  }
  if (of_tenant.series >= caps_.per_tenant || of_agent >= caps_.per_agent) {
    ++refused_[tenant.get()];
    return wire::kRefusedSeries;
  }
  const bool fresh = id == kUnknown;
  if (fresh) {
    id = next_;
    create(key, labels_for(labels, tenant));
  }
  auto& series = *by_id_[id];
  series.of_tenant = &of_tenant;
  series.of_agent = &of_agent;
  if (fresh) {
    ++of_tenant.series;
    ++of_agent;
  } else {
    activate(id, series);
  }
  return id;
}

SeriesId Catalogue::resolve(const TenantId& tenant, const AgentId& agent, const Labels& labels) {
  const auto views = views_of(labels);
  const std::scoped_lock lock(mutex_);
  const auto id = take(tenant, agent, views);
  if (id != wire::kRefusedSeries) ++by_id_[id]->users;
  return id;
}

void Catalogue::release(std::span<const SeriesId> series) {
  const std::scoped_lock lock(mutex_);
  for (const auto id : series)
    if (auto* released = known(id); released != nullptr && released->users > 0) --released->users;
}

Leases::Lease Catalogue::lease() const {
  const std::shared_lock lock(mutex_);  // no retire() between looking and taking
  return leases_.take(retired_);
}

SeriesId Catalogue::resolve_leased(const TenantId& tenant, const AgentId& agent, std::span<const LabelView> labels) {
  const std::scoped_lock lock(mutex_);
  const auto id = take(tenant, agent, labels);
  if (id != wire::kRefusedSeries) by_id_[id]->leased = true;
  return id;
}

void Catalogue::find(const TenantId& tenant, std::span<const std::string_view> label_bytes, std::span<SeriesId> out) const {
  const std::shared_lock lock(mutex_);
  const auto of_tenant = by_tenant_.find(tenant);
  if (of_tenant == by_tenant_.end()) return std::fill(out.begin(), out.end(), kUnknown);
  const auto label = of_tenant->second.label;
  constexpr std::size_t kAtOnce = 16;
  for (; !label_bytes.empty(); label_bytes = label_bytes.subspan(std::min(kAtOnce, label_bytes.size())),
                               out = out.subspan(std::min(kAtOnce, out.size())))
    find_some(label, label_bytes.first(std::min(kAtOnce, label_bytes.size())), out);
}

// Step by step for all of them, so that the memory that each step waits for is on its way already.
void Catalogue::find_some(PairId tenant, std::span<const std::string_view> label_bytes, std::span<SeriesId> out) const {
  std::array<std::uint64_t, 16> hashes{};
  const auto many = label_bytes.size();
  for (std::size_t i = 0; i < many; ++i) index_.prefetch(hashes[i] = hash(Key{label_bytes[i], tenant}));
  for (std::size_t i = 0; i < many; ++i) {
    out[i] = index_.guess(hashes[i]) - 1;  // kUnknown when there is none
    if (out[i] != kUnknown) __builtin_prefetch(&by_id_[out[i]]);
  }
  for (std::size_t i = 0; i < many; ++i) {
    if (out[i] == kUnknown) continue;
    const auto* guessed = reinterpret_cast<const char*>(by_id_[out[i]].get());
    __builtin_prefetch(guessed);
    __builtin_prefetch(guessed + 64);
  }
  for (std::size_t i = 0; i < many; ++i) {
    if (out[i] == kUnknown) continue;
    const Key key{label_bytes[i], tenant};
    if (!is(out[i], key)) out[i] = find(key, hashes[i]);
    if (out[i] != kUnknown && (!by_id_[out[i]]->leased || by_id_[out[i]]->retired_in != 0)) out[i] = kUnknown;
  }
}

void Catalogue::retire(std::span<const SeriesId> series) {
  const std::scoped_lock lock(mutex_);
  ++retired_;
  for (const auto id : series) {
    auto* quiet = known(id);
    if (quiet == nullptr || quiet->retired_in != 0) continue;
    quiet->retired_in = retired_;
    if (quiet->of_tenant != nullptr) --quiet->of_tenant->series;
    if (quiet->of_agent != nullptr) --*quiet->of_agent;
  }
}

Labels Catalogue::revive(SeriesId id) {
  const std::scoped_lock lock(mutex_);
  auto* series = known(id);
  if (series == nullptr) return {};
  activate(id, *series);
  return labels_of(*series);
}

// One retire() later, so that no writer is still between asking for the number and writing a sample of it. A request that
// asked before it was retired may be such a writer for longer, when the disk is full.
bool Catalogue::is_unused(const Known& series, std::uint32_t oldest_lease) const {
  return series.retired_in != 0 && series.retired_in < retired_ && series.users == 0 && series.retired_in <= oldest_lease;
}

std::vector<SeriesId> Catalogue::unused() const {
  const std::shared_lock lock(mutex_);
  const auto oldest = leases_.oldest();
  std::vector<SeriesId> out;
  for (std::size_t id = 0; id < by_id_.size(); ++id)
    if (by_id_[id] && is_unused(*by_id_[id], oldest)) out.push_back(static_cast<SeriesId>(id));
  return out;
}

void Catalogue::erase(std::span<const SeriesId> series) {
  const std::scoped_lock lock(mutex_);
  const auto oldest = leases_.oldest();
  for (const auto id : series) {
    const auto* gone = known(id);
    if (gone == nullptr || !is_unused(*gone, oldest)) continue;
    const auto labels = labels_of(*gone);
    index_.remove(hash(own_key(views_of(labels))), id + 1);
    for (const auto pair : gone->pairs()) store_.release(pair);
    by_id_[id].reset();
    --count_;
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
  const std::shared_lock lock(mutex_);
  return count_;
}

bool Catalogue::has_room(const TenantId& tenant, const AgentId& agent, std::size_t refused) const {
  const std::shared_lock lock(mutex_);
  const auto left = [](std::size_t cap, std::size_t used) { return cap - std::min(cap, used); };
  const auto of_tenant = by_tenant_.find(tenant);
  const auto of_agent = by_agent_.find({tenant, agent});
  const auto room = std::min(left(caps_.per_tenant, of_tenant != by_tenant_.end() ? of_tenant->second.series : 0),
                             left(caps_.per_agent, of_agent != by_agent_.end() ? of_agent->second : 0));
  // A label with ever new values is refused more often than the cap has places: to wait for all of them is to wait for ever.
  const auto share = std::max<std::size_t>(1, std::min(caps_.per_tenant, caps_.per_agent) / kOfferedShare);
  return room >= std::min(refused, share);
}

std::map<std::string, std::uint64_t> Catalogue::refused() const {
  const std::shared_lock lock(mutex_);
  return refused_;
}

}  // namespace ward::collector
