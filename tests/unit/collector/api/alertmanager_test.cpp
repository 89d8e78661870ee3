// Alertmanager's API v2 and Ward's own writing endpoints: what they read, what they show, and whom they let in.
#include <gmock/gmock.h>

#include "common/base/duration.hpp"
#include "tests/unit/collector/api/test_view.hpp"

namespace ward::collector::api {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr const char* kToken = "0123456789abcdef-anna";

class AlertmanagerApi : public testing::Test {
 protected:
  AlertmanagerApi() {
    view.desk_ = &desk;
    view.access_.tokens.push_back({.name = "anna", .token = Secret(kToken), .scopes = {Scope::silences, Scope::acks}});
    view.access_.tokens.push_back({.name = "reader", .token = Secret("0123456789abcdef-read"), .scopes = {Scope::acks}});
    log_in(kToken);
  }
  void log_in(const std::string& token) {
    view.headers = {{"authorization", "Bearer " + token}, {"content-type", "application/json"}};
  }
  http::ServerResponse post(const std::string& path, const std::string& body) { return view.ask(path, "", "POST", body); }
  static AlertEvent firing(Labels labels) {
    AlertEvent a;
    a.labels = std::move(labels);
    a.annotations = Labels{{"summary", "s"}};
    a.phase = AlertPhase::firing;
    a.fired_at = from_ms(1'700'000'000'000);
    return a;
  }
  TestView view;
  FakeDesk desk;
};

constexpr const char* kSilence = R"({"matchers": [{"name": "alertname", "value": "X.*", "isRegex": true, "isEqual": false}],
  "startsAt": "2026-11-23T10:00:00.000Z", "endsAt": "2026-11-23T12:00:00Z", "createdBy": "anna", "comment": "work"})";

TEST_F(AlertmanagerApi, TakesASilence) {
  desk.outcome = std::string("s1");
  const auto answer = post("/api/v2/silences", kSilence);
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body), json({{"silenceID", "s1"}}));
  ASSERT_THAT(desk.commands, SizeIs(1));
  const auto& command = desk.commands[0];
  EXPECT_EQ(command.kind, Command::Kind::put_silence);
  EXPECT_EQ(command.actor, "anna");
  EXPECT_THAT(command.fresh_id, testing::MatchesRegex("........-....-4...-....-............"));
  EXPECT_EQ(command.silence.matchers,
            (std::vector<SilenceMatcher>{{.name = "alertname", .value = "X.*", .is_regex = true, .is_equal = false}}));
  EXPECT_EQ(command.silence.ends_at - command.silence.starts_at, std::chrono::hours(2));
}

