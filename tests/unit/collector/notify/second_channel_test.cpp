// A page that is late goes to a second receiver too; what is said again; what a channel remembers. In virtual time.
#include <gtest/gtest.h>
#include <map>

#include "collector/event/json.hpp"
#include "collector/notify/outbox.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;
using Kind = SendOutcome::Kind;
using Lines = std::vector<std::string>;

/// An outbox whose receivers are up or down, over a store that keeps every row; time goes in steps of a second.
class Ward {
 public:
  Ward() { restart(); }

  void restart() {
    Outbox::Options options{.fallbacks = {{"pd", "slack"}, {"slack", "mail"}, {"mail", "pd"}}};
    options.refresh = {{"am", 60s}};
    outbox = std::make_unique<Outbox>(std::move(options), random_);
    outbox->accept(stored);
  }
  void tell(NoticeKind kind, const std::string& receiver = "pd", AlertClass cls = AlertClass::urgent) {
    Notice notice{.kind = kind, .incident = {}};
    notice.incident.id = "I1";
    notice.incident.cls = cls;
    const std::vector<Delivery> one{{.key = "k" + std::to_string(++told_),
                                     .incident = "I1",
                                     .kind = kind,
                                     .receiver = receiver,
                                     .body = to_json(notice),
                                     .created_at = clock.wall()}};
    commit({.updates = {}, .added = outbox->plan(one, clock.wall())});
  }
  /// Seconds go by; every receiver in `down` answers as it does, all others take what they get.
  void pass(std::chrono::seconds time) {
    for (auto left = time; left.count() > 0; left -= 1s) {
      turn();
      clock.advance(1s);
    }
  }
  void turn() {
    commit({.updates = {}, .added = outbox->overdue(clock.mono(), clock.wall())});
    for (auto batch = outbox->due(clock.mono()); !batch.empty(); batch = outbox->due(clock.mono()))
      for (const auto& d : batch) {
        ++asked[d.receiver];
        const auto state = down.find(d.receiver);
        SendOutcome outcome{.kind = state == down.end() ? Kind::delivered : state->second, .error = ""};
        if (outcome.kind == Kind::delivered) {
          got.push_back(std::string(to_string(d.kind)) + " to " + d.receiver + " at " +
                        std::to_string((clock.wall() - begin_) / 1s) + " s");
          if (!remembers.empty()) outcome.remembered = remembers;
        }
        commit(outbox->on_result(d.key, outcome, clock.mono(), clock.wall()));
      }
  }
  void commit(const Outbox::Change& change) {
    stored.insert(stored.end(), change.added.begin(), change.added.end());
    for (const auto& row : change.updates)
      for (auto& kept : stored)
        if (kept.delivery.key == row.delivery.key) kept = row;
    outbox->accept(change.added);
  }
  /// How often a receiver took a kind.
  [[nodiscard]] std::ptrdiff_t count(const std::string& what) const {
    return std::count_if(got.begin(), got.end(), [&](const std::string& line) { return line.starts_with(what + " at"); });
  }

  test::ManualClock clock;
  std::map<std::string, Kind> down;
  std::map<std::string, int> asked;
  Lines got;
  std::string remembers;
  std::vector<DeliveryRow> stored;
  std::unique_ptr<Outbox> outbox;

 private:
  test::SeededRandom random_;
  Time begin_ = clock.wall();
  int told_ = 0;
};

TEST(SecondChannel, ReceiverDownForHalfAnHourOnePageAfterwardsAndTheSecondChannelAtAMinute) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(30min);
  EXPECT_EQ(ward.got, (Lines{"fire to slack at 60 s"}));
  EXPECT_GT(ward.asked["pd"], 30) << "it is asked on";
  ward.down.clear();
  ward.pass(2min);
  EXPECT_EQ(ward.count("fire to pd"), 1);
  ward.tell(NoticeKind::resolve);
  ward.pass(2min);
  EXPECT_EQ(ward.got.size(), 4U);
  EXPECT_EQ(ward.count("resolve to pd"), 1);
  EXPECT_EQ(ward.count("resolve to slack"), 1);
  EXPECT_EQ(ward.outbox->pending(), 0U);
  EXPECT_EQ(ward.outbox->stats().doubled, 1U);
}

TEST(SecondChannel, BothHearOfAnEndThatComesWhileTheReceiverIsDown) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(5min);
  ward.tell(NoticeKind::resolve);
  ward.pass(5min);
  EXPECT_EQ(ward.got, (Lines{"fire to slack at 60 s", "resolve to slack at 300 s"}));
  ward.down.clear();
  ward.pass(3min);
  ASSERT_EQ(ward.got.size(), 4U);
  EXPECT_TRUE(ward.got[2].starts_with("fire to pd"));
  EXPECT_TRUE(ward.got[3].starts_with("resolve to pd"));
  EXPECT_EQ(ward.outbox->pending(), 0U);
}

