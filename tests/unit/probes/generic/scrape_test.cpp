#include "probes/generic/scrape.hpp"

#include <gmock/gmock.h>

#include "agent/schedule/harvest.hpp"
#include "tests/support/fake_http.hpp"
#include "tests/unit/probes/net/servers.hpp"

namespace ward::test {
namespace {

using namespace std::chrono_literals;
using probes::FailureReason;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr std::string_view kText = "text/plain; version=0.0.4; charset=utf-8";
constexpr std::string_view kOpenMetrics = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// "ward_x 1\n", and 100,000 times '#', as gzip makes them.
constexpr char kSmallGzip[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\x2b\x4f\x2c\x4a\x89\xaf\x50\x30\xe4\x02\x00\xfc\xee\x15\x8c"
    "\x09\x00\x00\x00";
constexpr char kLargeGzip[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xed\xc1\x21\x01\x00\x00\x00\x02\xa0\xee\x0d\xff\x7f\xf4\x86"
    "\x01\x68\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x57"
    "\x19\x35\xc2\xfa\x8c\xa1\x86\x01\x00";

template <std::size_t N>
std::string bytes(const char (&literal)[N]) {
  return {literal, N - 1};
}

probes::TargetFacts facts() {
  probes::TargetFacts facts;
  facts.labels = Labels{{"instance", "portal"}, {"job", "nginx"}};
  facts.tenant = TenantId{"clinic-a"};
  facts.deadline = 60s;
  return facts;
}

struct ScrapeProbe : Servers {
  probes::ScrapeOptions options;
  const Labels own = facts().labels;

  probes::ProbeOutput scrape(const net::Endpoint& at, const std::string& scheme = "http") {
    options.request.url = scheme + "://" + net::to_string(at) + "/metrics?token=canary";
    const auto probe = probes::make_scrape(options);
    probe->attach(facts());
    auto output = run(*probe);
    EXPECT_EQ(output.naming, probes::Naming::by_probe);
    EXPECT_EQ(value_of(output.readings, "up", own), output.failure ? 0 : 1);
    EXPECT_EQ(count_of(output.readings, "scrape_duration_seconds"), 1U);
    return output;
  }
  net::Endpoint serving(std::string_view type, const std::string& body, const std::string& more = "",
                        const std::string& status = "200 OK") {
    return scripted({{"\r\n\r\n", "HTTP/1.1 " + status + "\r\nContent-Type: " + std::string(type) + "\r\n" + more +
                                      "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body}});
  }
  void expect_failed(const net::Endpoint& at, FailureReason reason, const std::string& says) {
    const auto output = scrape(at);
    ASSERT_TRUE(output.failure) << says;
    EXPECT_EQ(output.failure->reason, reason) << describe(output.failure->error);
    EXPECT_THAT(describe(output.failure->error), HasSubstr(says));
    EXPECT_THAT(describe(output.failure->error), Not(HasSubstr("canary")));
    EXPECT_EQ(output.readings.size(), 5U) << to_text(output.readings);
  }
};

TEST_F(ScrapeProbe, PassesOnWhatIsServed) {
  const auto output = scrape(serving(kText, "# HELP a_total All.\n# TYPE a_total counter\na_total{x=\"1\"} 3\na_total 4\n"));
  EXPECT_FALSE(output.failure);
  EXPECT_EQ(value_of(output.readings, "a_total", own.with("x", "1")), 3);
  EXPECT_EQ(value_of(output.readings, "a_total", own), 4);
  EXPECT_EQ(value_of(output.readings, "scrape_samples_scraped", own), 2);
  EXPECT_EQ(value_of(output.readings, "scrape_samples_post_metric_relabeling", own), 2);
  EXPECT_EQ(value_of(output.readings, "scrape_series_added", own), 2);
  const exposition::Description about{"a_total", MetricType::counter, "", "All."};
  EXPECT_THAT(output.described, testing::ElementsAre(about));
}

TEST_F(ScrapeProbe, ReadsOpenMetricsByItsContentType) {
  const auto output = scrape(serving(kOpenMetrics, "a_seconds 1 1520879607.789\n# EOF\n"));
  EXPECT_FALSE(output.failure);
  EXPECT_EQ(value_of(output.readings, "a_seconds", own), 1);
  expect_failed(serving(kOpenMetrics, "a_seconds 1\n"), FailureReason::protocol, "without '# EOF'");
}

TEST_F(ScrapeProbe, AsksAsPrometheusDoes) {
  options.credentials.bearer_token = Secret("token-1");
  scrape(serving(kText, "a 1\n"));
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_THAT(heard[0], HasSubstr("GET /metrics?token=canary HTTP/1.1\r\n"));
  EXPECT_THAT(heard[0], HasSubstr("Accept: application/openmetrics-text;version=1.0.0;escaping=allow-utf-8;q=0.5,"));
  EXPECT_THAT(heard[0], HasSubstr("Accept-Encoding: gzip\r\n"));
  EXPECT_THAT(heard[0], HasSubstr("X-Prometheus-Scrape-Timeout-Seconds: 57.000\r\n"));
  EXPECT_THAT(heard[0], HasSubstr("Authorization: Bearer token-1\r\n"));
}

TEST_F(ScrapeProbe, ShowsItsSecretsToTheServerAlone) {
  options.credentials.username = "ward";
  options.credentials.password = Secret("canary");
  const auto output = scrape(serving(kText, "", "", "401 Unauthorized"));
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_THAT(heard[0], HasSubstr("Authorization: Basic d2FyZDpjYW5hcnk="));
  ASSERT_TRUE(output.failure);
  EXPECT_EQ(output.failure->reason, FailureReason::auth);
  EXPECT_THAT(to_text(output.readings) + describe(output.failure->error), Not(HasSubstr("canary")));
}

TEST_F(ScrapeProbe, UnpacksGzip) {
  const auto output = scrape(serving(kText, bytes(kSmallGzip), "Content-Encoding: gzip\r\n"));
  EXPECT_FALSE(output.failure);
  EXPECT_EQ(value_of(output.readings, "ward_x", own), 1);
}

TEST_F(ScrapeProbe, BoundsTheBodyAsItIsUnpacked) {
  options.request.max_body_bytes = 1'000;
  ASSERT_LT(bytes(kLargeGzip).size(), 1'000U);
  expect_failed(serving(kText, bytes(kLargeGzip), "Content-Encoding: gzip\r\n"), FailureReason::probe_overload,
                "body_size_limit");
  expect_failed(serving(kText, std::string(1'001, '#')), FailureReason::probe_overload, "more than 1000 bytes");
}

TEST_F(ScrapeProbe, SaysWhyThereIsNothing) {
  expect_failed(nobody(io), FailureReason::connect_refused, "refuse");
  expect_failed(serving(kText, "", "", "403 Forbidden"), FailureReason::permission, "status 403");
  expect_failed(serving(kText, "", "", "404 Not Found"), FailureReason::http_status, "status 404");
  expect_failed(serving("text/html", "<html></html>"), FailureReason::unsupported, "no text format of Prometheus");
  expect_failed(serving(kText, "a 1\nb two\n"), FailureReason::protocol, "line 2: the value 'two'");
  options.intake.sample_limit = 1;
  expect_failed(serving(kText, "a 1\nb 2\n"), FailureReason::probe_overload, "sample_limit");
}

TEST_F(ScrapeProbe, FollowsARedirectOnlyWhenTold) {
  const auto last = serving(kText, "a 1\n");
  const auto moved = "Location: http://" + net::to_string(last) + "/metrics\r\n";
  expect_failed(serving(kText, "", moved, "302 Found"), FailureReason::http_status, "max_redirects");
  options.request.max_redirects = 1;
  EXPECT_FALSE(scrape(serving(kText, "", moved, "302 Found")).failure);
}

TEST_F(ScrapeProbe, TrustsTheConfiguredAuthorityAlone) {
  TestCa ca, other("another");
  options.request.tls.ca_file = other.ca_file();
  const auto refused = scrape(tls(ca.issue(collector_certificate())), "https");
  ASSERT_TRUE(refused.failure);
  EXPECT_EQ(refused.failure->reason, FailureReason::tls_untrusted);
  options.request.tls.ca_file = ca.ca_file();
  const auto read = scrape(tls(ca.issue(collector_certificate())), "https");
  ASSERT_TRUE(read.failure) << "the server says 'ok', which is a name without a value";
  EXPECT_EQ(read.failure->reason, FailureReason::protocol);
}

TEST_F(ScrapeProbe, SaysADeadlineAsAFailedScrape) {
  const auto probe = probes::make_scrape(options);
  probe->attach(facts());
  EXPECT_EQ(value_of(probe->on_deadline(), "up"), 0);
}

/// Runs of one target, through the harvest that the agent puts behind it.
struct ScrapeTarget : testing::Test {
  FakeHttp http;
  FakeHost host;
  agent::Target target;
  ScrapeTarget() {
    host.use_http(http);
    target.kind = probes::find_probe("scrape");
    target.name = "portal";
    target.tenant = facts().tenant;
    target.labels = facts().labels;
    probes::ScrapeOptions options;
    options.request.url = "http://exporter:9113/metrics";
    target.probe = probes::make_scrape(std::move(options));
    target.probe->attach(facts());
  }
  void answers(FakeHttp::Answer answer) { http.on("GET http://exporter:9113/metrics", std::move(answer)); }
  void serves(const std::string& body) { answers(response(200, std::string(kText), body)); }
  agent::RunOutcome once() {
    agent::RunOutcome outcome;
    outcome.started = host.clock().wall();
    outcome.output = collect(*target.probe, host);
    return outcome;
  }
  static std::optional<double> value(const Batch& batch, const std::string& metric) {
    std::optional<double> found;
    for (const auto& [series, value] : batch.values)
      if (series == facts().labels.with(kNameLabel, metric)) found = value;
    return found;
  }
};

TEST_F(ScrapeTarget, EndsTheSeriesOfAFailedScrapeOnce) {
  serves("a 1\nb 2\n");
  answers(failure(http::FailureKind::connect_refused));
  agent::Harvest harvest(target, target.probe->caps());
  const auto good = harvest.gather(once());
  EXPECT_EQ(value(good, "a"), 1);
  EXPECT_EQ(value(good, "up"), 1);
  const auto bad = harvest.gather(once());
  EXPECT_EQ(value(bad, "up"), 0);
  EXPECT_TRUE(is_stale(value(bad, "a").value_or(0)));
  EXPECT_TRUE(is_stale(value(bad, "b").value_or(0)));
  ASSERT_EQ(bad.events.size(), 1U);
  EXPECT_EQ(bad.events[0].kind, "probe_failed");
  EXPECT_EQ(bad.events[0].attributes.get("reason"), "connect_refused");
  EXPECT_FALSE(value(harvest.gather(once()), "a"));
}

TEST_F(ScrapeTarget, EndsASeriesThatIsNoLongerServed) {
  serves("a 1\nb 2\n");
  serves("a 1\nc 3\n");
  agent::Harvest harvest(target, target.probe->caps());
  EXPECT_EQ(value(harvest.gather(once()), "scrape_series_added"), 2);
  const auto second = harvest.gather(once());
  EXPECT_TRUE(is_stale(value(second, "b").value_or(0)));
  EXPECT_EQ(value(second, "scrape_series_added"), 1);
}

TEST_F(ScrapeTarget, NamesItsReportAlikeWhenARunMissesItsDeadline) {
  serves("a 1\n");
  agent::Harvest harvest(target, target.probe->caps());
  harvest.gather(once());
  agent::RunOutcome late;
  late.output.readings = target.probe->on_deadline();
  const auto batch = harvest.gather(std::move(late));
  EXPECT_EQ(value(batch, "up"), 0);
  EXPECT_EQ(value(batch, "scrape_samples_scraped"), 0);
  EXPECT_TRUE(is_stale(value(batch, "a").value_or(0)));
}

TEST_F(ScrapeTarget, LetsNoExporterSpeakForTheProbe) {
  serves("up 0\nward_probe_success 0\n");
  agent::Harvest harvest(target, target.probe->caps());
  EXPECT_EQ(value(harvest.gather(once()), "up"), 1);
  EXPECT_EQ(harvest.dropped().at("duplicate"), 1U);
}

TEST_F(ScrapeTarget, IsNotCutBelowItsLimit) {
  std::string body;
  for (int i = 0; i < 6'000; ++i) body += "a{i=\"" + std::to_string(i) + "\"} 1\n";
  serves(body);
  agent::Harvest harvest(target, target.probe->caps());
  const auto batch = harvest.gather(once());
  EXPECT_GE(batch.values.size(), 6'000U);
  EXPECT_THAT(harvest.dropped(), IsEmpty());
}

TEST_F(ScrapeTarget, TellsWhatAMetricIsOnce) {
  serves("# TYPE a gauge\na 1\n");
  serves("# TYPE a gauge\na 1\n");
  serves("# TYPE a counter\na 1\n# HELP b New.\n");
  EXPECT_EQ(once().output.described.size(), 1U);
  EXPECT_THAT(once().output.described, IsEmpty());
  EXPECT_EQ(once().output.described.size(), 2U);
}

}  // namespace
}  // namespace ward::test
