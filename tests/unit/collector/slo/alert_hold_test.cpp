#include <gtest/gtest.h>

#include "collector/slo/burn.hpp"

namespace ward::collector::slo {
namespace {

using Signal = Demand::Signal;

Time at(int seconds) { return from_ms(1'795'000'020'000) + std::chrono::seconds{seconds}; }  // a whole minute at 0

AlertEvent render(AlertClass cls) {
  AlertEvent event;
  event.labels = {{"alertname", "a"}, {"class", std::string(to_string(cls))}};
  return event;
}
Demand on(AlertClass cls = AlertClass::urgent) { return {Signal::on, cls, false, 1}; }

std::string told(const std::vector<AlertEvent>& events) {
  std::string out;
  for (const auto& e : events)
    out += std::string(out.empty() ? "" : ", ") + std::string(to_string(e.phase)) + " " + std::string(e.labels.get("class"));
  return out;
}

TEST(AlertHold, FiresOnceAndEndsOnce) {
  AlertHold hold;
  EXPECT_EQ(told(hold.step(at(0), on(), render)), "firing urgent");
  EXPECT_EQ(told(hold.step(at(30), on(), render)), "");
  EXPECT_EQ(told(hold.step(at(60), {}, render)), "");
  EXPECT_EQ(told(hold.step(at(90), {}, render)), "") << "one clean minute is too little";
  EXPECT_EQ(told(hold.step(at(120), {}, render)), "resolved urgent");
  EXPECT_EQ(told(hold.step(at(180), {}, render)), "");
}

TEST(AlertHold, KeepsWhatIsToldWhileNothingIsKnown) {
  AlertHold hold;
  hold.step(at(0), on(), render);
  for (int t = 60; t < 3'600; t += 60) EXPECT_EQ(told(hold.step(at(t), {.signal = Signal::unknown}, render)), "");
  EXPECT_TRUE(hold.fires());
}

TEST(AlertHold, ChangesClassWithoutAGap) {
  AlertHold hold;
  hold.step(at(0), on(AlertClass::actionable), render);
  EXPECT_EQ(told(hold.step(at(60), on(AlertClass::urgent), render)), "firing urgent, resolved actionable");
  EXPECT_EQ(told(hold.step(at(120), on(AlertClass::actionable), render)), "firing actionable, resolved urgent");
  EXPECT_EQ(hold.active()->active_at, at(0));
}

TEST(AlertHold, WaitsWhileItIsHeld) {
  AlertHold hold;
  auto held = on();
  held.held = true;
  EXPECT_EQ(told(hold.step(at(0), held, render)), "pending urgent");
  EXPECT_EQ(told(hold.step(at(60), held, render)), "");
  const auto fired = hold.step(at(120), on(), render);
  EXPECT_EQ(told(fired), "firing urgent");
  EXPECT_EQ(fired[0].active_at, at(0));
  EXPECT_EQ(fired[0].fired_at, at(120));
  EXPECT_EQ(told(hold.step(at(150), held, render)), "") << "a graver pair that waits does not take the page back";
}

TEST(AlertHold, DropsAPendingAlertAtOnce) {
  AlertHold hold;
  auto held = on();
  held.held = true;
  hold.step(at(0), held, render);
  EXPECT_EQ(told(hold.step(at(30), {}, render)), "resolved urgent");
}

TEST(AlertHold, TellsAgainWhatAnEarlierLifeToldAndKeepsItsTimes) {
  AlertHold first;
  first.step(at(0), on(), render);
  AlertHold second;
  second.restore(*first.active());
  const auto again = second.step(at(600), on(), render);
  ASSERT_EQ(told(again), "firing urgent");
  EXPECT_EQ(again[0].active_at, at(0));
  EXPECT_EQ(again[0].fired_at, at(0));
  EXPECT_EQ(told(second.step(at(630), on(), render)), "");
}

TEST(AlertHold, EndsWhatAnEarlierLifeToldAndIsOver) {
  AlertHold hold;
  auto event = render(AlertClass::urgent);
  event.phase = AlertPhase::firing;
  hold.restore(event);
  hold.step(at(0), {}, render);
  EXPECT_EQ(told(hold.step(at(60), {}, render)), "resolved urgent");
}

TEST(AlertHold, NeverBeginsInTheFuture) {
  AlertHold hold;
  hold.step(at(3'600), on(AlertClass::actionable), render);
  const auto events = hold.step(at(0), on(AlertClass::urgent), render);
  EXPECT_EQ(events[0].active_at, at(0)) << "the clock was set back";
}

const std::vector<BurnWindow> kPairs{{std::chrono::hours{1}, std::chrono::minutes{5}, 14.4, AlertClass::urgent, {}},
                                     {std::chrono::days{3}, std::chrono::hours{6}, 1, AlertClass::actionable, {}}};

TEST(BurnWatch, NeedsBothWindows) {
  BurnWatch watch;
  EXPECT_EQ(watch.step(at(0), kPairs, {{20, 10}, {0.5, 5}}).signal, Signal::off);
  EXPECT_EQ(watch.step(at(0), kPairs, {{10, 20}, {5, 0.5}}).signal, Signal::off);
  EXPECT_EQ(watch.step(at(0), kPairs, {{14.4, 14.4}, {1, 1}}).signal, Signal::off) << "more than, not as much as";
}

TEST(BurnWatch, IsAsGraveAsTheGravestPairThatBurns) {
  BurnWatch watch;
  EXPECT_EQ(watch.step(at(0), kPairs, {{20, 20}, {2, 2}}), (Demand{Signal::on, AlertClass::urgent, false, 20}));
  EXPECT_EQ(watch.step(at(0), kPairs, {{2, 2}, {2, 3}}), (Demand{Signal::on, AlertClass::actionable, false, 2}));
}

TEST(BurnWatch, IsUnknownWhenNothingBurnsAndSomethingIsUnknown) {
  BurnWatch watch;
  EXPECT_EQ(watch.step(at(0), kPairs, {{std::nullopt, std::nullopt}, {0, 0}}).signal, Signal::unknown);
  EXPECT_EQ(watch.step(at(0), kPairs, {{std::nullopt, 20}, {2, 2}}).signal, Signal::on);
}

TEST(BurnWatch, WaitsForItsTime) {
  auto pairs = kPairs;
  pairs[0].after = std::chrono::minutes{2};
  BurnWatch watch;
  EXPECT_TRUE(watch.step(at(0), pairs, {{20, 20}, {0, 0}}).held);
  EXPECT_TRUE(watch.step(at(90), pairs, {{20, 20}, {0, 0}}).held);
  EXPECT_FALSE(watch.step(at(120), pairs, {{20, 20}, {0, 0}}).held);
  watch.step(at(150), pairs, {{20, 1}, {0, 0}});
  EXPECT_TRUE(watch.step(at(180), pairs, {{20, 20}, {0, 0}}).held) << "it began anew";
}

}  // namespace
}  // namespace ward::collector::slo
