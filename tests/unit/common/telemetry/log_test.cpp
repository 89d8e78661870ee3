#include "common/telemetry/log.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>
#include <vector>

#include "common/base/secret.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::telemetry {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;
using testing::SizeIs;

static_assert(!std::is_constructible_v<Field, std::string_view, Secret>, "a secret must not reach a log by accident");

class Lines final : public LogSink {
 public:
  void write(std::string_view line) override { lines.emplace_back(line); }
  std::vector<std::string> lines;
};

class LoggerTest : public testing::Test {
 protected:
  test::ManualClock clock{from_ms(1795344127123)};
  Lines out;
  LogSettings settings{LogLevel::info, LogFormat::text, 3, 10s};
};

TEST_F(LoggerTest, WritesFromItsLevelUp) {
  Logger log{settings, clock, out};
  log.debug("Quiet");
  log.info("Started", {{"port", 9802}});
  log.error("Broken");
  EXPECT_THAT(out.lines,
              ElementsAre("2026-11-22T10:42:07.123Z info  Started port=9802\n", "2026-11-22T10:42:07.123Z error Broken\n"));
  EXPECT_EQ(log.written(LogLevel::info), 1U);
  EXPECT_EQ(log.written(LogLevel::debug), 0U);
}

TEST_F(LoggerTest, ChangesItsLevelWhileRunning) {
  Logger log{settings, clock, out};
  log.set_level(LogLevel::debug);
  log.debug("Heard");
  log.set_level(LogLevel::error);
  log.warn("Unheard");
  EXPECT_THAT(out.lines, ElementsAre(EndsWith("debug Heard\n")));
}

TEST_F(LoggerTest, LeavesOutRepeatsAndTellsHowManyInTheNextWindow) {
  Logger log{settings, clock, out};
  for (int i = 0; i < 10; ++i) log.warn("Probe failed", {{"try", i}});
  EXPECT_THAT(out.lines, SizeIs(3));
  EXPECT_EQ(log.suppressed(), 7U);
  clock.advance(10s);
  log.warn("Probe failed", {{"try", 10}});
  ASSERT_THAT(out.lines, SizeIs(5));
  EXPECT_THAT(out.lines[3], EndsWith("warn  Repeated lines were left out sentence=\"Probe failed\" left_out=7\n"));
  EXPECT_THAT(out.lines[4], EndsWith("warn  Probe failed try=10\n"));
}

TEST_F(LoggerTest, CountsEachSentenceAndLevelByItself) {
  Logger log{settings, clock, out};
  for (int i = 0; i < 3; ++i) log.warn("One");
  log.warn("Two");
  log.error("One");
  EXPECT_THAT(out.lines, SizeIs(5));
}

TEST_F(LoggerTest, TellsWhatWasLeftOutEvenIfTheSentenceNeverComesAgain) {
  Logger log{settings, clock, out};
  for (int i = 0; i < 5; ++i) log.warn("Storm");
  clock.advance(10s);
  log.info("Something else");
  EXPECT_THAT(out.lines, testing::Contains(HasSubstr("sentence=Storm left_out=2")));
}

TEST_F(LoggerTest, TellsTheRestWhenItEnds) {
  {
    Logger log{settings, clock, out};
    for (int i = 0; i < 5; ++i) log.warn("Storm");
  }
  EXPECT_THAT(out.lines.back(), HasSubstr("sentence=Storm left_out=2"));
}

TEST_F(LoggerTest, LimitsNothingWithBurstZero) {
  settings.burst = 0;
  Logger log{settings, clock, out};
  for (int i = 0; i < 100; ++i) log.info("Again");
  EXPECT_THAT(out.lines, SizeIs(100));
}

TEST_F(LoggerTest, KeepsAccountWhenSentencesVary) {
  Logger log{settings, clock, out};
  for (int i = 0; i < 4; ++i) log.warn("Storm");
  for (int i = 0; i < 5000; ++i) log.info("Sentence " + std::to_string(i));
  EXPECT_EQ(log.written(LogLevel::info), 5000U);
  EXPECT_THAT(out.lines, testing::Contains(HasSubstr("sentence=Storm left_out=1")));
}

TEST_F(LoggerTest, KeepsLinesOfSeveralThreadsApart) {
  settings.burst = 0;
  Logger log{settings, clock, out};
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&log, t] {
      for (int i = 0; i < 250; ++i) log.info("Tick", {{"thread", t}});
    });
  for (auto& thread : threads) thread.join();
  EXPECT_THAT(out.lines, SizeIs(1000));
  EXPECT_EQ(log.written(LogLevel::info), 1000U);
}

TEST(LogLevelName, ReadsBackAndRefusesOthers) {
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warn, LogLevel::error})
    EXPECT_EQ(parse_log_level(to_string(level)), level);
  for (const auto* name : {"", "warning", "INFO", "trace"}) EXPECT_FALSE(parse_log_level(name)) << name;
  EXPECT_EQ(describe(parse_log_level("loud").error()), "'loud' is not a log level. Choose debug, info, warn or error.");
}

}  // namespace
}  // namespace ward::telemetry
