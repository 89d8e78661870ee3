#include "collector/notify/outbox.hpp"

#include <gtest/gtest.h>

#include "tests/support/manual_clock.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;
using test::ManualClock;
using test::SeededRandom;
using Kind = SendOutcome::Kind;
using Lines = std::vector<std::string>;

const SendOutcome kDelivered{};
const SendOutcome kRetry{.kind = Kind::retry, .retry_after = 0ms, .error = "HTTP 503"};
const SendOutcome kRefused{.kind = Kind::refused, .retry_after = 0ms, .error = "HTTP 410"};

Delivery delivery(NoticeKind kind, std::string receiver = "pd-db", std::string incident = "I1") {
  Delivery d;
  d.key = incident + "-" + std::string(to_string(kind)) + "-" + receiver;
  d.incident = std::move(incident);
  d.kind = kind;
  d.receiver = std::move(receiver);
  d.body = "{}";
  return d;
}

/// An outbox in virtual time over a store that keeps every committed row.
class Desk {
 public:
  Desk() { restart(); }

  void restart() {
    outbox = std::make_unique<Outbox>(
        Outbox::Options{.fallbacks = {{"pd-db", "pd-platform"}, {"pd-platform", "mail"}, {"mail", "pd-db"}}}, random_);
    outbox->accept(stored);
  }
  void add(std::vector<Delivery> deliveries) {
    for (auto& d : deliveries) d.created_at = clock.wall();
    const auto rows = outbox->plan(deliveries, clock.wall());
    commit({.updates = {}, .added = rows});
  }
  void commit(const Outbox::Change& change) {
    stored.insert(stored.end(), change.added.begin(), change.added.end());
    for (const auto& row : change.updates)
      for (auto& kept : stored)
        if (kept.delivery.key == row.delivery.key) kept = row;
    outbox->accept(change.added);
  }
  Lines due() {
    Lines out;
    for (const auto& d : outbox->due(clock.mono())) out.push_back(d.key);
    return out;
  }
  void result(const std::string& key, const SendOutcome& outcome) {
    commit(outbox->on_result(key, outcome, clock.mono(), clock.wall()));
  }
  /// Sends until nothing is due any more; every receiver in `dead` refuses.
  Lines drain(const std::set<std::string>& dead = {}) {
    Lines delivered;
    for (auto batch = outbox->due(clock.mono()); !batch.empty(); batch = outbox->due(clock.mono()))
      for (const auto& d : batch) {
        const bool refused = dead.contains(d.receiver);
        if (!refused) delivered.push_back(std::string(to_string(d.kind)) + " " + d.incident + " to " + d.receiver);
        result(d.key, refused ? kRefused : kDelivered);
      }
    return delivered;
  }
  [[nodiscard]] DeliveryState state(const std::string& key) const {
    for (const auto& row : stored)
      if (row.delivery.key == key) return row.state;
    ADD_FAILURE() << "no row " << key;
    return DeliveryState::pending;
  }

  ManualClock clock;
  std::vector<DeliveryRow> stored;
  std::unique_ptr<Outbox> outbox;

 private:
  SeededRandom random_;
};

TEST(Outbox, SendsNothingThatIsNotCommitted) {
  Desk desk;
  const std::vector<Delivery> fire{delivery(NoticeKind::fire)};
  const auto rows = desk.outbox->plan(fire, desk.clock.wall());
  EXPECT_TRUE(desk.due().empty());
  desk.outbox->accept(rows);
  EXPECT_EQ(desk.due(), (Lines{"I1-fire-pd-db"}));
}

TEST(Outbox, KeepsTheOrderOfAnIncidentPerReceiver) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire), delivery(NoticeKind::escalate), delivery(NoticeKind::resolve)});
  EXPECT_EQ(desk.due(), (Lines{"I1-fire-pd-db"}));
  EXPECT_TRUE(desk.due().empty());
  desk.result("I1-fire-pd-db", kRetry);
  desk.clock.advance(2s);
  EXPECT_EQ(desk.due(), (Lines{"I1-fire-pd-db"}));
  desk.result("I1-fire-pd-db", kDelivered);
  EXPECT_EQ(desk.drain(), (Lines{"escalate I1 to pd-db", "resolve I1 to pd-db"}));
}

TEST(Outbox, SendsOneAtATimePerReceiverAndReceiversSideBySide) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire, "pd-db", "I1"), delivery(NoticeKind::fire, "pd-db", "I2"),
            delivery(NoticeKind::fire, "pd-app", "I3")});
  EXPECT_EQ(desk.due(), (Lines{"I1-fire-pd-db", "I3-fire-pd-app"}));
}

