// Ward's own endpoints, and how requests find them.
#include "collector/api/endpoint.hpp"

#include <gmock/gmock.h>
#include <set>

#include "tests/unit/collector/api/test_view.hpp"

namespace ward::collector::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;

std::string header(const http::ServerResponse& response, std::string_view name) {
  for (const auto& [key, value] : response.headers)
    if (key == name) return value;
  return "";
}

TEST(Routes, AreWithoutDoubles) {
  std::set<std::string_view> paths;
  for (const auto& endpoint : all_endpoints()) {
    EXPECT_TRUE(paths.insert(endpoint.path).second) << endpoint.path;
    EXPECT_TRUE(endpoint.path.starts_with('/')) << endpoint.path;
    EXPECT_FALSE(endpoint.help.empty()) << endpoint.path;
  }
}

TEST(Routes, AnswerEveryPathWithoutAnythingStored) {
  TestView view;
  for (const auto& endpoint : all_endpoints()) {
    const auto response = view.ask(std::string(endpoint.path), "query=1&start=1&end=2&step=1");
    EXPECT_LT(response.status, 500) << endpoint.path;
    if (response.content_type == "application/json") {
      EXPECT_TRUE(json::accept(response.body)) << endpoint.path;
    }
  }
}

TEST(Routes, SayWhatThereIsWhereThereIsNothing) {
  TestView view;
  for (const auto* path : {"/", "/api/v1/nothing", "/healthz/", "/HEALTHZ", "/api/v1/label/a/b/values"}) {
    const auto response = view.ask(path);
    EXPECT_EQ(response.status, 404) << path;
    EXPECT_EQ(response.content_type, "application/problem+json") << path;
    const auto body = json::parse(response.body);
    EXPECT_EQ(body["status"], 404);
    EXPECT_EQ(body["type"], "about:blank");
    EXPECT_THAT(body["detail"], HasSubstr("/healthz"));
  }
}

TEST(Routes, SurvivePathsAndQueriesThatAreNoText) {
  TestView view;
  const auto missing = view.ask("/\xff\xfe");
  EXPECT_EQ(missing.status, 404);
  EXPECT_TRUE(json::accept(missing.body)) << missing.body;
  const auto bad = view.ask("/api/v1/query", "query=%ff%fe&time=%ff");
  EXPECT_EQ(bad.status, 400);
  EXPECT_TRUE(json::accept(bad.body)) << bad.body;
}

TEST(Routes, RefuseOtherMethodsAndNameTheRightOnes) {
  TestView view;
  for (const auto* method : {"PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "BREW"}) {
    const auto response = view.ask("/api/v1/query", "query=1", method);
    EXPECT_EQ(response.status, 405) << method;
    EXPECT_EQ(header(response, "allow"), "GET, HEAD, POST") << method;
  }
}

TEST(Routes, TakeAPostOnlyWhereAQueryIsSent) {
  TestView view;
  for (const auto* path : {"/healthz", "/readyz", "/metrics", "/api/v1/alerts", "/api/v1/rules", "/api/v1/targets",
                           "/api/ward/v1/agents", "/api/ward/v1/incidents", "/api/ward/v1/status"}) {
    const auto response = view.ask(path, "", "POST");
    EXPECT_EQ(response.status, 405) << path;
    EXPECT_EQ(header(response, "allow"), "GET, HEAD") << path;
  }
  for (const auto* path : {"/api/v1/query", "/api/v1/query_range", "/api/v1/series", "/api/v1/labels"})
    EXPECT_NE(view.ask(path, "", "POST", "query=1").status, 405) << path;
}

TEST(Routes, AnswerHeadAsTheyAnswerGet) {
  TestView view;
  EXPECT_EQ(view.ask("/healthz", "", "HEAD").status, 200);
  EXPECT_EQ(view.ask("/nothing", "", "HEAD").status, 404);
}

TEST(Healthz, IsOkWhateverHappens) {
  TestView view;
  view.parts = {{"ingest", false, "the journal's disk is full"}};
  const auto response = view.ask("/healthz");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok\n");
  EXPECT_EQ(response.content_type, "text/plain; charset=utf-8");
}

TEST(Readyz, IsReadyWhenEveryPartIs) {
  TestView view;
  view.parts = {{"ingest", true, ""}, {"evaluation", true, ""}};
  const auto response = view.ask("/readyz");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ingest: ready\nevaluation: ready\n");
}

TEST(Readyz, NamesThePartThatIsNot) {
  TestView view;
  view.parts = {{"ingest", false, "the journal's disk is full"}, {"evaluation", true, ""}};
  const auto response = view.ask("/readyz");
  EXPECT_EQ(response.status, 503);
  EXPECT_EQ(response.body, "ingest: not ready, the journal's disk is full\nevaluation: ready\n");
}

TEST(Metrics, AreTheViewsTextInPrometheusFormat) {
  TestView view;
  const auto response = view.ask("/metrics");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ward_up 1\n");
  EXPECT_THAT(response.content_type, HasSubstr("text/plain; version=0.0.4"));
}

TEST(Agents, ShowWhoIsConnectedAndHowLongTheOthersAreSilent) {
  TestView view;
  AgentView agent;
  agent.agent = "node-1";
  agent.tenants = {"clinic-a", "clinic-b"};
  agent.connected = true;
  agent.remote = "10.0.0.1:4711";
  agent.last_seen = view.clock_.wall() - milliseconds(1'500);
  agent.records = 3;
  agent.samples = 40;
  agent.lost_samples = 2;
  view.agent_list = {agent};
  EXPECT_EQ(json::parse(view.ask("/api/ward/v1/agents").body), json::parse(R"({"agents":[{
    "agent":"node-1","tenants":["clinic-a","clinic-b"],"connected":true,"silent_seconds":1.5,
    "last_seen":"2023-11-14T22:13:18.500Z","remote":"10.0.0.1:4711","records":3,"samples":40,"lost_samples":2}]})"));
}

