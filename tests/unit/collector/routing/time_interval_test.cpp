#include "collector/routing/time_interval.hpp"

#include <gmock/gmock.h>

#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

using testing::HasSubstr;

Time at(const char* text) { return parse_time(text).value(); }

struct Read {
  NamedIntervals intervals;
  std::string problems;
};

Read read(const std::string& yaml) {
  const auto documents = config::parse_yaml(yaml, "ops.yaml").value();
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  Read out{.intervals = read_named_intervals(section), .problems = ""};
  section.close();
  if (!problems.empty()) out.problems = problems.to_text();
  return out;
}

/// An interval of its body, in the flow form.
TimeIntervals interval(const std::string& body) {
  auto got = read("time_intervals: [{name: x, time_intervals: [" + body + "]}]");
  EXPECT_EQ(got.problems, "") << body;
  return got.intervals["x"];
}

struct Case {
  const char* body;
  const char* when;
  bool inside;
};

TEST(TimeInterval, HoldsTheMomentsThatAlertmanagersDo) {
  // 2026-11-23 is a Monday; 2024 is a leap year.
  const Case cases[] = {
      {"{}", "2026-11-23T10:00:00Z", true},
      {"{times: [{start_time: 09:00, end_time: \"17:00\"}]}", "2026-11-23T09:00:00Z", true},
      {"{times: [{start_time: 09:00, end_time: 17:00}]}", "2026-11-23T16:59:59.999Z", true},
      {"{times: [{start_time: 09:00, end_time: 17:00}]}", "2026-11-23T17:00:00Z", false},
      {"{times: [{start_time: 00:00, end_time: 06:00}, {start_time: 22:00, end_time: 24:00}]}", "2026-11-23T23:59:59Z",
       true},
      {"{weekdays: ['monday:friday']}", "2026-11-23T10:00:00Z", true},
      {"{weekdays: ['monday:friday']}", "2026-11-22T10:00:00Z", false},
      {"{weekdays: [Saturday, sunday]}", "2026-11-22T10:00:00Z", true},
      {"{days_of_month: ['1:5']}", "2026-11-05T10:00:00Z", true},
      {"{days_of_month: ['1:5']}", "2026-11-06T10:00:00Z", false},
      {"{days_of_month: ['-1']}", "2024-02-29T10:00:00Z", true},
      {"{days_of_month: ['-1']}", "2024-02-28T10:00:00Z", false},
      {"{days_of_month: ['-3:-1']}", "2026-02-26T10:00:00Z", true},
      {"{days_of_month: ['-3:-1']}", "2026-02-25T10:00:00Z", false},
      {"{days_of_month: ['20:-5']}", "2026-11-26T10:00:00Z", true},
      {"{days_of_month: ['20:-5']}", "2026-11-27T10:00:00Z", false},
      {"{days_of_month: ['31']}", "2026-11-30T10:00:00Z", false},
      {"{months: ['november']}", "2026-11-30T10:00:00Z", true},
      {"{months: ['1:3', 'may:august']}", "2026-06-30T10:00:00Z", true},
      {"{months: ['1:3', 'may:august']}", "2026-04-30T10:00:00Z", false},
      {"{years: ['2020:2026']}", "2026-12-31T23:59:59Z", true},
      {"{years: ['2020:2026']}", "2027-01-01T00:00:00Z", false},
      {"{weekdays: [monday], times: [{start_time: 09:00, end_time: 17:00}]}", "2026-11-24T10:00:00Z", false},
      // Paris is an hour ahead in winter and two in summer.
      {"{times: [{start_time: 02:00, end_time: 04:00}], location: Europe/Paris}", "2026-11-23T01:00:00Z", true},
      {"{times: [{start_time: 02:00, end_time: 04:00}], location: Europe/Paris}", "2026-07-20T01:30:00Z", true},
      {"{times: [{start_time: 02:00, end_time: 04:00}], location: Europe/Paris}", "2026-07-20T02:00:00Z", false},
      {"{weekdays: [tuesday], location: Europe/Paris}", "2026-11-23T23:30:00Z", true},
      // The hour that comes twice is inside twice, the one that never comes is not.
      {"{times: [{start_time: 02:00, end_time: 03:00}], location: Europe/Paris}", "2026-10-25T00:30:00Z", true},
      {"{times: [{start_time: 02:00, end_time: 03:00}], location: Europe/Paris}", "2026-10-25T01:30:00Z", true},
      {"{times: [{start_time: 02:00, end_time: 03:00}], location: Europe/Paris}", "2026-03-29T00:59:59Z", false},
      {"{times: [{start_time: 02:00, end_time: 03:00}], location: Europe/Paris}", "2026-03-29T01:00:00Z", false},
  };
  for (const auto& c : cases) EXPECT_EQ(any_contains(interval(c.body), at(c.when)), c.inside) << c.body << " " << c.when;
}

