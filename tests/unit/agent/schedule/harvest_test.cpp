#include "agent/schedule/harvest.hpp"

#include <algorithm>
#include <gmock/gmock.h>

namespace ward::agent {
namespace {

using testing::Contains;

class HarvestTest : public testing::Test {
 protected:
  HarvestTest() {
    kind_.name = "redis";
    target_.kind = &kind_;
    target_.tenant = TenantId{"t"};
    target_.labels = Labels{{"job", "redis"}, {"instance", "cache"}};
  }
  Harvest harvest(Harvest::Caps caps) const { return Harvest(target_, caps); }
  static RunOutcome run(std::vector<std::pair<std::string, double>> readings) {
    RunOutcome outcome;
    outcome.started = from_ms(1'000);
    for (auto& [metric, value] : readings) outcome.output.readings.push_back({metric, {}, value});
    return outcome;
  }
  /// Values of one metric; empty when the batch has none.
  static std::vector<double> of(const Batch& batch, std::string_view metric) {
    std::vector<double> out;
    for (const auto& [series, value] : batch.values)
      if (series.name() == metric) out.push_back(value);
    return out;
  }
  static bool ends(const Batch& batch, std::string_view metric) {
    const auto values = of(batch, metric);
    return values.size() == 1 && is_stale(values.front());
  }

  probes::ProbeKind kind_;
  Target target_;
};

TEST_F(HarvestTest, NamesSeriesByProbeAndTarget) {
  auto h = harvest({});
  const auto batch = h.gather(run({{"redis_up", 1}}));
  const SeriesValue expected{Labels{{"__name__", "redis_up"}, {"instance", "cache"}, {"job", "redis"}}, 1};
  EXPECT_THAT(batch.values, Contains(expected));
  EXPECT_EQ(batch.time, from_ms(1'000));
}

TEST_F(HarvestTest, LeavesTheNamesOfAProbeThatGivesThemItself) {
  auto h = harvest({});
  auto outcome = run({});
  outcome.output.naming = probes::Naming::by_probe;
  outcome.output.readings.push_back({"x", Labels{{"instance", "pushed"}}, 1});
  const auto batch = h.gather(std::move(outcome));
  EXPECT_THAT(batch.values, Contains(SeriesValue{Labels{{"__name__", "x"}, {"instance", "pushed"}}, 1}));
}

TEST_F(HarvestTest, GoesOnFromAnotherWithItsOwnCaps) {
  auto before = harvest({});
  before.gather(run({{"a", 1}, {"b", 1}}));
  Harvest::Caps caps;
  caps.series_per_target = 3;
  auto h = harvest(caps);
  h.go_on_from(std::move(before));
  const auto batch = h.gather(run({{"b", 1}, {"c", 1}}));
  EXPECT_TRUE(ends(batch, "a"));
  EXPECT_TRUE(of(batch, "c").empty());
}

TEST_F(HarvestTest, EndsASeriesThatVanishedOnce) {
  auto h = harvest({});
  h.gather(run({{"redis_up", 1}, {"redis_lag", 2}}));
  EXPECT_TRUE(ends(h.gather(run({{"redis_up", 1}})), "redis_lag"));
  EXPECT_TRUE(of(h.gather(run({{"redis_up", 1}})), "redis_lag").empty());
}

TEST_F(HarvestTest, TakesASeriesAgainThatCameBack) {
  auto h = harvest({});
  h.gather(run({{"redis_lag", 2}}));
  h.gather(run({}));
  EXPECT_THAT(of(h.gather(run({{"redis_lag", 3}})), "redis_lag"), testing::ElementsAre(3));
  EXPECT_TRUE(ends(h.gather(run({})), "redis_lag"));
}

TEST_F(HarvestTest, TakesTheFirstOfTwoAlikeAndCountsTheOther) {
  auto h = harvest({});
  const auto batch = h.gather(run({{"redis_up", 1}, {"redis_up", 0}}));
  EXPECT_THAT(of(batch, "redis_up"), testing::ElementsAre(1));
  EXPECT_EQ(h.dropped().at("duplicate"), 1U);
}

TEST_F(HarvestTest, LeavesOutWhatIsAboveTheCapOfATarget) {
  Harvest::Caps caps;
  caps.series_per_target = 3;  // two of them are the agent's own: success and duration
  auto h = harvest(caps);
  const auto batch = h.gather(run({{"redis_a", 1}, {"redis_b", 1}}));
  EXPECT_EQ(of(batch, "redis_a").size(), 1U);
  EXPECT_TRUE(of(batch, "redis_b").empty());
  EXPECT_GE(h.dropped().at("cap_target"), 1U);
}

TEST_F(HarvestTest, CountsWhatItLeftOutInASampleEvenWhenTheBatchIsFull) {
  Harvest::Caps caps;
  caps.series_per_target = 3;
  auto h = harvest(caps);
  const auto batch = h.gather(run({{"redis_a", 1}, {"redis_b", 1}, {"redis_c", 1}}));
  EXPECT_THAT(of(batch, "ward_series_dropped_total"), testing::ElementsAre(2));
}

TEST_F(HarvestTest, LeavesOutWhatIsAboveTheCapOfAMetricAndKeepsTheOthers) {
  Harvest::Caps caps;
  caps.series_per_metric = 2;
  auto h = harvest(caps);
  RunOutcome outcome = run({{"redis_b", 1}});
  for (const auto* db : {"0", "1", "2", "3"}) outcome.output.readings.push_back({"redis_keys", Labels{{"db", db}}, 1});
  const auto batch = h.gather(std::move(outcome));
  EXPECT_EQ(of(batch, "redis_keys").size(), 2U);
  EXPECT_EQ(of(batch, "redis_b").size(), 1U);
  EXPECT_EQ(h.dropped().at("cap_metric"), 2U);
}

TEST_F(HarvestTest, KeepsAProbesOwnLabelBesideTheTargetsAsPrometheusDoes) {
  target_.labels.set("role", "primary");
  auto h = harvest({});
  RunOutcome outcome;
  outcome.output.readings = {{"redis_x", Labels{{"role", "master"}}, 1},
                             {"redis_x", Labels{{"role", "slave"}}, 2},
                             {"redis_x", Labels{{"instance", "somebody else"}}, 3}};
  const auto batch = h.gather(std::move(outcome));
  const Labels own{{"__name__", "redis_x"}, {"instance", "cache"}, {"job", "redis"}, {"role", "primary"}};
  EXPECT_THAT(batch.values, Contains(SeriesValue{own.with("exported_role", "master"), 1}));
  EXPECT_THAT(batch.values, Contains(SeriesValue{own.with("exported_role", "slave"), 2}));
  EXPECT_THAT(batch.values, Contains(SeriesValue{own.with("exported_instance", "somebody else"), 3}));
}

TEST_F(HarvestTest, EndsEverySeriesOfATargetThatGoes) {
  auto h = harvest({});
  h.gather(run({{"redis_up", 1}}));
  const auto batch = h.farewell(from_ms(2'000));
  EXPECT_EQ(batch.values.size(), 3U);
  EXPECT_TRUE(ends(batch, "redis_up"));
  EXPECT_TRUE(h.farewell(from_ms(3'000)).values.empty());
}

TEST_F(HarvestTest, LeavesOutEventsThatNoCollectorWouldTake) {
  // Sent, such a record is refused again and again, and nothing behind it ever arrives.
  auto h = harvest({});
  auto outcome = run({});
  const Event good{from_ms(1), "oom", Labels{{"pod", "odoo-0"}}};
  Labels many;
  for (int i = 0; i < 33; ++i) many.set("n" + std::to_string(i), "v");
  outcome.output.events = {{from_ms(1), std::string(129, 'k'), {}},
                           {from_ms(1), "oom", Labels{{"pod", std::string(257, 'v')}}},
                           {from_ms(1), "oom", Labels{{std::string(129, 'n'), "v"}}},
                           {from_ms(1), "oom", Labels{{"", "v"}}},
                           {from_ms(1), "oom", many},
                           good};
  const auto batch = h.gather(std::move(outcome));
  EXPECT_EQ(batch.events, Events{good});
  EXPECT_EQ(h.dropped().at("event_limits"), 5U);
  EXPECT_THAT(of(batch, "ward_series_dropped_total"), testing::ElementsAre(5));
}

TEST_F(HarvestTest, EventsOfOneRunFitOneRecord) {
  auto h = harvest({});
  auto outcome = run({});
  const Event event{from_ms(1), "oom", Labels{{"pod", std::string(256, 'v')}}};
  outcome.output.events.assign(1'000, event);
  const auto batch = h.gather(std::move(outcome));
  EXPECT_GT(batch.events.size(), 200U);
  EXPECT_LT(batch.events.size(), 256U) << "64 KiB hold no more";
  EXPECT_EQ(h.dropped().at("cap_events"), 1'000 - batch.events.size());
}

}  // namespace
}  // namespace ward::agent
