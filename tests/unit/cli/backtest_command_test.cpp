#include <filesystem>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "collector/store/sqlite/day_writer.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "collector/tsdb/chunk.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using namespace std::chrono_literals;
using collector::SeriesRef;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr Time kMidnight = from_ms(1'795'392'000'000);  // 2026-11-23
Time at(milliseconds after) { return kMidnight + after; }

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

/// A data_dir with twelve hours before midnight and six after it; one outage of ten minutes at 02:00.
struct BacktestCommand : testing::Test {
  BacktestCommand() {
    collector::Days days({folder.string() + "/days", "", 4}, 7, 0,
                         collector::DayFiles::list(folder.string() + "/days").value());
    collector::DayWriter writer(days, 1,
                                {[](SeriesRef ref) {
                                   return Labels{{"__name__", ref.get() == 1 ? "up" : "other"}, {"tenant", "a"}};
                                 },
                                 [](SeriesRef) { return std::optional<collector::Day>{}; }});
    for (const std::uint32_t series : {1U, 2U}) {
      for (milliseconds hour = -12h; hour < 6h; hour += 30min) {
        std::vector<Sample> samples;
        for (auto t = hour; t < hour + 30min; t += 15s)
          samples.push_back({at(t), t >= milliseconds{2h} && t < milliseconds{2h + 10min} ? 0.0 : 1.0});
        EXPECT_TRUE(
            writer.add("a", SeriesRef{series}, samples.front().t, samples.back().t, collector::encode_chunk(samples)));
      }
    }
    EXPECT_TRUE(writer.finish());
    days.settled(1);
    rules = folder.write("rules.yaml", kRules);
    cli.clock.set_wall(at(8h));
  }
  int backtest(std::vector<std::string> arguments) {
    for (const auto& one : {folder.string(), std::string("--data"), std::string("backtest")})
      arguments.insert(arguments.begin(), one);
    return cli(std::move(arguments));
  }
  void record(const std::string& alert, Time opened, Time resolved) {
    sqlite::OpenOptions options;
    options.path = (folder / "state.db").string();
    auto store = collector::SqliteStateStore::open(std::move(options));
    ASSERT_TRUE(store.has_value());
    collector::StateChange change;
    collector::IncidentRecord one;
    one.incident.id = "0123" + alert;
    one.incident.phase = collector::IncidentPhase::resolved;
    one.incident.owner = "database";
    one.incident.root_alert = alert;
    one.incident.root_service = "pg";
    one.incident.scope = Labels{{"tenant", "a"}};
    one.incident.opened_at = opened;
    one.incident.resolved_at = resolved;
    change.incidents.push_back(one);
    collector::DeliveryRow row;
    row.delivery = {.key = "k" + alert,
                    .incident = one.incident.id,
                    .kind = collector::NoticeKind::fire,
                    .receiver = "pd-db",
                    .body = "{}",
                    .created_at = opened};
    row.state = collector::DeliveryState::delivered;
    change.deliveries.push_back(row);
    ASSERT_TRUE(store->commit(change).has_value());
  }
  const test::TempDir folder{"wardctl-backtest"};
  std::string rules;
  CliRun cli;
};

TEST_F(BacktestCommand, SaysWhatWouldHavePagedBesideWhatDid) {
  record("Down", at(2h + 1min), at(2h + 11min));
  record("Forgotten", at(4h), at(4h + 5min));
  EXPECT_EQ(backtest({"--rules", rules, "--since", "12h"}), 0) << cli.err;
  EXPECT_THAT(cli.out, HasSubstr("From 2026-11-22T20:00:00Z to 2026-11-23T05:59:45Z: "));
  EXPECT_THAT(cli.out, HasSubstr("note: samples are stored until 2026-11-23T05:59:45.000Z"));
  EXPECT_THAT(cli.out, testing::ContainsRegex("new rules +1 +1 +0 +0 +1 +0\nrecorded +2 +2 +0 +0 +2 +0\n"));
  EXPECT_THAT(cli.out, HasSubstr("= 1 in both, ~ 0 judged otherwise, + 0 only with the new rules, - 1 only recorded"));
  EXPECT_THAT(cli.out, testing::ContainsRegex(
                           "= +2026-11-23T02:02:[0-9]+Z +[0-9ms]+ +actionable +database +Down at pg \\(tenant a\\) "
                           "+1 +1 +pd-db"));
  EXPECT_THAT(cli.out, testing::ContainsRegex("- +2026-11-23T04:00:00Z +5m +actionable +database +Forgotten at pg"));
}

