#include <future>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/collector_store/shared_database.hpp"

namespace ward::test {
namespace {

using ::testing::HasSubstr;

class PgStateTest : public ::testing::Test {
 protected:
  void SetUp() override { ASSERT_TRUE(a_.claim(hours{1}, true)); }
  void expect_denied(const Status& status) {
    ASSERT_FALSE(status);
    EXPECT_EQ(status.error().code, Errc::denied) << describe(status.error());
  }
  SharedCopy fetched() {
    auto copy = b_.fetch();
    if (!copy) throw std::runtime_error(describe(copy.error()));
    return *copy;
  }
  SharedDatabase database_;
  PgSharedState a_ = database_.collector("a");
  PgSharedState b_ = database_.collector("b");
};

TEST_F(PgStateTest, NobodyHasLedYet) { EXPECT_EQ(fetched(), SharedCopy{}); }

TEST_F(PgStateTest, ChangesComeBackInTheOrderOfTheirNumbers) {
  for (int number = 1; number <= 12; ++number)
    EXPECT_TRUE(a_.append(1, number, bytes_of("change " + std::to_string(number))));
  const auto copy = fetched();
  EXPECT_EQ(copy.number, 12);
  EXPECT_EQ(copy.token, 1);
  ASSERT_EQ(copy.changes.size(), 12U);
  for (std::size_t i = 0; i < 12; ++i) EXPECT_EQ(copy.changes[i], bytes_of("change " + std::to_string(i + 1)));
}

TEST_F(PgStateTest, TheSameNumberReplaces) {
  EXPECT_TRUE(a_.append(1, 1, bytes_of("first")));
  EXPECT_TRUE(a_.append(1, 1, bytes_of("second")));
  EXPECT_EQ(fetched().changes, std::vector<ByteVector>{bytes_of("second")});
}

TEST_F(PgStateTest, AnImageDropsAllChanges) {
  for (int number = 1; number <= 4; ++number) EXPECT_TRUE(a_.append(1, number, bytes_of(std::to_string(number))));
  EXPECT_TRUE(a_.keep(1, 3, bytes_of("three")));
  const SharedCopy expected{.image = bytes_of("three"), .token = 1, .number = 3, .changes = {}};
  EXPECT_EQ(fetched(), expected);
  EXPECT_EQ(database_.sql("SELECT string_agg(number::text, ' ') FROM ward_state_change"), "")
      << "one above it was given up, and must not be applied to it later";
}

TEST_F(PgStateTest, BytesOfEveryValueAndNoneAtAllComeBack) {
  ByteVector all;
  for (int value = 0; value < 256; ++value) all.push_back(static_cast<std::uint8_t>(value));
  EXPECT_TRUE(a_.keep(1, 1, all));
  EXPECT_TRUE(a_.append(1, 2, {}));
  const SharedCopy expected{.image = all, .token = 1, .number = 2, .changes = {ByteVector{}}};
  EXPECT_EQ(fetched(), expected);
}

TEST_F(PgStateTest, ALargeImageComesBackAndTheConnectionAfterItWorks) {
  ByteVector image(std::size_t{40} * 1024 * 1024);
  std::uint32_t next = 1;
  for (auto& byte : image) byte = static_cast<std::uint8_t>((next = next * 1664525U + 1013904223U) >> 24U);
  const auto kept = a_.keep(1, 7, image);
  ASSERT_TRUE(kept) << describe(kept.error());
  EXPECT_TRUE(a_.append(1, 8, bytes_of("small")));
  const auto copy = fetched();
  EXPECT_TRUE(copy.image == image);
  EXPECT_EQ(copy.number, 8);
}

TEST_F(PgStateTest, AHoleInTheNumbersIsCorrupt) {
  EXPECT_TRUE(a_.keep(1, 1, bytes_of("image")));
  EXPECT_TRUE(a_.append(1, 2, bytes_of("two")));
  EXPECT_TRUE(a_.append(1, 4, bytes_of("four")));
  const auto copy = b_.fetch();
  ASSERT_FALSE(copy);
  EXPECT_EQ(copy.error().code, Errc::corrupt);
  EXPECT_THAT(describe(copy.error()), HasSubstr("has no change 3, but has change 4"));
}

TEST_F(PgStateTest, ALeaderThatWasReplacedWritesNothing) {
  EXPECT_TRUE(a_.append(1, 1, bytes_of("one")));
  database_.expire();
  ASSERT_TRUE(b_.claim(hours{1}, false));
  expect_denied(a_.append(1, 2, bytes_of("late")));
  expect_denied(a_.append(1, 1, bytes_of("late")));
  expect_denied(a_.keep(1, 1, bytes_of("late")));
  EXPECT_TRUE(b_.append(2, 2, bytes_of("two")));
  const SharedCopy expected{.image = {}, .token = 2, .number = 2, .changes = {bytes_of("one"), bytes_of("two")}};
  EXPECT_EQ(fetched(), expected);
}

TEST_F(PgStateTest, ATokenThatNobodyHasYetWritesNothing) {
  expect_denied(a_.append(2, 1, bytes_of("early")));
  expect_denied(b_.append(1, 1, bytes_of("of another")));
}

TEST_F(PgStateTest, WhoseLeaseHasEndedMayWriteUntilAnotherTakesIt) {
  database_.expire();
  EXPECT_TRUE(a_.append(1, 1, bytes_of("one")));
}

/// The successor's claim has begun and not committed when the write comes: the write waits, and is refused.
TEST_F(PgStateTest, AWriteBehindAClaimThatCommitsIsRefused) {
  EXPECT_TRUE(a_.append(1, 1, bytes_of("one")));
  for (const bool image : {false, true}) {
    const auto gate = database_.server().session("SELECT pg_advisory_lock(7); SELECT pg_sleep(600)", "gate", "ward");
    database_.wait_for("EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND granted)");
    const auto claim = database_.server().session(
        "BEGIN; UPDATE ward_lease SET token = token + 1; SELECT pg_advisory_xact_lock(7); COMMIT", "claim", "ward");
    database_.wait_for("EXISTS (SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted)");
    const auto token = std::stoll(database_.sql("SELECT token FROM ward_lease"));
    auto status = std::async(std::launch::async, [&] {
      return image ? a_.keep(token, 1, bytes_of("late")) : a_.append(token, 2, bytes_of("late"));
    });
    database_.wait_for(
        "EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'ward-collector' AND wait_event_type = 'Lock')");
    std::ignore = database_.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'gate'");
    expect_denied(status.get());
  }
  const SharedCopy expected{.image = {}, .token = 1, .number = 1, .changes = {bytes_of("one")}};
  EXPECT_EQ(fetched(), expected);
}

/// The server took a statement, slept, and does it long after the caller gave up and did something else.
TEST_F(PgStateTest, AStatementThatWasGivenUpChangesNothingLater) {
  auto options = database_.options("a");
  options.timeout = seconds{2};
  PgSharedState hasty(options);
  const auto append = [&](std::int64_t number, std::string_view text) {
    in_time([&] { return hasty.append(1, number, bytes_of(text)); });
  };
  append(1, "one");
  const auto backend = database_.sql(
      "SELECT pid FROM pg_stat_activity WHERE application_name = 'ward-collector' AND query LIKE "
      "'%INSERT INTO ward_state_change%' ORDER BY backend_start DESC LIMIT 1");
  const Stopped stopped(backend);
  EXPECT_FALSE(hasty.append(1, 1, bytes_of("given up")));
  append(1, "again");
  append(2, "two");
  stopped.go_on();
  database_.wait_for("NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = " + backend + ")");
  const SharedCopy expected{.image = {}, .token = 1, .number = 2, .changes = {bytes_of("again"), bytes_of("two")}};
  EXPECT_EQ(fetched(), expected);
}

}  // namespace
}  // namespace ward::test
