#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "collector/ingest/local_streams.hpp"
#include "collector/ingest/refused_by_metric.hpp"
#include "common/remote_write/write_request.hpp"

namespace ward::collector {

/// What the store will say of a sample, so that its sender hears of it. Thread: any.
struct SampleJudge {
  std::function<std::optional<Sample>(SeriesId)> newest;  ///< of a series; empty: everything is taken
  milliseconds out_of_order{};                            ///< how far behind it a sample may be
  std::optional<Time> latest{};                           ///< none later is taken: a day far ahead is a file of its own
};

/// What of a request goes into the journal, and what does not.
struct RemoteWriteBatch {
  LocalBatch batch;
  std::uint64_t samples = 0;         ///< in the batch
  RefusedByMetric capped;            ///< new series above a cap
  std::uint64_t capped_series = 0;   ///< of all metrics
  std::uint64_t capped_samples = 0;  ///< theirs
  std::uint64_t too_old = 0;         ///< samples further behind than the window
  std::uint64_t conflicting = 0;     ///< samples with another value than the newest, at its time
  std::uint64_t ahead = 0;           ///< samples later than the latest
  std::string first_late;            ///< the first of these three, in words
};

/// The series of a tenant that the catalogue knows, leased for one request. Thread: one at a time.
class TenantSeries final : public remote_write::KnownSeries {
 public:
  TenantSeries(const TenantId& tenant, Catalogue& catalogue)
      : tenant_(tenant), catalogue_(catalogue), lease_(catalogue.lease()) {}
  void find(std::span<const std::string_view> label_bytes, std::span<std::uint32_t> numbers) override {
    catalogue_.find(tenant_, label_bytes, numbers);
  }
  /// wire::kRefusedSeries above a cap.
  SeriesId resolve(std::span<const LabelView> labels) {
    return catalogue_.resolve_leased(tenant_, LocalStreams::agent(), labels);
  }
  [[nodiscard]] std::string metric(SeriesId id) const { return std::string(catalogue_.labels(id).name()); }
  [[nodiscard]] const Leases::Lease& lease() const { return lease_; }

 private:
  const TenantId& tenant_;
  Catalogue& catalogue_;
  Leases::Lease lease_;
};
static_assert(remote_write::Series::kUnknown == Catalogue::kUnknown);

/// Finds or makes the series of a request that was decoded with them (the sender's own `tenant` label gives way to the
/// token's) and cuts its samples into records. A series without a sample takes no place. Thread: any.
RemoteWriteBatch make_batch(const remote_write::WriteRequest& request, TenantSeries& series, const SampleJudge& judge = {});

/// More rows cost each request, fewer cost more samples when one is damaged.
inline constexpr std::size_t kSamplesPerRecord = 4'096;
static_assert(kSamplesPerRecord <= wire::kMaxRecordSamples);
static_assert(remote_write::kMaxLabelText + 128 <= kMaxLabelText);  // the tenant's name and label come to it

}  // namespace ward::collector
