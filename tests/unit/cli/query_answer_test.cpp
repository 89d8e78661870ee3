#include "cli/query_answer.hpp"

#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "tests/support/temp_dir.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using testing::HasSubstr;

constexpr auto kMatrix = R"({"status":"success","data":{"resultType":"matrix","result":[
    {"metric":{"__name__":"up","job":"a,\"b\""},"values":[[1795344127,"1"],[1795344142,"0"]]},
    {"metric":{"__name__":"up","instance":"x"},"values":[[1795344127.5,"NaN"]]}]},"warnings":["too few"]})";
constexpr auto kEmptyMatrix = R"({"status":"success","data":{"resultType":"matrix","result":[]}})";

TEST(Csv, HasAColumnForEachLabelAndQuotesWhatNeedsIt) {
  EXPECT_EQ(to_csv(*read_query_answer(kMatrix)),
            "time,__name__,instance,job,value\r\n"
            "2026-11-22T10:42:07.000Z,up,,\"a,\"\"b\"\"\",1\r\n"
            "2026-11-22T10:42:22.000Z,up,,\"a,\"\"b\"\"\",0\r\n"
            "2026-11-22T10:42:07.500Z,up,x,,NaN\r\n");
}

TEST(Csv, OfAScalarIsTimeAndValue) {
  EXPECT_EQ(to_csv(*read_query_answer(R"({"data":{"resultType":"scalar","result":[1795344127,"42"]}})")),
            "time,value\r\n2026-11-22T10:42:07.000Z,42\r\n");
}

QueryAnswer ramp(std::size_t series, std::vector<std::string> values) {
  QueryAnswer answer;
  answer.kind = AnswerKind::matrix;
  for (std::size_t s = 0; s < series; ++s) {
    AnswerSeries one{Labels{{"s", std::to_string(s)}}, {}};
    for (std::size_t i = 0; i < values.size(); ++i)
      if (!values[i].empty()) one.points.push_back({from_ms(static_cast<std::int64_t>(i) * 1000), values[i]});
    answer.series.push_back(std::move(one));
  }
  return answer;
}
constexpr QueryRange kTenSeconds{from_ms(0), from_ms(9'000), milliseconds{1'000}};

