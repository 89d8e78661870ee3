#include "collector/slo/slo_document.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ward::collector::slo {
namespace {

using testing::HasSubstr;

struct Loaded {
  SloSet set;
  config::Problems problems;
  config::Problems warnings;
};

Loaded load(const std::string& yaml) {
  Loaded out;
  SloDocuments documents;
  const auto parsed = config::parse_yaml(yaml, "pack.yaml");
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().what);
  for (const auto& document : *parsed) documents.read(document, out.problems);
  out.set = documents.finish(out.problems, out.warnings);
  return out;
}

constexpr const char* kSlo = R"(apiVersion: openslo/v1
kind: SLO
metadata: {name: admission-ok, annotations: {ward.io/workflow: admission, ward.io/group-by: tenant, ward.io/no-data: unknown, ward.io/absent-after: 5m, ward.io/min-events: 50/1h, ward.io/maintenance: exclude}}
spec:
  service: odoo
  indicator: {metadata: {name: admission}, spec: {ratioMetric: {counter: true,
    bad: {metricSource: {type: Prometheus, spec: {query: 'odoo_rpc_total{wf="admission",code=~"5.."}'}}},
    total: {metricSource: {type: Prometheus, spec: {query: 'odoo_rpc_total{wf="admission"}'}}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
  alertPolicies: [{alertPolicyRef: sre-30d}]
---
kind: BurnPolicy
apiVersion: ward/v1
metadata: {name: sre-30d}
spec: {windows: [{budget: 2%, long: 1h, short: 5m, class: urgent}, {budget: 5%, long: 6h, short: 30m, class: urgent}, {budget: 10%, long: 1d, short: 2h, class: actionable}, {budget: 10%, long: 3d, short: 6h, class: actionable}]}
)";

std::string with(std::string text, const std::string& from, const std::string& to) {
  const auto at = text.find(from);
  EXPECT_NE(at, std::string::npos) << from;
  return at == std::string::npos ? text : text.replace(at, from.size(), to);
}

TEST(SloDocuments, ReadTheExample) {
  const auto loaded = load(kSlo);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_text();
  ASSERT_EQ(loaded.set.slos.size(), 1U);
  const auto& slo = loaded.set.slos[0];
  EXPECT_EQ(slo.name, "admission-ok");
  EXPECT_EQ(slo.service, "odoo");
  EXPECT_EQ(slo.workflow, "admission");
  EXPECT_DOUBLE_EQ(slo.target, 0.999);
  EXPECT_EQ(slo.group_by, std::vector<std::string>{"tenant"});
  EXPECT_EQ(slo.absent_after, std::chrono::minutes{5});
  EXPECT_EQ(slo.min_events, (EventRate{50, std::chrono::hours{1}}));
  EXPECT_EQ(slo.min_bad, (EventRate{5, std::chrono::hours{6}})) << "the absolute rule comes by itself";
  EXPECT_TRUE(slo.exclude_maintenance);
  EXPECT_EQ(slo.origin, "pack.yaml:1:1");
  ASSERT_EQ(slo.indicator.sources.size(), 2U);
  EXPECT_EQ(slo.indicator.sources[0].role, SliRole::bad);
  EXPECT_TRUE(slo.indicator.sources[0].counter);
  EXPECT_EQ(slo.indicator.sources[0].matchers.size(), 3U);
  ASSERT_EQ(slo.burn.size(), 4U);
  const double factors[] = {14.4, 6, 3, 1};
  for (std::size_t i = 0; i < 4; ++i) EXPECT_NEAR(slo.burn[i].factor, factors[i], 1e-9);
  EXPECT_EQ(slo.burn[0].cls, AlertClass::urgent);
  EXPECT_EQ(loaded.warnings.to_text(), "");
  EXPECT_EQ(slo.document.entries().size(), 4U) << "kept for export";
}

struct Bad {
  const char* from;
  const char* to;
  const char* says;
};

class BadSlo : public testing::TestWithParam<Bad> {};

TEST_P(BadSlo, IsRefusedWithItsPlaceAndAFix) {
  const auto& [from, to, says] = GetParam();
  const auto loaded = load(with(kSlo, from, to));
  ASSERT_FALSE(loaded.problems.empty());
  EXPECT_THAT(loaded.problems.to_text(), HasSubstr(says));
  for (const auto& problem : loaded.problems.list()) {
    EXPECT_EQ(problem.at.file, "pack.yaml");
    EXPECT_GT(problem.at.line, 0);
    EXPECT_FALSE(problem.fix.empty()) << problem.what;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadSlo,
    testing::Values(
        Bad{"service: odoo", "servcie: odoo", "unknown key 'servcie'"}, Bad{"service: odoo", "service: [a]", "must be text"},
        Bad{"target: 0.999", "target: 1", "leaves no error budget"},
        Bad{"target: 0.999", "target: 99.9", "a share like 0.999"}, Bad{"target: 0.999", "target: 0", "not between"},
        Bad{"target: 0.999", "targetPercent: 120", "not between 0 and 100"},
        Bad{"target: 0.999", "target: 0.9, targetPercent: 90", "both"},
        Bad{"{target: 0.999}", "{displayName: x}", "no 'target'"},
        Bad{"objectives: [{target: 0.999}]", "objectives: []", "no objective"},
        Bad{"target: 0.999", "target: 0.999, op: lte, value: 3", "for a thresholdMetric"},
        Bad{"target: 0.999", "target: 0.999, op: lte", "has one of them"},
        Bad{"target: 0.999", "target: 0.999, timeSliceWindow: 5m", "means nothing"},
        Bad{"budgetingMethod: Occurrences", "budgetingMethod: Timeslices", "timeSliceWindow: 5m"},
        Bad{"budgetingMethod: Occurrences", "budgetingMethod: Sometimes", "'budgetingMethod' is 'Sometimes'"},
        Bad{"duration: 30d", "duration: 30x", "no time window"}, Bad{"duration: 30d", "duration: 5m", "too short"},
        Bad{"isRolling: true", "isRolling: false", "startTime"},
        Bad{"isRolling: true", "calendar: {startTime: '2026-01-01 00:00:00', timeZone: Europe/Pariss}", "Europe/Pariss"},
        Bad{"isRolling: true", "calendar: {startTime: soon}", "no date and time"},
        Bad{"[{duration: 30d, isRolling: true}]", "[{duration: 30d}, {duration: 7d}]", "exactly one time window, not 2"},
        Bad{"alertPolicyRef: sre-30d", "alertPolicyRef: sre-30", "Did you mean 'sre-30d'?"},
        Bad{"query: 'odoo_rpc_total{wf=\"admission\"}'", "query: 'odoo_rpc_total{wf='", "could not parse expression"},
        Bad{"query: 'odoo_rpc_total{wf=\"admission\"}'", "query: 'odoo_rpc_total[5m]'", "range vector"},
        Bad{"query: 'odoo_rpc_total{wf=\"admission\"}'", "query: 'odoo_rpc_total{wf=\"admission\",code=~\"5..\"}'",
            "same query"},
        Bad{"type: Prometheus", "type: Datadog", "'Datadog'"}, Bad{"counter: true,", "counter: yes,", "true or false"},
        Bad{"ward.io/no-data: unknown", "ward.io/no-data: ignore", "'ward.io/no-data' is 'ignore'"},
        Bad{"ward.io/no-data: unknown", "ward.io/nodata: bad", "did you mean 'ward.io/no-data'?"},
        Bad{"ward.io/min-events: 50/1h", "ward.io/min-events: 50", "50/1h"},
        Bad{"ward.io/min-events: 50/1h", "ward.io/min-bad: 5/6h", "ward.io/min-events"},
        Bad{"ward.io/group-by: tenant", "ward.io/group-by: 'tenant, le'", "'le'"},
        Bad{"ward.io/absent-after: 5m", "ward.io/absent-after: soon", "duration"},
        Bad{"name: admission-ok,", "", "'name' is missing"}, Bad{"budget: 2%", "budget: 120%", "no share"},
        Bad{"budget: 2%", "budget: 2%, factor: 3", "both 'budget' and 'factor'"}, Bad{"budget: 2%, ", "", "neither"},
        Bad{"short: 5m", "short: 2h", "not shorter"}, Bad{"short: 5m", "short: 10s", "shorter than 1m"},
        Bad{"long: 3d", "long: 60d", "longer than the period"}, Bad{"class: urgent", "class: page", "'class' is 'page'"},
        Bad{"kind: BurnPolicy", "kind: BurnPolice", "no SLO document"}));

TEST(SloDocuments, ReportEverythingAtOnce) {
  auto text = with(kSlo, "target: 0.999", "target: 7");
  text = with(text, "service: odoo", "service: odoo\n  owner: me");
  text = with(text, "budget: 2%", "budget: lots");
  EXPECT_EQ(load(text).problems.list().size(), 3U) << load(text).problems.to_text();
}

TEST(SloDocuments, RefuseTwoOfAName) {
  const auto loaded = load(std::string(kSlo) + "---\n" + kSlo);
  EXPECT_THAT(loaded.problems.to_text(), HasSubstr("SLO 'admission-ok' stands at pack.yaml:1:1 already"));
}

TEST(SloDocuments, LeaveForeignAnnotationsAlone) {
  EXPECT_TRUE(load(with(kSlo, "ward.io/workflow", "example.com/team: x, ward.io/workflow")).problems.empty());
}

TEST(SloDocuments, WarnOfWindowsShorterThanFourScrapes) {
  const auto loaded = load(with(kSlo, "ward.io/workflow", "ward.io/scrape-interval: 2m, ward.io/workflow"));
  EXPECT_TRUE(loaded.problems.empty());
  EXPECT_THAT(loaded.warnings.to_text(), HasSubstr("shorter than four scrape intervals"));
}

TEST(SloDocuments, WarnOfAPairThatCanNeverBurn) {
  EXPECT_THAT(load(with(kSlo, "target: 0.999", "target: 0.9")).warnings.to_text(), HasSubstr("can never burn"));
}

TEST(SloDocuments, ReadLatencyFromBuckets) {
  const auto loaded = load(R"(apiVersion: openslo/v1
kind: SLI
metadata: {name: fast}
spec:
  ratioMetric:
    counter: true
    good: {metricSource: {spec: {query: 'request_seconds_bucket{le="0.5"}'}}}
    total: {metricSource: {spec: {query: 'request_seconds_count'}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: latency}
spec:
  service: odoo
  indicatorRef: fast
  timeWindow: [{duration: 1M, calendar: {startTime: 2026-01-01 00:00:00, timeZone: Europe/Paris}}]
  budgetingMethod: Timeslices
  objectives: [{targetPercent: 99, timeSliceTarget: 0.95, timeSliceWindow: 5m}]
)");
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_text();
  const auto& slo = loaded.set.slos.at(0);
  EXPECT_EQ(slo.indicator.sources[0].role, SliRole::good);
  EXPECT_EQ(slo.budgeting, Budgeting::timeslices);
  EXPECT_EQ(slo.slice, minutes{5});
  EXPECT_FALSE(slo.period.rolling);
  EXPECT_EQ(slo.period.zone, "Europe/Paris");
  EXPECT_DOUBLE_EQ(slo.target, 0.99);
}

TEST(SloDocuments, ReadThresholdsAndExpressions) {
  const auto loaded = load(R"(apiVersion: openslo/v1
kind: SLO
metadata: {name: backup-fresh}
spec:
  service: backup
  indicator: {metadata: {name: age}, spec: {thresholdMetric: {metricSource: {spec: {query: time() - max(backup_last_success_timestamp_seconds)}}}}}
  timeWindow: [{duration: 4w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{displayName: day, target: 0.99, op: lte, value: 86400}, {displayName: week, target: 0.999, op: lte, value: 604800}]
)");
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_text();
  ASSERT_EQ(loaded.set.slos.size(), 2U);
  EXPECT_EQ(loaded.set.slos[0].name, "backup-fresh/day");
  EXPECT_EQ(loaded.set.slos[1].indicator.limit, 604800);
  EXPECT_TRUE(loaded.set.slos[0].indicator.sources[0].matchers.empty()) << "an expression, asked each minute";
}

constexpr const char* kPath = R"(
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: path, annotations: {ward.io/composite: [admission-ok]}}
spec:
  service: odoo
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99}]
)";

TEST(SloDocuments, ReadAPath) {
  const auto loaded = load(std::string(kSlo) + kPath);
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_text();
  EXPECT_EQ(loaded.set.slos[1].components, (std::vector<Component>{{"admission-ok", 1}}));
}

TEST(SloDocuments, RefusePathsThatCannotBe) {
  const auto path = std::string(kSlo) + kPath;
  EXPECT_THAT(load(with(path, "[admission-ok]", "[admission]")).problems.to_text(),
              HasSubstr("'admission', which does not exist"));
  EXPECT_THAT(load(with(path, "[admission-ok]", "[path]")).problems.to_text(), HasSubstr("is a path itself"));
  EXPECT_THAT(load(with(path, "target: 0.99}", "target: 0.9999}")).problems.to_text(),
              HasSubstr("promises more than its part"));
}

TEST(SloDocuments, ReadOpenSloComposites) {
  const auto loaded = load(R"(apiVersion: openslo/v1
kind: SLO
metadata: {name: shop}
spec:
  service: odoo
  timeWindow: [{duration: 7d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives:
  - displayName: web
    target: 0.9
    compositeWeight: 3
    indicator: {spec: {ratioMetric: {counter: true, good: {metricSource: {spec: {query: web_good_total}}}, total: {metricSource: {spec: {query: web_total}}}}}}
  - displayName: db
    target: 0.9
    op: lt
    value: 2
    indicator: {spec: {thresholdMetric: {metricSource: {spec: {query: db_lag_seconds}}}}}
)");
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_text();
  ASSERT_EQ(loaded.set.slos.size(), 3U);
  EXPECT_EQ(loaded.set.slos[0].components, (std::vector<Component>{{"shop/web", 3}, {"shop/db", 1}}));
  EXPECT_EQ(loaded.set.slos[0].composition, Composition::weighted);
  EXPECT_EQ(loaded.set.slos[1].indicator.op, Comparison::lt);
}

TEST(SloDocuments, ReadOpenSloAlertPolicies) {
  const auto loaded = load(with(std::string(kSlo), "alertPolicyRef: sre-30d", "alertPolicyRef: fast") + R"(---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: fast}
spec:
  alertWhenBreaching: true
  conditions: [{conditionRef: hour}]
  notificationTargets: [{targetRef: devs}]
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: hour, annotations: {ward.io/short-window: 6m}}
spec: {severity: page, condition: {kind: burnrate, op: gt, threshold: 10, lookbackWindow: 1h, alertAfter: 2m}}
)");
  ASSERT_TRUE(loaded.problems.empty()) << loaded.problems.to_text();
  using namespace std::chrono_literals;
  EXPECT_EQ(loaded.set.slos[0].burn, (std::vector<BurnWindow>{{1h, 6min, 10, AlertClass::urgent, 2min}}));
}

TEST(CountingIdentity, IsAlikeWhateverTheTargetAndOtherForWhatCounts) {
  const auto original = counting_identity(load(kSlo).set.slos[0]);
  EXPECT_EQ(original, counting_identity(load(with(kSlo, "0.999", "0.99")).set.slos[0]));
  EXPECT_EQ(original, counting_identity(load(with(kSlo, "30d, isRolling", "28d, isRolling")).set.slos[0]));
  EXPECT_NE(original, counting_identity(load(with(kSlo, "5..", "5.*")).set.slos[0]));
  EXPECT_NE(original, counting_identity(load(with(kSlo, "group-by: tenant", "group-by: 'tenant, agent'")).set.slos[0]));
  EXPECT_EQ(original, "9aa85f0847ed4608") << "stored: it must not change with a release";
}

}  // namespace
}  // namespace ward::collector::slo
