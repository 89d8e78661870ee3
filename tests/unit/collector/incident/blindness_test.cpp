// What is missing while nobody can look, and what has fallen silent.
#include <gmock/gmock.h>

#include "tests/unit/collector/incident/play.hpp"

namespace ward::collector::test {
namespace {

const AlertMaker kBlind{"MonitoringBlind", "ward", "urgent", "platform", Labels{}};
const AlertMaker kNoBackups{"BackupsUnknown", "pgbackrest", "urgent", "backup", kClinicA};

AlertEvent missing(AlertEvent alert) {
  alert.of_absence = true;
  return alert;
}

TEST(Blindness, WhatIsMissingIsPartOfItAndPagesNobody) {
  Play play;
  play.step(0, {kBlind.firing(at(0))});
  play.step(30, {missing(kNoBackups.firing(at(30)))});
  EXPECT_THAT(play.spoken(), testing::ElementsAre("fire urgent platform MonitoringBlind"));
  EXPECT_EQ(play.engine().open().at(0).alerts.size(), 2U);
}

TEST(Blindness, WhatWasMissingBeforeItWasKnownIsMerged) {
  Play play;
  play.step(0, {missing(kNoBackups.firing(at(0)))});
  play.step(5);
  play.step(40, {kBlind.firing(at(40))});
  play.step(45);
  EXPECT_THAT(play.spoken(),
              testing::UnorderedElementsAre("fire urgent backup BackupsUnknown", "fire urgent platform MonitoringBlind",
                                            "resolve urgent backup BackupsUnknown"));
  EXPECT_EQ(play.engine().open().size(), 1U);
}

TEST(Blindness, WaitsWhileMonitoringMayBeBlind) {
  Play play;
  play.step(0, {kBlind.pending(at(0)), missing(kNoBackups.firing(at(0)))});
  play.step(2);
  play.step(3, {kBlind.firing(at(3))});
  EXPECT_THAT(play.spoken(), testing::ElementsAre("fire urgent platform MonitoringBlind"));
}

TEST(Blindness, WhatIsSeenToFailIsAFaultOfItsOwn) {
  Play play;
  play.step(0, {kBlind.firing(at(0))});
  play.step(30, {kRedisDown.firing(at(30))});
  EXPECT_THAT(play.spoken(), testing::ElementsAre("fire urgent platform MonitoringBlind", "fire urgent platform RedisDown"));
}

TEST(Blindness, WhatStaysMissingAfterItIsToldAsResidual) {
  Play play;
  play.step(0, {kBlind.firing(at(0))});
  play.step(30, {missing(kNoBackups.firing(at(30)))});
  play.step(60, {kBlind.resolved(at(0), at(60))});
  play.step(60 + 600);
  EXPECT_EQ(play.spoken().back(), "escalate urgent backup BackupsUnknown");
}

TEST(Blindness, SaysThatAnAlertFellSilentAndWasHeardAgain) {
  Play play;
  play.step(0, {kRedisDown.firing(at(0))});
  auto silent = kRedisDown.firing(at(0));
  silent.silent = true;
  play.step(400, {silent});
  play.step(500, {kRedisDown.firing(at(0))});
  EXPECT_EQ(play.told.size(), 1U) << "nobody is told of it";
  std::vector<std::string> what;
  for (const auto& d : play.decisions) what.push_back(d.what);
  EXPECT_THAT(what, testing::IsSupersetOf({"silent", "heard again"}));
}

}  // namespace
}  // namespace ward::collector::test
