#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collector/ingest/journal.hpp"
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
  explicit Catalogue(Caps caps) : caps_(caps) {}

  /// At start, from the journal.
  void load(SeriesId id, Labels labels);
  /// At start: the journal has samples under this number, so that no new series gets it or one below it.
  void reserve(SeriesId id);
  /// The id of a series of this tenant (the `tenant` label is set here, whatever the agent wrote); wire::kRefusedSeries
  /// above a cap. A new series waits in take_new() for the next commit. The caller may use the id until it gives it back by
  /// release(), once for each resolve().
  SeriesId resolve(const TenantId& tenant, const AgentId& agent, Labels labels);
  /// Only when everything that names them was committed or dropped.
  void release(std::span<const SeriesId> series);
  /// The same for a series of the collector itself (rules' results, self-metrics): labels as they are, no cap, and no
  /// release().
  SeriesId resolve_own(const Labels& labels);
  [[nodiscard]] Labels labels(SeriesId id) const;  ///< empty when unknown

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
  struct Known {
    SeriesId id = 0;
    std::uint32_t users = 0;
    std::uint32_t retired_in = 0;      // the number of that retire(); 0 while it counts
    std::size_t* of_tenant = nullptr;  // the counts it is part of; none of the collector's own
    std::size_t* of_agent = nullptr;   // none after a start, until an agent names it
  };
  using Entry = std::pair<const Labels, Known>;
  Entry& create(Labels labels);
  Entry& insert(SeriesId id, Labels labels);
  void activate(Entry& entry);
  [[nodiscard]] bool is_unused(const Known& known) const;

  const Caps caps_;
  mutable std::mutex mutex_;
  std::unordered_map<Labels, Known> series_ WARD_GUARDED_BY(mutex_);
  std::unordered_map<SeriesId, Entry*> by_id_ WARD_GUARDED_BY(mutex_);
  std::vector<NewSeries> new_ WARD_GUARDED_BY(mutex_);
  SeriesId next_ WARD_GUARDED_BY(mutex_) = 0;
  std::uint32_t retired_ WARD_GUARDED_BY(mutex_) = 0;
  std::map<TenantId, std::size_t> by_tenant_ WARD_GUARDED_BY(mutex_);
  std::map<std::pair<TenantId, AgentId>, std::size_t> by_agent_ WARD_GUARDED_BY(mutex_);
  std::map<std::string, std::uint64_t> refused_ WARD_GUARDED_BY(mutex_);
};

}  // namespace ward::collector
