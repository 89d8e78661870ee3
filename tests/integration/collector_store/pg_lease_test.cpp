#include <barrier>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <thread>

#include "tests/integration/collector_store/shared_database.hpp"

namespace ward::test {
namespace {

class PgLeaseTest : public ::testing::Test {
 protected:
  static LeaseAnswer claimed(PgSharedState& by, bool fresh = false) {
    const auto answer = by.claim(hours{1}, fresh);
    if (!answer) throw std::runtime_error(describe(answer.error()));
    return *answer;
  }
  SharedDatabase database_;
};

TEST_F(PgLeaseTest, TheFirstLeadsAndTheSecondLearnsWhoDoes) {
  auto a = database_.collector("a");
  auto b = database_.collector("b");
  const LeaseAnswer expected{.mine = true, .token = 1, .holder = "a", .address = "https://a:8443"};
  EXPECT_EQ(claimed(a), expected);
  auto others = expected;
  others.mine = false;
  EXPECT_EQ(claimed(b), others);
}

TEST_F(PgLeaseTest, ARenewalKeepsTheTokenAndMovesTheEnd) {
  auto a = database_.collector("a");
  EXPECT_EQ(claimed(a).token, 1);
  std::ignore = database_.sql("UPDATE ward_lease SET expires = clock_timestamp() + interval '1 minute'");
  EXPECT_EQ(claimed(a).token, 1);
  EXPECT_EQ(database_.sql("SELECT expires > clock_timestamp() + interval '50 minutes' FROM ward_lease"), "t");
}

TEST_F(PgLeaseTest, AnEndedLeaseGoesToTheNextUnderANewToken) {
  auto a = database_.collector("a");
  auto b = database_.collector("b");
  EXPECT_TRUE(claimed(a).mine);
  database_.expire();
  EXPECT_EQ(claimed(b), (LeaseAnswer{.mine = true, .token = 2, .holder = "b", .address = "https://b:8443"}));
  EXPECT_FALSE(claimed(a).mine);
}

TEST_F(PgLeaseTest, AnEndedLeaseThatNobodyTookIsRenewedUnderItsToken) {
  auto a = database_.collector("a");
  EXPECT_TRUE(claimed(a).mine);
  database_.expire();
  EXPECT_EQ(claimed(a).token, 1);
}

TEST_F(PgLeaseTest, ACollectorThatBeginsAnewFencesItsFormerLife) {
  auto former = database_.collector("a");
  EXPECT_EQ(claimed(former).token, 1);
  auto now = database_.collector("a");
  EXPECT_FALSE(claimed(now, true).mine) << "it waits for the end of its former life's lease like everybody";
  EXPECT_FALSE(claimed(now, true).mine);
  database_.expire();
  EXPECT_EQ(claimed(now, true).token, 2);
  const auto late = former.append(1, 1, bytes_of("late"));
  ASSERT_FALSE(late);
  EXPECT_EQ(late.error().code, Errc::denied) << describe(late.error());
  EXPECT_TRUE(now.append(2, 1, bytes_of("new")));
}

TEST_F(PgLeaseTest, AReleasedLeaseIsFreeAtOnce) {
  auto a = database_.collector("a");
  auto b = database_.collector("b");
  EXPECT_TRUE(claimed(a).mine);
  EXPECT_TRUE(a.release(1));
  EXPECT_EQ(claimed(b).token, 2);
  EXPECT_TRUE(a.release(1));
  EXPECT_EQ(claimed(b).token, 2) << "who was replaced ended the lease of another";
  EXPECT_FALSE(claimed(a).mine);
}

TEST_F(PgLeaseTest, PairsDoNotMeet) {
  auto a = database_.collector("a");
  auto options = database_.options("b");
  options.name = "another";
  PgSharedState b(options);
  EXPECT_TRUE(claimed(a).mine);
  EXPECT_TRUE(claimed(b).mine);
  EXPECT_TRUE(a.append(1, 1, bytes_of("of a")));
  EXPECT_EQ(b.fetch(), SharedCopy{});
}

TEST_F(PgLeaseTest, ALeaseThatSomebodyDeletedBeginsAboveEveryTokenWritten) {
  auto a = database_.collector("a");
  auto b = database_.collector("b");
  for (int i = 0; i < 3; ++i) {
    EXPECT_TRUE(claimed(a, true).mine);
    database_.expire();
  }
  EXPECT_TRUE(a.keep(3, 1, bytes_of("image")));
  std::ignore = database_.sql("DELETE FROM ward_lease");
  EXPECT_EQ(claimed(b).token, 4);
}

/// Two that come at the same moment, and to an empty database: tables are made once, and one of them leads.
TEST_F(PgLeaseTest, OfTwoAtTheSameMomentOneLeads) {
  for (int round = 0; round < 25; ++round) {
    std::ignore = database_.sql("DROP TABLE IF EXISTS ward_lease, ward_state_image, ward_state_change, ward_shared_schema");
    auto a = database_.collector("a");
    auto b = database_.collector("b");
    std::barrier start(2);
    Result<LeaseAnswer> answers[2];
    const auto run = [&](PgSharedState& by, Result<LeaseAnswer>& answer) {
      start.arrive_and_wait();
      answer = by.claim(hours{1}, true);
    };
    std::thread other([&] { run(b, answers[1]); });
    run(a, answers[0]);
    other.join();
    for (const auto& answer : answers) ASSERT_TRUE(answer) << describe(answer.error());
    EXPECT_NE(answers[0]->mine, answers[1]->mine) << "round " << round;
    EXPECT_EQ(answers[0]->token, 1);
    EXPECT_EQ(answers[0]->holder, answers[1]->holder);
  }
}

TEST_F(PgLeaseTest, OfManyTakeoversEachHasOneWinnerAndANewToken) {
  auto a = database_.collector("a");
  auto b = database_.collector("b");
  std::ignore = claimed(a);
  std::int64_t last = 0;
  for (int round = 0; round < 25; ++round) {
    std::ignore = database_.sql("UPDATE ward_lease SET holder = 'gone', expires = clock_timestamp()");
    std::barrier start(2);
    LeaseAnswer answers[2];
    std::thread other([&] {
      start.arrive_and_wait();
      answers[1] = claimed(b);
    });
    start.arrive_and_wait();
    answers[0] = claimed(a);
    other.join();
    EXPECT_NE(answers[0].mine, answers[1].mine) << "round " << round;
    EXPECT_EQ(answers[0].token, answers[1].token);
    EXPECT_GT(answers[0].token, last);
    last = answers[0].token;
  }
}

}  // namespace
}  // namespace ward::test
