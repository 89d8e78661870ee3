#include "collector/ingest/refusal_log.hpp"

#include <gtest/gtest.h>

namespace ward::collector {
namespace {

using net::Refusal;
using std::chrono::seconds;

constexpr MonoTime kStart{std::chrono::hours{1}};

TEST(RefusalLog, TellsAReasonOnceAMinuteForEachAddressAndHowOftenItWasLeftOut) {
  RefusalLog log;
  EXPECT_EQ(log.tell(Refusal::untrusted, "10.0.0.7:1001", kStart), 0U);
  EXPECT_FALSE(log.tell(Refusal::untrusted, "10.0.0.7:1002", kStart + seconds{1}));
  EXPECT_FALSE(log.tell(Refusal::untrusted, "10.0.0.7:1003", kStart + seconds{59}));
  EXPECT_EQ(log.tell(Refusal::untrusted, "10.0.0.7:1004", kStart + seconds{60}), 2U);
  EXPECT_FALSE(log.tell(Refusal::untrusted, "10.0.0.7:1005", kStart + seconds{61}));
}

TEST(RefusalLog, AnotherAddressAndAnotherReasonAreNews) {
  RefusalLog log;
  EXPECT_TRUE(log.tell(Refusal::untrusted, "10.0.0.7:1", kStart));
  EXPECT_TRUE(log.tell(Refusal::untrusted, "10.0.0.8:1", kStart));
  EXPECT_TRUE(log.tell(Refusal::expired, "10.0.0.7:2", kStart));
  EXPECT_TRUE(log.tell(Refusal::untrusted, "[fd00::7]:1", kStart));
  EXPECT_FALSE(log.tell(Refusal::untrusted, "[fd00::7]:2", kStart));
}

TEST(RefusalLog, LeavesOutWhatHealthChecksAndScannersDo) {
  RefusalLog log;
  for (const auto reason : {Refusal::closed, Refusal::timed_out, Refusal::not_tls, Refusal::other})
    EXPECT_FALSE(log.tell(reason, "10.0.0.7:1", kStart)) << to_string(reason);
}

TEST(RefusalLog, RemembersABoundedNumberOfAddresses) {
  RefusalLog log;
  for (std::size_t i = 0; i <= RefusalLog::kAddresses; ++i)
    EXPECT_TRUE(log.tell(Refusal::untrusted, "a" + std::to_string(i) + ":1", kStart + std::chrono::milliseconds{i}));
  // The one told longest ago was forgotten, the newest was not.
  EXPECT_TRUE(log.tell(Refusal::untrusted, "a0:1", kStart + seconds{2}));
  EXPECT_FALSE(log.tell(Refusal::untrusted, "a" + std::to_string(RefusalLog::kAddresses) + ":1", kStart + seconds{2}));
}

}  // namespace
}  // namespace ward::collector
