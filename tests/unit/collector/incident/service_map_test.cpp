#include "collector/incident/service_map.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/incident/engine.hpp"
#include "collector/incident/incident_id.hpp"

namespace ward::collector {
namespace {

using ::testing::HasSubstr;

Result<ServiceMap> read(const std::string& yaml) {
  const auto documents = config::parse_yaml(yaml, "map.yaml").value();
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  auto map = read_service_map(section);
  section.close();
  if (map && !problems.empty()) return fail(problems.to_error());
  return map;
}

constexpr const char* kExample = R"(
kind: ServiceMap
apiVersion: ward/v1
spec:
  services:
    odoo: {owner: application, dependsOn: [{to: pg-main, on: [tenant], lag: 3m}, {to: redis, mode: soft}]}
    pg-main: {owner: database, dependsOn: [{to: node, on: [node]}, {to: pgbackrest, mode: async}]}
    redis: {owner: platform}
    pgbackrest: {owner: backup}
    node: {owner: platform, redundancy: {min: 2}}
  workflows: {admission: {criticality: patient-safety, path: [odoo, pg-main], executiveAfter: 10m}}
  tenants: {clinic-a: {tz: Europe/Paris, workflows: [admission]}}
)";

TEST(ServiceMap, ReadsTheDocument) {
  const auto map = read(kExample);
  ASSERT_TRUE(map) << describe(map.error());
  const auto* odoo = map->find("odoo");
  ASSERT_NE(odoo, nullptr);
  EXPECT_EQ(odoo->owner, "application");
  ASSERT_EQ(odoo->depends_on.size(), 2U);
  EXPECT_EQ(odoo->depends_on[0].on, (std::vector<std::string>{"tenant"}));
  EXPECT_EQ(odoo->depends_on[1].mode, DependencyMode::soft);
  EXPECT_EQ(odoo->depends_on[1].lag, std::chrono::minutes{3});
  EXPECT_EQ(map->workflow("admission")->executive_after, std::chrono::minutes{10});
  EXPECT_EQ(map->workflows_over("node"), (std::vector<std::string>{"admission"}));
  EXPECT_TRUE(map->workflows_over("redis").empty());
}

TEST(ServiceMap, TellsInstancesApartByTheLabelsTheirDependantsJoinOn) {
  const auto map = read(kExample).value();
  const Labels alert{
      {"alertname", "NodeDown"}, {"service", "node"}, {"node", "n3"}, {"tenant", "a"}, {"instance", "10.0.0.3"}};
  EXPECT_EQ(map.node_of(alert), (NodeKey{"node", Labels{{"node", "n3"}, {"tenant", "a"}}}));
  const Labels stray{{"alertname", "Stray"}, {"node", "n3"}};
  EXPECT_EQ(map.node_of(stray), (NodeKey{"Stray", Labels{}}));
}

TEST(ServiceMap, RefusesWhatCannotBe) {
  const std::pair<const char*, const char*> bad[] = {
      {"services: {a: {owner: x, dependsOn: [{to: b}]}}", "'a' names the service 'b', which is not in the map"},
      {"services: {a: {owner: x, dependsOn: [{to: b}]}, b: {owner: x, dependsOn: [{to: a}]}}", "in a circle: a -> b -> a"},
      {"services: {a: {owner: x, dependsOn: [{to: a}]}}", "in a circle: a -> a"},
      {"services: {a: {}}", "owner"},
      {"services: {a: {owner: x, dependson: []}}", "dependson"},
      {"services: {a: {owner: x, dependsOn: [{to: a, mode: weak}]}}", "mode"},
      {"{services: {a: {owner: x}}, workflows: {w: {path: [a, b]}}}", "'w' names the service 'b'"},
      {"{services: {a: {owner: x}}, tenants: {t: {workflows: [w]}}}", "names the workflow 'w'"},
  };
  for (const auto& [yaml, message] : bad) {
    const auto map = read(yaml);
    ASSERT_FALSE(map) << yaml;
    EXPECT_EQ(map.error().code, Errc::invalid);
    EXPECT_THAT(map.error().what, HasSubstr(message));
  }
}

TEST(ServiceMap, AllowsACircleThatOnlyAnAsyncEdgeCloses) {
  EXPECT_TRUE(read("services: {a: {owner: x, dependsOn: [{to: b}]}, b: {owner: x, dependsOn: [{to: a, mode: async}]}}"));
}

TEST(EngineOptions, ReadsItsSection) {
  const auto documents = config::parse_yaml(
                             "{settle: {urgent: 20s}, flap: {enter: 6, stable: 30m}, reparent: 20m, release: {evaluations: "
                             "3, max: 20m}, common: {alerts: 9}}",
                             "o.yaml")
                             .value();
  config::Problems problems;
  config::Section section(documents.at(0), "correlation", problems);
  EngineOptions expected;
  expected.settle.urgent = std::chrono::seconds{20};
  expected.flap.enter = 6;
  expected.flap.stable = std::chrono::minutes{30};
  expected.reparent = std::chrono::minutes{20};
  expected.release = {.evaluations = 3, .least = std::chrono::minutes{2}, .max = std::chrono::minutes{20}};
  expected.common.alerts = 9;
  EXPECT_EQ(read_engine_options(section), expected);
  EXPECT_TRUE(problems.empty()) << problems.to_text();
}

TEST(IncidentId, IsShortSortsByTimeAndRepeats) {
  const auto t = from_ms(1'790'000'000'000);
  const auto id = incident_id(t, 42);
  EXPECT_EQ(id.size(), 14U);
  EXPECT_EQ(id, incident_id(t, 42));
  EXPECT_LT(id.substr(0, 8), incident_id(t + std::chrono::seconds{2}, 7).substr(0, 8));
  EXPECT_NE(id, incident_id(t, 43));
  EXPECT_NE(id, incident_id(t, 42, 1));
  EXPECT_NE(id, incident_id(t + milliseconds{1}, 42));
  EXPECT_EQ(id.find_first_of("ILOUilou"), std::string::npos);
}

TEST(ServiceMapJoin, AServiceOfOursTakesTheNameOfNoWorkflow) {
  ServiceMapPart own, document;
  own.services = {{.name = "billing", .owner = "application", .depends_on = {}, .scope = {}}};
  document.workflows = {
      {.name = "billing", .criticality = "business", .path = {"billing"}, .executive_after = milliseconds{0}}};
  for (auto* part : {&own, &document}) part->places["billing"] = {};
  config::Problems problems;
  const auto map = join_service_map(own, std::vector{document}, problems);
  ASSERT_TRUE(map) << problems.to_text();
  EXPECT_NE(map->workflow("billing"), nullptr);
}

}  // namespace
}  // namespace ward::collector
