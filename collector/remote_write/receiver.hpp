#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string_view>

#include "collector/event/metadata.hpp"
#include "collector/ingest/stream_server.hpp"
#include "collector/remote_write/batch.hpp"
#include "collector/remote_write/options.hpp"
#include "common/async/blocking.hpp"
#include "common/http/server.hpp"
#include "common/telemetry/log.hpp"
#include "common/telemetry/metrics.hpp"

namespace ward::collector {

/// POST /api/v1/write: Prometheus' remote write, 1.0 and 2.0. The bearer token names the tenant. 204 after the commit; 400
/// for what is wrong with the request and will be wrong again, with the rest of it stored; 503 for what may be tried again.
/// Native histograms and exemplars are counted and not stored. Counts: ward_remote_write_requests_total{code},
/// _samples_total{tenant}, _refused_samples_total{reason}, _unsupported_total{kind}, _received_bytes_total, _waiting_bytes.
/// Sources: https://prometheus.io/docs/specs/prw/remote_write_spec/, .../remote_write_spec_2_0/. Thread: the io thread.
class RemoteWriteReceiver {
 public:
  static constexpr std::string_view kPath = "/api/v1/write";
  struct Context {
    const Clock& clock;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    async::BlockingPool& pool;
    Catalogue& catalogue;
    StreamServer& server;                                             ///< its open_local() knows the tenants
    std::function<std::optional<Sample>(SeriesId)> newest = nullptr;  ///< of a series in the store; any thread
  };
  RemoteWriteReceiver(RemoteWriteOptions options, Context context);

  async::Task<http::ServerResponse> answer(http::ServerRequest request);
  /// What a body may have: more than others for whoever has a token.
  [[nodiscard]] std::optional<std::size_t> body_limit(const http::ServerRequest& head) const;

 private:
  struct Outcome;
  [[nodiscard]] const TenantId* tenant_of(const http::ServerRequest& request) const;
  async::Task<http::ServerResponse> take(TenantId tenant, http::ServerRequest request);
  async::Task<http::ServerResponse> store(TenantId tenant, std::shared_ptr<Outcome> outcome);
  void count(const TenantId& tenant, const Outcome& outcome);
  void tell(const TenantId& tenant, std::string_view why);

  RemoteWriteOptions options_;
  Context context_;
  std::shared_ptr<std::uint64_t> waiting_ = std::make_shared<std::uint64_t>(0);
  std::map<TenantId, MonoTime> told_;  // when something wrong was last logged
};

}  // namespace ward::collector
