#include "collector/slo/intake.hpp"

#include <algorithm>
#include <cmath>
#include <gtest/gtest.h>
#include <limits>
#include <map>

namespace ward::collector::slo {
namespace {

Time at(int seconds) { return from_ms(1'795'000'000'000) + std::chrono::seconds{seconds}; }

/// Gains by time, in events.
struct Counted {
  SeriesMemory memory;
  std::map<Time, double> gains;
  Intake put(int seconds, double v, bool from_zero = false) {
    Gains out;
    const auto taken = memory.counter({at(seconds), v}, from_zero, out);
    for (std::size_t i = 0; i < out.size; ++i) gains[out.list[i].at] += to_events(out.list[i].amount);
    std::erase_if(gains, [](const auto& g) { return g.second == 0; });
    return taken;
  }
};
using Map = std::map<Time, double>;

TEST(CounterIntake, CountsGrowthAtTheSampleThatShowsIt) {
  Counted c;
  c.put(0, 100);
  c.put(15, 107);
  c.put(30, 107);
  c.put(45, 110);
  EXPECT_EQ(c.gains, (Map{{at(15), 7}, {at(45), 3}}));
}

TEST(CounterIntake, TakesAFallForARestartFromZero) {
  Counted c;
  c.put(0, 100);
  c.put(15, 4);
  EXPECT_EQ(c.gains, (Map{{at(15), 4}}));
}

TEST(CounterIntake, CountsAFirstSampleOnlyWhenItsStartIsKnown) {
  Counted known;
  known.put(0, 5, true);
  EXPECT_EQ(known.gains, (Map{{at(0), 5}}));
  Counted unknown;
  unknown.put(0, 5, false);
  EXPECT_TRUE(unknown.gains.empty());
}

TEST(CounterIntake, PutsALateSampleIntoItsMinute) {
  Counted c;
  c.put(0, 100);
  c.put(60, 130);
  c.put(30, 110);
  EXPECT_EQ(c.gains, (Map{{at(30), 10}, {at(60), 20}}));
}

TEST(CounterIntake, LearnsOfARestartFromALateSample) {
  Counted c;
  c.put(0, 100);
  c.put(60, 130);
  c.put(30, 10);
  EXPECT_EQ(c.gains, (Map{{at(30), 10}, {at(60), 120}}));
}

TEST(CounterIntake, TakesALateFirstSampleForTheBeginning) {
  Counted c;
  c.put(30, 50);
  c.put(0, 40);
  EXPECT_EQ(c.gains, (Map{{at(30), 10}}));
}

TEST(CounterIntake, IgnoresWhatItHas) {
  Counted c;
  c.put(0, 1);
  c.put(15, 2);
  EXPECT_EQ(c.put(15, 9), Intake::duplicate);
  EXPECT_EQ(c.put(0, 9), Intake::duplicate);
  EXPECT_EQ(c.gains, (Map{{at(15), 1}}));
}

TEST(CounterIntake, SaysWhatIsTooLateToBePutIn) {
  Counted c;
  for (int i = 1; i <= 10; ++i) c.put(i * 15, i);
  EXPECT_EQ(c.put(0, 0), Intake::too_late);
  EXPECT_EQ(c.put(100, 6), Intake::too_late);
  EXPECT_EQ(c.put(140, 9.5), Intake::counted);
}

TEST(CounterIntake, RefusesWhatIsNoNumber) {
  Counted c;
  c.put(0, 1);
  EXPECT_EQ(c.put(15, std::nan("")), Intake::invalid);
  EXPECT_EQ(c.put(30, std::numeric_limits<double>::infinity()), Intake::invalid);
  c.put(45, 3);
  EXPECT_EQ(c.gains, (Map{{at(45), 2}}));
}

TEST(CounterIntake, DoesNotDriftOnFractions) {
  Counted c;
  double v = 0;
  c.put(0, 0);
  for (int i = 1; i <= 3'000; ++i) c.put(i, v += 0.0004);
  double sum = 0;
  for (const auto& [t, gain] : c.gains) sum += gain;
  EXPECT_NEAR(sum, v, 0.001);
}

TEST(CounterIntake, GivesTheSameInEveryOrder) {
  // Four samples with a restart among them, in all orders: the minutes end up alike.
  const std::vector<std::pair<int, double>> samples{{0, 10}, {60, 25}, {120, 4}, {180, 9}};
  Counted straight;
  for (const auto& [t, v] : samples) straight.put(t, v);
  std::vector<int> order{0, 1, 2, 3};
  do {
    Counted c;
    for (const int i : order) c.put(samples[static_cast<std::size_t>(i)].first, samples[static_cast<std::size_t>(i)].second);
    EXPECT_EQ(c.gains, straight.gains) << order[0] << order[1] << order[2] << order[3];
  } while (std::next_permutation(order.begin(), order.end()));
}

TEST(GaugeIntake, TakesEachTimeOnce) {
  SeriesMemory memory;
  EXPECT_EQ(memory.gauge({at(0), 1}), Intake::counted);
  EXPECT_EQ(memory.gauge({at(30), 1}), Intake::counted);
  EXPECT_EQ(memory.gauge({at(15), 1}), Intake::counted);
  EXPECT_EQ(memory.gauge({at(15), 1}), Intake::duplicate);
  for (int i = 3; i < 9; ++i) memory.gauge({at(i * 15), 1});
  EXPECT_EQ(memory.gauge({at(1), 1}), Intake::too_late);
}

const Labels kErrors{{"__name__", "rpc_total"}, {"code", "502"}, {"instance", "a:1"}, {"job", "odoo"}};

TEST(Sources, KnowTheStartOfACounterThatARunningProcessAdds) {
  Sources sources;
  const auto process = sources.find_or_add(kErrors.with("code", "200"));
  EXPECT_FALSE(sources.start_is_known(process, at(0), {}));
  for (int t = 0; t <= 600; t += 15) sources.seen(process, at(t));
  EXPECT_EQ(sources.find_or_add(kErrors), process) << "the same process, whatever the code";
  EXPECT_TRUE(sources.start_is_known(process, at(615), {}));
}

TEST(Sources, DoNotTakeSeriesForNewThatWereOnlyScrapedApart) {
  Sources sources;
  const auto process = sources.find_or_add(kErrors);
  sources.seen(process, at(0));
  EXPECT_FALSE(sources.start_is_known(process, at(60), {}));
}

TEST(Sources, DoNotTrustAProcessThatWasAway) {
  Sources sources;
  const auto process = sources.find_or_add(kErrors);
  for (int t = 0; t <= 600; t += 15) sources.seen(process, at(t));
  EXPECT_FALSE(sources.start_is_known(process, at(600 + 3'600), {}));
}

TEST(Sources, BelieveAProcessThatTellsItsStart) {
  Sources sources;
  const auto process = sources.find_or_add(kErrors);
  EXPECT_TRUE(sources.start_is_known(process, at(30), at(20)));
  EXPECT_FALSE(sources.start_is_known(process, at(3'600), at(20))) << "it may have counted for an hour";
  EXPECT_FALSE(sources.start_is_known(process, at(10), at(20))) << "another life";
}

TEST(Sources, KeepMetricsAndProcessesApart) {
  Sources sources;
  const auto first = sources.find_or_add(kErrors);
  EXPECT_NE(first, sources.find_or_add(kErrors.with("__name__", "other_total")));
  EXPECT_NE(first, sources.find_or_add(kErrors.with("instance", "b:1")));
}

}  // namespace
}  // namespace ward::collector::slo