TEST_F(AlertmanagerApi, RefusesABodyThatIsNoSilence) {
  const std::pair<const char*, const char*> cases[] = {
      {"", "no JSON object"},
      {"[]", "no JSON object"},
      {"{}", "lacks a field"},
      {R"({"matchers": 1, "startsAt": "x", "endsAt": "x", "createdBy": "a", "comment": "c"})", "lacks a field"},
      {R"({"matchers": [{"name": 1}], "startsAt": "x", "endsAt": "x", "createdBy": "a", "comment": "c"})", "lacks a field"},
      {R"({"matchers": [], "startsAt": "soon", "endsAt": "x", "createdBy": "a", "comment": "c"})", "not RFC 3339"},
      {"{\"id\": \"\xff\"}", "no JSON object"},
  };
  for (const auto& [body, why] : cases) {
    const auto answer = post("/api/v2/silences", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(json::parse(answer.body).get<std::string>(), HasSubstr(why)) << body;
  }
  EXPECT_THAT(desk.commands, IsEmpty());
}

TEST_F(AlertmanagerApi, LetsNobodyWriteWithoutATokenOfTheScope) {
  const std::tuple<const char*, const char*, std::string> writes[] = {{"POST", "/api/v2/silences", kSilence},
                                                                      {"DELETE", "/api/v2/silence/s1", ""}};
  for (const auto& [method, path, body] : writes) {
    view.headers = {{"content-type", "application/json"}};
    EXPECT_EQ(view.ask(path, "", method, body).status, 401) << path;
    log_in("0123456789abcdef-ann");
    EXPECT_EQ(view.ask(path, "", method, body).status, 401) << path;
    log_in("0123456789abcdef-read");
    const auto forbidden = view.ask(path, "", method, body);
    EXPECT_EQ(forbidden.status, 403) << path;
    EXPECT_THAT(forbidden.body, HasSubstr("does not have the scope 'silences'"));
  }
  view.headers = {{"content-type", "application/json"}};
  EXPECT_EQ(post("/api/ward/v1/incidents/I1/ack", "").status, 401);
  EXPECT_EQ(post("/api/ward/v1/incidents/I1/unack", "").status, 401);
  EXPECT_THAT(desk.commands, IsEmpty());
}

TEST_F(AlertmanagerApi, OpenToThisMachineStillRefusesForeignPagesAndWrongTokens) {
  view.access_.open = true;
  view.headers = {{"content-type", "text/plain"}, {"host", "127.0.0.1:9802"}};
  EXPECT_EQ(post("/api/v2/silences", kSilence).status, 415);
  log_in("wrong");
  EXPECT_EQ(post("/api/v2/silences", kSilence).status, 401);
  for (const auto* host : {"", "ward.example", "127.0.0.1.example:9802", "localhost.example"}) {
    view.headers = {{"content-type", "application/json"}, {"host", host}};
    EXPECT_EQ(post("/api/v2/silences", kSilence).status, 403) << host;
  }
  EXPECT_THAT(desk.commands, IsEmpty());
  view.headers = {{"content-type", "application/json"}, {"host", "localhost:9802"}};
  EXPECT_EQ(post("/api/v2/silences", kSilence).status, 200);
  EXPECT_THAT(desk.commands.at(0).actor, HasSubstr("local"));
}

TEST_F(AlertmanagerApi, ListsSilencesWithTheirStateByFilter) {
  AlertSilence s;
  s.id = "s1";
  s.matchers = {{.name = "alertname", .value = "X"}};
  s.starts_at = view.clock_.wall() + std::chrono::hours(1);
  s.ends_at = view.clock_.wall() + std::chrono::hours(2);
  desk.silence_list = {s};
  const auto list = json::parse(view.ask("/api/v2/silences").body);
  ASSERT_THAT(list, SizeIs(1));
  EXPECT_EQ(list[0]["status"]["state"], "pending");
  EXPECT_EQ(list[0]["matchers"][0], json({{"isEqual", true}, {"isRegex", false}, {"name", "alertname"}, {"value", "X"}}));
  EXPECT_THAT(json::parse(view.ask("/api/v2/silences", "filter=alertname%3D%22Y%22").body), IsEmpty());
  EXPECT_THAT(json::parse(view.ask("/api/v2/silences", "filter=alertname%3D~%22X%7CY%22").body), SizeIs(1));
  EXPECT_EQ(view.ask("/api/v2/silences", "filter=nonsense").status, 400);
  EXPECT_EQ(json::parse(view.ask("/api/v2/silence/s1").body)["id"], "s1");
  EXPECT_EQ(view.ask("/api/v2/silence/s2").status, 404);
}

TEST_F(AlertmanagerApi, EndsASilence) {
  EXPECT_EQ(view.ask("/api/v2/silence/s1", "", "DELETE").status, 200);
  EXPECT_EQ(desk.commands.at(0).kind, Command::Kind::expire_silence);
  EXPECT_EQ(desk.commands.at(0).subject, "s1");
  desk.outcome = fail(Errc::not_found, "none", "List.");
  EXPECT_EQ(view.ask("/api/v2/silence/s1", "", "DELETE").status, 404);
  EXPECT_EQ(view.ask("/api/v2/silence/s1", "", "POST").status, 405);
}

TEST_F(AlertmanagerApi, ShowsWhatAnotherAlertOfTheIncidentExplainsAsInhibited) {
  Incident incident;
  incident.id = "I1";
  incident.alerts = {firing({{"alertname", "Root"}}), firing({{"alertname", "Symptom"}})};
  view.incident_list = {incident};
  view.alert_list = incident.alerts;
  view.alert_list.push_back(firing({{"alertname", "Held"}}));
  view.alert_list.push_back(firing({{"alertname", "Pending"}}));
  view.alert_list.back().phase = AlertPhase::pending;
  const auto names = [&](const std::string& query) {
    std::string out;
    for (const auto& a : json::parse(view.ask("/api/v2/alerts", query).body))
      out += a["labels"]["alertname"].get<std::string>() + ":" + a["status"]["state"].get<std::string>() + " ";
    return out;
  };
  EXPECT_EQ(names(""), "Root:active Symptom:suppressed Held:unprocessed ");
  EXPECT_EQ(names("inhibited=false"), "Root:active Held:unprocessed ");
  EXPECT_EQ(names("active=false"), "Symptom:suppressed Held:unprocessed ");
  EXPECT_EQ(names("unprocessed=false"), "Root:active Symptom:suppressed ");
  EXPECT_EQ(names("filter=alertname%3DRoot"), "Root:active ");
  EXPECT_EQ(names("receiver=b"), "");
  const auto list = json::parse(view.ask("/api/v2/alerts").body);
  EXPECT_EQ(list[1]["status"]["inhibitedBy"], json({list[0]["fingerprint"]}));
  EXPECT_EQ(list[0]["receivers"], json::parse(R"([{"name": "a"}])"));
  const auto groups = json::parse(view.ask("/api/v2/alerts/groups").body);
  ASSERT_THAT(groups, SizeIs(1));
  EXPECT_THAT(groups[0]["alerts"], SizeIs(2));
  desk.covering = {"s1"};
  EXPECT_EQ(names("silenced=false"), "");
}

TEST_F(AlertmanagerApi, TellsOfItselfAndItsReceivers) {
  EXPECT_EQ(json::parse(view.ask("/api/v2/receivers").body), json::parse(R"([{"name": "a"}, {"name": "b"}])"));
  EXPECT_EQ(json::parse(view.ask("/api/v2/status").body)["cluster"]["status"], "disabled");
}

TEST_F(AlertmanagerApi, TakesAnAcknowledgementAndItsEnd) {
  const auto answer = post("/api/ward/v1/incidents/I1/ack", R"({"by": "ben", "note": "on it"})");
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(json::parse(answer.body), json({{"incident", "I1"}, {"done", "done"}}));
  EXPECT_EQ(desk.commands.at(0),
            (Command{.kind = Command::Kind::acknowledge, .actor = "anna", .by = "ben", .subject = "I1", .note = "on it"}));
  post("/api/ward/v1/incidents/I1/unack", "");
  EXPECT_EQ(desk.commands.at(1).kind, Command::Kind::unacknowledge);
  EXPECT_EQ(post("/api/ward/v1/incidents/I1/ack", "[]").status, 400);
  EXPECT_EQ(view.ask("/api/ward/v1/incidents/I1/ack").status, 405);
  desk.outcome = fail(Errc::unavailable, "not stored", "Wait.");
  EXPECT_EQ(post("/api/ward/v1/incidents/I1/ack", "").status, 503);
}

TEST_F(AlertmanagerApi, ShowsWhoHasAnIncidentAndWhyNobodyIsTold) {
  Incident incident;
  incident.id = "I1";
  view.incident_list = {incident};
  auto shown = json::parse(view.ask("/api/ward/v1/incidents").body)["incidents"][0];
  EXPECT_EQ(shown["told"], json({"a"}));
  EXPECT_FALSE(shown.contains("acknowledged"));
  desk.record = EscalationRecord{};
  desk.record->ack = Acknowledgement{.by = "anna", .note = "on it", .at = from_ms(0)};
  desk.record->mute = MuteKind::silenced;
  desk.record->muted_by = "s1";
  shown = json::parse(view.ask("/api/ward/v1/incidents").body)["incidents"][0];
  EXPECT_EQ(shown["acknowledged"]["by"], "anna");
  EXPECT_EQ(shown["muted"], json({{"as", "silenced"}, {"by", "s1"}}));
}

TEST_F(AlertmanagerApi, ShowsTheAuditInPages) {
  for (std::uint64_t n = 1; n <= 3; ++n)
    desk.records.push_back({.number = n, .entry = {.at = from_ms(7), .actor = "anna"}, .hash = "h"});
  EXPECT_THAT(json::parse(view.ask("/api/ward/v1/audit").body)["records"], SizeIs(3));
  const auto page = json::parse(view.ask("/api/ward/v1/audit", "after=1&limit=1").body)["records"];
  ASSERT_THAT(page, SizeIs(1));
  EXPECT_EQ(page[0]["number"], 2);
  EXPECT_EQ(page[0]["at_ms"], 7);
  EXPECT_EQ(view.ask("/api/ward/v1/audit", "after=x").status, 400);
  EXPECT_EQ(view.ask("/api/ward/v1/audit", "limit=0").status, 400);
}

TEST_F(AlertmanagerApi, TakesAlertsOfAnotherPrometheus) {
  view.access_.tokens.push_back(
      {.name = "prom", .token = Secret("0123456789abcdef-prom"), .scopes = {Scope::alerts}, .tenant = "clinic-a"});
  log_in("0123456789abcdef-prom");
  const auto answer = post("/api/v2/alerts", R"([{"labels": {"alertname": "X", "severity": "critical"},
    "annotations": {"summary": "s"}, "startsAt": "2026-11-23T10:00:00.5Z", "endsAt": "0001-01-01T00:00:00.000Z",
    "generatorURL": "http://prom/graph"}, {"labels": {"alertname": "Y"}, "annotations": null}])");
  EXPECT_EQ(answer.status, 200) << answer.body;
  ASSERT_THAT(desk.posted, SizeIs(2));
  EXPECT_EQ(desk.posted_tenant, "clinic-a");
  EXPECT_EQ(desk.posted[0].labels, (Labels{{"alertname", "X"}, {"severity", "critical"}}));
  EXPECT_EQ(desk.posted[0].starts_at, parse_time("2026-11-23T10:00:00.5Z").value());
  EXPECT_EQ(desk.posted[0].ends_at, std::nullopt);
  EXPECT_EQ(desk.posted[0].generator_url, "http://prom/graph");
  desk.post_outcome = fail(Errc::overloaded, "too many", "Fewer.");
  EXPECT_EQ(post("/api/v2/alerts", "[]").status, 503);
  log_in(kToken);
  EXPECT_EQ(post("/api/v2/alerts", "[]").status, 403) << "anna's token may not";
}

