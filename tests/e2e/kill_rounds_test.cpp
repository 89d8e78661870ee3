// A collector is ended by SIGKILL at the points K1 to K6 of paging and starts again (docs/track-record.md): no page is lost,
// no end of one, and what comes twice has the same key. WARD_KILL_ROUNDS=N runs each N times; `./dev kills` runs 50.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>
#include <map>

#include "tests/e2e/broken_rounds.hpp"

namespace ward::test {
namespace {

using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

/// A collector without agents: its samples come by remote write. Each round breaks a database of its own. An alert of an
/// earlier life fires on for a minute after a restart, so the ends that are not told by then are awaited once, for all
/// rounds.
class KillRounds : public testing::Test {
 protected:
  explicit KillRounds(const std::string& acknowledge_within = "0s", const std::string& more_config = "")
      : estate_({Estate::Transport::insecure, receiver_.port(), "", "",
                 "remote_write_receiver: {receive: true, tenant: t1}\n" + more_config}) {
    use_broken_rules(estate_, acknowledge_within);
  }

  void start(const std::string& failpoint = "") {
    std::map<std::string, std::string> env;
    if (!failpoint.empty()) env["WARD_FAILPOINT"] = failpoint;
    estate_.collector.start(std::move(env));
  }
  /// Until it is taken, or the collector has ended.
  bool report(int round, bool broken) {
    return eventually(kPatience,
                      [&] { return tell_broken(estate_.http_port, round, broken) || !estate_.collector.running(); });
  }
  bool ended() {
    return eventually(kPatience, [this] { return !estate_.collector.running(); });
  }
  bool recorded() {
    return eventually(kPatience, [this] {
      return estate_.collector_metric("ward_notify_outbox_pending") == 0.0 || !estate_.collector.running();
    });
  }
  [[nodiscard]] Came came(int round) const { return came_in_round(receiver_, round); }
  bool told(int round, std::size_t firing, std::size_t ends) const {
    return eventually(kPatience, [&] {
      const auto all = came(round);
      return all.firing.size() >= firing && all.ends.size() >= ends;
    });
  }
  std::string everything(int round) const {
    return "round " + std::to_string(round) + "\n" + receiver_.text() + estate_.logs();
  }

  /// One collector is ended at `failpoint` of the page, or of its end, and the next one goes on.
  void end_at(const std::string& failpoint, int round, bool of_the_end) {
    start(failpoint + (of_the_end ? ":2" : ":1"));
    ASSERT_TRUE(report(round, true)) << everything(round);
    if (of_the_end) {
      ASSERT_TRUE(eventually(kPatience, [&] { return came(round).firing.size() == 1 || !estate_.collector.running(); }));
      // What an earlier round left has struck the failpoint as the first: then it is the page that strikes it.
      if (!estate_.collector.running()) return go_on(round, false, false);
      ASSERT_TRUE(recorded() || !estate_.collector.running()) << everything(round);
      ASSERT_TRUE(report(round, false)) << everything(round);
    }
    ASSERT_TRUE(ended()) << everything(round);
    go_on(round, of_the_end, of_the_end && failpoint != "pages_before_commit");
  }
  void go_on(int round, bool of_the_end, bool end_is_stored) {
    start();
    // What an earlier round left may have struck the failpoint before this one's sample was taken.
    ASSERT_TRUE(report(round, !of_the_end)) << everything(round);
    ASSERT_TRUE(told(round, 1, end_is_stored ? 1 : 0)) << everything(round);
    ASSERT_TRUE(recorded()) << everything(round);
    estate_.collector.kill();
  }
  /// All is mended; with many rounds their ends are awaited, too.
  void finish(const std::string& what, int count) {
    // The end of a round is a kill, too, and may strike between a reply and its record.
    constexpr int kCopies = 2;
    const bool all_ends = std::getenv("WARD_KILL_ROUNDS") != nullptr;
    if (all_ends) {
      start();
      for (int round = 1; round <= count; ++round) ASSERT_TRUE(report(round, false)) << everything(round);
      for (int round = 1; round <= count; ++round) ASSERT_TRUE(told(round, 1, 1)) << everything(round);
      ASSERT_TRUE(recorded()) << everything(count);
    }
    int twice = 0;
    for (int round = 1; round <= count; ++round) {
      const auto all = came(round);
      EXPECT_EQ(all.firing.size(), 1U) << everything(round);
      EXPECT_LE(all.ends.size(), 1U) << everything(round);
      EXPECT_LE(Came::most(all.firing), kCopies) << everything(round);
      EXPECT_LE(Came::most(all.ends), kCopies) << everything(round);
      twice += std::max(0, Came::most(all.firing) - 1) + std::max(0, Came::most(all.ends) - 1);
    }
    tell(what, count, twice);
  }
  void run(const std::string& failpoint) {
    const auto count = rounds(2);
    for (int round = 1; round <= count && !HasFatalFailure(); ++round) end_at(failpoint, round, round % 2 == 0);
    if (!HasFatalFailure()) finish(failpoint, count);
  }
  void tell(const std::string& what, int count, int twice) const {
    std::cout << what << ": " << count << " rounds, " << twice << " messages twice, "
              << std::chrono::duration_cast<seconds>(Clock::now() - begin_).count() << " s\n";
  }

