/// Does Odoo answer, and does it reach its PostgreSQL server? Up means an HTTP answer: a TCP connect succeeds for seconds
/// before the workers exist, and whenever all of them are busy.
/// Source: GET /web/health, then GET /web/health?db_server_status=1 (each uses one worker for some 50 ms; the second is
///         left out when the first had no answer). Where /web/health is missing (14.0): POST /web/webclient/version_info.
/// Emits:  odoo_http_up (0/1), odoo_http_listening (0/1: the connection came about; with up 0 "listening, not serving"),
///         odoo_http_database_up (0/1; absent when Odoo did not tell), odoo_http_check_supported{check} (0/1),
///         odoo_http_status_code{check}, odoo_http_duration_seconds{check},
///         odoo_http_phase_duration_seconds{check,phase}, odoo_version_info{version} (only where health is missing).
/// Errors: the HTTP client's reasons; http_status for 5xx or an unreachable database, body_mismatch when someone else
///         answers. Bodies are never kept.
#include "probes/odoo/odoo_http.hpp"

#include <array>
#include <optional>

#include "probes/odoo/http_reply.hpp"

namespace ward::probes {
namespace {

using namespace odoo;

constexpr std::array<MetricMeta, 8> kMetrics{{
    {"odoo_http_up", MetricType::gauge, "", "1 when Odoo answered over HTTP."},
    {"odoo_http_listening", MetricType::gauge, "", "1 when the TCP connection came about, answered or not."},
    {"odoo_http_database_up", MetricType::gauge, "", "1 when Odoo reaches its PostgreSQL server."},
    {"odoo_http_check_supported", MetricType::gauge, "", "1 when this version of Odoo has the check."},
    {"odoo_http_status_code", MetricType::gauge, "", "HTTP status of the check."},
    {"odoo_http_duration_seconds", MetricType::gauge, "seconds", "Duration of the check, also of a failed one."},
    {"odoo_http_phase_duration_seconds", MetricType::gauge, "seconds", "Duration by phase of the exchange."},
    {"odoo_version_info", MetricType::gauge, "", "Version of Odoo."},
}};

constexpr std::string_view kHealth = "health", kDatabase = "database", kVersion = "version";
/// Odoo 14 renders a whole page to say 404 (0.46 s): ask for /web/health again only now and then, after an upgrade.
constexpr std::chrono::hours kAskAgain{1};

void put(Readings& out, std::string_view metric, Labels labels, double value) {
  out.push_back(Reading{std::string(metric), std::move(labels), value});
}
Labels check_label(std::string_view check) { return {{"check", std::string(check)}}; }

using Answer = tl::expected<http::Response, http::Failure>;

class OdooHttp final : public Probe {
 public:
  explicit OdooHttp(OdooHttpOptions options) : options_(std::move(options)) {}

  async::Task<ProbeOutput> collect(Host& host) override;
  [[nodiscard]] Readings on_deadline() const override { return {{"odoo_http_up", {}, 0}}; }

 private:
  [[nodiscard]] http::Request request(std::string_view path) const;
  async::Task<Answer> ask(Host& host, std::string_view check, http::Request request, ProbeOutput& output);
  async::Task<void> ask_version(Host& host, ProbeOutput& output);
  async::Task<void> ask_database(Host& host, ProbeOutput& output);
  void judge_health(const http::Response& response, ProbeOutput& output) const;
  void fail_with(ProbeOutput& output, FailureReason reason, std::string what, std::string fix) const;

