#include "collector/notify/heartbeat.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using Stage = Heartbeat::Stage;

class HeartbeatTest : public ::testing::Test {
 protected:
  void all_progress() {
    for (const auto stage : {Stage::evaluation, Stage::ingest, Stage::outbox}) beat.progress(stage, clock.mono());
  }
  test::ManualClock clock;
  Heartbeat beat{{}};
  Heartbeat::Figures figures{.last_tick = from_ms(1'790'000'000'000), .outbox_oldest_age = 1500ms, .stored_samples = 42};
};

TEST_F(HeartbeatTest, CarriesTickAgeAndCount) {
  all_progress();
  EXPECT_EQ(
      beat.beat(clock.mono(), figures).value(),
      R"({"kind":"ward_heartbeat","last_tick":"2026-09-21T14:13:20.000Z","outbox_oldest_age_seconds":1.5,"stored_samples":42})");
  EXPECT_EQ(beat.missed(), 0U);
}

TEST_F(HeartbeatTest, IsWithheldWhileAnyStageStandsStill) {
  for (const auto still : {Stage::evaluation, Stage::ingest, Stage::outbox}) {
    all_progress();
    clock.advance(61s);
    for (const auto stage : {Stage::evaluation, Stage::ingest, Stage::outbox})
      if (stage != still) beat.progress(stage, clock.mono());
    const auto verdict = beat.beat(clock.mono(), figures);
    ASSERT_FALSE(verdict);
    EXPECT_THAT(verdict.error().what, HasSubstr(std::string(to_string(still)) + " has made no progress for 1m"));
  }
  EXPECT_EQ(beat.missed(), 3U);
}

TEST_F(HeartbeatTest, IsWithheldUntilEveryStageHasBegun) {
  beat.progress(Stage::evaluation, clock.mono());
  beat.progress(Stage::outbox, clock.mono());
  EXPECT_THAT(beat.beat(clock.mono(), figures).error().what, HasSubstr("ingest has not begun"));
}

TEST_F(HeartbeatTest, IsWithheldWhenMessagesReachNobody) {
  all_progress();
  figures.outbox_oldest_age = 6min;
  EXPECT_FALSE(beat.beat(clock.mono(), figures));
  EXPECT_EQ(beat.missed(), 1U);
}

TEST_F(HeartbeatTest, CountsABeatThatDidNotGetOut) {
  beat.not_delivered();
  EXPECT_EQ(beat.missed(), 1U);
}

}  // namespace
}  // namespace ward::collector
