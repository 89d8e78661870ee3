// notification_test: who is told of what, from samples to pages, on virtual time.
#include <gmock/gmock.h>

#include "collector/rehearsal/test_run.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kEstate = R"(
groups:
- name: g
  rules:
  - {alert: PgDown, expr: pg_up == 0, for: 30s, labels: {class: actionable, layer: data, owner: database, service: pg}}
  - {alert: OdooSlow, expr: odoo_slow == 1, labels: {class: actionable, layer: application, owner: application, service: odoo}}
---
kind: ServiceMap
apiVersion: ward/v1
spec:
  services:
    odoo: {owner: application, dependsOn: [{to: pg, on: [tenant]}]}
    pg: {owner: database}
---
kind: Operations
apiVersion: ward/v1
spec:
  acknowledge_within: 0s
  owners:
    database: {receiver: pd-db, fallback: platform}
    application: {receiver: pd-app, fallback: platform}
    platform: {receiver: pd-platform}
  correlation: {settle: {actionable: 60s}}
---
)";

class NotificationTest : public testing::Test {
 protected:
  FileResult run(const std::string& spec, const std::string& rules = kEstate, TestRunOptions options = {}) {
    const auto text = rules + "kind: Test\napiVersion: ward/v1\nspec:\n  evaluation_interval: 10s\n  tests:\n" + spec;
    const auto file = folder_.write("hospital.yaml", text);
    return run_test_file(text, file, options);
  }
  static std::string why(const FileResult& result) {
    std::string out;
    for (const auto& error : result.errors) out += error + '\n';
    for (const auto& test : result.tests)
      for (const auto& f : test.failures) out += f.expected + "\nbut got\n" + f.got + "\n" + f.error + '\n';
    return out;
  }
  test::TempDir folder_{"notification-test"};
};

constexpr const char* kOutage = R"(
  - interval: 10s
    input_series:
    - {series: 'pg_up{tenant="a"}', values: 1x5 0x30 1x60}
    - {series: 'odoo_slow{tenant="a"}', values: 0x7 1x35 0x60}
)";

TEST_F(NotificationTest, OneRootCauseIsOnePageAndOneResolve) {
  const auto result = run(std::string(kOutage) + R"(
    notification_test:
    - {at: 1m, total: 0, open: 0}
    - {at: 4m, total: 1, resolves: 0, open: 1, exp: [{to: pd-db, root: PgDown, class: actionable, owner: database, absorbs: [OdooSlow]}]}
    - {at: 16m, total: 1, resolves: 1, open: 0, exp: [{to: pd-db, kind: resolve}]}
)");
  EXPECT_TRUE(result.passed()) << why(result);
}

TEST_F(NotificationTest, ADifferenceShowsEveryMessageWithItsTime) {
  const auto result = run(std::string(kOutage) + R"(
    notification_test:
    - {at: 4m, total: 2, exp: [{to: pd-db, root: PgDown}, {to: pd-app, root: OdooSlow}]}
)");
  ASSERT_EQ(result.tests.size(), 1U) << why(result);
  ASSERT_EQ(result.tests[0].failures.size(), 1U);
  const auto& f = result.tests[0].failures[0];
  EXPECT_EQ(f.kind, TestFailure::Kind::notification);
  EXPECT_EQ(f.expected, "2 pages\npage to pd-db, root PgDown\npage to pd-app, root OdooSlow");
  EXPECT_THAT(f.got, testing::MatchesRegex("1 page\nfire to pd-db, class actionable, owner database, root PgDown, absorbs "
                                           "\\[OdooSlow\\], tenants \\[a\\], scope \\{tenant=\"a\"\\}, at [0-9]m[0-9]*s?"));
  EXPECT_THAT(f.why, testing::ContainsRegex("(^|\n)[0-9ms]+ opened: .*\n[0-9ms]+ attached: odoo"));
  EXPECT_GT(f.at.column, 50);  // of the expectation that nothing fulfils
}

TEST_F(NotificationTest, OneMessageFulfilsOneExpectation) {
  EXPECT_FALSE(run(std::string(kOutage) + R"(
    notification_test: [{at: 4m, exp: [{to: pd-db, root: PgDown}, {to: pd-db, root: PgDown}]}]
)")
                   .passed());
}