  const OdooHttpOptions options_;
  std::optional<MonoTime> health_missing_since_;
};

http::Request OdooHttp::request(std::string_view path) const {
  http::Request request;
  request.url = options_.url + std::string(path);
  request.timeout = options_.timeout;
  request.connect_timeout = options_.timeout;
  if (!options_.virtual_host.empty()) request.headers.emplace_back("Host", options_.virtual_host);
  return request;
}

void OdooHttp::fail_with(ProbeOutput& output, FailureReason reason, std::string what, std::string fix) const {
  if (output.failure) return;
  output.failure = ProbeFailure{reason, Error{Errc::unavailable, options_.url + ": " + what, std::move(fix)}};
}

async::Task<Answer> OdooHttp::ask(Host& host, std::string_view check, http::Request request, ProbeOutput& output) {
  auto& out = output.readings;
  const auto start = host.clock().mono();
  auto answer = co_await host.http().send(std::move(request));
  put(out, "odoo_http_duration_seconds", check_label(check), to_seconds(host.clock().mono() - start));
  const auto& phases = answer ? answer->phases : answer.error().phases;
  const std::array<std::pair<std::string_view, std::chrono::nanoseconds>, 5> named{{{"resolve", phases.resolve},
                                                                                    {"connect", phases.connect},
                                                                                    {"tls", phases.tls},
                                                                                    {"processing", phases.processing},
                                                                                    {"transfer", phases.transfer}}};
  for (const auto& [phase, duration] : named)
    put(out, "odoo_http_phase_duration_seconds", {{"check", std::string(check)}, {"phase", std::string(phase)}},
        to_seconds(duration));
  if (answer) {
    put(out, "odoo_http_status_code", check_label(check), answer->status);
  } else if (!output.failure) {
    output.failure = ProbeFailure{reason_of(answer.error().kind), answer.error().error};
  }
  co_return answer;
}

void OdooHttp::judge_health(const http::Response& response, ProbeOutput& output) const {
  const auto health = parse_health(response.body);
  const bool up = response.status == 200 && health && health->pass;
  put(output.readings, "odoo_http_up", {}, up ? 1 : 0);
  put(output.readings, "odoo_http_check_supported", check_label(kHealth), 1);
  if (up) return;
  if (response.status == 200)
    fail_with(output, FailureReason::body_mismatch, "/web/health answered 200 with something that is not Odoo's",
              "Point 'url' at Odoo, or mend the proxy in front of it.");
  else
    fail_with(output, FailureReason::http_status, "/web/health answered " + std::to_string(response.status),
              "Look into Odoo's log and the proxy's.");
}

async::Task<void> OdooHttp::ask_database(Host& host, ProbeOutput& output) {
  auto question = request("/web/health?db_server_status=1");
  const auto answer = co_await ask(host, kDatabase, std::move(question), output);
  if (!answer) co_return;
  const auto health = parse_health(answer->body);
  const bool told = health && health->database.has_value();
  if (told || answer->status == 200) put(output.readings, "odoo_http_check_supported", check_label(kDatabase), told ? 1 : 0);
  if (told) put(output.readings, "odoo_http_database_up", {}, *health->database ? 1 : 0);
  if (answer->status == 200 && (!told || *health->database)) co_return;
  fail_with(output, FailureReason::http_status,
            "/web/health?db_server_status=1 answered " + std::to_string(answer->status) +
                (told ? ": Odoo does not reach PostgreSQL" : ""),
            "Look at PostgreSQL and at the network between Odoo and it.");
}

async::Task<void> OdooHttp::ask_version(Host& host, ProbeOutput& output) {
  put(output.readings, "odoo_http_check_supported", check_label(kHealth), 0);
  put(output.readings, "odoo_http_check_supported", check_label(kDatabase), 0);
  auto question = request("/web/webclient/version_info");
  question.method = "POST";
  question.headers.emplace_back("Content-Type", "application/json");
  question.body = "{}";
  const auto answer = co_await ask(host, kVersion, std::move(question), output);
  const auto version = answer ? parse_version(answer->body) : std::nullopt;
  const bool up = answer && answer->status == 200 && version;
  put(output.readings, "odoo_http_listening", {}, answer || was_connected(answer.error()) ? 1 : 0);
  put(output.readings, "odoo_http_up", {}, up ? 1 : 0);
  if (up) {
    put(output.readings, "odoo_version_info", {{"version", *version}}, 1);
    co_return;
  }
  // Neither health nor version: perhaps not Odoo, perhaps upgraded. Start over next time.
  health_missing_since_.reset();
  if (answer)
    fail_with(output, FailureReason::http_status,
              "/web/health is missing and /web/webclient/version_info answered " + std::to_string(answer->status),
              "Point 'url' at Odoo, or mend the proxy in front of it.");
}

async::Task<ProbeOutput> OdooHttp::collect(Host& host) {
  ProbeOutput output;
  const auto now = host.clock().mono();
  if (health_missing_since_ && now - *health_missing_since_ < kAskAgain) {
    co_await ask_version(host, output);
    co_return output;
  }
  auto question = request("/web/health");
  const auto answer = co_await ask(host, kHealth, std::move(question), output);
  if (!answer) {
    put(output.readings, "odoo_http_listening", {}, was_connected(answer.error()) ? 1 : 0);
    put(output.readings, "odoo_http_up", {}, 0);
    co_return output;
  }
  if (answer->status == 404) {
    health_missing_since_ = now;
    co_await ask_version(host, output);
    co_return output;
  }
  health_missing_since_.reset();
  put(output.readings, "odoo_http_listening", {}, 1);
  judge_health(*answer, output);
  if (options_.check_database && answer->status == 200) co_await ask_database(host, output);
  co_return output;
}

std::unique_ptr<Probe> make(config::Section& target) {
  OdooHttpOptions options;
  options.url = read_base_url(target);
  options.virtual_host = target.text("host", "");
  options.timeout = target.duration("timeout", options.timeout, milliseconds{100});
  options.check_database = target.flag("database_check", true);
  if (options.url.empty()) return nullptr;
  return make_odoo_http(std::move(options));
}

}  // namespace

std::unique_ptr<Probe> make_odoo_http(OdooHttpOptions options) { return std::make_unique<OdooHttp>(std::move(options)); }

ProbeKind odoo_http_probe() {
  ProbeKind kind;
  kind.name = "odoo_http";
  kind.job = "odoo";
  kind.interval = std::chrono::seconds{15};
  kind.deadline = std::chrono::seconds{12};
  kind.data_class = DataClass::page;
  kind.metrics = kMetrics;
  kind.make = make;
  return kind;
}

}  // namespace ward::probes
