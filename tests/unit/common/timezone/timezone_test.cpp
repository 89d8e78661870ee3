#include "common/timezone/timezone.hpp"

#include <gtest/gtest.h>

#include "common/base/duration.hpp"

namespace ward {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::year_month_day;
using namespace std::chrono_literals;

TimeZone paris() { return TimeZone::find("Europe/Paris").value(); }
Time at(const char* text) { return parse_time(text).value(); }
constexpr auto kSpring = year_month_day{2026y / 3 / 29};   // clocks go from 02:00 to 03:00
constexpr auto kAutumn = year_month_day{2026y / 10 / 25};  // and from 03:00 to 02:00

TEST(TimeZone, ShowsTheLocalDateAndHour) {
  EXPECT_EQ(paris().local(at("2026-01-31T23:30:00Z")),
            (LocalTime{.date = 2026y / 2 / 1, .weekday = std::chrono::Sunday, .of_day = minutes(30)}));
  EXPECT_EQ(TimeZone{}.local(at("1969-12-31T23:00:00Z")).date, 1969y / 12 / 31);
}

TEST(TimeZone, FollowsTheChangesOfTheClocks) {
  EXPECT_EQ(paris().local(at("2026-03-29T00:59:00Z")).of_day, hours(1) + minutes(59));
  EXPECT_EQ(paris().local(at("2026-03-29T01:00:00Z")).of_day, hours(3));
  EXPECT_EQ(paris().local(at("2026-10-25T00:30:00Z")).of_day, hours(2) + minutes(30));
  EXPECT_EQ(paris().local(at("2026-10-25T01:30:00Z")).of_day, hours(2) + minutes(30));
}

TEST(TimeZone, TakesTheEndOfTheGapForAnHourThatNeverComes) {
  EXPECT_EQ(paris().instant(kSpring, hours(2) + minutes(30)), at("2026-03-29T01:00:00Z"));
}

TEST(TimeZone, TakesTheFirstOfAnHourThatComesTwice) {
  EXPECT_EQ(paris().instant(kAutumn, hours(2) + minutes(30)), at("2026-10-25T00:30:00Z"));
}

TEST(TimeZone, RefusesAnUnknownNameAndSaysWhatToWrite) {
  const auto zone = TimeZone::find("Europe/Atlantis");
  ASSERT_FALSE(zone);
  EXPECT_EQ(zone.error().code, Errc::not_found);
  EXPECT_NE(zone.error().fix.find("Europe/Paris"), std::string::npos);
  EXPECT_EQ(TimeZone::find("UTC").value(), TimeZone{});
}

}  // namespace
}  // namespace ward
