#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/thread_annotations.hpp"
#include "common/model/ids.hpp"
#include "common/model/sample.hpp"

namespace ward::collector {

/// What a metric is, as an agent tells it.
struct MetricDescription {
  MetricType type = MetricType::unknown;
  std::string help;
  std::string unit;
  friend bool operator==(const MetricDescription&, const MetricDescription&) = default;
};

/// Types and texts of metrics by tenant, for GET /api/v1/metadata. In memory alone: agents tell them again with each
/// session. Bounded for each tenant, so that one cannot take the room of the others, and for all. Thread: any.
class MetricMetadata {
 public:
  struct Limits {
    std::size_t per_tenant = 4'096;
    std::size_t all = 100'000;  ///< some 100 bytes each, texts that tenants share counted once
  };
  struct Entry {
    std::string metric;
    std::vector<MetricDescription> descriptions;  ///< each once, however many tenants agree
    friend bool operator==(const Entry&, const Entry&) = default;
  };

  MetricMetadata() : MetricMetadata(Limits{}) {}
  explicit MetricMetadata(Limits limits) : limits_(limits) {}

  /// A tenant's latest word on a metric counts. Beyond a limit, and for what is no name of a metric, only refused() moves.
  void put(const TenantId& tenant, std::string_view metric, MetricDescription description);
  /// By name; `metric` alone, or all when it is empty.
  [[nodiscard]] std::vector<Entry> read(std::string_view metric = {}) const;

  /// What a tenant says of the metric of a series; that of a histogram or summary for a series of one. nullopt: nothing.
  [[nodiscard]] std::optional<MetricDescription> find(const TenantId& tenant, std::string_view series_name) const;

  [[nodiscard]] std::size_t size() const;  ///< pairs of tenant and metric
  [[nodiscard]] std::uint64_t refused() const;

 private:
  using ByTenant = std::map<TenantId, std::shared_ptr<const MetricDescription>>;
  static Entry entry_of(const std::string& metric, const ByTenant& told);

  const Limits limits_;
  mutable std::mutex mutex_;
  std::map<std::string, ByTenant, std::less<>> metrics_ WARD_GUARDED_BY(mutex_);
  std::map<TenantId, std::size_t> sizes_ WARD_GUARDED_BY(mutex_);
  std::size_t size_ WARD_GUARDED_BY(mutex_) = 0;
  std::uint64_t refused_ WARD_GUARDED_BY(mutex_) = 0;
};

}  // namespace ward::collector
