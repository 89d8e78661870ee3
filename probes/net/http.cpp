/// An HTTP or HTTPS exchange seen from outside: status, body, certificate, and how long each step took.
/// Source: one request on a connection of its own (libcurl); redirects only up to `max_redirects`.
/// Emits:  probe_success and the other probe_* series with blackbox_exporter's names and units;
///         probe_http_duration_seconds{phase=resolve|connect|tls|processing|transfer} sums all hops;
///         ward_http_hop_status_code and ward_http_hop_duration_seconds{hop,url} when redirects were followed
///         (URL without query); certificate ends even when the certificate was refused. Bodies never leave the probe.
/// Errors: dns_*, connect_*, tls_*, http_timeout, http_status (not an expected status), body_mismatch, protocol.
#include "probes/net/http.hpp"

#include <charconv>
#include <curl/curl.h>
#include <re2/re2.h>

#include "common/base/parse.hpp"
#include "common/http/url.hpp"
#include "probes/net/report.hpp"

namespace ward::probes {
namespace {

constexpr auto kHttpMetrics = net::joined(
    net::kCommonMetrics, net::kTlsMetrics,
    std::array{
        MetricMeta{"probe_http_status_code", MetricType::gauge, "", "Status of the final answer"},
        MetricMeta{"probe_http_version", MetricType::gauge, "", "HTTP version, 1.1 or 2"},
        MetricMeta{"probe_http_redirects", MetricType::gauge, "", "Redirects that were followed"},
        MetricMeta{"probe_http_ssl", MetricType::gauge, "", "1 when the final hop used TLS"},
        MetricMeta{"probe_http_content_length", MetricType::gauge, "bytes", "Declared length of the body, -1 when none"},
        MetricMeta{"probe_http_uncompressed_body_length", MetricType::gauge, "bytes", "Bytes of the body that were read"},
        MetricMeta{"probe_http_last_modified_timestamp_seconds", MetricType::gauge, "seconds", "Last-Modified, Unix time"},
        MetricMeta{"probe_http_duration_seconds", MetricType::gauge, "seconds", "Length of each phase, over all hops"},
        MetricMeta{"probe_failed_due_to_regex", MetricType::gauge, "", "1 when the body check failed"},
        MetricMeta{"ward_http_hop_status_code", MetricType::gauge, "", "Status of each hop of a redirect"},
        MetricMeta{"ward_http_hop_duration_seconds", MetricType::gauge, "seconds", "Length of each hop of a redirect"},
    });

double whole(const http::Phases& p) { return to_seconds(p.resolve + p.connect + p.tls + p.processing + p.transfer); }

void put_phases(net::Report& report, const http::Phases& phases) {
  const auto put = [&](const char* phase, std::chrono::nanoseconds d) {
    report.put("probe_http_duration_seconds", to_seconds(d), {{"phase", phase}});
  };
  put("resolve", phases.resolve);
  put("connect", phases.connect);
  put("tls", phases.tls);
  put("processing", phases.processing);
  put("transfer", phases.transfer);
}

void put_hops(net::Report& report, const std::vector<http::Hop>& hops) {
  for (std::size_t i = 0; i < hops.size(); ++i) {
    const Labels labels{{"hop", std::to_string(i + 1)}, {"url", net::url_label(hops[i].url)}};
    report.put("ward_http_hop_status_code", hops[i].status, labels);
    report.put("ward_http_hop_duration_seconds", whole(hops[i].phases), labels);
  }
}

class HttpProbe final : public Probe {
 public:
  explicit HttpProbe(HttpOptions options) : options_(std::move(options)) {}
  async::Task<ProbeOutput> collect(Host& host) override;
  [[nodiscard]] Readings on_deadline() const override { return net::deadline_readings(); }

