// A collector is ended by SIGKILL at the points K1 to K6 of paging and starts again (docs/track-record.md): no page is lost,
// no end of one, and what comes twice has the same key. WARD_KILL_ROUNDS=N runs each N times; `./dev kills` runs 50.
#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdlib>
#include <gtest/gtest.h>
#include <iostream>
#include <map>
#include <nlohmann/json.hpp>

#include "tests/e2e/estate.hpp"
#include "tests/e2e/page_receiver.hpp"
#include "tests/support/remote_write_body.hpp"

namespace ward::test {
namespace {

using nlohmann::json;
using std::chrono::milliseconds;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

int rounds(int usual) {
  const char* wanted = std::getenv("WARD_KILL_ROUNDS");
  return wanted == nullptr ? usual : std::atoi(wanted);
}

const std::string kRules = R"(groups:
- name: g
  interval: 1s
  rules:
  - alert: Broken
    expr: fault == 1
    labels: {class: urgent, layer: data, owner: database, service: pg-main}
    annotations: {summary: it is broken, description: d, runbook_url: 'https://wiki.example/broken'}
)";

/// How often each message of one round came to each receiver, by its key.
struct Came {
  std::map<std::string, int> firing;  ///< path and key
  std::map<std::string, int> ends;
  [[nodiscard]] static int most(const std::map<std::string, int>& by_key) {
    int out = 0;
    for (const auto& [key, times] : by_key) out = std::max(out, times);
    return out;
  }
};

/// A collector without agents: its samples come by remote write. Each round breaks something that never was broken before.
class KillRounds : public testing::Test {
 protected:
  explicit KillRounds(const std::string& more_rules = "", const std::string& more_config = "")
      : estate_({Estate::Transport::insecure, receiver_.port(), "", "",
                 "remote_write_receiver: {receive: true, tenant: t1}\n" + more_config}) {
    const auto rules = estate_.dir.write("rules.yaml", kRules + more_rules);
    auto yaml = text_of(estate_.dir / "collector.yaml");
    const auto at = yaml.find("rules: [");
    yaml.replace(at, yaml.find('\n', at) - at, "rules: [\"" + rules + "\"]");
    estate_.dir.write("collector.yaml", yaml);
  }

  void start(const std::string& failpoint = "") {
    std::map<std::string, std::string> env;
    if (!failpoint.empty()) env["WARD_FAILPOINT"] = failpoint;
    estate_.collector.start(std::move(env));
  }
  /// Until it is taken, or the collector has ended.
  bool report(double fault) {
    return eventually(kPatience, [&] {
      const auto now = std::chrono::duration_cast<milliseconds>(std::chrono::system_clock::now().time_since_epoch());
      const SentSeries series{{{"__name__", "fault"}, {"instance", instance()}}, {{now.count(), fault}}};
      return post_remote_write(estate_.http_port, packed(body_v2({series}))).status == 204 || !estate_.collector.running();
    });
  }
  bool ended() {
    return eventually(kPatience, [this] { return !estate_.collector.running(); });
  }
  bool recorded() {
    return eventually(kPatience, [this] { return estate_.collector_metric("ward_notify_outbox_pending") == 0.0; });
  }
  [[nodiscard]] std::string instance() const { return "r" + std::to_string(round_); }
  [[nodiscard]] Came came() const {
    Came out;
    for (const auto& page : receiver_.pages()) {
      const auto body = json::parse(page.body, nullptr, false);
      if (!body.is_object() || body["alerts"].empty() || body["alerts"][0]["labels"]["instance"] != instance()) continue;
      auto& by_key = body.value("status", "") == "firing" ? out.firing : out.ends;
      ++by_key[page.path + " " + page.key];
    }
    return out;
  }
  bool told(std::size_t firing, std::size_t ends) const {
    return eventually(kPatience, [&] { return came().firing.size() >= firing && came().ends.size() >= ends; });
  }
  std::string everything() const { return instance() + "\n" + receiver_.text() + estate_.logs(); }

