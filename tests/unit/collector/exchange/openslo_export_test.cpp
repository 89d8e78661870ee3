#include "collector/exchange/openslo.hpp"
#include "tests/unit/collector/exchange/import_bed.hpp"

namespace ward::collector::exchange {
namespace {

using test::lines;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

constexpr const char* kSlo = R"(apiVersion: openslo/v1
kind: SLO
metadata: {name: admission-ok, displayName: 'Admission: works', annotations: {ward.io/group-by: tenant, other.tool/x: "1"}}
spec:
  description: |
    Two lines,
    one 'quoted'.
  service: odoo
  indicator: {metadata: {name: admission}, spec: {ratioMetric: {counter: true,
    bad: {metricSource: {type: Prometheus, spec: {query: 'rpc_total{code=~"5.."}'}}},
    total: {metricSource: {type: Prometheus, spec: {query: 'rpc_total'}}}}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.999}]
  alertPolicies: [{alertPolicyRef: sre}]
)";
constexpr const char* kRest = R"(---
apiVersion: openslo/v1
kind: SLO
metadata: {name: by-ref}
spec:
  service: odoo
  indicatorRef: freshness
  timeWindow: [{duration: 28d, isRolling: true}]
  budgetingMethod: Timeslices
  objectives: [{target: 0.99, op: lte, value: 60, timeSliceWindow: 5m, timeSliceTarget: 0.95}]
  alertPolicies: [sre, plain]
---
apiVersion: openslo/v1
kind: SLI
metadata: {name: freshness}
spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: 'age_seconds'}}}}
---
apiVersion: openslo/v1
kind: AlertPolicy
metadata: {name: plain}
spec: {conditions: [{conditionRef: fast}], notificationTargets: [{targetRef: someone}]}
---
apiVersion: openslo/v1
kind: AlertCondition
metadata: {name: fast}
spec: {severity: page, condition: {kind: burnrate, op: gte, threshold: 10, lookbackWindow: 2h, alertAfter: 5m}}
---
apiVersion: openslo/v1
kind: Service
metadata: {name: odoo}
spec: {description: the ERP}
---
kind: BurnPolicy
apiVersion: ward/v1
metadata: {name: sre}
spec: {windows: [{budget: 2%, long: 1h, short: 7m, class: urgent}, {budget: 10%, long: 3d, short: 6h, class: informational, after: 1m}]}
)";
constexpr const char* kOverrides = R"(---
kind: Operations
apiVersion: ward/v1
spec: {tenantOverrides: [{tenant: clinic-a, slo: {admission-ok: {target: 0.9995}}}]}
)";

Imported exported(const std::string& text) {
  const auto book = test::load(text);
  EXPECT_TRUE(book);
  return book ? export_openslo(book->rules->others) : Imported{};
}

TEST(OpenSloExport, ComesBackWithTheSameMeaning) {
  const auto before = test::load(std::string(kSlo) + kRest);
  const auto after = test::load(exported(std::string(kSlo) + kRest));
  ASSERT_TRUE(before && after);
  ASSERT_EQ(before->slos.slos.size(), 2U);
  ASSERT_EQ(after->slos.slos.size(), 2U);
  EXPECT_EQ(after->slos.services, before->slos.services);
  for (std::size_t i = 0; i < 2; ++i) {
    const auto& was = before->slos.slos[i];
    const auto& is = after->slos.slos[i];
    EXPECT_EQ(is.name, was.name);
    EXPECT_EQ(is.service, was.service);
    EXPECT_EQ(slo::counting_identity(is), slo::counting_identity(was));
    EXPECT_EQ(is.target, was.target);
    EXPECT_EQ(is.period, was.period);
    EXPECT_EQ(is.budgeting, was.budgeting);
    EXPECT_EQ(is.slice_target, was.slice_target);
    EXPECT_EQ(is.slice, was.slice);
    EXPECT_EQ(is.group_by, was.group_by);
    EXPECT_EQ(is.alert_annotations, was.alert_annotations);
    ASSERT_EQ(is.burn.size(), was.burn.size());
    for (std::size_t n = 0; n < is.burn.size(); ++n) {
      EXPECT_DOUBLE_EQ(is.burn[n].factor, was.burn[n].factor);
      EXPECT_EQ(is.burn[n].long_window, was.burn[n].long_window);
      EXPECT_EQ(is.burn[n].short_window, was.burn[n].short_window);
      EXPECT_EQ(is.burn[n].cls, was.burn[n].cls);
      EXPECT_EQ(is.burn[n].after, was.burn[n].after);
    }
  }
}

TEST(OpenSloExport, WritesItsOwnOutputBackUnchanged) {
  const auto once = write(exported(std::string(kSlo) + kRest).documents);
  EXPECT_EQ(write(exported(once).documents), once);
}

TEST(OpenSloExport, HoldsNothingButOpenSlo) {
  for (const auto& document : exported(std::string(kSlo) + kRest + kOverrides).documents) {
    ASSERT_NE(document.find("apiVersion"), nullptr);
    EXPECT_EQ(document.find("apiVersion")->scalar(), "openslo/v1");
  }
}

TEST(OpenSloExport, SaysWhatOthersWillNotSee) {
  const auto told = lines(exported(std::string(kSlo) + kRest + kOverrides).notes);
  EXPECT_THAT(told, Contains(AllOf(HasSubstr("changed"), HasSubstr("BurnPolicy 'sre' is now 4 AlertPolicies"))));
  EXPECT_THAT(told, Contains(AllOf(HasSubstr("changed"), HasSubstr("ward.io/group-by of SLO 'admission-ok'"))));
  EXPECT_THAT(told, Contains(AllOf(HasSubstr("lost"), HasSubstr("a tenant's own target of SLO 'admission-ok'"))));
}

TEST(OpenSloExport, PlainOpenSloIsLossless) {
  const std::string plain = R"(apiVersion: openslo/v1
kind: SLO
metadata: {name: a}
spec:
  service: s
  indicator: {metadata: {name: a}, spec: {thresholdMetric: {metricSource: {type: Prometheus, spec: {query: up}}}}}
  timeWindow: [{duration: 1w, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99, op: gte, value: 1}]
)";
  const auto made = exported(plain);
  EXPECT_THAT(made.notes.list(), IsEmpty());
  const auto parsed = config::parse_yaml(plain, "x");
  ASSERT_EQ(made.documents.size(), 1U);
  EXPECT_EQ(made.documents[0], Yaml::copy(parsed->front()));
}

TEST(OpenSloExport, SlothSurvivesTheRound) {
  const auto made = import_sloth(std::vector<InputFile>{test::fixture("sloth-admission.yml")});
  ASSERT_TRUE(made);
  const auto book = test::load(*made);
  ASSERT_TRUE(book);
  const auto again = test::load(export_openslo(book->rules->others));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->slos.slos.size(), book->slos.slos.size());
}

}  // namespace
}  // namespace ward::collector::exchange
