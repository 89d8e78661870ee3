#include "collector/remote_write/receiver.hpp"

#include <algorithm>
#include <utility>

#include "common/http_access/bearer.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::minutes kTellEvery{1};
constexpr std::chrono::hours kMostAhead{24};  // of our clock; that of a sender may be wrong by less
constexpr std::string_view kBusySeconds = "1";
constexpr std::string_view kFullSeconds = "30";

http::ServerResponse text(int status, std::string body) {
  http::ServerResponse response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  response.body = std::move(body) + "\n";
  return response;
}

http::ServerResponse again_later(std::string body, std::string_view seconds) {
  auto response = text(503, std::move(body));
  response.headers.emplace_back("retry-after", seconds);
  return response;
}

/// Of a 503, not of a 429: Prometheus gives up data that meets the latter unless it is told otherwise.
http::ServerResponse not_stored(const Error& why) {
  switch (why.code) {
    case Errc::full: return again_later("the collector's disk takes nothing; send it again", kFullSeconds);
    case Errc::cancelled: return again_later("the collector stops; send it again", kBusySeconds);
    case Errc::invalid:
    case Errc::not_found:
    case Errc::unavailable:
    case Errc::timed_out:
    case Errc::overloaded:
    case Errc::denied:
    case Errc::corrupt:
    case Errc::internal: break;
  }
  return again_later("it is not known whether this was stored; send it again", kBusySeconds);
}

int status_of(const Error& error) { return error.code == Errc::overloaded ? 413 : 400; }

/// Counts bytes as long as it lives.
class Waiting {
 public:
  Waiting(std::shared_ptr<std::uint64_t> all, std::uint64_t bytes, telemetry::Gauge& gauge)
      : all_(std::move(all)), bytes_(bytes), gauge_(gauge) {
    *all_ += bytes_;
    gauge_.set(static_cast<double>(*all_));
  }
  ~Waiting() {
    *all_ -= bytes_;
    gauge_.set(static_cast<double>(*all_));
  }
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;

 private:
  std::shared_ptr<std::uint64_t> all_;
  std::uint64_t bytes_;
  telemetry::Gauge& gauge_;
};

}  // namespace

