#include "common/telemetry/metrics.hpp"

#include <algorithm>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdexcept>
#include <thread>

namespace ward::telemetry {
namespace {

using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

TEST(Registry, CountsIntoTheExposition) {
  Registry registry;
  auto& counter = registry.counter("ward_spool_dropped_total", "Samples dropped.", {{"reason", "full"}});
  counter.add();
  counter.add(2.5);
  counter.add(-1);
  EXPECT_EQ(counter.value(), 3.5);
  EXPECT_THAT(registry.exposition(), HasSubstr("# HELP ward_spool_dropped_total Samples dropped.\n"
                                               "# TYPE ward_spool_dropped_total counter\n"
                                               "ward_spool_dropped_total{reason=\"full\"} 3.5\n"));
}

TEST(Registry, SetsGauges) {
  Registry registry;
  auto& gauge = registry.gauge("ward_spool_bytes", "Bytes in the spool.");
  gauge.set(10);
  gauge.add(-4);
  EXPECT_EQ(gauge.value(), 6);
  EXPECT_THAT(registry.exposition(), HasSubstr("\nward_spool_bytes 6\n"));
}

TEST(Registry, GivesTheSameMetricForTheSameNameAndLabels) {
  Registry registry;
  auto& first = registry.counter("x_total", "X.", {{"a", "1"}});
  EXPECT_EQ(&registry.counter("x_total", "other help", {{"a", "1"}}), &first);
  EXPECT_NE(&registry.counter("x_total", "X.", {{"a", "2"}}), &first);
}

TEST(Registry, SnapshotsWhatAScrapeWouldStore) {
  Registry registry;
  registry.counter("c_total", "C.", {{"a", "1"}}).add(7);
  registry.gauge("g", "G.").set(-2);
  auto& histogram = registry.histogram("h_seconds", "H.", {{"a", "1"}}, {0.005, 1, 1e6});
  histogram.observe(0.5);
  histogram.observe(0.25);
  histogram.observe(5e6);
  const auto values = registry.snapshot();
  EXPECT_THAT(values, Contains(Pair(Labels{{"__name__", "c_total"}, {"a", "1"}}, 7)));
  EXPECT_THAT(values, Contains(Pair(Labels{{"__name__", "g"}}, -2)));
  const auto bucket = [](const char* le) { return Labels{{"__name__", "h_seconds_bucket"}, {"a", "1"}, {"le", le}}; };
  EXPECT_THAT(values, Contains(Pair(bucket("0.005"), 0)));
  EXPECT_THAT(values, Contains(Pair(bucket("1"), 2)));
  EXPECT_THAT(values, Contains(Pair(bucket("1000000"), 2)));
  EXPECT_THAT(values, Contains(Pair(bucket("+Inf"), 3)));
  EXPECT_THAT(values, Contains(Pair(Labels{{"__name__", "h_seconds_sum"}, {"a", "1"}}, 5'000'000.75)));
  EXPECT_THAT(values, Contains(Pair(Labels{{"__name__", "h_seconds_count"}, {"a", "1"}}, 3)));
}

TEST(Registry, SpellsBucketBoundsAlikeInScrapeAndSnapshot) {
  Registry registry;
  registry.histogram("h", "H.", {}, {1e-7, 0.1, 2.5, 1e6}).observe(1);
  const auto exposition = registry.exposition();
  std::size_t bounds = 0;
  for (const auto& [labels, value] : registry.snapshot()) {
    if (!labels.has("le")) continue;
    ++bounds;
    EXPECT_THAT(exposition, HasSubstr("le=\"" + std::string(labels.get("le")) + "\""));
  }
  EXPECT_EQ(bounds, 5U);
}

TEST(Registry, EscapesLabelValuesAndHelp) {
  Registry registry;
  registry.gauge("g", "two\nlines", {{"a", "q\"\\\n"}}).set(1);
  EXPECT_THAT(registry.exposition(), HasSubstr("# HELP g two lines\n# TYPE g gauge\ng{a=\"q\\\"\\\\\\n\"} 1\n"));
}

TEST(Registry, ThrowsForBugsNamingTheMetric) {
  Registry registry;
  registry.counter("taken", "T.");
  const auto thrown = [](const auto& act) -> std::string {
    try {
      act();
    } catch (const std::logic_error& e) {
      return e.what();
    }
    return "(nothing)";
  };
  EXPECT_THAT(thrown([&] { registry.gauge("taken", "T."); }), HasSubstr("metric taken: "));
  EXPECT_THAT(thrown([&] { registry.gauge("bad-name", "T."); }), HasSubstr("metric bad-name: "));
  EXPECT_THAT(thrown([&] { registry.gauge("g", "T.", {{"bad-label", "x"}}); }), HasSubstr("metric g: "));
  EXPECT_THAT(thrown([&] { registry.histogram("h", "T.", {}, {2, 1}); }), HasSubstr("metric h: "));
}

TEST(Registry, CountsFromSeveralThreads) {
  Registry registry;
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&registry] {
      for (int i = 0; i < 500; ++i) registry.counter("x_total", "X.", {{"i", std::to_string(i % 5)}}).add();
    });
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(registry.exposition().empty());
  for (auto& thread : threads) thread.join();
  double sum = 0;
  for (const auto& [labels, value] : registry.snapshot()) sum += labels.name() == "x_total" ? value : 0;
  EXPECT_EQ(sum, 2000);
}

TEST(Registry, TellsAboutItsProcess) {
  const Registry registry;
  const auto values = registry.snapshot();
  for (const auto* name : {"process_resident_memory_bytes", "process_open_fds", "process_start_time_seconds"}) {
    const auto at = std::find_if(values.begin(), values.end(), [&](const auto& v) { return v.first.name() == name; });
    ASSERT_NE(at, values.end()) << name;
    EXPECT_GT(at->second, 0) << name;
  }
  EXPECT_THAT(registry.exposition(), HasSubstr("# TYPE process_cpu_seconds_total counter\n"));
}

}  // namespace
}  // namespace ward::telemetry