 private:
  [[nodiscard]] http::Request request() const;
  void judge(const http::Response& response, net::Report& report) const;
  HttpOptions options_;
};

http::Request HttpProbe::request() const {
  http::Request request = options_.request;
  request.fresh_connection = true;
  http::authorize(request, options_.credentials);
  return request;
}

void HttpProbe::judge(const http::Response& response, net::Report& report) const {
  const auto status = response.status;
  bool expected = false;
  for (const auto& range : options_.expect_status) expected = expected || (status >= range.first && status <= range.last);
  const auto where = options_.name();
  if (!expected)
    report.fail(FailureReason::http_status, {Errc::unavailable, where + " answered with status " + std::to_string(status),
                                             "Look into the server's log, or add the status to 'expect_status'."});
  const bool found = !options_.body_match || RE2::PartialMatch(response.body, *options_.body_match);
  const bool forbidden = options_.body_not_match && RE2::PartialMatch(response.body, *options_.body_not_match);
  if (options_.body_match || options_.body_not_match) report.put("probe_failed_due_to_regex", !found || forbidden ? 1 : 0);
  if (!found)
    report.fail(FailureReason::body_mismatch,
                {Errc::unavailable, where + " answered with a body that does not match 'body_match'",
                 "Look at the page, or correct the expression."});
  if (forbidden)
    report.fail(FailureReason::body_mismatch,
                {Errc::unavailable, where + " answered with a body that matches 'body_not_match'",
                 "Look at the page, or correct the expression."});
}

async::Task<ProbeOutput> HttpProbe::collect(Host& host) {
  net::Report report(host.clock(), options_.request.timeout);
  auto sending = host.http().send(request());
  auto outcome = co_await std::move(sending);
  if (!outcome) {
    auto& failure = outcome.error();
    put_phases(report, failure.phases);
    put_hops(report, failure.hops);
    report.tls(failure.tls);
    report.put("probe_http_status_code", 0);
    report.fail(net::reason_of(failure.kind), std::move(failure.error));
    co_return report.finish();
  }
  const auto& response = *outcome;
  boost::system::error_code no_address;
  const auto address = boost::asio::ip::make_address(response.remote_address, no_address);
  if (!no_address) report.address(address, response.phases.resolve);
  put_phases(report, response.phases);
  if (response.redirects > 0) put_hops(report, response.hops);
  report.tls(response.tls);
  report.put("probe_http_status_code", response.status);
  report.put("probe_http_version", response.version_major + response.version_minor / 10.0);
  report.put("probe_http_redirects", response.redirects);
  report.put("probe_http_ssl", response.final_url.starts_with("https:") ? 1 : 0);
  const auto length = to_u64(response.header("content-length"));
  report.put("probe_http_content_length", length ? static_cast<double>(*length) : -1);
  report.put("probe_http_uncompressed_body_length", static_cast<double>(response.body.size()));
  if (const auto modified = curl_getdate(std::string(response.header("last-modified")).c_str(), nullptr); modified > 0)
    report.put("probe_http_last_modified_timestamp_seconds", static_cast<double>(modified));
  judge(response, report);
  co_return report.finish();
}

/// "200", "2xx" or "200-204".
std::optional<StatusRange> parse_status(std::string_view text) {
  if (text.size() == 3 && text.ends_with("xx") && text[0] >= '1' && text[0] <= '5')
    return StatusRange{(text[0] - '0') * 100, (text[0] - '0') * 100 + 99};
  const auto dash = text.find('-');
  const auto first = to_u64(text.substr(0, dash));
  const auto last = dash == std::string_view::npos ? first : to_u64(text.substr(dash + 1));
  if (!first || !last || *first < 100 || *last > 599 || *first > *last) return std::nullopt;
  return StatusRange{static_cast<int>(*first), static_cast<int>(*last)};
}

std::shared_ptr<const RE2> read_pattern(config::Section& target, std::string_view key) {
  const auto text = target.text(key, "");
  if (text.empty()) return nullptr;
  auto pattern = std::make_shared<const RE2>(text, RE2::Quiet);
  if (pattern->ok()) return pattern;
  target.problems().add(target.at(key), "'" + std::string(key) + "' is not a regular expression: " + pattern->error(),
                        "Use RE2 syntax.");
  return nullptr;
}

std::unique_ptr<Probe> make_http_from(config::Section& target) {
  const auto before = target.problems().list().size();
  HttpOptions options;
  auto& request = options.request;
  request.url = target.text("url");
  if (const auto url = http::parse_url(request.url); !request.url.empty() && !url)
    target.problems().add(target.at("url"), url.error().what, url.error().fix);
  request.method = target.text("method", "GET");
  request.headers = target.text_map("headers");
  request.body = target.text("body", "");
  request.timeout = target.duration("timeout", request.timeout / 2, milliseconds{10});
  request.connect_timeout = request.timeout;
  request.max_redirects = static_cast<int>(target.whole("max_redirects", 0, 0, 10));
  request.max_body_bytes = target.size("max_body", request.max_body_bytes);
  request.proxy = target.text("proxy", "");
  request.http2 = target.flag("http2", false);
  if (const auto listed = target.texts("expect_status"); !listed.empty()) {
    options.expect_status.clear();
    for (const auto& text : listed) {
      if (const auto range = parse_status(text)) {
        options.expect_status.push_back(*range);
      } else {
        target.problems().add(target.at("expect_status"), "'" + text + "' is not an HTTP status",
                              "Write 200, 2xx or 200-204.");
      }
    }
  }
  options.body_match = read_pattern(target, "body_match");
  options.body_not_match = read_pattern(target, "body_not_match");
  options.credentials = http::read_credentials(target);
  request.tls = http::read_client_tls(target);
  if (target.problems().list().size() != before) return nullptr;
  return make_http(std::move(options));
}

}  // namespace

std::string HttpOptions::name() const {
  const auto url = http::parse_url(request.url);
  return url ? url->host_port() : "the target";
}

std::unique_ptr<Probe> make_http(HttpOptions options) { return std::make_unique<HttpProbe>(std::move(options)); }

ProbeKind http_probe() {
  ProbeKind kind;
  kind.name = "http";
  kind.job = "blackbox";
  kind.data_class = DataClass::sli;
  kind.metrics = kHttpMetrics;
  kind.make = make_http_from;
  return kind;
}

}  // namespace ward::probes
