#include "probes/data/cost_brake.hpp"

#include <gtest/gtest.h>

namespace ward::probes::data {
namespace {

using namespace std::chrono_literals;

int skipped_of(CostBrake& brake, int runs) {
  int skipped = 0;
  for (int i = 0; i < runs; ++i) skipped += brake.skip() ? 1 : 0;
  return skipped;
}

TEST(CostBrake, AsksHalfAsOftenWhenAnAnswerTakesMoreThanAQuarter) {
  CostBrake brake;
  brake.spent(2500ms, 10s);
  EXPECT_FALSE(brake.throttled());
  EXPECT_EQ(skipped_of(brake, 8), 0);
  brake.spent(2501ms, 10s);
  EXPECT_TRUE(brake.throttled());
  EXPECT_EQ(skipped_of(brake, 8), 4);
}

TEST(CostBrake, EndsAtEveryEighthRunAndRecovers) {
  CostBrake brake;
  for (int i = 0; i < 10; ++i) brake.spent(9s, 10s);
  EXPECT_EQ(skipped_of(brake, 16), 14);
  for (int i = 0; i < 3; ++i) brake.spent(10ms, 10s);
  EXPECT_FALSE(brake.throttled());
  EXPECT_EQ(skipped_of(brake, 8), 0);
}

TEST(Cadence, IsDueAtOnceAndThenAfterItsJitteredInterval) {
  Cadence cadence(10min);
  MonoTime now{1h};
  EXPECT_TRUE(cadence.due(now));
  cadence.answered(now, 0.5);
  EXPECT_FALSE(cadence.due(now + 599s));
  EXPECT_TRUE(cadence.due(now + 600s));
}

TEST(Cadence, WaitsTwiceAsLongAfterAFailureUpToAnHour) {
  Cadence cadence(10min);
  MonoTime now{1h};
  cadence.failed(now, 0.5);
  EXPECT_TRUE(cadence.throttled());
  EXPECT_FALSE(cadence.due(now + 1199s));
  EXPECT_TRUE(cadence.due(now + 1200s));
  for (int i = 0; i < 5; ++i) cadence.failed(now, 0.5);
  EXPECT_TRUE(cadence.due(now + 1h));
  cadence.answered(now, 0.5);
  EXPECT_FALSE(cadence.throttled());
}

}  // namespace
}  // namespace ward::probes::data
