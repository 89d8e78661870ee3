#include "collector/promql/season.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/base/duration.hpp"

namespace ward::promql {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

Time at(const std::string& text) { return parse_time(text).value(); }
Season season(std::initializer_list<std::string_view> options) {
  Season out;
  for (const auto option : options) EXPECT_TRUE(set_season(out, option)) << option;
  return out;
}
std::vector<std::string> comparable(const Season& season, const std::string& now) {
  std::vector<std::string> out;
  for (const auto t : comparable_hours(season, at(now))) out.push_back(format_time(t).substr(0, 16));
  return out;
}

TEST(Season, IsTheSameHourOfPastWeeks) {
  EXPECT_THAT(comparable(season({"weeks=3"}), "2026-11-18T10:42:07Z"),
              ElementsAre("2026-11-11T10:00", "2026-11-04T10:00", "2026-10-28T10:00"));
  EXPECT_THAT(comparable(Season{}, "2026-11-18T10:42:07Z"), SizeIs(8));
}

TEST(Season, FollowsTheClockOnTheWall) {
  // Paris went from UTC+2 to UTC+1 on 2026-10-25.
  EXPECT_THAT(comparable(season({"weeks=4", "tz=Europe/Paris"}), "2026-11-05T07:30:00Z"),
              ElementsAre("2026-10-29T07:00", "2026-10-22T06:00", "2026-10-15T06:00", "2026-10-08T06:00"));
}

TEST(Season, LeavesOutAnHourThatTheClockSkipped) {
  // 2026-03-29 02:00 to 03:00 was not shown in Paris.
  EXPECT_THAT(comparable(season({"weeks=3", "tz=Europe/Paris"}), "2026-04-05T00:30:00Z"),
              ElementsAre("2026-03-22T01:00", "2026-03-15T01:00"));
}

TEST(Season, AnHourThatComesTwiceIsComparedTwice) {
  const auto paris = season({"weeks=3", "tz=Europe/Paris"});
  EXPECT_EQ(comparable(paris, "2026-10-25T00:30:00Z"), comparable(paris, "2026-10-25T01:30:00Z"));
  EXPECT_NE(hour_start(paris, at("2026-10-25T00:30:00Z")), hour_start(paris, at("2026-10-25T01:30:00Z")));
}

TEST(Season, HoursOfHalfHourZonesBeginOnTheirOwnClock) {
  const auto india = season({"weeks=3", "tz=Asia/Kolkata"});
  EXPECT_EQ(format_time(hour_start(india, at("2026-11-18T10:42:07Z"))), "2026-11-18T10:30:00.000Z");
  EXPECT_EQ(comparable(india, "2026-11-18T10:42:07Z").front(), "2026-11-11T10:30");
}

TEST(Season, ComparesLastWorkingDaysWithThoseOfOtherMonths) {
  // November 2026 ends on a Monday; the second last working day is Friday 27th.
  EXPECT_THAT(comparable(season({"month_end=3", "months=3"}), "2026-11-27T10:00:00Z"),
              ElementsAre("2026-10-29T10:00", "2026-09-29T10:00", "2026-08-28T10:00"));
  EXPECT_THAT(comparable(season({"month_end=3", "months=3"}), "2026-11-30T10:00:00Z"),
              ElementsAre("2026-10-30T10:00", "2026-09-30T10:00", "2026-08-31T10:00"));
}

TEST(Season, ComparesFirstWorkingDaysToo) {
  // 2026-11-01 is a Sunday, 2026-08-01 a Saturday.
  EXPECT_THAT(comparable(season({"month_end=1", "months=3"}), "2026-11-02T10:00:00Z"),
              ElementsAre("2026-10-01T10:00", "2026-09-01T10:00", "2026-08-03T10:00"));
}

TEST(Season, LeavesMonthEndsOutOfOrdinaryDays) {
  EXPECT_THAT(comparable(season({"month_end=3", "weeks=4"}), "2026-11-11T10:00:00Z"),
              ElementsAre("2026-10-21T10:00", "2026-10-14T10:00"));  // 4 Nov and 28 Oct are month ends
  EXPECT_THAT(comparable(season({"month_end=3", "weeks=3"}), "2026-11-28T10:00:00Z"), SizeIs(3)) << "a Saturday is ordinary";
}

TEST(Season, NothingLiesFurtherBackThanItsReach) {
  for (const auto& one :
       {season({"weeks=3"}), season({"weeks=52"}), season({"month_end=5", "months=24", "tz=Pacific/Auckland"}),
        season({"month_end=1", "months=3", "weeks=3"})})
    for (auto t = at("2026-01-01T00:00:00Z"); t < at("2027-01-01T00:00:00Z"); t += std::chrono::hours{13})
      for (const auto past : comparable_hours(one, t)) {
        ASSERT_GE(past, t - reach_of(one)) << format_time(t);
        ASSERT_LE(past, t - std::chrono::hours{24 * 5}) << format_time(t);
      }
}

TEST(Season, RefusesWhatItDoesNotKnow) {
  for (const auto* text : {"", "weeks", "weeks=", "weeks=x", "weeks=2", "weeks=53", "month_end=6", "month_end=-1",
                           "months=2", "tz=Mars/Base", "holidays=fr", "weeks=8 "}) {
    Season out;
    const auto done = set_season(out, text);
    if (std::string_view{text} == "weeks=8 ") {
      EXPECT_TRUE(done);
      continue;
    }
    ASSERT_FALSE(done) << text;
    EXPECT_FALSE(done.error().what.empty()) << text;
  }
}

}  // namespace
}  // namespace ward::promql