TEST(SecondChannel, IsForPagesAlone) {
  for (const auto& [cls, doubled] : {std::pair{AlertClass::informational, 0U}, std::pair{AlertClass::actionable, 0U},
                                     std::pair{AlertClass::urgent, 1U}, std::pair{AlertClass::executive, 1U}}) {
    Ward ward;
    ward.down = {{"pd", Kind::retry}};
    ward.tell(NoticeKind::fire, "pd", cls);
    ward.pass(5min);
    EXPECT_EQ(ward.got.size(), doubled) << to_string(cls);
  }
}

TEST(SecondChannel, IsNotNeededForWhatIsDeliveredInTime) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(20s);
  ward.down.clear();
  ward.pass(5min);
  EXPECT_EQ(ward.got.size(), 1U);
  EXPECT_EQ(ward.count("fire to pd"), 1);
}

TEST(SecondChannel, WakesNobodyForWhatIsOver) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(30s);
  ward.tell(NoticeKind::resolve);
  ward.pass(10min);
  EXPECT_TRUE(ward.got.empty());
}

TEST(SecondChannel, HearsOfWhatBeganAgain) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(90s);
  ward.tell(NoticeKind::resolve);
  ward.pass(90s);
  ward.tell(NoticeKind::fire);
  ward.pass(90s);
  ward.tell(NoticeKind::resolve);
  ward.pass(90s);
  EXPECT_EQ(ward.got, (Lines{"fire to slack at 60 s", "resolve to slack at 90 s", "fire to slack at 240 s",
                             "resolve to slack at 270 s"}));
  ward.down.clear();
  ward.pass(5min);
  EXPECT_EQ(ward.count("fire to pd"), 2);
  EXPECT_EQ(ward.count("resolve to pd"), 2);
  EXPECT_EQ(ward.got.size(), 8U);
}

TEST(SecondChannel, ARestartDoesNotBeginTheWaitAnew) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(50s);
  ward.restart();
  ward.pass(30s);
  EXPECT_EQ(ward.got, (Lines{"fire to slack at 60 s"}));
  ward.restart();
  ward.pass(5min);
  EXPECT_EQ(ward.got.size(), 1U) << "and doubles nothing twice";
  ward.tell(NoticeKind::resolve);
  ward.restart();
  ward.down.clear();
  ward.pass(3min);
  EXPECT_EQ(ward.count("resolve to pd"), 1);
  EXPECT_EQ(ward.count("resolve to slack"), 1);
  EXPECT_EQ(ward.got.size(), 4U);
}

TEST(SecondChannel, AfterALongStandstillTheReceiverHasItsChanceFirst) {
  Ward ward;
  ward.tell(NoticeKind::fire);
  ward.clock.advance(10min);
  ward.restart();
  ward.pass(5min);
  EXPECT_EQ(ward.got, (Lines{"fire to pd at 600 s"}));
}

TEST(SecondChannel, IsLateItselfThenAThirdIsAsked) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}, {"slack", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(10min);
  EXPECT_EQ(ward.got, (Lines{"fire to mail at 121 s"}));
  ward.tell(NoticeKind::resolve);
  ward.down.clear();
  ward.pass(3min);
  for (const auto* receiver : {"pd", "slack", "mail"}) {
    EXPECT_EQ(ward.count("fire to " + std::string(receiver)), 1) << receiver;
    EXPECT_EQ(ward.count("resolve to " + std::string(receiver)), 1) << receiver;
  }
  EXPECT_EQ(ward.got.size(), 6U);
}

TEST(SecondChannel, IsNotToldTwiceWhenTheReceiverRefusesAfterAll) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(2min);
  ward.tell(NoticeKind::escalate, "pd", AlertClass::executive);
  ward.pass(10s);
  ward.down = {{"pd", Kind::refused}};
  ward.pass(2min);
  ward.tell(NoticeKind::resolve);
  ward.pass(2min);
  EXPECT_EQ(ward.count("fire to slack"), 1);
  EXPECT_EQ(ward.count("escalate to slack"), 1);
  EXPECT_EQ(ward.count("resolve to slack"), 1);
  EXPECT_EQ(ward.got.size(), 3U);
  EXPECT_EQ(ward.outbox->pending(), 0U);
}

TEST(SecondChannel, WhoKnowsAlreadyIsNotToldAgain) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire, "slack");
  ward.tell(NoticeKind::fire, "pd");
  ward.pass(5min);
  EXPECT_EQ(ward.got, (Lines{"fire to slack at 0 s"}));
}

