#include "collector/slo/period.hpp"

#include <gtest/gtest.h>

#include "common/base/duration.hpp"

namespace ward::collector::slo {
namespace {

Time t(const char* text) { return parse_time(text).value(); }
Minute m(const char* text) { return minute_of(t(text)); }

Period calendar(const char* length, const char* zone, const char* start) {
  auto p = parse_period(length).value();
  p.rolling = false;
  p.zone = zone;
  p.start_local = parse_local_time(start).value();
  return p;
}

TEST(Period, ReadsOpenSloDurations) {
  for (const auto* text : {"1m", "90m", "12h", "28d", "30d", "4w", "1M", "2Q", "1Y"}) {
    const auto period = parse_period(text);
    ASSERT_TRUE(period) << text;
    EXPECT_EQ(format_period(*period), text);
  }
  EXPECT_EQ(nominal_length(parse_period("4w").value()), std::chrono::hours{28 * 24});
}

TEST(Period, RefusesWhatIsNone) {
  for (const auto* text : {"", "d", "30", "0d", "030d", "-1d", "1.5d", "30 d", "30x", "3Y", "1d2h", "99999999999d"})
    EXPECT_FALSE(parse_period(text)) << text;
  for (const auto* text :
       {"", "2026", "2026-13-01", "2026-01-32 00:00:00", "2026-01-01 00:00", "2026-01-01 24:00:00x", "yesterday"})
    EXPECT_FALSE(parse_local_time(text)) << text;
}

TEST(Period, RollsWithTheMinuteThatRuns) {
  const auto range = current_period(parse_period("1h").value(), t("2026-11-23T10:42:07Z"));
  EXPECT_EQ(range, (MinuteRange{m("2026-11-23T09:43:00Z"), m("2026-11-23T10:43:00Z")}));
}

TEST(Period, KnowsHowLongMonthsAre) {
  const auto p = calendar("1M", "UTC", "2026-01-01 00:00:00");
  EXPECT_EQ(current_period(p, t("2026-02-10T00:00:00Z")),
            (MinuteRange{m("2026-02-01T00:00:00Z"), m("2026-03-01T00:00:00Z")}));
  EXPECT_EQ(current_period(p, t("2024-02-29T23:59:59Z")).length(), std::chrono::days{29}) << "before its start, too";
  EXPECT_EQ(current_period(p, t("2026-03-01T00:00:00Z")).from, m("2026-03-01T00:00:00Z"));
}

TEST(Period, EndsAMonthThatHasNo31st) {
  const auto p = calendar("1M", "UTC", "2026-01-31 00:00:00");
  EXPECT_EQ(current_period(p, t("2026-03-01T00:00:00Z")),
            (MinuteRange{m("2026-02-28T00:00:00Z"), m("2026-03-31T00:00:00Z")}));
}

TEST(Period, KnowsQuartersAndYears) {
  EXPECT_EQ(current_period(calendar("1Q", "UTC", "2026-01-01"), t("2026-11-23T00:00:00Z")),
            (MinuteRange{m("2026-10-01T00:00:00Z"), m("2027-01-01T00:00:00Z")}));
  EXPECT_EQ(current_period(calendar("1Y", "UTC", "2020-01-01"), t("2026-11-23T00:00:00Z")),
            (MinuteRange{m("2026-01-01T00:00:00Z"), m("2027-01-01T00:00:00Z")}));
}

TEST(Period, FollowsTheClockOfItsZone) {
  const auto p = calendar("1M", "Europe/Paris", "2026-01-01 00:00:00");
  // Midnight in Paris is 23:00 UTC in winter and 22:00 in summer: March has 743 hours, October 745.
  EXPECT_EQ(current_period(p, t("2026-03-15T00:00:00Z")),
            (MinuteRange{m("2026-02-28T23:00:00Z"), m("2026-03-31T22:00:00Z")}));
  EXPECT_EQ(current_period(p, t("2026-10-15T00:00:00Z")).length(), std::chrono::hours{745});
  EXPECT_EQ(current_period(p, t("2026-03-31T21:59:59Z")).from, m("2026-02-28T23:00:00Z"));
  EXPECT_EQ(current_period(p, t("2026-03-31T22:00:00Z")).from, m("2026-03-31T22:00:00Z"));
}

TEST(Period, HasDaysOf23And25Hours) {
  const auto p = calendar("1d", "Europe/Paris", "2026-01-01 00:00:00");
  EXPECT_EQ(current_period(p, t("2026-03-29T12:00:00Z")).length(), std::chrono::hours{23});
  EXPECT_EQ(current_period(p, t("2026-10-25T12:00:00Z")).length(), std::chrono::hours{25});
  EXPECT_EQ(current_period(p, t("2026-06-01T12:00:00Z")).length(), std::chrono::hours{24});
}

TEST(Period, BeginsAtTimesThatAClockSkipsOrShowsTwice) {
  // On 29 March 02:30 does not exist in Paris; on 25 October it exists twice.
  const auto p = calendar("1d", "Europe/Paris", "2026-01-01 02:30:00");
  EXPECT_EQ(current_period(p, t("2026-03-29T12:00:00Z")).from, m("2026-03-29T01:00:00Z"));
  EXPECT_EQ(current_period(p, t("2026-10-25T12:00:00Z")).from, m("2026-10-25T00:30:00Z"));
  // Every moment is in exactly one period.
  auto now = t("2026-10-24T00:00:00Z");
  auto last = current_period(p, now);
  for (int i = 0; i < 60; ++i) {
    now += std::chrono::hours{1};
    const auto range = current_period(p, now);
    EXPECT_LE(range.from, minute_of(now));
    EXPECT_GT(range.to, minute_of(now));
    EXPECT_TRUE(range == last || range.from == last.to);
    last = range;
  }
}

TEST(Period, CountsWeeksFromTheirStart) {
  const auto p = calendar("1w", "UTC", "2026-11-02 00:00:00");  // a Monday
  EXPECT_EQ(current_period(p, t("2026-11-22T23:59:00Z")),
            (MinuteRange{m("2026-11-16T00:00:00Z"), m("2026-11-23T00:00:00Z")}));
}

TEST(Period, NamesAZoneThatDoesNotExist) {
  EXPECT_TRUE(check_zone("Europe/Paris"));
  const auto wrong = check_zone("Europe/Pariss");
  ASSERT_FALSE(wrong);
  EXPECT_NE(wrong.error().what.find("Europe/Pariss"), std::string::npos);
}

}  // namespace
}  // namespace ward::collector::slo