TEST(Agents, AreNeverSilentForLessThanNothing) {
  TestView view;
  AgentView agent;
  agent.last_seen = view.clock_.wall() + std::chrono::hours(1);  // the wall clock was set back
  view.agent_list = {agent};
  EXPECT_EQ(json::parse(view.ask("/api/ward/v1/agents").body)["agents"][0]["silent_seconds"], 0);
}

TEST(Incidents, ShowTheRootAndWhatItExplains) {
  TestView view;
  AlertEvent root;
  root.labels = Labels{{"alertname", "PgDown"}, {"service", "pg-main"}};
  root.annotations = Labels{{"summary", "pg-main is down"}};
  root.phase = AlertPhase::firing;
  Incident incident;
  incident.id = "01JD3M7Q";
  incident.cls = AlertClass::urgent;
  incident.owner = "database";
  incident.root_service = "pg-main";
  incident.root_alert = "PgDown";
  incident.opened_at = view.clock_.wall();
  incident.alerts = {root};
  view.incident_list = {incident};
  const auto shown = json::parse(view.ask("/api/ward/v1/incidents").body)["incidents"];
  ASSERT_EQ(shown.size(), 1U);
  EXPECT_EQ(shown[0]["id"], "01JD3M7Q");
  EXPECT_EQ(shown[0]["class"], "urgent");
  EXPECT_EQ(shown[0]["owner"], "database");
  EXPECT_EQ(shown[0]["root_service"], "pg-main");
  EXPECT_EQ(shown[0]["opened_at"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(shown[0]["alerts"], json::parse(R"([{"alert":"PgDown","service":"pg-main","state":"firing",
                                                 "summary":"pg-main is down"}])"));
}

TEST(Incidents, SurviveTextOfATargetThatIsNoText) {
  TestView view;
  AlertEvent alert;
  alert.annotations = Labels{{"summary", "bytes \xff of a target"}};
  Incident incident;
  incident.alerts = {alert};
  view.incident_list = {incident};
  EXPECT_TRUE(json::accept(view.ask("/api/ward/v1/incidents").body));
}

TEST(StatusEndpoint, IsReadyOnlyWhenEveryPartIs) {
  TestView view;
  view.status_view.agents_connected = 2;
  view.status_view.series = 1'530;
  view.status_view.last_evaluation = view.clock_.wall();
  view.parts = {{"ingest", true, ""}};
  auto shown = json::parse(view.ask("/api/ward/v1/status").body);
  EXPECT_EQ(shown["ready"], true);
  EXPECT_EQ(shown["agents_connected"], 2);
  EXPECT_EQ(shown["series"], 1'530);
  EXPECT_EQ(shown["last_evaluation"], "2023-11-14T22:13:20.000Z");
  view.parts.push_back({"evaluation", false, "x"});
  shown = json::parse(view.ask("/api/ward/v1/status").body);
  EXPECT_EQ(shown["ready"], false);
}

}  // namespace
}  // namespace ward::collector::api
