// Two collectors over one PostgreSQL: one pages, the other one takes over. K7 and K8 of paging (docs/track-record.md), and
// what the shared state may do to a leader. WARD_KILL_ROUNDS=N plays K7 and K8 N times; `./dev kills` plays 50.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <gmock/gmock.h>
#include <iostream>
#include <thread>

#include "tests/e2e/broken_rounds.hpp"

namespace ward::test {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using testing::HasSubstr;
using Clock = std::chrono::steady_clock;

class TwoCollectors : public testing::Test {
 protected:
  TwoCollectors() : a_(options("a")), b_(options("b")) {
    use_broken_rules(a_);
    use_broken_rules(b_);
  }
  /// The first one leads, the second one stands by.
  void start() {
    a_.collector.start();
    ASSERT_TRUE(leads(a_)) << everything();
    b_.collector.start();
    ASSERT_TRUE(stands_by(b_)) << everything();
  }
  static bool leads(const Estate& one) {
    return eventually(kPatience, [&] { return one.collector_metric("ward_leader") == 1.0; });
  }
  static bool stands_by(const Estate& one) {
    return eventually(kPatience, [&] { return one.collector_metric("ward_leader") == 0.0; });
  }
  static bool report(Estate& to, int round, bool broken) {
    return eventually(kPatience, [&] { return tell_broken(to.http_port, round, broken); });
  }
  bool report(int round, bool broken) { return report(a_, round, broken) && report(b_, round, broken); }
  static bool recorded(const Estate& one) {
    return eventually(kPatience, [&] { return one.collector_metric("ward_notify_outbox_pending") == 0.0; });
  }
  [[nodiscard]] Came came(int round) const { return came_in_round(receiver_, round); }
  bool told(int round, std::size_t firing, std::size_t ends) const {
    return eventually(kPatience, [&] {
      const auto all = came(round);
      return all.firing.size() >= firing && all.ends.size() >= ends;
    });
  }
  /// Writes of a leader that another one has replaced.
  std::string stale_writes() const {
    return postgres_.sql("SELECT count(*) FROM ward_state_change c JOIN ward_lease l USING (name) WHERE c.token <> l.token");
  }
  /// One page, which may have come twice under its key when it was under way; and its database is well again.
  void paged_once(int round, const Estate& leader) {
    ASSERT_TRUE(recorded(leader)) << everything();
    const auto all = came(round);
    EXPECT_EQ(all.firing.size(), 1U) << everything();
    EXPECT_LE(Came::most(all.firing), 2) << everything();
    EXPECT_EQ(stale_writes(), "0");
    twice_ += Came::most(all.firing) - 1;
    ASSERT_TRUE(report(round, false)) << everything();
  }
  /// An alert of an earlier life fires on for a minute after a takeover, so the ends of all rounds are awaited together.
  void all_end(int count, const Estate& leader) {
    for (int round = 1; round <= count; ++round) {
      ASSERT_TRUE(told(round, 1, 1)) << round << everything();
      const auto all = came(round);
      EXPECT_EQ(all.firing.size(), 1U) << everything();
      EXPECT_EQ(all.ends.size(), 1U) << everything();
      EXPECT_LE(Came::most(all.ends), 2) << everything();
      twice_ += Came::most(all.ends) - 1;
    }
    ASSERT_TRUE(recorded(leader)) << everything();
  }
  void tell(const std::string& what, int count) const {
    auto sorted = takeovers_;
    std::sort(sorted.begin(), sorted.end());
    std::cout << what << ": " << count << " rounds, " << twice_ << " messages twice under one key";
    if (!sorted.empty())
      std::cout << "; from the stop to the next leader " << sorted[sorted.size() / 2] << " s (median), " << sorted.back()
                << " s (longest), with a lease of 2 s";
    std::cout << '\n';
  }
  std::string everything() const { return receiver_.text() + "--- a\n" + a_.logs() + "--- b\n" + b_.logs(); }

  PostgresServer postgres_;
  PageReceiver receiver_;
  Estate a_, b_;
  int twice_ = 0;
  std::vector<double> takeovers_;

 private:
  Estate::Options options(const std::string& name) const {
    return {Estate::Transport::insecure, receiver_.port(), "", "",
            "remote_write_receiver: {receive: true, tenant: t1}\nexternal_url: http://" + name +
                ".example\nshared_state: {connection: 'host=127.0.0.1 port=" + std::to_string(postgres_.port()) +
                " dbname=postgres user=postgres sslmode=disable', collector: " + name + ", lease: 2s}\n"};
  }
};

TEST_F(TwoCollectors, OneLeadsAndTheOtherSaysWhoDoes) {
  start();
  const auto refused = http_get(b_.http_port, "/api/ward/v1/incidents");
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("'a' leads. Ask it: http://a.example"));
  EXPECT_EQ(http_get(b_.http_port, "/api/v2/alerts").status, 503);
  EXPECT_EQ(http_get(a_.http_port, "/api/ward/v1/incidents").status, 200);
  EXPECT_EQ(http_get(b_.http_port, "/readyz").status, 200) << "agents may stream to it";
  ASSERT_TRUE(report(1, true)) << everything();
  ASSERT_TRUE(told(1, 1, 0)) << everything();
  EXPECT_EQ(http_get(b_.http_port, "/api/v1/query?query=fault").status, 200) << "it has all samples itself";
  paged_once(1, a_);
  all_end(1, a_);
  EXPECT_EQ(twice_, 0) << everything();
}