  /// One collector is ended at `failpoint` of the page (first) or of its end (second), and the next one goes on.
  void end_at(const std::string& failpoint, bool of_the_end) {
    ++round_;
    start(failpoint + (of_the_end ? ":2" : ":1"));
    ASSERT_TRUE(report(1)) << everything();
    if (of_the_end) {
      ASSERT_TRUE(told(1, 0) && recorded()) << everything();
      ASSERT_TRUE(report(0)) << everything();
    }
    ASSERT_TRUE(ended()) << everything();
    go_on(of_the_end);
  }
  void go_on(bool of_the_end) {
    start();
    if (!of_the_end) {
      ASSERT_TRUE(told(1, 0)) << everything();
      ASSERT_TRUE(report(0)) << everything();
    }
    ASSERT_TRUE(told(1, 1)) << everything();
    ASSERT_TRUE(recorded()) << everything();
    estate_.collector.kill();
  }
  void expect_each_once(int copies) {
    const auto all = came();
    EXPECT_EQ(all.firing.size(), 1U) << everything();
    EXPECT_EQ(all.ends.size(), 1U) << everything();
    EXPECT_LE(Came::most(all.firing), copies) << everything();
    EXPECT_LE(Came::most(all.ends), copies) << everything();
    doubled_ += Came::most(all.firing) + Came::most(all.ends) - 2;
  }
  void run(const std::string& failpoint, int copies, int usual = 2) {
    const auto begin = Clock::now();
    const auto count = rounds(usual);
    for (int i = 0; i < count && !HasFatalFailure(); ++i) {
      end_at(failpoint, i % 2 == 1);
      if (!HasFatalFailure()) expect_each_once(copies);
    }
    tell(failpoint, count, begin);
  }
  void tell(const std::string& failpoint, int count, Clock::time_point begin) const {
    std::cout << failpoint << ": " << count << " rounds, " << doubled_ << " messages twice, "
              << std::chrono::duration_cast<seconds>(Clock::now() - begin).count() << " s\n";
  }

