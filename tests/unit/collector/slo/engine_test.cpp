#include "collector/slo/engine.hpp"

#include <gtest/gtest.h>

#include "tests/unit/collector/slo/engine_bed.hpp"

namespace ward::collector::slo {
namespace {

using namespace std::chrono_literals;
using test::Bed;
using test::kStart;
using test::rpc_slo;

constexpr const char* kBudget = R"(ward_slo_error_budget_remaining_ratio{service="odoo",slo="admission-ok",tenant="a"})";
std::string events(const char* result) {
  return std::string(R"(ward_slo_period_events{result=")") + result + R"(",service="odoo",slo="admission-ok",tenant="a"})";
}

TEST(SloEngine, CountsEventsOfEachGroupAsTheyArrive) {
  Bed bed;
  bed.start();
  bed.run(10, 0, 0);
  bed.run(60, 98, 2);
  EXPECT_NEAR(*bed.burn("1h"), 20, 1e-9);
  EXPECT_NEAR(*bed.burn("5m"), 20, 1e-9);
  EXPECT_EQ(bed.value(events("bad")), 120);
  EXPECT_EQ(bed.value(events("good")), 60 * 98);
  EXPECT_NEAR(*bed.value(kBudget), 1 - 20, 1e-9);
  EXPECT_EQ(bed.engine->size().ledgers, 1U);
  EXPECT_EQ(bed.engine->size().series, 2U);
}

TEST(SloEngine, SaysNothingOfWhatIsUnknown) {
  Bed bed;
  bed.start();
  bed.run(10, 0, 0);
  EXPECT_EQ(bed.burn("1h"), std::nullopt);
  EXPECT_EQ(bed.value(kBudget), std::nullopt);
  EXPECT_EQ(bed.value(R"(ward_slo_coverage_ratio{service="odoo",slo="admission-ok",tenant="a",window="1h"})"), 0);
  bed.run(1, 10, 0);
  EXPECT_EQ(bed.burn("1h"), 0);
}

TEST(SloEngine, DoesNotMoveTheBudgetWithoutTraffic) {
  Bed bed;
  bed.start();
  bed.run(60, 999, 1);
  const auto budget = bed.value(kBudget);
  bed.run(600, 0, 0);
  EXPECT_EQ(bed.value(kBudget), budget);
  EXPECT_EQ(bed.burn("1h"), std::nullopt);
}

TEST(SloEngine, CountsACounterReset) {
  Bed bed;
  bed.start();
  bed.run(5, 100, 0);
  for (auto& [labels, value] : bed.counters) value = 0;
  bed.run(1, 30, 0);
  EXPECT_EQ(bed.value(events("good")), 4 * 100 + 30);
}

TEST(SloEngine, CountsTheFirstErrorsOfAProcessThatItKnows) {
  Bed bed;
  bed.start();
  for (int i = 0; i < 20; ++i) {
    bed.now += 1min;
    bed.put(Bed::rpc("a", "200"), bed.now, 100.0 * i);
    bed.tick();
  }
  bed.put(Bed::rpc("a", "503"), bed.now, 7);
  bed.tick();
  EXPECT_EQ(bed.value(events("bad")), 7);
}

TEST(SloEngine, DoesNotCountWhatAnUnknownProcessCountedBefore) {
  Bed bed;
  bed.start();
  bed.now += 1min;
  bed.put(Bed::rpc("a", "200"), bed.now, 1e9);
  bed.put(Bed::rpc("a", "503"), bed.now + 2s, 1e6);
  bed.tick();
  EXPECT_EQ(bed.value(events("bad")), 0);
}

TEST(SloEngine, CountsANewProcessFromItsStart) {
  Bed bed;
  bed.start();
  const Labels start{{"__name__", "process_start_time_seconds"}, {"instance", "odoo:8069"}, {"tenant", "a"}};
  bed.now += 1min;
  bed.put(start, bed.now, to_seconds(bed.now - 20s));
  bed.put(Bed::rpc("a", "503"), bed.now, 4);
  bed.tick();
  EXPECT_EQ(bed.value(events("bad")), 4);
}

TEST(SloEngine, PutsLateSamplesIntoTheirMinuteAcrossTheBorder) {
  Bed bed;
  bed.start();
  bed.scrape("a", 0, 0);
  bed.now += 5min;
  bed.tick();
  const auto put = [&](int seconds, double v) { bed.put(Bed::rpc("a", "200"), kStart + std::chrono::seconds{seconds}, v); };
  put(70, 100);
  put(50, 80);  // late, and of the minute before
  bed.tick();
  EXPECT_EQ(bed.value(events("good")), 100);
  EXPECT_EQ(bed.engine->counts().duplicates, 0U);
  put(50, 80);
  EXPECT_EQ(bed.engine->counts().duplicates, 1U);
}

TEST(SloEngine, CountsAgainFromTheStoreWhatComesTooLate) {
  Bed bed;
  bed.start();
  bed.run(30, 100, 0);
  // Ten minutes ago there were errors that nobody saw: one sample of each minute was missing and comes now.
  const auto then = bed.now - 10min + 30s;
  bed.put(Bed::rpc("a", "502"), then, 40);
  EXPECT_EQ(bed.value(events("bad")), 0);
  bed.tick();
  // 40 until the late sample, then a restart: the next one showed 0.
  EXPECT_EQ(bed.value(events("bad")), 40);
  EXPECT_EQ(bed.value(events("good")), 29 * 100);
  EXPECT_EQ(bed.engine->counts().recounts, 1U);
}

TEST(SloEngine, CountsWhatAnAgentKeptForHours) {
  Bed bed;
  bed.start();
  bed.scrape("a", 0, 0);
  bed.now += 10h;
  bed.tick();
  for (int i = 1; i <= 600; ++i) bed.put(Bed::rpc("a", "200"), kStart + std::chrono::minutes{i}, i * 10);
  bed.tick();
  EXPECT_EQ(bed.value(events("good")), 6'000);
  EXPECT_EQ(bed.value(R"(ward_slo_coverage_ratio{service="odoo",slo="admission-ok",tenant="a",window="6h"})"), 1);
}

TEST(SloEngine, RefusesSamplesOfAClockThatIsAhead) {
  Bed bed;
  bed.start();
  bed.run(5, 100, 0);
  bed.put(Bed::rpc("a", "200"), bed.now + 24h, 1e6);
  bed.run(5, 100, 0);
  EXPECT_EQ(bed.value(events("good")), 900);
  EXPECT_EQ(bed.engine->counts().ahead, 1U);
}

TEST(SloEngine, FollowsAClockThatIsSetBack) {
  Bed bed;
  bed.start();
  bed.run(120, 100, 0);
  bed.now -= 1h;
  bed.tick();
  EXPECT_EQ(bed.burn("1h"), 0);
  bed.now += 2h;
  bed.tick();
  EXPECT_EQ(bed.burn("5m"), std::nullopt);
}

TEST(SloEngine, BoundsGroupsAndCountsWhatItRefuses) {
  auto slo = rpc_slo();
  slo.max_groups = 3;
  Bed bed({slo});
  bed.options.max_ledgers = 100;
  bed.start();
  for (int i = 0; i < 50; ++i) bed.put(Bed::rpc("t" + std::to_string(i), "200"), bed.now, 1);
  EXPECT_EQ(bed.engine->size().ledgers, 3U);
  EXPECT_EQ(bed.engine->counts().refused_groups, 47U);
}

TEST(SloEngine, BoundsAllLedgersTogether) {
  auto slo = rpc_slo();
  auto other = rpc_slo();
  other.name = "other";
  Bed bed({slo, other});
  bed.options.max_ledgers = 5;
  bed.start();
  for (int i = 0; i < 4; ++i) bed.put(Bed::rpc("t" + std::to_string(i), "200"), bed.now, 1);
  EXPECT_EQ(bed.engine->size().ledgers, 5U);
}

TEST(SloEngine, UsesTheNumberOfASeriesForAnother) {
  Bed bed;
  bed.start();
  bed.run(3, 100, 0);
  const auto id = bed.ids.at(Bed::rpc("a", "200"));
  bed.engine->define(id, Labels{{"__name__", "something_else"}});
  const wire::IdSample sample{id, bed.now + 1min, 1e9};
  bed.engine->append({&sample, 1});
  bed.now += 1min;
  bed.tick();
  EXPECT_EQ(bed.value(events("good")), 200);
}

TEST(SloEngine, KeepsItsLedgerWhenTheTargetIsEdited) {
  Bed bed;
  bed.start();
  bed.run(30, 90, 10);
  auto slo = rpc_slo();
  slo.target = 0.5;
  const auto done = bed.reload({slo});
  EXPECT_FALSE(done.needs_series);
  bed.run(1, 90, 10);
  EXPECT_NEAR(*bed.burn("1h"), 0.2, 1e-9);
  EXPECT_EQ(bed.value(events("bad")), 300);
}

TEST(SloEngine, UsesTheTargetOfTheTenant) {
  auto slo = rpc_slo();
  slo.tenant_targets = {{"a", 0.9}};
  Bed bed({slo});
  bed.start();
  bed.run(10, 90, 10);
  EXPECT_NEAR(*bed.burn("5m"), 1, 1e-9);
  EXPECT_EQ(bed.value(R"(ward_slo_objective_ratio{service="odoo",slo="admission-ok",tenant="a"})"), 0.9);
}

TEST(SloEngine, ExcludesMaintenanceUpToItsCap) {
  auto slo = rpc_slo();
  slo.exclude_maintenance = true;
  slo.max_excluded = 20min;
  Bed bed({slo});
  bed.maintenance = [](const std::string& service, const Labels& group, Time at) {
    return service == "odoo" && group.get("tenant") == "a" && at >= kStart + 10min && at < kStart + 40min;
  };
  bed.start();
  bed.run(60, 50, 50);
  EXPECT_EQ(bed.value(R"(ward_slo_period_excluded_seconds{service="odoo",slo="admission-ok",tenant="a"})"), 20 * 60);
  EXPECT_EQ(bed.value(events("bad")), (59 - 20) * 50) << "what is beyond the cap counts";
}

TEST(SloEngine, CountsMaintenanceWhereItIsToBeCounted) {
  Bed bed;
  bed.maintenance = [](const std::string&, const Labels&, Time) { return true; };
  bed.start();
  bed.run(10, 50, 50);
  EXPECT_EQ(bed.value(events("bad")), 9 * 50);
}

TEST(SloEngine, JudgesMeasurementsByAThreshold) {
  auto slo = rpc_slo();
  slo.indicator.sources = {
      {.role = SliRole::threshold, .query = "lag", .matchers = {test::match("__name__", "lag")}, .counter = false}};
  slo.indicator.op = Comparison::lt;
  slo.indicator.limit = 10;
  slo.target = 0.9;
  Bed bed({slo});
  bed.start();
  for (int i = 0; i < 10; ++i) {
    bed.now += 1min;
    bed.put(Labels{{"__name__", "lag"}, {"tenant", "a"}}, bed.now, i < 8 ? 3 : 30);
  }
  bed.tick();
  EXPECT_NEAR(*bed.burn("1h"), 2, 1e-9);
}

TEST(SloEngine, CountsMinutesOfADeadTargetAsBad) {
  auto slo = rpc_slo();
  slo.indicator.sources.push_back(
      {.role = SliRole::up, .query = "up", .matchers = {test::match("__name__", "up")}, .counter = false});
  Bed bed({slo});
  bed.start();
  bed.run(30, 100, 0);
  for (int i = 0; i < 30; ++i) {
    bed.now += 1min;
    bed.put(Labels{{"__name__", "up"}, {"tenant", "a"}}, bed.now, 0);
    bed.tick();
  }
  EXPECT_NEAR(*bed.burn("5m"), 1'000, 1e-6);
  EXPECT_GT(*bed.burn("1h"), 400);
}

TEST(SloEngine, AsksExpressionsOnceAMinute) {
  auto slo = rpc_slo();
  slo.indicator.sources = {{.role = SliRole::raw_bad, .query = "errors / all", .matchers = {}, .counter = false}};
  Bed bed({slo});
  int asked = 0;
  bed.query = [&](const std::string& query, Time) -> Result<std::vector<SeriesValue>> {
    EXPECT_EQ(query, "errors / all");
    ++asked;
    if (asked == 3) return fail(Errc::timed_out, "too slow", "");
    return std::vector<SeriesValue>{{Labels{{"tenant", "a"}}, asked == 4 ? std::nan("") : 0.25}};
  };
  bed.start();
  for (int i = 0; i < 20; ++i) {
    bed.now += 15s;
    bed.tick();
  }
  EXPECT_EQ(asked, 6);
  EXPECT_NEAR(*bed.burn("5m"), 250, 1e-9);
  EXPECT_EQ(bed.engine->counts().query_failures, 1U);
  EXPECT_EQ(bed.engine->counts().invalid, 1U) << "NaN is no share";
}

TEST(SloEngine, ReportsTheBudgetOfACalendarMonth) {
  auto slo = rpc_slo();
  slo.period = {.count = 1, .unit = PeriodUnit::month, .rolling = false, .zone = "UTC", .start_local = 0};
  Bed bed({slo});
  bed.now = parse_time("2026-11-30T23:30:00Z").value();
  bed.start();
  bed.run(30, 50, 50);
  EXPECT_LT(*bed.value(kBudget), 0);
  bed.run(30, 100, 0);
  // A new month: only the minute of its first scrape holds what the last month's end left.
  EXPECT_EQ(bed.engine->budgets().at(0).period.from, minute_of(parse_time("2026-12-01T00:00:00Z").value()));
  bed.run(1, 100, 0);
  EXPECT_GT(*bed.burn("1h"), 100) << "burn rates stay on rolling windows";
}

TEST(SloEngine, SeedsANewSloFromHistory) {
  Bed bed;
  for (int i = 0; i <= 3 * 1'440; ++i) {
    const auto t = bed.now + std::chrono::minutes{i};
    bed.history.put(Bed::rpc("a", "200"), {t, i * 98.0});
    bed.history.put(Bed::rpc("a", "502"), {t, i * 2.0});
  }
  bed.now += 72h;
  bed.ids = {{Bed::rpc("a", "200"), 1}, {Bed::rpc("a", "502"), 2}};
  bed.start();
  bed.tick();
  EXPECT_NEAR(*bed.burn("3d"), 20, 1e-9);
  EXPECT_EQ(bed.value(events("bad")), 3 * 1'440 * 2);
  // Counting goes on where history ended.
  bed.counters = {{Bed::rpc("a", "200"), 3 * 1'440 * 98}, {Bed::rpc("a", "502"), 3 * 1'440 * 2}};
  bed.run(1, 98, 2);
  EXPECT_EQ(bed.value(events("bad")), 3 * 1'440 * 2 + 2);
}

TEST(SloEngine, CountsEverythingOnceWhenSamplesArriveWhileItSeeds) {
  Bed bed;
  bed.options.seed_step = 1h;
  const auto put = [&](int i) { bed.put(Bed::rpc("a", "200"), kStart + std::chrono::minutes{i}, i * 10.0); };
  for (int i = 0; i < 600; ++i) bed.history.put(Bed::rpc("a", "200"), {kStart + std::chrono::minutes{i}, i * 10.0});
  bed.now += 600min;
  bed.engine = std::make_unique<SloEngine>(
      SloEngine::Context{.query = {}, .maintenance = {}, .history = &bed.history, .store = nullptr, .options = bed.options});
  bed.reload({rpc_slo()});
  int i = 600;
  do {
    bed.now += 1min;
    put(i++);
  } while (bed.engine->catch_up(bed.now));
  put(i++);
  bed.tick();
  EXPECT_EQ(bed.value(events("good")), (i - 1) * 10);
}

TEST(SloEngine, TriesHistoryAgainThatCouldNotBeRead) {
  Bed bed;
  bed.history.put(Bed::rpc("a", "200"), {bed.now - 5min, 1});
  bed.history.put(Bed::rpc("a", "200"), {bed.now - 4min, 11});
  bed.engine = std::make_unique<SloEngine>(
      SloEngine::Context{.query = {}, .maintenance = {}, .history = &bed.history, .store = nullptr, .options = {}});
  bed.reload({rpc_slo()});
  bed.history.broken = true;
  EXPECT_TRUE(bed.engine->catch_up(bed.now));
  EXPECT_EQ(bed.engine->counts().failed_seeds, 1U);
  bed.history.broken = false;
  while (bed.engine->catch_up(bed.now)) {}
  bed.tick();
  EXPECT_EQ(bed.value(events("good")), 10);
}

TEST(SloEngine, EndsTheSeriesOfAnSloThatIsGone) {
  Bed bed;
  bed.start();
  bed.run(3, 100, 0);
  bed.reload({});
  const auto out = bed.engine->tick(bed.now += 1min);
  EXPECT_FALSE(out.series.empty());
  for (const auto& [labels, value] : out.series) EXPECT_TRUE(is_stale(value)) << to_string(labels);
  EXPECT_TRUE(bed.engine->tick(bed.now += 1min).series.empty());
}

}  // namespace
}  // namespace ward::collector::slo
