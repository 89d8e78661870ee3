// ward_baseline() over a clinic's year: weekly rhythm, billing at month end, faults, gaps.
#include <cmath>
#include <functional>
#include <gtest/gtest.h>
#include <optional>

#include "collector/promql/baseline_cache.hpp"
#include "collector/promql/engine.hpp"
#include "collector/tsdb/head.hpp"
#include "common/base/duration.hpp"
#include "common/timezone/timezone.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::promql {
namespace {

using namespace std::chrono_literals;

Time at(const std::string& text) { return parse_time(text).value(); }

constexpr auto kOptions = ", \"tz=Europe/Paris\", \"month_end=3\", \"months=6\"";

class Clinic : public testing::Test {
 protected:
  using Value = std::function<std::optional<double>(Time, const LocalTime&)>;

  /// Waiting jobs: 40 in opening hours, 5 outside, 200 more on the last three working days of a month.
  static double usual(Time t, const LocalTime& local) {
    const auto noise = std::sin(static_cast<double>(to_ms(t) / 60'000)) * 2;
    const auto day = local.weekday.iso_encoding();
    const bool open = day <= 5 && local.of_day >= 8h && local.of_day < 18h;
    if (!open) return 5 + noise;
    int working_days_left = 0;
    for (std::chrono::sys_days d{local.date}; std::chrono::year_month_day{d}.month() == local.date.month();
         d += std::chrono::days{1})
      working_days_left += std::chrono::weekday{d}.iso_encoding() <= 5 ? 1 : 0;
    return (working_days_left <= 3 ? 240 : 40) + noise;
  }
  void fill(const std::string& from, const std::string& until, milliseconds step = 5min, const Value& value = usual) {
    const auto ref = head.get_or_create({{"__name__", "jobs"}, {"tenant", "clinic-a"}});
    std::vector<collector::RefSample> samples;
    for (auto t = at(from); t < at(until); t += step)
      if (const auto v = value(t, paris.local(t))) samples.push_back({ref, {t, *v}});
    head.append(samples);
  }
  [[nodiscard]] std::optional<double> ask(const std::string& query, const std::string& when, QueryRun run = {}) const {
    const Engine engine{clock};
    const auto expr = parse(query);
    EXPECT_TRUE(expr) << (expr ? "" : expr.error().what);
    const auto value = engine.instant(*expr, *store, at(when), run);
    EXPECT_TRUE(value) << (value ? "" : value.error().what);
    const auto& vector = std::get<Vector>(*value);
    return vector.empty() ? std::nullopt : std::optional{vector.front().value};
  }
  /// Would a rule `JOBS > 1.5 * ward_baseline(jobs, 0.95)` alert with so many jobs?
  [[nodiscard]] bool alerts(double jobs, const std::string& when, const std::string& options = kOptions) const {
    return ask("vector(" + std::to_string(jobs) + ") > on() 1.5 * ward_baseline(jobs, 0.95" + options + ")", when)
        .has_value();
  }

  const TimeZone paris = TimeZone::find("Europe/Paris").value();
  ward::test::ManualClock clock;
  collector::Head head{{milliseconds{0}}};
  const collector::Head* store = &head;
};

TEST_F(Clinic, AMonthEndPeakIsUsualAtMonthEndOnly) {
  fill("2026-03-01T00:00:00Z", "2026-11-30T23:00:00Z");
  EXPECT_FALSE(alerts(240, "2026-11-30T09:30:00Z")) << "billing";
  EXPECT_TRUE(alerts(240, "2026-11-11T09:30:00Z")) << "the same in the middle of the month";
  EXPECT_TRUE(alerts(700, "2026-11-30T09:30:00Z")) << "three times the billing";
  EXPECT_FALSE(alerts(42, "2026-11-11T09:30:00Z"));
}

TEST_F(Clinic, WithoutMonthEndsTheSameDayIsUnusual) {
  fill("2026-03-01T00:00:00Z", "2026-11-30T23:00:00Z");
  EXPECT_TRUE(alerts(240, "2026-11-30T09:30:00Z", ", \"tz=Europe/Paris\""));
}

TEST_F(Clinic, TheSameLoadIsUsualByDayAndUnusualByNight) {
  fill("2026-09-01T00:00:00Z", "2026-11-18T23:00:00Z");
  const auto weekly = ", \"tz=Europe/Paris\"";
  EXPECT_FALSE(alerts(40, "2026-11-18T09:30:00Z", weekly));
  EXPECT_TRUE(alerts(40, "2026-11-18T02:30:00Z", weekly));
  EXPECT_TRUE(alerts(40, "2026-11-15T09:30:00Z", weekly)) << "a Sunday";
}

TEST_F(Clinic, ComparesByTheClockOfTheClinic) {
  fill("2026-08-01T00:00:00Z", "2026-10-31T00:00:00Z");
  // Opening hour 8 was 06:00 UTC until 25 October, and is 07:00 UTC now.
  EXPECT_NEAR(*ask("ward_baseline(jobs, 0.5, \"tz=Europe/Paris\")", "2026-10-27T07:30:00Z"), 40, 2);
  EXPECT_NEAR(*ask("ward_baseline(jobs, 0.5, \"tz=Europe/Paris\")", "2026-10-27T06:30:00Z"), 5, 2);
  EXPECT_NEAR(*ask("ward_baseline(jobs, 0.5)", "2026-10-27T06:30:00Z"), 40, 2) << "by UTC it would be wrong";
}

TEST_F(Clinic, OneBadDayMovesNothing) {
  fill("2026-09-01T00:00:00Z", "2026-11-18T23:00:00Z", 5min, [](Time t, const LocalTime& local) -> std::optional<double> {
    const bool outage = local.date == std::chrono::year_month_day{std::chrono::year{2026} / 11 / 4};
    return outage ? 100'000 : usual(t, local);
  });
  EXPECT_NEAR(*ask("ward_baseline(jobs, 0.99, \"tz=Europe/Paris\")", "2026-11-18T09:30:00Z"), 42, 2);
  EXPECT_LT(*ask("ward_baseline_mad(jobs, \"tz=Europe/Paris\")", "2026-11-18T09:30:00Z"), 3);
}

TEST_F(Clinic, AGapIsNoDay) {
  // Of the last four Wednesdays one is missing and one has twenty minutes of the hour.
  fill("2026-10-14T00:00:00Z", "2026-11-18T23:00:00Z", 5min, [](Time t, const LocalTime& local) -> std::optional<double> {
    const auto day = std::chrono::sys_days{local.date};
    if (day == std::chrono::sys_days{std::chrono::year{2026} / 11 / 11}) return std::nullopt;
    if (day == std::chrono::sys_days{std::chrono::year{2026} / 11 / 4} && local.of_day % 1h >= 20min) return std::nullopt;
    return usual(t, local);
  });
  EXPECT_EQ(ask("ward_baseline(jobs, 0.5, \"tz=Europe/Paris\", \"weeks=4\")", "2026-11-18T09:30:00Z"), std::nullopt);
  EXPECT_NEAR(*ask("ward_baseline(jobs, 0.5, \"tz=Europe/Paris\", \"weeks=5\")", "2026-11-18T09:30:00Z"), 40, 2);
}

TEST_F(Clinic, ShortHistorySaysNothing) {
  fill("2026-11-03T00:00:00Z", "2026-11-18T23:00:00Z");
  EXPECT_EQ(ask("ward_baseline(jobs, 0.95)", "2026-11-18T09:30:00Z"), std::nullopt);
  EXPECT_FALSE(alerts(1'000'000, "2026-11-18T09:30:00Z", ""));
}

TEST_F(Clinic, AMonthEndNeedsThreeMonths) {
  fill("2026-09-20T00:00:00Z", "2026-11-30T23:00:00Z");
  EXPECT_FALSE(alerts(1'000'000, "2026-11-30T09:30:00Z")) << "two month ends";
  EXPECT_TRUE(alerts(1'000'000, "2026-11-25T09:30:00Z")) << "ordinary weeks are enough there";
}

TEST_F(Clinic, ReadsOnlyTheHoursItComparesWith) {
  fill("2026-09-20T00:00:00Z", "2026-11-18T10:00:00Z", 15s);
  // Eight weeks hold 322,560 samples; eight hours with the lookback 2,080, and 96 points.
  const Engine engine{clock, {.limits = {.max_samples = 3'000}}};
  const auto value = engine.instant(*parse("ward_baseline(jobs, 0.95)"), head, at("2026-11-18T09:30:00Z"));
  ASSERT_TRUE(value) << value.error().what;
  EXPECT_EQ(std::get<Vector>(*value).size(), 1U);
}

TEST_F(Clinic, IsComputedOnceAnHour) {
  fill("2026-09-20T00:00:00Z", "2026-11-18T12:00:00Z");
  BaselineCache cache;
  const QueryRun run{.baselines = &cache};
  const std::string query = "ward_baseline(jobs, 0.95)";
  const auto first = ask(query, "2026-11-18T09:00:00Z", run);
  ASSERT_TRUE(first);
  const collector::Head empty;
  store = &empty;  // what comes now is remembered
  EXPECT_EQ(ask(query, "2026-11-18T09:59:59Z", run), first);
  EXPECT_EQ(ask("ward_baseline(jobs, 0.5)", "2026-11-18T09:59:59Z", run), std::nullopt) << "another question";
  EXPECT_EQ(ask(query, "2026-11-18T10:00:00Z", run), std::nullopt) << "another hour";
  EXPECT_EQ(ask(query, "2026-11-18T09:30:00Z", run), std::nullopt) << "only the current hour is kept";
}

TEST_F(Clinic, ARangeQueryChangesAtTheFullHour) {
  fill("2026-09-20T00:00:00Z", "2026-11-18T12:00:00Z");
  const Engine engine{clock};
  const auto value = engine.range(*parse("ward_baseline(jobs, 0.5, \"tz=Europe/Paris\")"), head,
                                  {at("2026-11-18T06:30:00Z"), at("2026-11-18T07:30:00Z"), 15min});
  ASSERT_TRUE(value);
  ASSERT_EQ(value->size(), 1U);
  const auto& samples = value->front().samples;
  ASSERT_EQ(samples.size(), 5U);
  EXPECT_NEAR(samples[1].v, 5, 2);
  EXPECT_NEAR(samples[2].v, 40, 2);
  EXPECT_EQ(samples[0].v, samples[1].v);
  EXPECT_EQ(samples[2].v, samples[4].v);
}

TEST(BaselineReads, ReachBackWithoutHoldingOnToTheNew) {
  const auto reads = reads_of(*parse("rate(a[10m]) > ward_baseline(rate(a[10m]), 0.9, \"weeks=4\")"), 0ms);
  EXPECT_EQ(reads.lookback, std::chrono::hours{29 * 24} + 10min);
  EXPECT_EQ(reads.fresh, 10min);
  EXPECT_EQ(reads_of(*parse("ward_baseline(a, 0.9)"), 0ms).fresh, 0ms);
}

TEST(BaselineCache, IsBounded) {
  BaselineCache cache;
  for (int i = 0; i < 600; ++i) cache.put(std::to_string(i), from_ms(0), {});
  EXPECT_FALSE(cache.find("599", from_ms(0))) << "full of what is current";
  EXPECT_TRUE(cache.find("1", from_ms(0)));
  cache.put("next", from_ms(3'600'000), {});
  EXPECT_TRUE(cache.find("next", from_ms(3'600'000))) << "hours that are over make room";
  EXPECT_FALSE(cache.find("1", from_ms(0)));
}

}  // namespace
}  // namespace ward::promql