TEST(TimeInterval, NamesWhatIsWrongAndHowToWriteIt) {
  const std::pair<const char*, const char*> bad[] = {
      {"{times: [{start_time: 9:00, end_time: 17:00}]}", "from '9:00' to '17:00'"},
      {"{times: [{start_time: 17:00, end_time: 09:00}]}", "a night is two times"},
      {"{times: [{start_time: 17:00, end_time: 24:01}]}", "no part of a day"},
      {"{times: [{start_time: 17:61, end_time: 24:00}]}", "no part of a day"},
      {"{times: [{start_time: 09:00}]}", "'end_time' is missing"},
      {"{weekdays: [mon]}", "weekdays has 'mon', which is none"},
      {"{weekdays: ['saturday:monday']}", "whose end is before its beginning"},
      {"{days_of_month: ['0']}", "which is none"},
      {"{days_of_month: ['32']}", "which is none"},
      {"{days_of_month: ['5:1']}", "whose end is before its beginning"},
      {"{days_of_month: ['-1:5']}", "ends counting from its beginning"},
      {"{days_of_month: ['30:-20']}", "in every month"},
      {"{months: ['13']}", "which is none"},
      {"{months: [brumaire]}", "which is none"},
      {"{years: ['2027:2026']}", "whose end is before its beginning"},
      {"{location: Europe/Atlantis}", "'Europe/Atlantis' is not known"},
      {"{weekday: [monday]}", "did you mean 'weekdays'"},
  };
  for (const auto& [body, message] : bad) {
    const auto got = read("time_intervals: [{name: x, time_intervals: [" + std::string(body) + "]}]");
    EXPECT_THAT(got.problems, HasSubstr(message)) << body;
    EXPECT_THAT(got.problems, HasSubstr("ops.yaml:1:")) << body;
  }
}

TEST(TimeInterval, WantsEachNameOnceAndSomeTimeInIt) {
  EXPECT_THAT(read("time_intervals: [{name: x, time_intervals: [{}]}, {name: x, time_intervals: [{}]}]").problems,
              HasSubstr("'x' is there twice"));
  EXPECT_THAT(read("time_intervals: [{name: x}]").problems, HasSubstr("holds no time"));
}

TEST(ActiveTimes, MuteInsideAMutedAndOutsideOfEveryActiveInterval) {
  const auto documents = config::parse_yaml("{mute_time_intervals: [lunch], active_time_intervals: [work]}", "x").value();
  NamedIntervals known;
  known["lunch"] = interval("{times: [{start_time: 12:00, end_time: 13:00}]}");
  known["work"] = interval("{times: [{start_time: 09:00, end_time: 17:00}]}");
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  const auto times = read_active_times(section, known);
  EXPECT_TRUE(problems.empty());
  EXPECT_FALSE(times.muted(at("2026-11-23T10:00:00Z")));
  EXPECT_TRUE(times.muted(at("2026-11-23T12:30:00Z")));
  EXPECT_TRUE(times.muted(at("2026-11-23T20:00:00Z")));
  EXPECT_FALSE(ActiveTimes{}.muted(at("2026-11-23T20:00:00Z")));
}

TEST(ActiveTimes, RefuseANameThatDoesNotExist) {
  const auto documents = config::parse_yaml("{mute_time_intervals: [lunch]}", "x").value();
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  (void)read_active_times(section, {});
  EXPECT_THAT(problems.to_text(), HasSubstr("'lunch' does not exist"));
}

}  // namespace
}  // namespace ward::collector
