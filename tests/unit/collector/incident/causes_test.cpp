// Which of several possible causes is blamed, and when none is.
#include <gmock/gmock.h>

#include "tests/unit/collector/incident/play.hpp"

namespace ward::collector::test {
namespace {

Service service(std::string name, std::vector<Dependency> depends_on = {}, Redundancy redundancy = {}) {
  return {.name = std::move(name),
          .owner = "platform",
          .depends_on = std::move(depends_on),
          .scope = {"instance", "tenant"},
          .redundancy = std::move(redundancy)};
}
AlertMaker down(std::string service, std::string instance = "", std::string name = "Down") {
  Labels labels;
  labels.set("instance", instance);
  name += service + instance;
  return {std::move(name), std::move(service), "urgent", "platform", labels};
}
ServiceMap map_of(std::vector<Service> services) { return ServiceMap::make(std::move(services)).value(); }

// cache has three members, of which two must be well.
ServiceMap redundant() {
  return map_of({service("app", {{.to = "cache", .mode = DependencyMode::hard, .on = {}}}),
                 service("shard", {{.to = "cache", .mode = DependencyMode::hard, .on = {"instance"}}}),
                 service("cache", {}, {.min = 2, .members = 3})});
}

TEST(Redundancy, OneMemberDownExplainsNothingWhileEnoughAreWell) {
  Play play{false, short_times(), redundant()};
  play.step(0, {down("cache", "c1").firing(at(0)), down("app").firing(at(0))});
  EXPECT_EQ(play.engine().open().size(), 2U);
}

TEST(Redundancy, TooFewMembersLeftExplainTheirDependants) {
  Play play{false, short_times(), redundant()};
  play.step(0, {down("cache", "c1").firing(at(0)), down("cache", "c2").firing(at(0)), down("app").firing(at(1))});
  for (const auto& incident : play.engine().open()) EXPECT_EQ(incident.root_service, "cache");
}

TEST(Redundancy, AnAlertAboutTheWholeServiceNeedsNoCount) {
  Play play{false, short_times(), redundant()};
  play.step(0, {down("cache").firing(at(0)), down("app").firing(at(1))});
  EXPECT_EQ(play.engine().open().size(), 1U);
}

TEST(Redundancy, AMemberExplainsWhatStandsOnItAlone) {
  Play play{false, short_times(), redundant()};
  play.step(0, {down("cache", "c1").firing(at(0)), down("shard", "c1").firing(at(0)), down("shard", "c2").firing(at(0))});
  const auto open = play.engine().open();
  ASSERT_EQ(open.size(), 2U);
  for (const auto& incident : open) EXPECT_EQ(incident.alerts.size(), incident.root_service == "cache" ? 2U : 1U);
}

TEST(Causes, TheOneThatExplainsMostTakesTheSymptomsOfBoth) {
  const Dependency a{.to = "a", .mode = DependencyMode::hard, .on = {}},
      b{.to = "b", .mode = DependencyMode::hard, .on = {}};
  Play play{false, short_times(),
            map_of({service("a"), service("b"), service("x", {a, b}), service("y", {b}), service("z", {b})})};
  play.step(0, {down("a").firing(at(-5)), down("b").firing(at(0)), down("x").firing(at(0)), down("y").firing(at(0)),
                down("z").firing(at(0))});
  for (const auto& incident : play.engine().open())
    EXPECT_EQ(incident.alerts.size(), incident.root_service == "b" ? 4U : 1U) << incident.root_service;
}

TEST(Causes, OneThatShowsTooLateIsAnIncidentOfItsOwnAndSaysToWhatItIsRelated) {
  auto options = short_times();
  options.reparent = 60s;
  Play play{false, options};
  play.step(0, {kWorkersBusy.firing(at(0))});
  play.step(100, {kPrimaryDown.firing(at(100))});
  ASSERT_EQ(play.engine().open().size(), 2U);
  EXPECT_THAT(play.decisions.back().why, ::testing::EndsWith("stays as it is: related"));
}

TEST(Causes, ANewMapCountsFromTheNextStep) {
  Play play;
  play.engine().use(map_of({service("pg-main"), service("odoo")}), {});
  play.step(0, {kPrimaryDown.firing(at(0)), kWorkersBusy.firing(at(0))});
  EXPECT_EQ(play.told.size(), 2U) << "the edge between them is gone";
}

}  // namespace
}  // namespace ward::collector::test