TEST_F(NotificationTest, EachWordOfAnExpectationCounts) {
  for (const char* wrong : {"to: pd-app", "to: pd-db, root: OdooSlow", "to: pd-db, class: urgent",
                            "to: pd-db, owner: platform", "to: pd-db, absorbs: []", "to: pd-db, kind: resolve",
                            "to: pd-db, tenants: [b]", "to: pd-db, scope: {tenant: b}", "to: pd-db, kind: escalate"}) {
    const auto result = run(std::string(kOutage) + "    notification_test: [{at: 4m, exp: [{" + wrong + "}]}]\n");
    EXPECT_THAT(result.errors, IsEmpty());
    EXPECT_FALSE(result.passed()) << wrong;
  }
}

TEST_F(NotificationTest, HoldsEndBetweenEvaluationsToo) {
  // The alert fires at 0 s and is held for 60 s; evaluation comes only every 10 minutes.
  const auto result = run(R"(
  - input_alerts: [{alertname: Down, labels: {class: actionable, owner: database, service: pg}, firing: 0s}]
    notification_test:
    - {at: 59s, total: 0}
    - {at: 60s, total: 1}
)");
  EXPECT_TRUE(result.passed()) << why(result);
}

TEST_F(NotificationTest, AlertsFromElsewhereTakePart) {
  const auto result = run(R"(
  - input_alerts:
    - {alertname: PgGone, labels: {class: actionable, owner: database, service: pg, tenant: a}, pending: 0s, firing: 5s, resolved: 5m}
    input_series: [{series: 'odoo_slow{tenant="a"}', values: 1x12 0x90}]
    notification_test:
    - {at: 3m, total: 1, exp: [{to: pd-db, root: PgGone, absorbs: [OdooSlow]}]}
    - {at: 15m, total: 1, resolves: 1, open: 0}
)");
  EXPECT_TRUE(result.passed()) << why(result);
}

TEST_F(NotificationTest, TestsOfOneDocumentDoNotHearOfEachOther) {
  const auto result = run(std::string(kOutage) + "    notification_test: [{at: 4m, total: 1}]\n" + R"(
  - notification_test: [{at: 4m, total: 0, open: 0}]
)");
  EXPECT_TRUE(result.passed()) << why(result);
}

TEST_F(NotificationTest, WithoutReceiversTheFixIsNamed) {
  const auto result = run("  - notification_test: [{at: 1m, total: 0}]\n", "groups: []\n---\n");
  EXPECT_THAT(result.errors, ElementsAre(AllOf(HasSubstr("hospital.yaml:6:3: nobody is told of anything here"),
                                               HasSubstr("--config collector.yaml"))));
}

TEST_F(NotificationTest, AConfigurationMayNameTheReceivers) {
  RoutingTable routing;
  routing.owners["database"] = {.receiver = "mail", .fallback = ""};
  routing.fallback_receiver = "mail";
  RulebookOptions base;
  base.routing = routing;
  const auto result = run(R"(
  - input_alerts: [{alertname: Down, labels: {class: actionable, owner: database, service: pg}, firing: 0s}]
    notification_test: [{at: 5m, total: 1, exp: [{to: mail, root: Down}]}]
)",
                          "groups: []\n---\n", {.wanted = {}, .base = base});
  EXPECT_TRUE(result.passed()) << why(result);
}

TEST_F(NotificationTest, WhoAsksForNoPagesNeedsNoEstate) {
  const auto result = run("  - promql_expr_test: [{expr: '1', exp_samples: [{value: 1}]}]\n",
                          "groups: []\n---\nkind: Operations\nspec: {ownerz: {}}\n---\n");
  EXPECT_TRUE(result.passed()) << why(result);
}

TEST_F(NotificationTest, WhatIsWrongWithTheEstateIsToldAtItsPlace) {
  const auto result = run("  - notification_test: [{at: 1m, total: 0}]\n", R"(
groups: []
---
kind: ServiceMap
apiVersion: ward/v1
spec: {services: {odoo: {owner: application, dependsOn: [{to: pgg}]}}}
---
kind: Operations
apiVersion: ward/v1
spec: {owners: {platform: {receiver: p}}, ownerz: {}}
---
)");
  EXPECT_THAT(result.errors,
              ElementsAre(HasSubstr("hospital.yaml:6:"), HasSubstr("hospital.yaml:10:43: unknown key 'ownerz'")));
}

}  // namespace
}  // namespace ward::collector
