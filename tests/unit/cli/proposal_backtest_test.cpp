// What a review's proposals would have made of stored samples.
#include "cli/proposal_backtest.hpp"

#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "collector/store/sqlite/day_writer.hpp"
#include "collector/tsdb/chunk.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Time kMidnight = from_ms(1'795'392'000'000);  // 2026-11-23

constexpr const char* kRules = R"(groups:
- name: g
  interval: 15s
  rules:
  - {alert: Down, expr: up == 0, for: 1m, labels: {class: actionable, owner: database, service: pg}}
---
kind: Operations
apiVersion: ward/v1
spec: {owners: {database: {receiver: pd-db}, platform: {receiver: pd-platform}}}
)";

/// Six hours of one series, with two outages: three minutes at 02:00 and twenty at 04:00.
class Outages final : public collector::SampleSource {
 public:
  Status open(Time from, std::function<bool(const Labels&)> wanted) override {
    ++plays;
    next_ = std::max(from, kMidnight - 2h);
    wanted_ = wanted(labels_);
    return {};
  }
  Status load(Time until, const Take& take) override {
    if (!wanted_) return {};
    while (next_ < until && next_ < kMidnight + 6h) {
      std::vector<Sample> samples;
      for (const auto end = next_ + 30min; next_ < end; next_ += 15s) {
        const auto t = next_ - kMidnight;
        const bool down = (t >= 2h && t < 2h + 3min) || (t >= 4h && t < 4h + 20min);
        samples.push_back({next_, down ? 0.0 : 1.0});
      }
      take(labels_, collector::encode_chunk(samples), samples);
    }
    return {};
  }
  int plays = 0;

 private:
  Labels labels_{{"__name__", "up"}, {"tenant", "a"}};
  bool wanted_ = false;
  Time next_;
};

class ProposalBacktest : public testing::Test {
 protected:
  Result<std::vector<TriedChange>> run(const std::vector<RuleChange>& changes, const char* rules = kRules) {
    TrialSetting setting{.patterns = {folder_.write("rules.yaml", rules)}, .options = {}, .external_url = {}, .time = {}};
    setting.time = {.since = kMidnight, .until = kMidnight + 6h, .step = 0ms};
    return try_changes(setting, changes, samples_);
  }
  const test::TempDir folder_{"proposals"};
  Outages samples_;
};

TEST_F(ProposalBacktest, ALongerForTellsOfTheLongOutageAlone) {
  const auto tried = run({{.rule = "Down", .remove = false, .hold = 5min}});
  ASSERT_TRUE(tried) << describe(tried.error());
  EXPECT_THAT(*tried, ElementsAre(TriedChange{.rule = "Down",
                                              .pages_before = 2,
                                              .pages_after = 1,
                                              .incidents_before = 2,
                                              .incidents_after = 1,
                                              .gone = 1,
                                              .fresh = 0}));
}

TEST_F(ProposalBacktest, WithoutTheRuleNothingIsTold) {
  const auto tried = run({{.rule = "Down", .remove = true, .hold = {}}});
  ASSERT_TRUE(tried) << describe(tried.error());
  ASSERT_EQ(tried->size(), 1U);
  EXPECT_EQ(tried->at(0).incidents_after, 0U);
  EXPECT_EQ(tried->at(0).gone, 2U);
}

TEST_F(ProposalBacktest, LeavesOutRulesThatAreNotThereAndPlaysNothingForThem) {
  EXPECT_THAT(run({{.rule = "Other", .remove = true, .hold = {}}}).value(), IsEmpty());
  EXPECT_EQ(samples_.plays, 0);
}

TEST_F(ProposalBacktest, SaysWhatIsWrongWithTheRules) {
  EXPECT_THAT(run({}, "groups: 7\n").error().what, HasSubstr("rules.yaml"));
  const auto nobody = run({}, "groups: []\n");
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().what, HasSubstr("nobody would be told of anything"));
}

/// A data_dir with the samples of Outages, and a collector that proposes a longer `for`.
class ReportCommand : public testing::Test {
 protected:
  ReportCommand() {
    const auto folder = folder_.string() + "/days";
    collector::Days days({folder, "", 4}, 7, 0, collector::DayFiles::list(folder).value());
    collector::DayWriter writer(days, 1,
                                {[](collector::SeriesRef) {
                                   return Labels{{"__name__", "up"}, {"tenant", "a"}};
                                 },
                                 [](collector::SeriesRef) { return std::optional<collector::Day>{}; }});
    Outages outages;
    EXPECT_TRUE(outages.open(kMidnight - 2h, [](const Labels&) { return true; }));
    EXPECT_TRUE(outages.load(
        kMidnight + 6h, [&](const Labels&, std::span<const std::uint8_t> chunk, std::span<const Sample> samples) {
          EXPECT_TRUE(
              writer.add("a", collector::SeriesRef{1}, samples.front().t, samples.back().t, {chunk.begin(), chunk.end()}));
        }));
    EXPECT_TRUE(writer.finish());
    days.settled(1);
    rules_ = folder_.write("rules.yaml", kRules);
  }
  int report(const std::string& from, const std::string& to, const std::string& flag = "") {
    auto figures =
        nlohmann::json{{"proposals", {{{"action", "tune"}, {"rule", "Down"}, {"reason", "noise"}, {"for_seconds", 300}}}},
                       {"from", from},
                       {"to", to}};
    cli.answer(200, figures.dump());
    std::vector<std::string> line{"report",  "alerts", "--month", "2026-11",       "--json",
                                  "--rules", rules_,   "--data",  folder_.string()};
    if (!flag.empty()) line.push_back(flag);
    return cli(line);
  }
  CliRun cli;

 private:
  const test::TempDir folder_{"report"};
  std::string rules_;
};

TEST_F(ReportCommand, TriesAProposalOnStoredSamplesAndSaysHowFarTheyReach) {
  ASSERT_EQ(report("2026-11-23T00:00:00.000Z", "2026-12-01T00:00:00.000Z"), 0) << cli.err;
  const auto trial = nlohmann::json::parse(cli.out).at("proposals").at(0).at("backtest");
  EXPECT_EQ(trial.at("pages_before"), 2) << trial;
  EXPECT_EQ(trial.at("pages_after"), 1) << trial;
  EXPECT_THAT(cli.err, HasSubstr("backtests say nothing of the rest of the month"));
}

TEST_F(ReportCommand, SaysThatNothingOfTheMonthIsStored) {
  EXPECT_EQ(report("2026-08-01T00:00:00.000Z", "2026-09-01T00:00:00.000Z"), 2);
  EXPECT_THAT(cli.err, HasSubstr("no samples of that month are stored; they reach from"));
}

}  // namespace
}  // namespace ward::cli
