// Many alerts at once without an edge between their services.
#include <gmock/gmock.h>

#include "tests/unit/collector/incident/play.hpp"

namespace ward::collector::test {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;

AlertMaker on_node(int n, std::string node, std::string service, std::string cls = "urgent") {
  return {"Alert" + std::to_string(n), std::move(service), std::move(cls), "application",
          Labels{{"node", std::move(node)}, {"tenant", "clinic-a"}}};
}

ServiceMap islands() {
  std::vector<Service> services;
  for (const auto* name : {"s0", "s1", "s2", "s3", "s4", "s5", "s9"})
    services.push_back({.name = name, .owner = "application", .depends_on = {}, .scope = {}});
  return ServiceMap::make(std::move(services)).value();
}

std::vector<AlertEvent> storm(int count, std::int64_t when, const std::string& cls = "urgent") {
  std::vector<AlertEvent> out;
  for (int n = 0; n < count; ++n) {
    out.push_back(on_node(n, "n3", "s" + std::to_string(n), cls).firing(at(when)));
    out.back().active_at += milliseconds{n};  // the first one names the incident
  }
  return out;
}

class CommonScope : public ::testing::Test {
 protected:
  void elsewhere() { play.step(-900, {on_node(9, "n1", "s9").firing(at(-900))}); }  // so that a node tells something
  Play play{false, short_times(), islands()};
};

TEST_F(CommonScope, FiveAlertsOfSeveralServicesOnOneNodeAreOneIncidentWithoutACause) {
  elsewhere();
  play.step(0, storm(5, 0));
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent application Alert9", "fire urgent platform Alert0"}));
  const auto open = play.engine().open();
  ASSERT_EQ(open.size(), 2U);
  EXPECT_EQ(open[1].in_common, (Labels{{"node", "n3"}}));
  EXPECT_EQ(open[1].alerts.size(), 5U);
}

TEST_F(CommonScope, FourAreFourIncidents) {
  elsewhere();
  play.step(0, storm(4, 0));
  EXPECT_EQ(play.told.size(), 5U);
}

TEST_F(CommonScope, AValueThatEverythingHasTellsNothing) {
  play.step(0, storm(5, 0));
  EXPECT_EQ(play.told.size(), 5U) << "all that Ward watches may be on one node";
}

TEST_F(CommonScope, OneServiceWithManyAlertsIsNoCommonScope) {
  elsewhere();
  std::vector<AlertEvent> alerts;
  for (int n = 0; n < 6; ++n) alerts.push_back(on_node(n, "n3", "s1").firing(at(0)));
  play.step(0, alerts);
  EXPECT_THAT(play.engine().open().back().in_common, IsEmpty());
}

TEST_F(CommonScope, LaterOnesJoinAndTheFirstPagesBecomeOne) {
  elsewhere();
  auto alerts = storm(6, 0);
  play.step(0, {alerts[0]});
  alerts[1].active_at = at(1);
  play.step(1, {alerts[1]});
  play.step(20, {alerts[2], alerts[3], alerts[4]});
  EXPECT_EQ(play.spoken(),
            (Lines{"fire urgent application Alert9", "fire urgent application Alert0", "fire urgent application Alert1",
                   "escalate urgent platform Alert0", "resolve urgent application Alert1"}));
  play.step(50, {alerts[5]});
  EXPECT_EQ(play.told.size(), 5U);
  EXPECT_EQ(play.engine().open().back().alerts.size(), 6U);
}

TEST_F(CommonScope, WhatBeginsLongAfterIsAnotherFault) {
  elsewhere();
  play.step(0, storm(5, 0));
  play.step(300, {on_node(5, "n3", "s5").firing(at(300))});
  EXPECT_EQ(play.engine().open().size(), 3U);
}

TEST_F(CommonScope, TwoPlacesAtOnceAreTwoIncidents) {
  auto alerts = storm(5, 0);
  for (int n = 0; n < 5; ++n) alerts.push_back(on_node(n, "n4", "s" + std::to_string(n), "urgent").firing(at(0)));
  play.step(0, alerts);
  EXPECT_EQ(play.told.size(), 2U);
}

TEST_F(CommonScope, HeldAlertsCountAndEndTheirHold) {
  elsewhere();
  play.step(0, storm(5, 0, "actionable"));
  EXPECT_EQ(play.spoken().back(), "fire actionable platform Alert0");
}

TEST_F(CommonScope, ItEndsWhenAllOfItIsWell) {
  elsewhere();
  play.step(0, storm(5, 0));
  for (int n = 0; n < 4; ++n) play.step(60 + n, {on_node(n, "n3", "s" + std::to_string(n)).resolved(at(0), at(60 + n))});
  play.step(2000);
  EXPECT_EQ(play.told.size(), 2U) << "there is no cause that could have healed";
  play.step(2001, {on_node(4, "n3", "s4").resolved(at(0), at(2001))});
  EXPECT_EQ(play.spoken().back(), "resolve urgent platform Alert0");
}

TEST(CommonScopeOfAMap, WhatACauseExplainsIsNotGathered) {
  Play play;
  std::vector<AlertEvent> alerts{kPrimaryDown.firing(at(0)), kWorkersBusy.firing(at(0)), kCronLate.firing(at(0)),
                                 kBillingSlow.firing(at(0)), kStandbyBroken.firing(at(0))};
  auto other = kRedisDown;
  other.extra = kClinicB;
  play.step(-900, {other.firing(at(-900))});
  play.step(0, alerts);
  EXPECT_EQ(play.spoken(), (Lines{"fire urgent platform RedisDown", "fire executive database PgPrimaryDown"}));
}

TEST(CommonScopeOfAMap, SaysWhatIsShared) {
  Play play{false, short_times(), islands()};
  play.step(-900, {on_node(9, "n1", "s9").firing(at(-900))});
  play.step(0, storm(5, 0));
  EXPECT_TRUE(std::any_of(play.decisions.begin(), play.decisions.end(), [](const Decision& d) {
    return d.why.find("share node n3; no cause is in sight") != std::string::npos;
  }));
}

}  // namespace
}  // namespace ward::collector::test