TEST(Outbox, AWaitingIncidentDoesNotHoldUpAnother) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire, "pd-db", "I1"), delivery(NoticeKind::fire, "pd-db", "I2")});
  desk.due();
  desk.result("I1-fire-pd-db", kRetry);
  EXPECT_EQ(desk.due(), (Lines{"I2-fire-pd-db"}));
}

TEST(Outbox, RetriesForEverWithGrowingJitteredWaits) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  std::chrono::nanoseconds longest{0};
  for (int attempt = 0; attempt < 200; ++attempt) {
    ASSERT_EQ(desk.due().size(), 1U) << attempt;
    desk.result("I1-fire-pd-db", kRetry);
    const auto wake = desk.outbox->next_wake(desk.clock.mono());
    ASSERT_TRUE(wake);
    const auto wait = *wake - desk.clock.mono();
    const auto bound = std::min<std::chrono::nanoseconds>(60s, 1s * (1LL << std::min(attempt, 10)));
    EXPECT_LE(wait, bound);
    EXPECT_GE(wait, bound / 10);
    longest = std::max(longest, wait);
    desk.clock.advance(std::chrono::ceil<milliseconds>(wait));
  }
  EXPECT_GT(longest, 50s);
  EXPECT_EQ(desk.outbox->stats().retries, 200U);
}

TEST(Outbox, HonoursRetryAfterWithinReason) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.due();
  desk.result("I1-fire-pd-db", {.kind = Kind::retry, .retry_after = 30s, .error = ""});
  EXPECT_EQ(*desk.outbox->next_wake(desk.clock.mono()) - desk.clock.mono(), 30s);
  desk.clock.advance(30s);
  desk.due();
  desk.result("I1-fire-pd-db", {.kind = Kind::retry, .retry_after = 24h, .error = ""});
  EXPECT_EQ(*desk.outbox->next_wake(desk.clock.mono()) - desk.clock.mono(), 10min);
}

TEST(Outbox, GoesToTheFallbackAtOnceWhenRefused) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  EXPECT_EQ(desk.drain({"pd-db"}), (Lines{"fire I1 to pd-platform"}));
  EXPECT_EQ(desk.state("I1-fire-pd-db"), DeliveryState::failed_permanent);
  EXPECT_EQ(desk.outbox->stats(), (OutboxStats{.delivered = 1, .refused = 1, .redirected = 1}));
  desk.add({delivery(NoticeKind::resolve)});
  EXPECT_EQ(desk.drain(), (Lines{"resolve I1 to pd-platform"}));
}

TEST(Outbox, MovesWhatQueuesBehindARefusalInOrder) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire), delivery(NoticeKind::escalate), delivery(NoticeKind::resolve)});
  EXPECT_EQ(desk.drain({"pd-db"}),
            (Lines{"fire I1 to pd-platform", "escalate I1 to pd-platform", "resolve I1 to pd-platform"}));
  EXPECT_EQ(desk.state("I1-resolve-pd-db"), DeliveryState::superseded);
}

TEST(Outbox, WalksTheFallbacks) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  EXPECT_EQ(desk.drain({"pd-db", "pd-platform"}), (Lines{"fire I1 to mail"}));
  EXPECT_EQ(desk.outbox->undeliverable(), 0U);
}

TEST(Outbox, AsksTheLastReceiverAgainWhenAllRefuse) {
  Desk desk;
  const std::set<std::string> all{"pd-db", "pd-platform", "mail"};
  desk.add({delivery(NoticeKind::fire)});
  EXPECT_TRUE(desk.drain(all).empty());
  for (int minute = 0; minute < 3; ++minute) {
    EXPECT_EQ(desk.outbox->undeliverable(), 1U);
    EXPECT_EQ(desk.outbox->pending(), 1U);
    desk.clock.advance(59s);
    EXPECT_TRUE(desk.due().empty());
    desk.clock.advance(1s);
    EXPECT_TRUE(desk.drain(all).empty());
  }
  desk.restart();
  EXPECT_TRUE(desk.drain(all).empty());
  EXPECT_EQ(desk.outbox->undeliverable(), 1U);
  desk.clock.advance(60s);
  EXPECT_EQ(desk.drain(), (Lines{"fire I1 to mail"}));
  EXPECT_EQ(desk.outbox->undeliverable(), 0U);
}

TEST(Outbox, KeepsTheEndBehindAPageThatNobodyTook) {
  Desk desk;
  const std::set<std::string> all{"pd-db", "pd-platform", "mail"};
  desk.add({delivery(NoticeKind::fire)});
  desk.drain(all);
  desk.add({delivery(NoticeKind::resolve)});
  desk.clock.advance(60s);
  EXPECT_EQ(desk.drain(), (Lines{"fire I1 to mail", "resolve I1 to mail"}));
  EXPECT_EQ(desk.outbox->pending(), 0U);
}

