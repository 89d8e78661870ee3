#include <gtest/gtest.h>

#include "tests/unit/collector/slo/engine_bed.hpp"

namespace ward::collector::slo {
namespace {

using namespace std::chrono_literals;
using test::Bed;
using test::counter;
using test::match;
using test::rpc_slo;

TEST(SloAlerts, PageWhenBothWindowsBurnAndEndWhenTheShortOneIsClean) {
  Bed bed;
  bed.start();
  bed.run(60, 1'000, 0);
  EXPECT_EQ(bed.take_told(), "");
  bed.run(2, 500, 500);
  EXPECT_EQ(bed.take_told(), "firing admission-ok urgent");
  const auto alerts = bed.engine->alerts();
  ASSERT_EQ(alerts.size(), 1U);
  EXPECT_EQ(alerts[0].labels, (Labels{{"alertname", "admission-ok"},
                                      {"class", "urgent"},
                                      {"layer", "user_experience"},
                                      {"owner", "application"},
                                      {"service", "odoo"},
                                      {"slo", "admission-ok"},
                                      {"tenant", "a"}}));
  EXPECT_NE(alerts[0].annotations.get("summary").find("times too fast"), std::string_view::npos);
  EXPECT_EQ(alerts[0].generator, "pack.yaml:1:1: SLO \"admission-ok\"");
  bed.run(5, 1'000, 0);
  EXPECT_EQ(bed.take_told(), "") << "the pair of 6 h burns still";
  bed.run(40, 1'000, 0);
  // The urgent pairs end first, the slow ones still burn: a ticket, not a page.
  EXPECT_EQ(bed.take_told(), "firing admission-ok actionable, resolved admission-ok urgent");
}

TEST(SloAlerts, StayTrueToWhatIsToldWhileSamplesAreMissing) {
  Bed bed;
  bed.start();
  bed.run(30, 1'000, 0);
  bed.run(3, 0, 1'000);
  bed.take_told();
  for (int i = 0; i < 240; ++i) {
    bed.now += 1min;
    bed.tick();
  }
  EXPECT_EQ(bed.take_told().find("resolved"), std::string::npos);
  EXPECT_FALSE(bed.engine->alerts().empty());
}

TEST(SloAlerts, AreNoPagesBelowMinimumEvents) {
  auto slo = rpc_slo();
  slo.min_events = {50, 1h};
  Bed bed({slo});
  bed.start();
  bed.run(60, 0, 0);
  bed.run(2, 2, 1);
  EXPECT_EQ(bed.take_told(), "firing admission-ok actionable");
}

TEST(SloAlerts, OfAGroupWithoutHistoryAreNotTold) {
  auto slo = rpc_slo();
  slo.min_history = 1h;
  Bed bed({slo});
  bed.start();
  bed.run(50, 500, 500);
  EXPECT_EQ(bed.take_told(), "") << "all it knows is bad, and it knows little";
  bed.run(12, 500, 500);
  EXPECT_EQ(bed.take_told(), "firing admission-ok urgent");
}

TEST(SloAlerts, TellATrickleOfErrorsOnLowTraffic) {
  auto slo = rpc_slo();
  slo.min_events = {50, 1h};
  slo.min_bad = {5, 6h};
  slo.burn = {{1h, 5min, 1e6, AlertClass::urgent, {}}};  // never
  Bed bed({slo});
  bed.start();
  bed.run(60, 0, 0);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(bed.take_told(), "");
    bed.run(10, 0, 0);
    bed.run(1, 1, 1);
  }
  EXPECT_EQ(bed.take_told(), "firing admission-ok actionable");
}

TEST(SloAlerts, TellPlatformOnceWhatHasNoSamples) {
  auto slo = rpc_slo();
  slo.absent_after = 5min;
  Bed bed({slo});
  bed.start();
  bed.scrape("b", 1, 0);
  bed.run(10, 1, 0);
  bed.scrape("b", 1, 0);
  EXPECT_EQ(bed.take_told(), "firing SloNoData actionable") << "b was away, and is back now";
  bed.run(3, 0, 0);
  EXPECT_EQ(bed.take_told(), "resolved SloNoData actionable") << "idle is not absent";
  for (int i = 0; i < 10; ++i) {
    bed.now += 1min;
    bed.tick();
  }
  EXPECT_EQ(bed.take_told(), "firing SloNoData actionable") << "one, for both tenants";
  EXPECT_EQ(bed.engine->alerts().at(0).labels.get("owner"), "platform");
}

TEST(SloAlerts, TellAnIndicatorThatNeverMatchedAnything) {
  auto slo = rpc_slo();
  slo.absent_after = 5min;
  Bed bed({slo});
  bed.start();
  for (int i = 0; i < 6; ++i) {
    bed.now += 1min;
    bed.tick();
  }
  EXPECT_EQ(bed.take_told(), "firing SloNoData actionable");
}

TEST(SloAlerts, BlameMissingDataWhereThePolicySaysSo) {
  auto slo = rpc_slo();
  slo.no_data = NoData::bad;
  Bed bed({slo});
  bed.start();
  bed.run(30, 10, 0);
  EXPECT_EQ(bed.take_told(), "") << "the minute that runs is not missing yet";
  for (int i = 0; i < 5; ++i) {
    bed.now += 1min;
    bed.tick();
  }
  EXPECT_EQ(bed.take_told(), "firing admission-ok urgent");
}

TEST(SloAlerts, FreezeWhenTheBudgetIsSpent) {
  auto slo = rpc_slo();
  slo.freeze = true;
  slo.burn.clear();
  Bed bed({slo});
  bed.start();
  bed.run(30, 1'000, 0);
  bed.run(1, 0, 1'000);
  EXPECT_EQ(bed.take_told(), "firing SloBudgetSpent actionable");
  EXPECT_TRUE(bed.engine->budgets().at(0).frozen);
  EXPECT_EQ(bed.value(R"(ward_slo_frozen{service="odoo",slo="admission-ok",tenant="a"})"), 1);
}

TEST(SloAlerts, EndWithTheirSlo) {
  Bed bed;
  bed.start();
  bed.run(30, 0, 100);
  bed.take_told();
  bed.told = bed.reload({}).ended;
  EXPECT_EQ(bed.take_told(), "resolved admission-ok urgent");
}

SloSpec part(const std::string& name, const std::string& metric) {
  auto slo = rpc_slo();
  slo.name = name;
  slo.indicator.sources = {counter(SliRole::bad, metric, match("code", "5..", Matcher::Op::regex)),
                           counter(SliRole::total, metric)};
  return slo;
}
SloSpec path() {
  auto slo = rpc_slo();
  slo.name = "path";
  slo.indicator = {};
  slo.components = {{"db", 1}, {"web", 1}};
  slo.target = 0.9;
  slo.burn = {{1h, 5min, 5, AlertClass::urgent, {}}};
  return slo;
}

struct PathBed : Bed {
  PathBed() : Bed({part("db", "db_total"), path(), part("web", "web_total")}) { start(); }
  void minute(double db_bad, double web_bad) {
    now += 1min;
    for (const auto& [metric, bad] : {std::pair{"db_total", db_bad}, std::pair{"web_total", web_bad}}) {
      for (const auto* code : {"200", "502"}) {
        const Labels labels{{"__name__", metric}, {"code", code}, {"tenant", "a"}};
        put(labels, now, counters[labels] += code == std::string("502") ? bad : 100 - bad);
      }
    }
    tick();
  }
};

TEST(CompositeSlo, IsAsGoodAsAllItsParts) {
  PathBed bed;
  for (int i = 0; i < 60; ++i) bed.minute(10, 20);
  EXPECT_NEAR(*bed.burn("1h", "path"), (1 - 0.9 * 0.8) / 0.1, 1e-9);
}

TEST(CompositeSlo, KeepsItsPartsFromPagingWhileItIsHealthy) {
  PathBed bed;
  for (int i = 0; i < 30; ++i) bed.minute(0, 0);
  for (int i = 0; i < 5; ++i) bed.minute(10, 0);
  EXPECT_EQ(bed.take_told(), "firing db informational");
  for (int i = 0; i < 30; ++i) bed.minute(100, 0);
  EXPECT_EQ(bed.take_told(), "firing path urgent, firing db urgent, resolved db informational");
}

}  // namespace
}  // namespace ward::collector::slo
