#include "probes/generic/intake.hpp"

#include <gmock/gmock.h>
#include <re2/re2.h>

namespace ward::probes {
namespace {

using exposition::Format;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TargetFacts target() {
  TargetFacts facts;
  facts.labels = Labels{{"instance", "portal"}, {"job", "nginx"}};
  facts.tenant = TenantId{"clinic-a"};
  return facts;
}
Intake take(std::string_view body, const IntakeOptions& options = {}) {
  return take_in(body, Format::text, options, target());
}

RelabelRule rule(RelabelRule::Action action, std::vector<std::string> from, const std::string& regex) {
  RelabelRule made;
  made.action = action;
  made.source_labels = std::move(from);
  made.regex = std::make_shared<const RE2>(regex);
  return made;
}

TEST(Intake, GivesEachSampleTheLabelsOfItsTarget) {
  const auto got = take("# TYPE a gauge\na{x=\"1\"} 1 1395066363000\nb 2\n");
  EXPECT_FALSE(got.failure);
  EXPECT_EQ(got.scraped, 2U);
  EXPECT_EQ(got.kept, 2U);
  EXPECT_THAT(got.readings, ElementsAre(Reading{"a", target().labels.with("x", "1"), 1}, Reading{"b", target().labels, 2}));
  EXPECT_THAT(got.descriptions, ElementsAre(exposition::Description{"a", MetricType::gauge, "", ""}));
}

TEST(Intake, RenamesWhatConflictsUnlessTold) {
  const std::vector<Label> exposed{{"exported_job", "old"}, {"instance", "push"}, {"job", "batch"}};
  EXPECT_EQ(with_target(exposed, target(), OnConflict::rename), (Labels{{"exported_exported_job", "batch"},
                                                                        {"exported_instance", "push"},
                                                                        {"exported_job", "old"},
                                                                        {"instance", "portal"},
                                                                        {"job", "nginx"},
                                                                        {"tenant", "clinic-a"}}));
  EXPECT_EQ(with_target(exposed, target(), OnConflict::honor),
            (Labels{{"exported_job", "old"}, {"instance", "push"}, {"job", "batch"}, {"tenant", "clinic-a"}}));
}

TEST(Intake, LetsAnEmptyLabelRemoveTheTargetsWhenHonoured) {
  EXPECT_EQ(with_target({{"instance", ""}}, target(), OnConflict::honor),
            (Labels{{"job", "nginx"}, {"tenant", "clinic-a"}}));
  EXPECT_EQ(with_target({{"instance", ""}}, target(), OnConflict::rename).get("instance"), "portal");
}

TEST(Intake, KeepsTheTenantFromTheExporter) {
  for (const auto mode : {OnConflict::rename, OnConflict::honor}) {
    IntakeOptions options;
    options.on_conflict = mode;
    EXPECT_THAT(take("a{tenant=\"clinic-b\"} 1\n", options).readings,
                ElementsAre(Reading{"a", target().labels.with("exported_tenant", "clinic-b"), 1}));
  }
}

TEST(Intake, RelabelsWithTheTargetsLabelsInSight) {
  IntakeOptions options;
  options.metric_relabel = {rule(RelabelRule::Action::drop, {"job", "tenant", "__name__"}, "nginx;clinic-a;go_.*")};
  const auto got = take("go_threads 1\nup_time 2\n", options);
  EXPECT_THAT(got.readings, ElementsAre(Reading{"up_time", target().labels, 2}));
  EXPECT_EQ(got.scraped, 2U);
  EXPECT_EQ(got.kept, 1U);
}

TEST(Intake, RelabelsTheMetricItself) {
  IntakeOptions options;
  auto rename = rule(RelabelRule::Action::replace, {"__name__"}, "nginx_(.*)");
  rename.target_label = "__name__";
  options.metric_relabel = {rename};
  EXPECT_THAT(take("nginx_up 1\n", options).readings, ElementsAre(Reading{"up", target().labels, 1}));
}

/// Refused as a whole: no reading, and a reason.
void expect_refused(const Intake& got, FailureReason reason, const std::string& says) {
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->reason, reason);
  EXPECT_THAT(got.failure->error.what, HasSubstr(says));
  EXPECT_FALSE(got.failure->error.fix.empty());
  EXPECT_THAT(got.readings, IsEmpty());
  EXPECT_THAT(got.descriptions, IsEmpty());
}

TEST(Intake, RefusesTheWholeForOneBadLine) {
  const auto got = take("a 1\nb two\n");
  expect_refused(got, FailureReason::protocol, "line 2: the value 'two'");
  EXPECT_EQ(got.scraped, 1U);
}

TEST(Intake, RefusesTheWholePastTheSampleLimit) {
  IntakeOptions options;
  options.sample_limit = 2;
  EXPECT_FALSE(take("a 1\nb 2\n", options).failure);
  expect_refused(take("a 1\nb 2\nc 3\nd 4\n", options), FailureReason::probe_overload, "more than 2 samples");
  options.metric_relabel = {rule(RelabelRule::Action::drop, {"__name__"}, "c|d")};
  EXPECT_FALSE(take("a 1\nb 2\nc 3\nd 4\n", options).failure) << "what was dropped does not count";
}

TEST(Intake, RefusesTheWholePastTheLabelLimit) {
  IntakeOptions options;
  options.label_limit = 4;  // __name__, instance, job and one more
  EXPECT_FALSE(take("a{x=\"1\"} 1\n", options).failure);
  expect_refused(take("a{x=\"1\"} 1\na{x=\"1\",y=\"2\"} 1\n", options), FailureReason::probe_overload,
                 "line 2: a series has 5");
}

TEST(Intake, RefusesASeriesThatLostItsName) {
  IntakeOptions options;
  options.metric_relabel = {rule(RelabelRule::Action::labeldrop, {}, "__name__")};
  expect_refused(take("a 1\n", options), FailureReason::protocol, "without name");
}

}  // namespace
}  // namespace ward::probes