TEST(Plot, DrawsARampFromTheBottomToTheTopWithItsScale) {
  EXPECT_EQ(to_plot(ramp(1, {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"}), kTenSeconds, 31),
            "{s=\"0\"}  min 0  max 9  last 9\n"
            "         9 ⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⢸\n"
            "           ⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⡖⠒⠊\n"
            "           ⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⡤⠤⠃⠀⠀\n"
            "           ⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⡇⠀⠀⠀⠀\n"
            "           ⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⡏⠉⠀⠀⠀⠀⠀\n"
            "           ⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⢰⠒⠒⠁⠀⠀⠀⠀⠀⠀\n"
            "           ⠀⠀⠀⠀⠀⠀⠀⠀⢠⠤⠜⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "           ⠀⠀⠀⠀⠀⠀⢀⣀⡸⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "           ⠀⠀⠀⠀⠀⠀⢸⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "           ⠀⠀⠀⠀⡖⠒⠊⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "           ⠀⠀⡤⠤⠃⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "         0 ⣀⣀⠇⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀⠀\n"
            "           1970-01-01T00:00:00Z 1970-01-01T00:00:09Z\n");
}

TEST(Plot, LeavesAGapWhereAPointIsMissingOrNoNumber) {
  const auto whole = to_plot(ramp(1, {"1", "1", "1", "1", "1", "1", "1", "1", "1", "1"}), kTenSeconds, 31);
  EXPECT_THAT(whole, HasSubstr("⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀"));
  for (const auto* missing : {"", "NaN", "+Inf"}) {
    const auto gap = to_plot(ramp(1, {"1", "1", "1", "1", missing, "1", "1", "1", "1", "1"}), kTenSeconds, 31);
    EXPECT_THAT(gap, testing::Not(HasSubstr("⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀⣀"))) << missing;
    EXPECT_THAT(gap, HasSubstr("max 1")) << missing;
  }
}

TEST(Plot, ShowsTheFirstTwelveAndSaysHowManyMoreThereAre) {
  const auto many = to_plot(ramp(14, {"1", "2"}), kTenSeconds, 40);
  EXPECT_THAT(many, HasSubstr("{s=\"11\"}"));
  EXPECT_THAT(many, testing::Not(HasSubstr("{s=\"12\"}")));
  EXPECT_THAT(many, HasSubstr("Not shown: 2 more series. Narrow the expression, or use topk().\n"));
  EXPECT_EQ(to_plot(ramp(0, {}), kTenSeconds, 40), "No series match.\n");
}

TEST(Plot, SurvivesASeriesWithoutOneNumber) {
  EXPECT_THAT(to_plot(ramp(1, {"NaN", "NaN"}), kTenSeconds, 40), HasSubstr("min -  max -  last NaN"));
}

TEST(QueryRange, AsksTheLastHourInStepsThatFit) {
  CliRun cli;
  cli.answer(200, kEmptyMatrix);
  EXPECT_EQ(cli({"query", "range", "up"}), 0) << cli.err;
  EXPECT_EQ(cli.asked.at(0).url,
            "http://127.0.0.1:9802/api/v1/query_range?query=up&start=1795340527.000&end=1795344127.000&step=15.000");
  EXPECT_EQ(cli.out, "No series match.\n");
}

TEST(QueryRange, TakesTimesAndShowsTableCsvAndPlot) {
  CliRun cli;
  const std::vector<std::string> line{"query", "range",      "up",     "--start", "2026-11-22T10:42:00Z",
                                      "--end", "1795344142", "--step", "1s500ms", "--output"};
  const auto with = [&](const char* form) {
    cli.answer(200, kMatrix);
    auto words = line;
    words.emplace_back(form);
    EXPECT_EQ(cli(words), 0) << cli.err;
  };
  with("table");
  EXPECT_EQ(cli.asked.at(0).url,
            "http://127.0.0.1:9802/api/v1/query_range?query=up&start=1795344120.000&end=1795344142.000&step=1.500");
  EXPECT_THAT(cli.out, HasSubstr("SERIES"));
  EXPECT_THAT(cli.out, HasSubstr("Warning: too few"));
  with("csv");
  EXPECT_THAT(cli.out, testing::StartsWith("time,__name__,instance,job,value\r\n"));
  EXPECT_THAT(cli.out, testing::Not(HasSubstr("Warning")));
  EXPECT_EQ(cli.err, "Warning: too few\n");
  with("plot");
  EXPECT_THAT(cli.out, HasSubstr("min 0  max 1  last 0"));
  EXPECT_THAT(cli.out, HasSubstr("2026-11-22T10:42:00Z"));
}

struct BadRange {
  std::vector<std::string> options;
  const char* line;
};

TEST(QueryRange, SaysWhichOptionIsWrong) {
  for (const auto& [options, said] : {
           BadRange{{"--start", "monday"},
                    "--start is 'monday', which is no time. Write it like 2026-11-22T10:42:07Z, or as Unix seconds.\n"},
           BadRange{{"--since", "0s"},
                    "--since is '0s', which is no duration above zero. Write it like 15s, 1h30m or 2w.\n"},
           BadRange{{"--step", "x"}, "--step is 'x', which is no duration above zero. Write it like 15s, 1h30m or 2w.\n"},
           BadRange{{"--start", "200", "--end", "100"},
                    "The range ends at 1970-01-01T00:01:40.000Z, before it starts at 1970-01-01T00:03:20.000Z. "
                    "Swap --start and --end.\n"},
       }) {
    CliRun cli;
    std::vector<std::string> line{"query", "range", "up"};
    line.insert(line.end(), options.begin(), options.end());
    EXPECT_EQ(cli(line), 2);
    EXPECT_EQ(cli.err, said);
    EXPECT_TRUE(cli.asked.empty());
  }
}

TEST(Query, EvaluatesAtAnotherTime) {
  CliRun cli;
  cli.answer(200, kEmptyMatrix);
  EXPECT_EQ(cli({"query", "up", "--time", "2026-11-22T10:42:00.25Z"}), 0) << cli.err;
  EXPECT_EQ(cli.asked.at(0).url, "http://127.0.0.1:9802/api/v1/query?query=up&time=1795344120.250");
}

TEST(Series, ListsWhatMatchesOneALine) {
  CliRun cli;
  cli.answer(200,
             R"({"status":"success","data":[{"__name__":"up","job":"b"},{"__name__":"up","job":"a"}],"warnings":["cut"]})");
  EXPECT_EQ(cli({"series", "up", "{job=\"a\"}", "--since", "2h", "--limit", "5"}), 0) << cli.err;
  EXPECT_EQ(cli.asked.at(0).url,
            "http://127.0.0.1:9802/api/v1/series?start=1795336927&limit=5&match[]=up&match[]=%7Bjob%3D%22a%22%7D");
  EXPECT_EQ(cli.out, "up{job=\"a\"}\nup{job=\"b\"}\nWarning: cut\n");
  cli.answer(200, R"({"data":[{"a":1}]})");
  EXPECT_EQ(cli({"series", "up"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("list of series is not understood"));
  EXPECT_EQ(cli({"series", "up", "--since", "long"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("--since is 'long'"));
}

class RulesCheck : public testing::Test {
 protected:
  const test::TempDir dir{"rules-check"};
  CliRun cli;
};

TEST_F(RulesCheck, ShowsEachFileAsPromtoolDoes) {
  const auto good = dir.write("a.yaml", "groups:\n- name: a\n  rules:\n  - {record: \"x:y\", expr: up}\n");
  EXPECT_EQ(cli({"rules", "check", (dir / "*.yaml").string()}), 0) << cli.err;
  EXPECT_EQ(cli.out, "Checking " + good + "\n  SUCCESS: 1 rules found\n\n");
  const auto bad = dir.write("b.yaml", "groups:\n- name: a\n  rules:\n  - record: x\n    expr: sum(\n");
  EXPECT_EQ(cli({"rules", "check", good, bad}), 2);
  EXPECT_THAT(cli.out,
              HasSubstr("Checking " + bad + "\n  FAILED:\n" + bad + ":5:11: group \"a\", rule 1, \"x\": could not parse"));
  EXPECT_EQ(cli.err, "1 of 2 rule files cannot be loaded. Mend the lines above.\n");
}

TEST_F(RulesCheck, SaysWhenNoFileMatchesOrOneIsMissing) {
  EXPECT_EQ(cli({"rules", "check", (dir / "*.yaml").string()}), 2);
  EXPECT_EQ(cli.err, "No file matches. Name rule files or globs, in quotes.\n");
  EXPECT_EQ(cli({"rules", "check", (dir / "none.yaml").string()}), 2);
  EXPECT_THAT(cli.out, HasSubstr("no such file"));
}

}  // namespace
}  // namespace ward::cli