std::vector<TenantId> RemoteWriteOptions::tenants() const {
  std::vector<TenantId> out;
  for (const auto& token : tokens) out.push_back(token.tenant);
  if (open_tenant) out.push_back(*open_tenant);
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

/// What became of a body on the pool; nothing in it points into the body.
struct RemoteWriteReceiver::Outcome {
  std::optional<Error> error;
  RemoteWriteBatch batch;
  std::map<remote_write::Refusal, remote_write::WriteRequest::Refused> refused;
  std::string first_refused;
  std::uint64_t histograms = 0, exemplars = 0;

  [[nodiscard]] std::uint64_t refused_series() const {
    std::uint64_t out = batch.capped_series;
    for (const auto& [refusal, counts] : refused) out += counts.series;
    return out;
  }
  [[nodiscard]] std::uint64_t refused_samples() const {
    std::uint64_t out = batch.capped_samples + batch.too_old + batch.conflicting + batch.ahead;
    for (const auto& [refusal, counts] : refused) out += counts.samples;
    return out;
  }
};

RemoteWriteReceiver::RemoteWriteReceiver(RemoteWriteOptions options, Context context)
    : options_(std::move(options)), context_(std::move(context)) {}

// Every token is looked at, so that the time tells nothing of which one was nearly right.
const TenantId* RemoteWriteReceiver::tenant_of(const http::ServerRequest& request) const {
  const auto given = http::bearer(request.header("authorization"));
  const TenantId* found = nullptr;
  for (const auto& [tenant, token] : options_.tokens)
    if (http::same_secret(given, token)) found = &tenant;
  if (found == nullptr && options_.open_tenant) found = &*options_.open_tenant;
  return found;
}

std::optional<std::size_t> RemoteWriteReceiver::body_limit(const http::ServerRequest& head) const {
  if (head.path != kPath || tenant_of(head) == nullptr) return std::nullopt;
  return options_.max_body;
}

async::Task<http::ServerResponse> RemoteWriteReceiver::answer(http::ServerRequest request) {
  http::ServerResponse response;
  if (request.method != "POST") {
    response = text(405, "remote write takes POST");
    response.headers.emplace_back("allow", "POST");
  } else if (const auto* tenant = tenant_of(request); tenant == nullptr) {
    response = text(401, "the request has no token that is known here; give the sender one of remote_write_receiver.tokens");
    response.headers.emplace_back("www-authenticate", "Bearer");
  } else {
    auto taking = take(*tenant, std::move(request));
    response = co_await std::move(taking);
  }
  context_.metrics
      .counter("ward_remote_write_requests_total", "Remote write requests, by the status of their answer.",
               Labels{{"code", std::to_string(response.status)}})
      .add();
  co_return response;
}

async::Task<http::ServerResponse> RemoteWriteReceiver::take(TenantId tenant, http::ServerRequest request) {
  const auto message = remote_write::message_of(request.header("content-type"), request.header("content-encoding"));
  if (!message) co_return text(415, describe(message.error()));
  if (const auto& full = context_.server.disk_full()) co_return not_stored(*full);
  const auto size = request.body.size() + std::min(remote_write::claimed_size(request.body), options_.max_unpacked);
  if (*waiting_ > 0 && *waiting_ + size > options_.max_waiting)
    co_return again_later("as many bytes wait to be stored as may; send it again", kBusySeconds);
  const Waiting waiting(waiting_, size,
                        context_.metrics.gauge("ward_remote_write_waiting_bytes",
                                               "Bytes, packed and unpacked, of remote write requests under way."));
  context_.metrics.counter("ward_remote_write_received_bytes_total", "Bytes of remote write bodies, compressed.")
      .add(static_cast<double>(request.body.size()));
  auto work = [body = std::move(request.body), kind = *message, tenant, limits = options_.limits,
               most = options_.max_unpacked, &catalogue = context_.catalogue,
               judge = SampleJudge{context_.newest, options_.out_of_order_window, context_.clock.wall() + kMostAhead},
               &metadata = context_.server.metadata()]() -> std::shared_ptr<Outcome> {
    auto out = std::make_shared<Outcome>();
    const auto bytes = remote_write::unpack(body, most);
    TenantSeries series(tenant, catalogue);
    auto decoded = bytes ? remote_write::decode(kind, *bytes, limits, &series) : fail(bytes.error());
    if (!decoded) {
      out->error = decoded.error();
      return out;
    }
    out->batch = make_batch(*decoded, series, judge);
    for (const auto& told : decoded->metadata)
      metadata.put(tenant, told.metric, {told.type, std::string(told.help), std::string(told.unit)});
    out->refused = std::move(decoded->refused);
    out->first_refused = std::move(decoded->first_refused);
    out->histograms = decoded->histograms;
    out->exemplars = decoded->exemplars;
    return out;
  };
  auto working = async::run_blocking(context_.pool, std::move(work));
  auto outcome = co_await std::move(working);
  if (outcome->error) {
    tell(tenant, outcome->error->what);
    co_return text(status_of(*outcome->error), describe(*outcome->error));
  }
  auto storing = store(std::move(tenant), std::move(outcome));
  co_return co_await std::move(storing);
}

async::Task<http::ServerResponse> RemoteWriteReceiver::store(TenantId tenant, std::shared_ptr<Outcome> outcome) {
  const auto samples = outcome->batch.samples;
  auto writing = context_.server.local().write(tenant, std::move(outcome->batch.batch));
  const auto stored = co_await std::move(writing);
  if (!stored) co_return not_stored(stored.error());
  count(tenant, *outcome);
  const auto refused_samples = outcome->refused_samples();
  const auto refused_series = outcome->refused_series();
  http::ServerResponse response;
  response.status = 204;
  if (refused_samples + refused_series > 0) {
    auto why = outcome->first_refused;
    if (why.empty()) why = outcome->batch.first_late;
    if (why.empty())
      why = "series (" + std::string(outcome->batch.capped.largest()) +
            "): the sender or its tenant has as many series as it may (ingest.max_series_per_agent, max_series_per_tenant)";
    tell(tenant, why);
    response = text(400, why + "; refused " + std::to_string(refused_series) + " series and " +
                             std::to_string(refused_samples) + " samples, stored " + std::to_string(samples) + " samples");
  }
  response.headers.emplace_back("x-prometheus-remote-write-samples-written", std::to_string(samples));
  response.headers.emplace_back("x-prometheus-remote-write-histograms-written", "0");
  response.headers.emplace_back("x-prometheus-remote-write-exemplars-written", "0");
  co_return response;
}

void RemoteWriteReceiver::count(const TenantId& tenant, const Outcome& outcome) {
  auto& metrics = context_.metrics;
  metrics
      .counter("ward_remote_write_samples_total", "Samples of remote write committed to the journal.",
               Labels{{"tenant", tenant.get()}})
      .add(static_cast<double>(outcome.batch.samples));
  const auto refuse = [&](std::string_view reason, std::uint64_t samples) {
    if (samples > 0)
      metrics
          .counter("ward_remote_write_refused_samples_total", "Samples of remote write that were not taken.",
                   Labels{{"reason", std::string(reason)}})
          .add(static_cast<double>(samples));
  };
  for (const auto& [refusal, counts] : outcome.refused) refuse(remote_write::to_string(refusal), counts.samples);
  refuse("series_cap", outcome.batch.capped_samples);
  refuse("too_old", outcome.batch.too_old);
  refuse("conflicting", outcome.batch.conflicting);
  refuse("ahead", outcome.batch.ahead);
  const auto unsupported = [&](const char* kind, std::uint64_t many) {
    if (many > 0)
      metrics
          .counter("ward_remote_write_unsupported_total", "Native histograms and exemplars received and not stored.",
                   Labels{{"kind", kind}})
          .add(static_cast<double>(many));
  };
  unsupported("histogram", outcome.histograms);
  unsupported("exemplar", outcome.exemplars);
  for (const auto& [metric, series] : outcome.batch.capped.by_metric())
    context_.server.count_refused({tenant, LocalStreams::agent(), metric, series, 0});
  if (outcome.batch.capped_samples > 0)
    context_.server.count_refused({tenant, LocalStreams::agent(), {}, 0, outcome.batch.capped_samples});
}

void RemoteWriteReceiver::tell(const TenantId& tenant, std::string_view why) {
  const auto now = context_.clock.mono();
  const auto [at, first] = told_.emplace(tenant, now);
  if (!first && now - at->second < kTellEvery) return;
  at->second = now;
  context_.log.warn("A remote write request was refused, in part or in whole; its sender does not send it again",
                    {{"tenant", tenant.get()}, {"why", std::string(why)}});
}

}  // namespace ward::collector