TEST(Outbox, AnEndThatIsRefusedIsNoUndeliverablePage) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.drain();
  desk.add({delivery(NoticeKind::resolve)});
  desk.drain({"pd-db", "pd-platform", "mail"});
  EXPECT_EQ(desk.outbox->pending(), 1U);
  EXPECT_EQ(desk.outbox->undeliverable(), 0U);
  EXPECT_EQ(desk.outbox->oldest_pending(), std::nullopt);
}

TEST(Outbox, ARefusedEndDoesNotStandBeforeTheNextPageOfItsIncident) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.drain();
  desk.add({delivery(NoticeKind::resolve)});
  desk.drain({"pd-db", "pd-platform", "mail"});
  auto again = delivery(NoticeKind::fire);
  again.key += "-reopened";
  desk.add({again});
  desk.clock.advance(60s);
  desk.drain({"pd-db", "pd-platform", "mail"});
  desk.clock.advance(60s);
  EXPECT_FALSE(desk.drain().empty());
  EXPECT_EQ(desk.outbox->pending(), 0U);
}

TEST(Outbox, GivesUpWhatAllRefuseADayAfterItsIncidentHasEnded) {
  Desk desk;
  const std::set<std::string> all{"pd-db", "pd-platform", "mail"};
  auto fire = delivery(NoticeKind::fire);
  fire.created_at = desk.clock.wall();
  desk.add({fire});
  desk.drain(all);
  desk.clock.advance(48h);
  desk.drain(all);
  EXPECT_EQ(desk.outbox->undeliverable(), 1U) << "its incident is open";
  auto end = delivery(NoticeKind::resolve);
  end.created_at = desk.clock.wall();
  desk.add({end});
  desk.clock.advance(60s);
  desk.drain(all);
  EXPECT_EQ(desk.outbox->undeliverable(), 0U);
  EXPECT_EQ(desk.outbox->pending(), 1U);
  desk.clock.advance(24h);
  desk.drain(all);
  EXPECT_EQ(desk.outbox->pending(), 0U);
}

TEST(Outbox, TurnsToTheLastResortForAReceiverThatIsGone) {
  SeededRandom random;
  ManualClock clock;
  Outbox outbox({.fallbacks = {}, .last_resort = "pd-platform"}, random);
  const std::vector<Delivery> fire{delivery(NoticeKind::fire, "pd-old")};
  outbox.accept(outbox.plan(fire, clock.wall()));
  ASSERT_EQ(outbox.due(clock.mono()).size(), 1U);
  const auto change = outbox.on_result("I1-fire-pd-old", kRefused, clock.mono(), clock.wall());
  ASSERT_EQ(change.added.size(), 1U);
  EXPECT_EQ(change.added[0].delivery.receiver, "pd-platform");
}

TEST(Outbox, TellsTheEndToBothWhoHeardAPart) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.drain();
  desk.add({delivery(NoticeKind::escalate)});
  EXPECT_EQ(desk.drain({"pd-db"}), (Lines{"escalate I1 to pd-platform"}));
  desk.add({delivery(NoticeKind::resolve)});
  EXPECT_EQ(desk.drain(), (Lines{"resolve I1 to pd-db", "resolve I1 to pd-platform"}));
}

TEST(Outbox, TellsAFallbackThatHeardItselfOnlyOnce) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire, "pd-platform"), delivery(NoticeKind::fire, "pd-db")});
  EXPECT_EQ(desk.drain({"pd-db"}), (Lines{"fire I1 to pd-platform"}));
  desk.add({delivery(NoticeKind::resolve, "pd-db"), delivery(NoticeKind::resolve, "pd-platform")});
  EXPECT_EQ(desk.drain(), (Lines{"resolve I1 to pd-platform"}));
}

TEST(Outbox, KeepsTheEndForAFallbackWhoseRowIsNotCommittedYet) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.due();
  const auto change = desk.outbox->on_result("I1-fire-pd-db", kRefused, desk.clock.mono(), desk.clock.wall());
  desk.add({delivery(NoticeKind::resolve)});
  EXPECT_TRUE(desk.due().empty());
  desk.commit(change);
  EXPECT_EQ(desk.drain(), (Lines{"fire I1 to pd-platform", "resolve I1 to pd-platform"}));
}

TEST(Outbox, IgnoresADeliveryItKnows) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire), delivery(NoticeKind::fire)});
  desk.add({delivery(NoticeKind::fire)});
  EXPECT_EQ(desk.stored.size(), 1U);
}

