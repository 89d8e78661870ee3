#include "collector/rulebook/route_overrides.hpp"

#include <gmock/gmock.h>

#include "collector/routing/router.hpp"

namespace ward::collector {
namespace {

RoutingTable table() {
  RoutingTable out;
  out.owners = {{"database", {.receiver = "dba", .fallback = "platform"}},
                {"platform", {.receiver = "platform", .fallback = ""}}};
  out.fallback_receiver = "platform";
  out.escalations["two"] = {.name = "two", .steps = {{.to = "dba", .times = {}}, {.to = "boss", .times = {}}}};
  out.escalations["rule"] = {.name = "rule", .steps = {{.to = "everybody", .times = {}}}};
  return out;
}

Incident incident(const std::string& tenant, const std::string& alert = "Down") {
  Incident i;
  i.id = "I1";
  i.owner = "database";
  i.cls = AlertClass::urgent;
  i.root_alert = alert;
  if (!tenant.empty()) i.scope.set("tenant", tenant);
  AlertEvent root;
  root.labels = Labels{{"alertname", alert}, {"class", "urgent"}};
  root.annotations = Labels{{"escalation", "rule"}};
  root.phase = AlertPhase::firing;
  i.alerts.push_back(std::move(root));
  return i;
}

std::vector<std::string> told(RoutingTable table, const Incident& i) {
  Router router(std::move(table));
  const std::vector<Notice> notices{{.kind = NoticeKind::fire, .incident = i}};
  std::vector<std::string> out;
  for (const auto& d : router.route(notices, std::vector{i}, from_ms(1'790'000'000'000)).deliveries)
    out.push_back(d.receiver);
  return out;
}

AlertOverride of(std::string tenant, std::string alert) {
  AlertOverride out;
  out.tenant = std::move(tenant);
  out.alert = std::move(alert);
  return out;
}

class RouteOverrides : public testing::Test {
 protected:
  std::string apply(const std::vector<AlertOverride>& alerts, const std::vector<OwnerOverride>& owners) {
    config::Problems problems;
    apply_route_overrides(routing, alerts, owners, ServiceMap{}, std::set<std::string>{"dba", "platform", "clinic", "boss"},
                          problems);
    return problems.to_text();
  }
  RoutingTable routing = table();
};

TEST_F(RouteOverrides, ATenantsReceiverHearsOfItsIncidentsAlone) {
  EXPECT_EQ(apply({}, {{.tenant = "clinic-a", .owner = "database", .receiver = "clinic", .at = {}}}), "");
  EXPECT_THAT(told(routing, incident("clinic-a")), testing::ElementsAre("clinic"));
  EXPECT_THAT(told(routing, incident("clinic-b")), testing::ElementsAre("everybody"));
  EXPECT_THAT(told(routing, incident("")), testing::ElementsAre("everybody")) << "a shared service's incident";
  EXPECT_EQ(routing.fallbacks().at("clinic"), "dba");
  EXPECT_TRUE(routing.receivers().contains("clinic"));
}

TEST_F(RouteOverrides, AnAlertsReceiverGoesBeforeItsOwners) {
  auto down = of("clinic-a", "Down");
  down.receiver = "boss";
  EXPECT_EQ(apply({down}, {{.tenant = "clinic-a", .owner = "database", .receiver = "clinic", .at = {}}}), "");
  EXPECT_THAT(told(routing, incident("clinic-a")), testing::ElementsAre("boss"));
  EXPECT_THAT(told(routing, incident("clinic-a", "Slow")), testing::ElementsAre("clinic"));
}

TEST_F(RouteOverrides, AnAlertsEscalationStandsInsteadOfTheRules) {
  auto down = of("clinic-a", "Down");
  down.escalation = "two";
  EXPECT_EQ(apply({down}, {}), "");
  EXPECT_THAT(told(routing, incident("clinic-a")), testing::ElementsAre("dba", "boss"));
}

TEST_F(RouteOverrides, RefusesWhatDoesNotExist) {
  auto nobody = of("t", "A");
  nobody.receiver = "nobody";
  EXPECT_THAT(apply({nobody}, {}), testing::HasSubstr("'nobody' is neither a receiver nor an on-call schedule"));
  auto plan = of("t", "A");
  plan.escalation = "three";
  EXPECT_THAT(apply({plan}, {}), testing::HasSubstr("the escalation 'three' does not exist"));
  EXPECT_THAT(apply({}, {{.tenant = "t", .owner = "dbas", .receiver = "clinic", .at = {}}}),
              testing::HasSubstr("'dbas' is no owner"));
  const OwnerOverride once{.tenant = "t", .owner = "database", .receiver = "clinic", .at = {}};
  EXPECT_THAT(apply({}, {once, once}), testing::HasSubstr("has a receiver for 'database' twice"));
}

}  // namespace
}  // namespace ward::collector
