#include "agent/schedule/rhythm.hpp"

#include <gtest/gtest.h>

namespace ward::agent {
namespace {

using std::chrono::seconds;

const MonoTime kStart{std::chrono::hours{1}};

TEST(Rhythm, BeginsAtItsPhaseOfTheInterval) {
  EXPECT_EQ(Rhythm(seconds(10), 0, kStart).next(), kStart);
  EXPECT_EQ(Rhythm(seconds(10), 0.25, kStart).next(), kStart + milliseconds(2'500));
}

TEST(Rhythm, DoesNotDriftWithTheDurationOfRuns) {
  Rhythm rhythm(seconds(10), 0, kStart);
  for (int i = 1; i <= 100; ++i) {
    EXPECT_EQ(rhythm.advance(rhythm.next() + seconds(3)), 0U);
    EXPECT_EQ(rhythm.next(), kStart + seconds(10) * i);
  }
}

TEST(Rhythm, CountsWhatALongRunMissedAndDoesNotMakeUpForIt) {
  Rhythm rhythm(seconds(10), 0, kStart);
  EXPECT_EQ(rhythm.advance(kStart + seconds(47)), 4U);
  EXPECT_EQ(rhythm.next(), kStart + seconds(50));
}

TEST(Rhythm, GoesOnAfterTheMachineSlept) {
  Rhythm rhythm(seconds(10), 0.5, kStart);
  EXPECT_EQ(rhythm.advance(kStart + std::chrono::hours(24 * 30)), 259'200U - 1);
  EXPECT_GT(rhythm.next(), kStart + std::chrono::hours(24 * 30));
  EXPECT_LE(rhythm.next(), kStart + std::chrono::hours(24 * 30) + seconds(10));
}

}  // namespace
}  // namespace ward::agent