TEST_F(TwoCollectors, WhoeverTakesOverGoesOnWhereTheOtherEnded) {
  start();
  ASSERT_TRUE(report(1, true)) << everything();
  ASSERT_TRUE(told(1, 1, 0) && recorded(a_)) << everything();
  a_.collector.kill();
  ASSERT_TRUE(leads(b_)) << everything();
  EXPECT_EQ(http_get(b_.http_port, "/api/ward/v1/incidents").status, 200);
  ASSERT_TRUE(report(b_, 1, false)) << everything();
  ASSERT_TRUE(told(1, 1, 1) && recorded(b_)) << everything();
  EXPECT_EQ(Came::most(came(1).firing), 1) << "the incident is not told again\n" << everything();
  // The first one comes back, stands by, and leads again when the second one is ended in good order.
  a_.collector.start();
  ASSERT_TRUE(stands_by(a_)) << everything();
  EXPECT_EQ(b_.collector.terminate(), 0) << everything();
  ASSERT_TRUE(leads(a_)) << everything();
  ASSERT_TRUE(report(a_, 2, true)) << everything();
  ASSERT_TRUE(told(2, 1, 0)) << everything();
}

TEST_F(TwoCollectors, K7ALeaderThatIsReplacedWhileItSendsSendsNothingMore) {
  const auto count = rounds(1);
  start();
  Estate* leader = &a_;
  Estate* other = &b_;
  for (int round = 1; round <= count && !HasFatalFailure(); ++round) {
    std::atomic<bool> stopped{false};
    receiver_.answer_by([&](const PageReceiver::Page&) {
      if (!stopped.exchange(true)) leader->collector.signal(SIGSTOP);
      return 200;
    });
    ASSERT_TRUE(report(*other, round, true)) << everything();
    std::thread telling([&] { (void)report(*leader, round, true); });  // it may be stopped before it answers
    const bool struck = eventually(kPatience, [&] { return stopped.load(); });
    const auto since = Clock::now();
    const bool over = struck && leads(*other);
    takeovers_.push_back(std::chrono::duration<double>(Clock::now() - since).count());
    const bool sent = over && eventually(kPatience, [&] { return Came::most(came(round).firing) >= 2; });
    leader->collector.signal(SIGCONT);
    telling.join();
    receiver_.answer_by({});
    ASSERT_TRUE(sent) << everything();
    ASSERT_TRUE(stands_by(*leader)) << everything();
    paged_once(round, *other);
    std::swap(leader, other);
  }
  if (!HasFatalFailure()) all_end(count, *leader);
  tell("K7", count);
}

TEST_F(TwoCollectors, K8AnOldLeaderThatWakesStoresAndSendsNothing) {
  const auto count = rounds(1);
  start();
  Estate* leader = &a_;
  Estate* other = &b_;
  for (int round = 1; round <= count && !HasFatalFailure(); ++round) {
    leader->collector.signal(SIGSTOP);
    const auto since = Clock::now();
    const bool over = leads(*other);
    takeovers_.push_back(std::chrono::duration<double>(Clock::now() - since).count());
    const bool paged = over && report(*other, round, true) && told(round, 1, 0) && recorded(*other);
    leader->collector.signal(SIGCONT);
    ASSERT_TRUE(paged) << everything();
    ASSERT_TRUE(stands_by(*leader)) << everything();
    ASSERT_TRUE(report(*leader, round, true)) << everything();
    paged_once(round, *other);
    EXPECT_EQ(Came::most(came(round).firing), 1) << everything();
    std::swap(leader, other);
  }
  if (!HasFatalFailure()) all_end(count, *leader);
  tell("K8", count);
}

TEST_F(TwoCollectors, WithoutTheSharedStateTheLeaderPagesOnAndNothingIsLost) {
  start();
  postgres_.stop();
  ASSERT_TRUE(report(1, true)) << everything();
  ASSERT_TRUE(told(1, 1, 0)) << everything();
  postgres_.start();
  // What was stored meanwhile is handed in, so whoever takes over knows of it.
  ASSERT_TRUE(eventually(kPatience, [&] { return a_.collector_metric("ward_shared_state_up") == 1.0; })) << everything();
  ASSERT_TRUE(eventually(kPatience, [&] { return !std::filesystem::exists(a_.collector_data() / "state.db.ahead"); }))
      << everything();
  ASSERT_TRUE(recorded(a_)) << everything();
  a_.collector.kill();
  ASSERT_TRUE(leads(b_)) << everything();
  ASSERT_TRUE(report(b_, 1, false)) << everything();
  ASSERT_TRUE(told(1, 1, 1) && recorded(b_)) << everything();
  EXPECT_EQ(came(1).firing.size(), 1U) << everything();
  EXPECT_EQ(came(1).ends.size(), 1U) << everything();
}

}  // namespace
}  // namespace ward::test
