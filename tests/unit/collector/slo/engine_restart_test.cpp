#include <gtest/gtest.h>

#include "tests/unit/collector/slo/engine_bed.hpp"

namespace ward::collector::slo {
namespace {

using namespace std::chrono_literals;
using test::Bed;
using test::kStart;
using test::rpc_slo;

std::string events(const char* result) {
  return std::string(R"(ward_slo_period_events{result=")") + result + R"(",service="odoo",slo="admission-ok",tenant="a"})";
}

TEST(SloRestart, LosesAndRepeatsNothingInTheMiddleOfAMinute) {
  Bed bed;
  bed.start();
  double sent = 0;
  for (int i = 1; i <= 400; ++i) {
    bed.now += 15s;
    bed.scrape("a", 10, i % 5 == 0 ? 1 : 0);
    sent = 10 * (i - 1);
    if (i % 7 == 0) {
      ASSERT_TRUE(bed.engine->save());
    }
    if (i % 23 == 0) bed.restart();
    if (i % 4 == 0) bed.tick();
  }
  bed.tick();
  EXPECT_EQ(bed.value(events("good")), sent);
  EXPECT_EQ(bed.value(events("bad")), 80);
}

TEST(SloRestart, TellsTheSameWindows) {
  Bed bed;
  bed.start();
  bed.run(5'000, 99, 1);
  bed.run(400, 90, 10);
  ASSERT_TRUE(bed.engine->save());
  const auto before = bed.series;
  bed.restart();
  bed.tick();
  EXPECT_EQ(bed.series, before);
}

TEST(SloRestart, NeedsNoHistoryForWhatWasSaved) {
  Bed bed;
  bed.with_history = false;
  bed.start();
  bed.run(2'000, 99, 1);
  ASSERT_TRUE(bed.engine->save());
  const auto before = bed.series;
  bed.restart();
  bed.tick();
  EXPECT_EQ(bed.series, before);
}

TEST(SloRestart, SavesWhatChangedOnly) {
  Bed bed;
  bed.start();
  bed.run(2'000, 99, 1);
  ASSERT_TRUE(bed.engine->save());
  bed.run(1, 99, 1);
  ASSERT_TRUE(bed.engine->save());
  EXPECT_EQ(bed.store.last_blocks, 1U);
}

TEST(SloRestart, SavesLaterWhatCouldNotBeSaved) {
  Bed bed;
  bed.start();
  bed.run(500, 99, 1);
  bed.store.broken = true;
  EXPECT_FALSE(bed.engine->save());
  bed.run(500, 99, 1);
  bed.store.broken = false;
  ASSERT_TRUE(bed.engine->save());
  bed.with_history = false;
  const auto before = bed.series;
  bed.restart();
  bed.tick();
  EXPECT_EQ(bed.series, before);
}

TEST(SloRestart, KeepsAnAlertAndTellsItOnceMore) {
  Bed bed;
  bed.start();
  bed.run(30, 1'000, 0);
  bed.run(5, 0, 1'000);
  ASSERT_TRUE(bed.engine->save());
  const auto before = bed.engine->alerts();
  bed.take_told();
  bed.restart();
  bed.run(1, 0, 1'000);
  EXPECT_EQ(bed.take_told(), "firing admission-ok urgent");
  ASSERT_EQ(bed.engine->alerts().size(), 1U);
  EXPECT_EQ(bed.engine->alerts()[0].active_at, before[0].active_at);
  bed.run(1, 0, 1'000);
  EXPECT_EQ(bed.take_told(), "");
}

TEST(SloRestart, EndsAlertsOfSlosThatAreGone) {
  Bed bed;
  bed.start();
  bed.run(30, 0, 1'000);
  ASSERT_TRUE(bed.engine->save());
  bed.take_told();
  bed.engine = std::make_unique<SloEngine>(
      SloEngine::Context{.query = {}, .maintenance = {}, .history = &bed.history, .store = &bed.store, .options = {}});
  auto other = rpc_slo();
  other.name = "other";
  bed.reload({other});
  bed.tick();
  EXPECT_EQ(bed.take_told(), "resolved admission-ok urgent");
}

TEST(SloRestart, DoesNotBringBackWhatWasSavedWhenAnSloIsAdded) {
  Bed bed;
  bed.start();
  bed.run(30, 1'000, 0);
  bed.run(2, 0, 1'000);
  ASSERT_TRUE(bed.engine->save());
  bed.take_told();
  auto slo = rpc_slo();
  slo.burn.clear();
  bed.reload({slo});
  bed.run(3, 1'000, 0);
  EXPECT_EQ(bed.take_told(), "resolved admission-ok urgent");
  auto other = rpc_slo();
  other.name = "other";
  bed.reload({slo, other});
  bed.run(3, 1'000, 0);
  EXPECT_EQ(bed.take_told().find("admission-ok"), std::string::npos);
}

TEST(SloRestart, DoesNotEndAnAlertBeforeItsLastMinutesAreCounted) {
  Bed bed;
  bed.start();
  bed.run(120, 1'000, 0);
  bed.run(20, 0, 1'000);
  ASSERT_TRUE(bed.engine->save());
  bed.take_told();
  bed.engine = std::make_unique<SloEngine>(
      SloEngine::Context{.query = {}, .maintenance = {}, .history = &bed.history, .store = &bed.store, .options = {}});
  bed.reload({rpc_slo()});
  for (int i = 0; i < 5; ++i) {
    bed.now += 1min;
    bed.tick();
  }
  EXPECT_EQ(bed.take_told().find("resolved"), std::string::npos);
}

TEST(SloRestart, SeedsAnewWhenItWasKilledWhileItSeeded) {
  Bed bed;
  bed.options.seed_step = 1h;
  for (int i = 0; i <= 1'440; ++i) bed.history.put(Bed::rpc("a", "200"), {kStart + std::chrono::minutes{i}, i * 10.0});
  bed.now = kStart + 24h;
  bed.engine = std::make_unique<SloEngine>(SloEngine::Context{
      .query = {}, .maintenance = {}, .history = &bed.history, .store = &bed.store, .options = bed.options});
  bed.reload({rpc_slo()});
  for (int i = 0; i < 710; ++i) ASSERT_TRUE(bed.engine->catch_up(bed.now));
  ASSERT_TRUE(bed.engine->save());
  bed.restart();
  bed.tick();
  EXPECT_EQ(bed.value(events("good")), 14'400);
}

}  // namespace
}  // namespace ward::collector::slo
