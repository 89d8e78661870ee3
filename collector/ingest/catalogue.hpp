#pragma once
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "collector/ingest/journal.hpp"
#include "common/base/thread_annotations.hpp"
#include "common/model/ids.hpp"

namespace ward::collector {

/// All series the journal knows, with the caps that keep one agent or tenant from filling the store. Thread: any.
class Catalogue {
 public:
  struct Caps {
    std::size_t per_agent = 10'000;
    std::size_t per_tenant = 200'000;
  };
  explicit Catalogue(Caps caps) : caps_(caps) {}

  /// At start, from the journal.
  void load(SeriesId id, Labels labels);
  /// The id of a series of this tenant (the `tenant` label is set here, whatever the agent wrote); wire::kRefusedSeries
  /// above a cap. A new series waits in take_new() for the next commit.
  SeriesId resolve(const TenantId& tenant, const AgentId& agent, Labels labels);
  /// The same for a series of the collector itself (rules' results, self-metrics): labels as they are, no cap.
  SeriesId resolve_own(const Labels& labels);
  [[nodiscard]] Labels labels(SeriesId id) const;  ///< empty when unknown
  /// Series created since the last call; the caller commits them before any sample of theirs.
  std::vector<NewSeries> take_new();
  /// The commit failed: they are new again.
  void put_back(std::vector<NewSeries> series);

  [[nodiscard]] std::size_t size() const;
  /// Refused new series since start, by tenant.
  [[nodiscard]] std::map<std::string, std::uint64_t> refused() const;

 private:
  const Caps caps_;
  mutable std::mutex mutex_;
  SeriesId create(Labels labels);
  std::unordered_map<Labels, SeriesId> ids_ WARD_GUARDED_BY(mutex_);
  std::vector<const Labels*> by_id_ WARD_GUARDED_BY(mutex_);
  std::vector<NewSeries> new_ WARD_GUARDED_BY(mutex_);
  SeriesId next_ WARD_GUARDED_BY(mutex_) = 0;
  std::map<TenantId, std::size_t> by_tenant_ WARD_GUARDED_BY(mutex_);
  std::map<std::pair<TenantId, AgentId>, std::size_t> by_agent_ WARD_GUARDED_BY(mutex_);
  std::map<std::string, std::uint64_t> refused_ WARD_GUARDED_BY(mutex_);
};

}  // namespace ward::collector