TEST(SecondChannel, HearsOfAnEscalationThatIsLate) {
  Ward ward;
  ward.tell(NoticeKind::fire, "pd", AlertClass::actionable);
  ward.pass(5s);
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::escalate, "pd", AlertClass::urgent);
  ward.pass(5min);
  EXPECT_EQ(ward.got, (Lines{"fire to pd at 0 s", "escalate to slack at 65 s"}));
  ward.down.clear();
  ward.tell(NoticeKind::resolve);
  ward.pass(2min);
  EXPECT_EQ(ward.count("resolve to pd"), 1);
  EXPECT_EQ(ward.count("resolve to slack"), 1);
}

TEST(SecondChannel, HearsThatSomebodyIsOnIt) {
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(90s);
  ward.tell(NoticeKind::acknowledge);
  ward.pass(5s);
  EXPECT_EQ(ward.got, (Lines{"fire to slack at 60 s", "acknowledge to slack at 90 s"}));
}

TEST(SecondChannel, ARefusedFirstBeginningDoesNotSilenceTheNext) {
  // slack heard the first life of the incident to its end while pd still owes it; the second life must reach it as well.
  Ward ward;
  ward.down = {{"pd", Kind::retry}};
  ward.tell(NoticeKind::fire);
  ward.pass(90s);
  ward.tell(NoticeKind::resolve);
  ward.pass(5s);
  ward.tell(NoticeKind::fire);
  ward.down = {{"pd", Kind::refused}};
  ward.pass(3min);
  ward.tell(NoticeKind::resolve);
  ward.pass(3min);
  EXPECT_EQ(ward.count("fire to slack"), 2);
  EXPECT_EQ(ward.count("resolve to slack"), 2);
  EXPECT_EQ(ward.outbox->pending(), 0U);
}

TEST(Repetition, SaysTheLastWordOfAnOpenIncidentAgain) {
  Ward ward;
  ward.tell(NoticeKind::fire, "am");
  ward.pass(150s);
  EXPECT_EQ(ward.got, (Lines{"fire to am at 0 s", "fire to am at 60 s", "fire to am at 120 s"}));
  ward.got.clear();
  ward.tell(NoticeKind::escalate, "am", AlertClass::executive);
  ward.pass(61s);
  EXPECT_EQ(ward.got, (Lines{"escalate to am at 150 s", "escalate to am at 210 s"}));
  ward.tell(NoticeKind::resolve, "am");
  ward.got.clear();
  ward.pass(10min);
  EXPECT_EQ(ward.got, (Lines{"resolve to am at 211 s"}));
}

TEST(Repetition, GoesOnAfterARestart) {
  Ward ward;
  ward.tell(NoticeKind::fire, "am");
  ward.pass(30s);
  ward.restart();
  ward.pass(70s);
  EXPECT_EQ(ward.got, (Lines{"fire to am at 0 s", "fire to am at 30 s", "fire to am at 90 s"}));
}

TEST(Repetition, ThatIsNotTakenChangesNothingAndIsTriedSooner) {
  Ward ward;
  ward.tell(NoticeKind::fire, "am");
  ward.pass(10s);
  const auto before = ward.stored;
  for (const auto kind : {Kind::retry, Kind::refused}) {
    ward.down = {{"am", kind}};
    ward.pass(100s);
  }
  EXPECT_EQ(ward.stored, before);
  EXPECT_GE(ward.outbox->stats().unrefreshed, 8U);
  EXPECT_EQ(ward.outbox->undeliverable(), 0U);
  ward.down.clear();
  ward.got.clear();
  ward.pass(16s);
  EXPECT_EQ(ward.got.size(), 1U);
}

TEST(Memory, IsStoredWithTheRowAndHandedToTheNextMessage) {
  Ward ward;
  ward.tell(NoticeKind::fire);
  EXPECT_EQ(ward.outbox->attempt_of("k1").remembered, "");
  EXPECT_EQ(ward.outbox->attempt_of("k1").number, 1U);
  ward.remembers = "C0 17.1";
  ward.pass(1s);
  EXPECT_EQ(ward.stored.at(0).remembered, "C0 17.1");
  ward.restart();
  ward.tell(NoticeKind::resolve);
  EXPECT_EQ(ward.outbox->attempt_of("k2").remembered, "C0 17.1");
  EXPECT_EQ(ward.outbox->attempt_of("nobody").remembered, "");
}

TEST(Memory, IsOfOneReceiverAlone) {
  Ward ward;
  ward.remembers = "C0 17.1";
  ward.tell(NoticeKind::fire, "slack");
  ward.pass(1s);
  ward.tell(NoticeKind::fire, "pd");
  EXPECT_EQ(ward.outbox->attempt_of("k2").remembered, "");
}

}  // namespace
}  // namespace ward::collector
