#include "collector/leadership/standing.hpp"

#include <gtest/gtest.h>

namespace ward::collector {
namespace {

using namespace std::chrono_literals;

MonoTime at(std::chrono::milliseconds t) { return MonoTime{t}; }
LeaseAnswer mine(std::int64_t token) { return {.mine = true, .token = token, .holder = "me", .address = ""}; }
LeaseAnswer others(std::int64_t token) { return {.mine = false, .token = token, .holder = "other", .address = ""}; }

TEST(Standing, LeadsFromTheAnswerToTheEndOfTheLease) {
  Standing standing{10s};
  EXPECT_EQ(standing.role(), Role::waiting);
  standing.answered(mine(7), at(1s));
  EXPECT_EQ(standing.role(), Role::leading);
  EXPECT_EQ(standing.token(), 7);
  EXPECT_TRUE(standing.may_act(at(10'999ms)));
  EXPECT_FALSE(standing.may_act(at(11s))) << "counted from when it asked, not from the answer";
  standing.answered(mine(7), at(12s));
  EXPECT_TRUE(standing.may_act(at(13s))) << "nobody else led meanwhile";
}

TEST(Standing, WhoeverWasStoppedDoesNothingBeforeItHasAsked) {
  Standing standing{10s};
  standing.answered(mine(7), at(0s));
  EXPECT_FALSE(standing.may_act(at(60s)));
  standing.answered(others(8), at(60s));
  EXPECT_EQ(standing.role(), Role::lost);
  EXPECT_FALSE(standing.may_act(at(60s)));
}

TEST(Standing, ItsOwnLeaseUnderAnotherTokenIsAnotherLife) {
  Standing standing{10s};
  standing.answered(mine(7), at(0s));
  standing.answered(mine(8), at(3s));
  EXPECT_EQ(standing.role(), Role::lost);
}

TEST(Standing, TheLeaderGoesOnWithoutTheSharedState) {
  Standing standing{10s};
  standing.answered(mine(7), at(0s));
  standing.unreachable(at(9s));
  EXPECT_TRUE(standing.cut_off(at(15s)));
  EXPECT_TRUE(standing.may_act(at(15s)));
  standing.unreachable(at(15s));
  EXPECT_TRUE(standing.may_act(at(24s)));
  EXPECT_FALSE(standing.may_act(at(80s))) << "it was stopped since it last asked";
  standing.answered(mine(7), at(81s));
  EXPECT_FALSE(standing.cut_off(at(81s)));
  EXPECT_TRUE(standing.may_act(at(82s)));
}

TEST(Standing, WhoeverWaitsWithoutTheSharedStateWaitsOn) {
  Standing standing{10s};
  standing.unreachable(at(1s));
  EXPECT_EQ(standing.role(), Role::waiting);
  EXPECT_FALSE(standing.may_act(at(1s)));
}

TEST(Standing, LostIsForGoodUntilANewLife) {
  Standing standing{10s};
  standing.answered(mine(7), at(0s));
  standing.fenced();
  standing.answered(mine(7), at(1s));
  EXPECT_EQ(standing.role(), Role::lost);
  standing.step_back();
  standing.answered(mine(9), at(2s));
  EXPECT_EQ(standing.role(), Role::leading);
  EXPECT_EQ(standing.token(), 9);
}

}  // namespace
}  // namespace ward::collector