TEST_F(AlertmanagerApi, RefusesABodyThatIsNoAlerts) {
  view.access_.tokens[0].scopes.insert(Scope::alerts);
  const std::pair<const char*, const char*> cases[] = {
      {"{}", "no JSON array"},
      {"[", "no JSON array"},
      {R"([{"labels": {"alertname": 5}}])", "a field of the wrong kind"},
      {R"([{"labels": {"alertname": "X"}, "startsAt": "yesterday"}])", "not RFC 3339"},
      {R"([5])", "a field of the wrong kind"},
  };
  for (const auto& [body, why] : cases) {
    const auto answer = post("/api/v2/alerts", body);
    EXPECT_EQ(answer.status, 400) << body;
    EXPECT_THAT(answer.body, HasSubstr(why)) << body;
  }
  EXPECT_THAT(desk.posted, IsEmpty());
}

TEST_F(AlertmanagerApi, ReloadsForWhoMayAndTellsWhatIsWrong) {
  EXPECT_EQ(post("/-/reload", "").status, 403);
  view.access_.tokens[0].scopes.insert(Scope::reload);
  desk.outcome = std::string("New rules are in force.");
  EXPECT_EQ(post("/-/reload", "").body, "New rules are in force.\n");
  EXPECT_EQ(desk.reloaded_by, "anna");
  desk.outcome = fail(Errc::invalid, "rules/a.yaml:3:5: no such thing", "Mend the rule files.");
  const auto refused = post("/-/reload", "");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr("rules/a.yaml:3:5"));
}

}  // namespace
}  // namespace ward::collector::api