  PageReceiver receiver_;
  Estate estate_;
  const Clock::time_point begin_ = Clock::now();
};

TEST_F(KillRounds, K1BeforeTheCommitNothingIsLost) { run("pages_before_commit"); }
TEST_F(KillRounds, K2AfterTheCommitThePageGoesOutOnce) { run("pages_after_commit"); }
TEST_F(KillRounds, K4WithTheReplyInHandThePageComesAgainUnderItsKey) { run("reply_received"); }
TEST_F(KillRounds, K5AfterTheRecordNothingIsLost) { run("result_recorded"); }

// The receiver has the page and has not answered.
TEST_F(KillRounds, K3WithThePageOnItsWayItComesAgainUnderItsKey) {
  const auto count = rounds(2);
  for (int round = 1; round <= count && !HasFatalFailure(); ++round) {
    const bool of_the_end = round % 2 == 0;
    start();
    ASSERT_TRUE(report(round, of_the_end)) << everything(round);
    if (of_the_end) {
      ASSERT_TRUE(told(round, 1, 0) && recorded()) << everything(round);
    }
    receiver_.answer_by([this](const PageReceiver::Page&) {
      estate_.collector.signal(SIGKILL);
      return 200;
    });
    ASSERT_TRUE(report(round, !of_the_end)) << everything(round);
    ASSERT_TRUE(ended()) << everything(round);
    receiver_.answer_by({});
    go_on(round, of_the_end, of_the_end);
  }
  if (!HasFatalFailure()) finish("mid_send", count);
}

/// The next level hears after two seconds.
class NextLevel : public KillRounds {
 protected:
  NextLevel() : KillRounds("2s") {}
};

TEST_F(NextLevel, K6HearsThoughTheCollectorEndedBetweenItsTimeAndTheCommit) {
  const auto count = rounds(2);
  for (int round = 1; round <= count; ++round) {
    start(round % 2 == 1 ? "step_before_commit" : "step_after_commit");
    ASSERT_TRUE(report(round, true)) << everything(round);
    ASSERT_TRUE(ended()) << everything(round);
    EXPECT_EQ(came(round).firing.size(), 1U) << everything(round);
    start();
    ASSERT_TRUE(told(round, 2, 0)) << everything(round);  // database, and platform in its stead
    ASSERT_TRUE(recorded()) << everything(round);
    estate_.collector.kill();
    const auto all = came(round);
    EXPECT_EQ(all.firing.size(), 2U) << everything(round);
    EXPECT_EQ(Came::most(all.firing), 1) << everything(round);
  }
  tell("step", count, 0);
}

// K7 and K8 are about leadership: two_collectors_test.cpp. What one that stands alone must stand is being stopped and going
// on later.
TEST_F(KillRounds, GoesOnAfterAStopWithThePageOnItsWayAndSendsItOnce) {
  start();
  ASSERT_TRUE(report(1, false)) << everything(1);
  receiver_.answer_by([this](const PageReceiver::Page&) {
    estate_.collector.signal(SIGSTOP);
    return 200;
  });
  ASSERT_TRUE(report(1, true)) << everything(1);
  ASSERT_TRUE(told(1, 1, 0)) << everything(1);
  receiver_.answer_by({});
  ASSERT_TRUE(estate_.collector.survives(seconds{5}));
  estate_.collector.signal(SIGCONT);
  ASSERT_TRUE(recorded()) << everything(1);
  ASSERT_TRUE(report(1, false)) << everything(1);
  ASSERT_TRUE(told(1, 1, 1) && recorded()) << everything(1);
  EXPECT_EQ(Came::most(came(1).firing), 1) << everything(1);
  EXPECT_EQ(Came::most(came(1).ends), 1) << everything(1);
}

// A receiver that is down for a while gets one page when it is back.
TEST_F(KillRounds, ReceiverThatComesBackGetsThePageOnce) {
  std::atomic<int> asked{0};
  receiver_.answer_by([&asked](const PageReceiver::Page&) { return ++asked <= 3 ? 503 : 200; });
  start();
  ASSERT_TRUE(report(1, true)) << everything(1);
  ASSERT_TRUE(eventually(kPatience, [&] { return asked >= 4; })) << everything(1);
  ASSERT_TRUE(recorded()) << everything(1);
  ASSERT_TRUE(report(1, false)) << everything(1);
  ASSERT_TRUE(told(1, 1, 1) && recorded()) << everything(1);
  const auto all = came(1);
  EXPECT_EQ(all.firing.size(), 1U) << everything(1);
  EXPECT_EQ(Came::most(all.firing), 4) << "three refused, one taken, all of one key";
  EXPECT_EQ(Came::most(all.ends), 1) << everything(1);
}

class SecondChannel : public KillRounds {
 protected:
  SecondChannel() : KillRounds("0s", "second_channel_after: 2s\n") {}
};

TEST_F(SecondChannel, HasThePageWhileTheFirstIsDownAndBothHearTheEnd) {
  std::atomic<bool> down{true};
  receiver_.answer_by([&down](const PageReceiver::Page& page) { return down && page.path == "/database" ? 503 : 200; });
  start();
  ASSERT_TRUE(report(1, true)) << everything(1);
  ASSERT_TRUE(told(1, 2, 0)) << everything(1);
  down = false;
  ASSERT_TRUE(recorded()) << everything(1);
  ASSERT_TRUE(report(1, false)) << everything(1);
  ASSERT_TRUE(told(1, 2, 2) && recorded()) << everything(1);
  const auto all = came(1);
  EXPECT_EQ(all.firing.size(), 2U) << everything(1);
  for (const auto& [key, times] : all.firing) {
    if (key.starts_with("/platform")) {
      EXPECT_EQ(times, 1) << everything(1);
    }
  }
}

}  // namespace
}  // namespace ward::test