TEST(Outbox, SendsTheSameKeyAgainAfterACrashAtAnyPoint) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.restart();  // committed, not sent
  EXPECT_EQ(desk.due(), (Lines{"I1-fire-pd-db"}));
  desk.restart();  // sent, no answer recorded
  EXPECT_EQ(desk.due(), (Lines{"I1-fire-pd-db"}));
  desk.result("I1-fire-pd-db", kRetry);
  desk.restart();
  EXPECT_EQ(desk.due(), (Lines{"I1-fire-pd-db"}));
  desk.result("I1-fire-pd-db", kDelivered);
  desk.restart();  // recorded
  EXPECT_TRUE(desk.due().empty());
  desk.add({delivery(NoticeKind::resolve)});
  desk.restart();
  EXPECT_EQ(desk.drain(), (Lines{"resolve I1 to pd-db"}));
}

TEST(Outbox, RemembersARefusalOverARestart) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.drain({"pd-db"});
  desk.restart();
  desk.add({delivery(NoticeKind::resolve)});
  EXPECT_EQ(desk.drain(), (Lines{"resolve I1 to pd-platform"}));
}

TEST(Outbox, ForgetsAnIncidentThatIsToldToItsEnd) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire), delivery(NoticeKind::resolve)});
  desk.drain();
  EXPECT_EQ(desk.outbox->pending(), 0U);
  EXPECT_EQ(desk.outbox->oldest_pending(), std::nullopt);
  EXPECT_EQ(desk.outbox->next_wake(desk.clock.mono()), std::nullopt);
  auto again = delivery(NoticeKind::fire);
  again.key += "-reopened";
  desk.add({again});
  EXPECT_EQ(desk.drain(), (Lines{"fire I1 to pd-db"}));
}

TEST(Outbox, ARefusedUpdateSendsNoPageElsewhere) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.drain();
  desk.add({delivery(NoticeKind::update)});
  EXPECT_EQ(desk.drain({"pd-db"}), Lines{}) << "nobody else hears of an update";
  desk.add({delivery(NoticeKind::escalate)});
  EXPECT_EQ(desk.drain(), (Lines{"escalate I1 to pd-db"}));
}

/// Another update of the same incident to the same receiver.
Delivery update(const std::string& name) {
  auto out = delivery(NoticeKind::update);
  out.key += "-" + name;
  return out;
}

TEST(Outbox, NewsHoldsBackNoPageAndIsNotToldAfterIt) {
  for (const auto kind : {NoticeKind::update, NoticeKind::acknowledge}) {
    Desk desk;
    desk.add({delivery(NoticeKind::fire)});
    desk.drain();
    desk.add({delivery(kind)});
    ASSERT_EQ(desk.due(), (Lines{delivery(kind).key}));
    desk.add({delivery(NoticeKind::escalate)});
    desk.result(delivery(kind).key, kRetry);
    EXPECT_EQ(desk.drain(), (Lines{"escalate I1 to pd-db"})) << "the page goes at once";
    EXPECT_EQ(desk.state(delivery(kind).key), DeliveryState::superseded) << "it tells of an older state";
    desk.clock.advance(10min);
    EXPECT_EQ(desk.drain(), Lines{});
  }
}

TEST(Outbox, TellsNoNewsAfterTheEnd) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire)});
  desk.drain();
  desk.add({delivery(NoticeKind::acknowledge)});
  desk.due();
  desk.result(delivery(NoticeKind::acknowledge).key, kRetry);
  desk.add({delivery(NoticeKind::resolve)});
  ASSERT_EQ(desk.due(), (Lines{delivery(NoticeKind::resolve).key}));
  desk.result(delivery(NoticeKind::resolve).key, kRetry);
  desk.clock.advance(10min);
  EXPECT_EQ(desk.drain(), (Lines{"resolve I1 to pd-db"})) << "the receiver may have taken the end already";
  desk.restart();
  desk.clock.advance(10min);
  EXPECT_EQ(desk.drain(), Lines{});
}

TEST(Outbox, AnUpdateBehindAPageWaitsForThePage) {
  Desk desk;
  desk.add({delivery(NoticeKind::fire), update("1")});
  ASSERT_EQ(desk.due(), (Lines{delivery(NoticeKind::fire).key}));
  desk.result(delivery(NoticeKind::fire).key, kRetry);
  EXPECT_EQ(desk.due(), Lines{});
  desk.clock.advance(10min);
  EXPECT_EQ(desk.drain(), (Lines{"fire I1 to pd-db", "update I1 to pd-db"}));
}

}  // namespace
}  // namespace ward::collector
