#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <shared_mutex>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "collector/ingest/journal.hpp"
#include "collector/ingest/label_store.hpp"
#include "collector/ingest/leases.hpp"
#include "common/base/hash.hpp"
#include "common/base/thread_annotations.hpp"
#include "common/model/ids.hpp"

namespace ward::collector {

/// All series the journal knows, with the caps that keep one agent or tenant from filling the store. A series counts while
/// the head has samples of it; retention that takes the last one gives its place back. Thread: any.
class Catalogue {
 public:
  struct Caps {
    std::size_t per_agent = 10'000;
    std::size_t per_tenant = 200'000;
  };
  /// The hash is another one in each process; tests give one that collides.
  explicit Catalogue(Caps caps, LabelStore::Hash with = hash_bytes);

  /// At start, from the journal.
  void load(SeriesId id, const Labels& labels);
  /// At start: the journal has samples under this number, so that no new series gets it or one below it.
  void reserve(SeriesId id);
  /// The id of a series of this tenant (the `tenant` label is set here, whatever the agent wrote); wire::kRefusedSeries
  /// above a cap. A new series waits in take_new() for the next commit. The caller may use the id until it gives it back by
  /// release(), once for each resolve().
  SeriesId resolve(const TenantId& tenant, const AgentId& agent, const Labels& labels);
  /// Only when everything that names them was committed or dropped.
  void release(std::span<const SeriesId> series);
  /// The same for a series of the collector itself (rules' results, self-metrics): labels as they are, no cap, and no
  /// release().
  SeriesId resolve_own(const Labels& labels);
  [[nodiscard]] Labels labels(SeriesId id) const;  ///< empty when unknown

  /// For a request, which uses many series once: ids got in its time by the two functions below may be used until it ends.
  [[nodiscard]] Leases::Lease lease() const;
  /// As resolve(), of labels that are sorted by name, none twice, none empty.
  SeriesId resolve_leased(const TenantId& tenant, const AgentId& agent, std::span<const LabelView> labels);
  /// The ids of series that resolve_leased() has seen, by the bytes of their labels (append_label_bytes) without `tenant`;
  /// kUnknown for those that it has to see (again): new ones, and quiet ones that count no more.
  void find(const TenantId& tenant, std::span<const std::string_view> label_bytes, std::span<SeriesId> out) const;
  static constexpr SeriesId kUnknown = ~SeriesId{0};

  /// Retention left the head no sample of these: they count against no cap. Their numbers stay theirs.
  void retire(std::span<const SeriesId> series);
  /// A sample came of a series that may be retired: it counts again, above the cap too. Its labels; empty when unknown.
  Labels revive(SeriesId id);
  /// Retired before the last retire(), and nobody may use them: the journal may drop their rows.
  [[nodiscard]] std::vector<SeriesId> unused() const;
  /// Their rows are gone. What is in use again by now stays: its row comes with the next commit.
  void erase(std::span<const SeriesId> series);

  /// Series created since the last call, or active again; the caller commits them before any sample of theirs.
  std::vector<NewSeries> take_new();
  /// The commit failed: they are new again.
  void put_back(std::vector<NewSeries> series);

  [[nodiscard]] std::size_t size() const;
  /// Whether naming its series again is worth it to an agent that had so many refused for this tenant: there is room for
  /// all of them, or for a share of the cap.
  [[nodiscard]] bool has_room(const TenantId& tenant, const AgentId& agent, std::size_t refused) const;
  static constexpr std::size_t kOfferedShare = 8;
  /// Refused new series since start, by tenant.
  [[nodiscard]] std::map<std::string, std::uint64_t> refused() const;

 private:
  struct Tenant {
    std::size_t series = 0;
    LabelStore::PairId label = LabelStore::kNone;  // held for ever: it is part of keys
  };
  struct Known;  // a series; its pairs stand behind it in memory
  struct Freer {
    void operator()(Known* known) const;
  };
  struct Key {
    std::string_view bytes;                         // of all labels but `tenant`
    LabelStore::PairId tenant = LabelStore::kNone;  // that label
  };
  Tenant& tenant_of(const TenantId& tenant);
  Key key_of(std::span<const LabelView> labels, LabelStore::PairId tenant);
  [[nodiscard]] Key own_key(std::span<const LabelView> labels);
  [[nodiscard]] std::uint64_t hash(const Key& key) const;
  [[nodiscard]] bool is(SeriesId id, const Key& key) const;
  [[nodiscard]] SeriesId find(const Key& key) const { return find(key, hash(key)); }
  [[nodiscard]] SeriesId find(const Key& key, std::uint64_t hashed) const;
  void find_some(LabelStore::PairId tenant, std::span<const std::string_view> label_bytes, std::span<SeriesId> out) const;
  [[nodiscard]] Known* known(SeriesId id) const { return id < by_id_.size() ? by_id_[id].get() : nullptr; }
  SeriesId take(const TenantId& tenant, const AgentId& agent, std::span<const LabelView> labels);
  Known& insert(SeriesId id, const Key& key, const Labels& labels);
  Known& create(const Key& key, Labels labels);
  void activate(SeriesId id, Known& series);
  [[nodiscard]] Labels labels_of(const Known& series) const;
  [[nodiscard]] bool is_unused(const Known& series, std::uint32_t oldest_lease) const;

  const Caps caps_;
  const LabelStore::Hash hash_;
  const std::uint64_t seed_;
  Leases leases_;
  mutable std::shared_mutex mutex_;
  LabelStore store_ WARD_GUARDED_BY(mutex_);
  ward::HashIndex<SeriesId> index_ WARD_GUARDED_BY(mutex_);  // of id + 1
  std::vector<std::unique_ptr<Known, Freer>> by_id_ WARD_GUARDED_BY(mutex_);
  std::size_t count_ WARD_GUARDED_BY(mutex_) = 0;
  std::string scratch_ WARD_GUARDED_BY(mutex_);  // the key's bytes
  std::vector<NewSeries> new_ WARD_GUARDED_BY(mutex_);
  SeriesId next_ WARD_GUARDED_BY(mutex_) = 0;
  std::uint32_t retired_ WARD_GUARDED_BY(mutex_) = 0;
  std::map<TenantId, Tenant> by_tenant_ WARD_GUARDED_BY(mutex_);
  std::map<std::pair<TenantId, AgentId>, std::size_t> by_agent_ WARD_GUARDED_BY(mutex_);
  std::map<std::string, std::uint64_t> refused_ WARD_GUARDED_BY(mutex_);
};

}  // namespace ward::collector
