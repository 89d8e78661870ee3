// What is left of a damaged file: set aside under a name of its own, counted, and nothing of it overwritten.
#include "collector/data_files.hpp"

#include <gmock/gmock.h>

#include "tests/support/manual_clock.hpp"
#include "tests/support/processes.hpp"

namespace ward::collector {
namespace {

using testing::HasSubstr;
using testing::UnorderedElementsAre;

class Lines final : public telemetry::LogSink {
 public:
  void write(std::string_view line) override { text += line; }
  std::string text;
};

class DataFilesTest : public testing::Test {
 protected:
  void set_aside_at(Time now, const char* file) {
    const auto moved = set_aside(folder_.path().string(), {{Errc::corrupt, "the file is no database", ""}, file}, now, log_);
    ASSERT_TRUE(moved) << describe(moved.error());
  }
  [[nodiscard]] std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : std::filesystem::directory_iterator(folder_.path()))
      out.push_back(entry.path().filename().string());
    return out;
  }
  [[nodiscard]] std::size_t damaged() const { return damaged_files(folder_.path().string()).size(); }

  test::TempDir folder_{"data-files"};
  test::ManualClock clock_;
  Lines lines_;
  telemetry::Logger log_{telemetry::LogSettings{}, clock_, lines_};
};

TEST_F(DataFilesTest, AFileIsSetAsideWithItsLog) {
  folder_.write("state.db", "a");
  folder_.write("state.db-wal", "b");
  folder_.write("journal.db", "c");
  set_aside_at(from_ms(7'900), "state.db");
  EXPECT_THAT(names(), UnorderedElementsAre("state.db.damaged-7", "state.db.damaged-7-wal", "journal.db"));
}

TEST_F(DataFilesTest, WhatWasSetAsideInTheSameSecondStays) {
  for (int i = 0; i < 2; ++i) {
    folder_.write("state.db", "a");
    set_aside_at(from_ms(7'000 + i), "state.db");
  }
  folder_.write("state.db-wal", "of a crash between the two");
  set_aside_at(from_ms(7'002), "state.db");
  folder_.write("state.db", "a");
  folder_.write("state.db-wal", "b");
  set_aside_at(from_ms(7'003), "state.db");
  EXPECT_THAT(names(), UnorderedElementsAre("state.db.damaged-7", "state.db.damaged-8", "state.db.damaged-9-wal",
                                            "state.db.damaged-10", "state.db.damaged-10-wal"));
}

TEST_F(DataFilesTest, EachFileCountsOnceWithWhatBelongsToIt) {
  EXPECT_EQ(damaged(), 0U);
  for (const auto* name : {"journal.db", "journal.db-wal", "journal.db.damaged-5", "journal.db.damaged-5-wal",
                           "journal.db.damaged-5-shm", "state.db.damaged-5", "state.db.damaged-6-wal"})
    folder_.write(name, "");
  EXPECT_EQ(damaged(), 3U);
}

TEST_F(DataFilesTest, TheLogSaysWhatIsLostWithWhichFile) {
  folder_.write("journal.db", "a");
  set_aside_at(from_ms(7'000), "journal.db");
  EXPECT_THAT(lines_.text, HasSubstr("agents send again what they still hold"));
  lines_.text.clear();
  folder_.write("state.db", "a");
  set_aside_at(from_ms(7'000), "state.db");
  EXPECT_THAT(lines_.text, HasSubstr("what still fires pages again"));
}

TEST_F(DataFilesTest, ARowOfTheStateThatCannotBeReadCostsThatRowAloneAndIsTold) {
  CollectorConfig config;
  config.data_dir = folder_.path().string();
  ASSERT_TRUE(open_data_files(config, clock_.wall(), log_));
  {
    sqlite::OpenOptions file;
    file.path = (folder_ / DataFiles::kState).string();
    auto db = sqlite::Database::open(file);
    ASSERT_TRUE(db && db->run("INSERT INTO incident VALUES('I1',1,0,0,'of a later release')"));
  }
  const auto again = open_data_files(config, clock_.wall(), log_);
  ASSERT_TRUE(again) << describe(again.error().error);
  EXPECT_EQ(again->loaded.unreadable, 1U);
  EXPECT_THAT(lines_.text, HasSubstr("Stored alert state could not be read"));
  EXPECT_EQ(damaged(), 0U);
}

}  // namespace
}  // namespace ward::collector
