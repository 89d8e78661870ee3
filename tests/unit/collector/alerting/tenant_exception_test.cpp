#include <gmock/gmock.h>

#include "collector/alerting/alert_states.hpp"
#include "tests/unit/collector/alerting/fake_expressions.hpp"

namespace ward::collector {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;

constexpr Time kStart = from_ms(1'764'000'000'000);

/// A rule over three tenants of a shared platform, whose usual limit all of them are above.
class TenantExceptionTest : public testing::Test {
 protected:
  TenantExceptionTest() {
    queries_.set("lag > 30", {of("clinic-a", 31), of("clinic-b", 100), of("", 50)});
    queries_.set("lag > 90", {of("clinic-b", 100)});
    const auto load = test::load_text("groups: [{name: g, rules: [{alert: Late, expr: lag > 30, for: 60s}]}]", queries_);
    rule_ = load.rules->groups.front().rules.front();
  }

  static VectorSample of(const std::string& tenant, double value) {
    Labels labels;
    labels.set("tenant", tenant);
    return {labels, value};
  }

  void except(TenantException exception) { rule_.exceptions.push_back(std::move(exception)); }

  std::vector<std::string> tick() {
    std::vector<AlertEvent> events;
    std::vector<SeriesValue> series;
    const auto result = rule_.evaluate(now_);
    EXPECT_TRUE(result && states_.advance(rule_, {}, *result, 0, now_, events, series));
    std::vector<std::string> out;
    for (const auto& e : events)
      out.push_back(std::string(e.labels.get("tenant")) + " " + std::string(to_string(e.phase)) + " " +
                    std::string(e.labels.get("class")));
    return out;
  }

  test::FakeQueries queries_;
  Rule rule_;
  AlertStates states_;
  Time now_ = kStart;
};

TEST_F(TenantExceptionTest, NobodyHasOneUnlessSaid) {
  EXPECT_THAT(tick(), ElementsAre(" pending ", "clinic-a pending ", "clinic-b pending "));
}

TEST_F(TenantExceptionTest, ADisabledTenantHasNoAlertAndTheOthersKeepTheirs) {
  except({.tenant = "clinic-a", .enabled = false});
  EXPECT_THAT(tick(), ElementsAre(" pending ", "clinic-b pending "));
}

TEST_F(TenantExceptionTest, ALimitOfItsOwnCountsForThatTenantAlone) {
  except({.tenant = "clinic-a", .expression = *queries_.compile("lag > 90")});
  EXPECT_THAT(tick(), ElementsAre(" pending ", "clinic-b pending ")) << "clinic-a is at 31, and clinic-b not told twice";
}

TEST_F(TenantExceptionTest, AHoldOfItsOwnEndsSooner) {
  except({.tenant = "clinic-b", .hold = seconds(10)});
  tick();
  EXPECT_EQ(states_.next_due(rule_, now_), now_ + seconds(10));
  now_ += seconds(10);
  EXPECT_THAT(tick(), ElementsAre("clinic-b firing "));
  now_ += seconds(50);
  EXPECT_THAT(tick(), ElementsAre(" firing ", "clinic-a firing "));
}

TEST_F(TenantExceptionTest, AClassOfItsOwnIsInTheLabels) {
  except({.tenant = "clinic-b", .cls = AlertClass::urgent});
  EXPECT_THAT(tick(), testing::UnorderedElementsAre(" pending ", "clinic-a pending ", "clinic-b pending urgent"));
}

TEST_F(TenantExceptionTest, APendingAlertKeepsItsStartWhenTheHoldChanges) {
  tick();
  now_ += seconds(20);
  except({.tenant = "clinic-b", .hold = seconds(10)});
  EXPECT_THAT(tick(), ElementsAre("clinic-b firing "));
}

TEST_F(TenantExceptionTest, AnExceptionThatCannotBeEvaluatedFailsTheRule) {
  queries_.set_error("lag > 90", "the store is away");
  except({.tenant = "clinic-a", .expression = *queries_.compile("lag > 90")});
  EXPECT_FALSE(rule_.evaluate(now_)) << "keeps the state: missing data is not OK";
}

}  // namespace
}  // namespace ward::collector