  PageReceiver receiver_;
  Estate estate_;
  int round_ = 0;
  int doubled_ = 0;
};

// An end that was not stored waits the minute that alerts of an earlier life have to be seen again: only `./dev kills` has it.
TEST_F(KillRounds, K1BeforeTheCommitNothingIsToldTwice) { run("pages_before_commit", 1, 1); }
TEST_F(KillRounds, K2AfterTheCommitThePageGoesOutOnce) { run("pages_after_commit", 1); }
TEST_F(KillRounds, K4WithTheReplyInHandThePageComesAgainUnderItsKey) { run("reply_received", 2); }
TEST_F(KillRounds, K5AfterTheRecordNothingIsToldTwice) { run("result_recorded", 1); }

// The receiver has the page and has not answered.
TEST_F(KillRounds, K3WithThePageOnItsWayItComesAgainUnderItsKey) {
  const auto begin = Clock::now();
  const auto count = rounds(2);
  for (int i = 0; i < count && !HasFatalFailure(); ++i) {
    const bool of_the_end = i % 2 == 1;
    ++round_;
    start();
    ASSERT_TRUE(report(of_the_end ? 1 : 0)) << everything();
    if (of_the_end) ASSERT_TRUE(told(1, 0) && recorded()) << everything();
    receiver_.answer_by([this](const PageReceiver::Page&) {
      estate_.collector.signal(SIGKILL);
      return 200;
    });
    ASSERT_TRUE(report(of_the_end ? 0 : 1)) << everything();
    ASSERT_TRUE(ended()) << everything();
    receiver_.answer_by({});
    go_on(of_the_end);
    if (!HasFatalFailure()) expect_each_once(2);
  }
  tell("mid-send", count, begin);
}

/// The next level hears after two seconds.
class NextLevel : public KillRounds {
 protected:
  NextLevel() : KillRounds("---\nkind: Operations\napiVersion: ward/v1\nspec: {acknowledge_within: 2s}\n") {}
};

TEST_F(NextLevel, K6HearsThoughTheCollectorEndedBetweenItsTimeAndTheCommit) {
  const auto begin = Clock::now();
  const auto count = rounds(2);
  for (int i = 0; i < count; ++i) {
    ++round_;
    start(i % 2 == 0 ? "step_before_commit" : "step_after_commit");
    ASSERT_TRUE(report(1)) << everything();
    ASSERT_TRUE(ended()) << everything();
    EXPECT_EQ(came().firing.size(), 1U) << everything();
    start();
    ASSERT_TRUE(told(2, 0)) << everything();  // database, and platform in its stead
    ASSERT_TRUE(report(0)) << everything();
    ASSERT_TRUE(told(2, 2)) << everything();
    ASSERT_TRUE(recorded()) << everything();
    estate_.collector.kill();
    EXPECT_EQ(came().firing.size(), 2U) << everything();
    EXPECT_LE(Came::most(came().firing), 1) << everything();
  }
  tell("escalation step", count, begin);
}

// K7 and K8 are about leadership, which one collector with a store of its own does not need. What it must stand is being
// stopped and going on later.
TEST_F(KillRounds, GoesOnAfterAStopWithThePageOnItsWayAndSendsItOnce) {
  ++round_;
  start();
  ASSERT_TRUE(report(0)) << everything();
  receiver_.answer_by([this](const PageReceiver::Page&) {
    estate_.collector.signal(SIGSTOP);
    return 200;
  });
  ASSERT_TRUE(report(1)) << everything();
  ASSERT_TRUE(told(1, 0)) << everything();
  receiver_.answer_by({});
  ASSERT_TRUE(estate_.collector.survives(seconds{5}));
  estate_.collector.signal(SIGCONT);
  ASSERT_TRUE(recorded()) << everything();
  ASSERT_TRUE(report(0)) << everything();
  ASSERT_TRUE(told(1, 1) && recorded()) << everything();
  expect_each_once(1);
}

// A receiver that is down for a while gets one page when it is back, and meanwhile the next one has it.
TEST_F(KillRounds, ReceiverThatComesBackGetsThePageOnce) {
  ++round_;
  std::atomic<int> refused{0};
  receiver_.answer_by([&refused](const PageReceiver::Page&) { return ++refused <= 3 ? 503 : 200; });
  start();
  ASSERT_TRUE(report(1)) << everything();
  ASSERT_TRUE(eventually(kPatience, [&] { return refused >= 4; })) << everything();
  ASSERT_TRUE(recorded()) << everything();
  ASSERT_TRUE(report(0)) << everything();
  ASSERT_TRUE(told(1, 1) && recorded()) << everything();
  const auto all = came();
  EXPECT_EQ(all.firing.size(), 1U) << everything();
  EXPECT_EQ(Came::most(all.firing), 4) << "three refused, one taken, all of one key";
  EXPECT_EQ(Came::most(all.ends), 1) << everything();
}

class SecondChannel : public KillRounds {
 protected:
  SecondChannel() : KillRounds("", "second_channel_after: 2s\n") {}
};

TEST_F(SecondChannel, HasThePageWhileTheFirstIsDownAndBothHearTheEnd) {
  ++round_;
  std::atomic<bool> down{true};
  receiver_.answer_by([&down](const PageReceiver::Page& page) { return down && page.path == "/database" ? 503 : 200; });
  start();
  ASSERT_TRUE(report(1)) << everything();
  ASSERT_TRUE(told(2, 0)) << everything();
  down = false;
  ASSERT_TRUE(recorded()) << everything();
  ASSERT_TRUE(report(0)) << everything();
  ASSERT_TRUE(told(2, 2) && recorded()) << everything();
  const auto all = came();
  EXPECT_EQ(all.firing.size(), 2U) << everything();
  for (const auto& [key, times] : all.firing)
    if (key.starts_with("/platform")) EXPECT_EQ(times, 1) << everything();
}

}  // namespace
}  // namespace ward::test