TEST_F(BacktestCommand, TwoSetsOfRulesCanBeCompared) {
  auto text = std::string(kRules);
  text.replace(text.find("for: 1m"), 7, "for: 30m");
  const auto slow = folder.write("slow.yaml", text);
  EXPECT_EQ(backtest({"--rules", slow, "--against", rules, "--since", "12h"}), 0) << cli.err;
  EXPECT_THAT(cli.out, testing::ContainsRegex("new rules +0 +0 .*\ncurrent rules +1 +1 "));
  EXPECT_THAT(cli.out, HasSubstr("- 1 only with the current rules"));
}

TEST_F(BacktestCommand, WithoutARecordItSaysSo) {
  EXPECT_EQ(backtest({"--rules", rules, "--since", "12h"}), 0) << cli.err;
  EXPECT_THAT(cli.out,
              AllOf(HasSubstr("note: there is nothing to compare with: "), HasSubstr("+ "), Not(HasSubstr("recorded  "))));
}

TEST_F(BacktestCommand, OnlySeriesOfTheRulesAreRead) {
  EXPECT_EQ(backtest({"--rules", rules, "--since", "12h", "--json"}), 0) << cli.err;
  const auto out = nlohmann::json::parse(cli.out);
  EXPECT_EQ(out["series"], 1);
  ASSERT_EQ(out["incidents"].size(), 1U);
  EXPECT_EQ(out["incidents"][0]["kind"], "added");
  EXPECT_EQ(out["incidents"][0]["now"]["root_alert"], "Down");
  EXPECT_EQ(out["incidents"][0]["now"]["pages"], 1);
  EXPECT_EQ(out["incidents"][0]["before"], nullptr);
}

TEST_F(BacktestCommand, TheStateFileOfTheCollectorIsNotTouched) {
  record("Down", at(2h), at(3h));
  const auto state = folder / "state.db";
  const auto written = std::filesystem::last_write_time(state);
  EXPECT_EQ(backtest({"--rules", rules, "--since", "12h"}), 0) << cli.err;
  EXPECT_EQ(std::filesystem::last_write_time(state), written);
}

TEST_F(BacktestCommand, ACollectorThatRunsDoesNotStandInTheWay) {
  record("Down", at(2h + 1min), at(2h + 11min));
  sqlite::OpenOptions options;
  options.path = (folder / "state.db").string();
  const auto running = collector::SqliteStateStore::open(std::move(options));
  ASSERT_TRUE(running.has_value());
  EXPECT_EQ(backtest({"--rules", rules, "--since", "12h"}), 0) << cli.err;
  EXPECT_THAT(cli.out, HasSubstr("= 1 in both"));
}

TEST_F(BacktestCommand, ADamagedDayIsLeftOutAndSaid) {
  folder.write("days/2026-11-21.db", "this is no database, and long enough to be looked at by SQLite as one");
  EXPECT_EQ(backtest({"--rules", rules, "--since", "12h"}), 0) << cli.err;
  EXPECT_THAT(cli.out,
              AllOf(HasSubstr("note: 1 stored days, blocks, series or chunks are damaged"), HasSubstr("Down at pg")));
}

TEST_F(BacktestCommand, MistakesAreToldWithTheirFix) {
  struct Bad {
    std::vector<std::string> arguments;
    const char* says;
  };
  const std::string none = folder.write("none.yaml", "groups: []\n");
  const std::string mute = folder.write("mute.yaml", "groups: [{name: g, rules: [{alert: A, expr: up}]}]\n");
  const std::string broken = folder.write("broken.yaml", "groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]\n");
  const std::vector<Bad> table{
      {{"--rules", rules, "--since", "soon"}, "--since is 'soon', which is neither a length of time nor a time"},
      {{"--rules", rules, "--until", "later"}, "--until is 'later'"},
      {{"--rules", rules, "--step", "x"}, "--step is 'x', which is no length of time"},
      {{"--rules", rules, "--since", "1h"}, "no samples are stored between --since and --until"},
      {{"--rules", none, "--since", "12h"}, "there is no rule and no SLO in the files"},
      {{"--rules", mute, "--since", "12h"}, "nobody would be told of anything"},
      {{"--rules", broken, "--since", "12h"}, "could not parse expression"},
  };
  for (const auto& bad : table) {
    EXPECT_EQ(backtest(bad.arguments), 2) << bad.says;
    EXPECT_THAT(cli.err, HasSubstr(bad.says));
  }
  EXPECT_EQ(cli({"backtest", "--rules", rules}), 2);
  EXPECT_THAT(cli.err, HasSubstr("nothing says where the stored samples are"));
  EXPECT_EQ(cli({"backtest", "--rules", rules, "--data", (folder / "rules.yaml").string() + "x"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("there is no stored day in"));
}

}  // namespace
}  // namespace ward::cli
