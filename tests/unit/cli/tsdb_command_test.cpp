#include <filesystem>
#include <gmock/gmock.h>

#include "collector/store/sqlite/day_writer.hpp"
#include "collector/tsdb/chunk.hpp"
#include "common/sqlite/database.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using collector::Day;
using collector::Days;
using collector::SeriesRef;
using testing::HasSubstr;

constexpr std::int64_t kMidnight = 1'795'392'000'000;  // 2026-11-23

/// Two days of two series of a collector that does not run.
struct TsdbCommand : testing::Test {
  TsdbCommand() {
    Days days({folder.string() + "/days", "", 4}, 7, 0, collector::DayFiles::list(folder.string() + "/days").value());
    collector::DayWriter writer(
        days, 1,
        {[](SeriesRef ref) {
           return Labels{{"__name__", "up"}, {"job", ref.get() == 1 ? "node" : "odoo"}, {"tenant", "a"}};
         },
         [](SeriesRef) { return std::optional<Day>{}; }});
    for (const std::uint32_t series : {1U, 2U}) {
      const std::vector<Sample> samples{
          {from_ms(kMidnight - 1'000), 1}, {from_ms(kMidnight), 0.5}, {from_ms(kMidnight + 1), series * 1.0}};
      EXPECT_TRUE(writer.add("a", SeriesRef{series}, samples.front().t, samples.back().t, collector::encode_chunk(samples)));
    }
    EXPECT_TRUE(writer.finish());
    days.settled(1);
  }
  int tsdb(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "tsdb");
    return cli(std::move(arguments));
  }
  const test::TempDir folder{"wardctl-tsdb"};
  CliRun cli;
};

TEST_F(TsdbCommand, StatsShowsEachDayAndAll) {
  EXPECT_EQ(tsdb({"stats", folder.string()}), 0) << cli.err;
  EXPECT_THAT(cli.out, testing::MatchesRegex("DAY +SIZE +TENANTS +SERIES +BLOCKS +CHUNKS +SAMPLES +BYTES/SAMPLE\n"
                                             "2026-11-22 +[0-9.]+ KiB +1 +2 +1 +2 +2 +[0-9.]+\n"
                                             "2026-11-23 +[0-9.]+ KiB +1 +2 +1 +2 +4 +[0-9.]+\n"
                                             "all +[0-9.]+ KiB +1 +2 +2 +4 +6 +[0-9.]+\n"));
}

TEST_F(TsdbCommand, DumpPrintsWhatIsAskedFor) {
  EXPECT_EQ(tsdb({"dump", folder.string(), "--match", "up{job=~\"o.*\"}"}), 0) << cli.err;
  EXPECT_EQ(cli.out,
            "up{job=\"odoo\", tenant=\"a\"} 1 1795391999000\n"
            "up{job=\"odoo\", tenant=\"a\"} 0.5 1795392000000\n"
            "up{job=\"odoo\", tenant=\"a\"} 2 1795392000001\n");
  cli.out.clear();
  EXPECT_EQ(tsdb({"dump", folder.string() + "/days", "--from", "2026-11-23T00:00:00.001Z"}), 0) << cli.err;
  EXPECT_EQ(cli.out, "up{job=\"node\", tenant=\"a\"} 1 1795392000001\nup{job=\"odoo\", tenant=\"a\"} 2 1795392000001\n");
  cli.out.clear();
  EXPECT_EQ(tsdb({"dump", folder.string() + "/days/2026-11-22.db", "--to", "1795391999"}), 0) << cli.err;
  EXPECT_EQ(cli.out, "up{job=\"node\", tenant=\"a\"} 1 1795391999000\nup{job=\"odoo\", tenant=\"a\"} 1 1795391999000\n");
}

TEST_F(TsdbCommand, VerifyNamesWhatIsDamaged) {
  EXPECT_EQ(tsdb({"verify", folder.string()}), 0) << cli.err;
  EXPECT_EQ(cli.out, "2026-11-22.db: whole, 2 samples read\n2026-11-23.db: whole, 4 samples read\n");
  const auto change = [this](const char* sql) {
    sqlite::OpenOptions options;
    options.path = folder.string() + "/days/2026-11-23.db";
    options.exclusive = false;
    ASSERT_TRUE(sqlite::Database::open(options)->run(sql));
  };
  change("UPDATE block SET samples=5");
  cli.out.clear();
  EXPECT_EQ(tsdb({"verify", folder.string()}), 2);
  EXPECT_THAT(cli.out, HasSubstr("block 1 of tenant 'a': 0 chunks do not decode, 4 of 5 samples are there\n"));
  EXPECT_EQ(
      cli.err,
      "1 of 2 stored days are damaged. Put them back from a backup while the collector is stopped; without one it reads "
      "what is whole.\n");
  change("UPDATE block SET data=substr(data,1,length(data)-1); DELETE FROM series");
  cli.out.clear();
  EXPECT_EQ(tsdb({"verify", folder.string() + "/days/2026-11-23.db"}), 2);
  EXPECT_EQ(cli.out, "2026-11-23.db: DAMAGED, 0 samples read\n  block 1 of tenant 'a': its checksum is wrong\n");
}

TEST_F(TsdbCommand, BadInputIsOneLine) {
  EXPECT_EQ(tsdb({"stats", folder.string() + "/nothing"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("there is no stored day in '"));
  cli.err.clear();
  EXPECT_EQ(tsdb({"dump", folder.string(), "--match", "up{"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("parse error"));
  cli.err.clear();
  EXPECT_EQ(tsdb({"dump", folder.string(), "--from", "yesterday"}), 2);
  EXPECT_EQ(cli.err, "--from is 'yesterday', which is no time. Write 2026-11-23T10:00:00Z or seconds since 1970.\n");
  cli.err.clear();
  folder.write("days/2026-11-23.db", std::string(9'000, 'x'));
  EXPECT_EQ(tsdb({"stats", folder.string()}), 2);
  EXPECT_THAT(cli.err, HasSubstr("2026-11-23.db"));
}

}  // namespace
}  // namespace ward::cli
