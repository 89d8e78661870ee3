// explain, slos, verdict, incidents of the past and the report: what they read, show and refuse.
#include <gmock/gmock.h>

#include "tests/unit/collector/api/test_view.hpp"

namespace ward::collector::api {
namespace {

using nlohmann::json;
using std::chrono::hours;
using std::chrono::minutes;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class ReviewApi : public testing::Test {
 protected:
  ReviewApi() {
    view.desk_ = &desk;
    view.access_.tokens.push_back({.name = "anna", .token = Secret("0123456789abcdef-anna"), .scopes = {Scope::acks}});
    view.headers = {{"authorization", "Bearer 0123456789abcdef-anna"}, {"content-type", "application/json"}};
    RuleView rule;
    rule.name = "PostgresDown";
    rule.labels = Labels{{"class", "urgent"}};
    view.groups = {{.name = "pg", .file = "pg.yaml", .interval = {}, .limit = 0, .rules = {rule}}};
  }
  static AlertEvent alert(const std::string& name, AlertPhase phase = AlertPhase::firing) {
    AlertEvent a;
    a.labels = Labels{{"alertname", name}, {"service", "pg-main"}, {"class", "urgent"}, {"tenant", "clinic-a"}};
    a.phase = phase;
    a.active_at = a.fired_at = kNow - minutes(10);
    return a;
  }
  /// Stored, and open where `phase` says so.
  void put(const std::string& id, IncidentPhase phase = IncidentPhase::resolved, Time opened = kNow - minutes(10)) {
    IncidentFile file;
    auto& i = file.incident;
    i.id = id;
    i.phase = phase;
    i.root_alert = "PostgresDown";
    i.root_service = "pg-main";
    i.owner = "database";
    i.cls = AlertClass::urgent;
    i.opened_at = opened;
    i.resolved_at = opened + minutes(5);
    i.alerts = {alert("PostgresDown")};
    if (phase == IncidentPhase::open) view.incident_list.push_back(i);
    view.archive_.past.push_back(std::move(file));
  }
  json story(const std::string& subject) {
    const auto answer = view.ask("/api/ward/v1/explain", "subject=" + subject);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return json::parse(answer.body);
  }
  json judge(const std::string& body, int status, const std::string& id = "1AAAB1") {
    const auto answer = view.ask("/api/ward/v1/incidents/" + id + "/verdict", "", "POST", body);
    EXPECT_EQ(answer.status, status) << answer.body;
    return json::parse(answer.body);
  }

  static constexpr Time kNow = from_ms(1'700'000'000'000);  // 2023-11-14T22:13:20Z
  TestView view;
  FakeDesk desk;
};

TEST_F(ReviewApi, ExplainsAnIncidentByTheBeginningOfItsId) {
  put("1AAAB1", IncidentPhase::open);
  desk.next = NextStep{.at = kNow + minutes(3), .to = "boss", .unless_acked = true, .repeats = false};
  const auto told = story("1AAA");
  EXPECT_EQ(told["kind"], "incident");
  EXPECT_THAT(told["headline"], HasSubstr("Incident 1AAAB1 is open for 10m"));
  EXPECT_THAT(told.dump(), HasSubstr("In 3m boss is told, unless somebody acknowledges before."));
}

TEST_F(ReviewApi, ExplainsAnAlertWithItsIncident) {
  put("1AAAB1", IncidentPhase::open);
  view.alert_list = {alert("PostgresDown")};
  const std::vector<std::string> ways{"PostgresDown", "PostgresDown%7Btenant%3D%22clinic-a%22%7D",
                                      fingerprint(view.alert_list[0].labels)};
  for (const auto& way : ways) {
    const auto told = story(way);
    EXPECT_EQ(told["kind"], "alert") << way;
    EXPECT_THAT(told.dump(), HasSubstr("It is the cause of incident 1AAAB1.")) << way;
    EXPECT_THAT(told.dump(), HasSubstr("is a rule of pg.yaml, group pg: urgent")) << way;
  }
  EXPECT_THAT(story("PostgresDown%7Btenant%3D%22other%22%7D")["headline"], HasSubstr("does not fire now"));
}

TEST_F(ReviewApi, ExplainsAnAlertOfThePast) {
  put("1AAAB1");
  const auto told = story("PostgresDown");
  EXPECT_THAT(told["headline"], HasSubstr("PostgresDown does not fire now."));
  EXPECT_THAT(told.dump(), HasSubstr("it fired last from"));
}

TEST_F(ReviewApi, SaysWhatLooksLikeANameThatNobodyKnows) {
  const auto told = story("PostgresDwon");
  EXPECT_EQ(told["kind"], "unknown");
  EXPECT_THAT(told.dump(), HasSubstr("Did you mean PostgresDown?"));
}

TEST_F(ReviewApi, RefusesToExplainWhatIsNoSubject) {
  EXPECT_EQ(view.ask("/api/ward/v1/explain").status, 400);
  const auto answer = view.ask("/api/ward/v1/explain", "subject=X%7B");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(json::parse(answer.body)["detail"], HasSubstr("Write it like PostgresDown{tenant="));
  EXPECT_EQ(view.ask("/api/ward/v1/explain", "subject=" + std::string(3'000, 'x')).status, 400);
  view.archive_.trouble = Error{Errc::unavailable, "the disk is away", "Wait."};
  EXPECT_EQ(view.ask("/api/ward/v1/explain", "subject=PostgresDown").status, 503);
  EXPECT_EQ(view.ask("/api/ward/v1/explain", "subject=1AAAB1").status, 503);
}

TEST_F(ReviewApi, HandsAVerdictOnWithTheWholeId) {
  put("1AAAB1");
  EXPECT_EQ(judge(R"({"verdict": "false", "by": "anna", "note": "a test"})", 200, "1AAA")["incident"], "1AAAB1");
  ASSERT_THAT(desk.commands, SizeIs(1));
  EXPECT_EQ(desk.commands[0].kind, Command::Kind::give_verdict);
  EXPECT_EQ(desk.commands[0].subject, "1AAAB1");
  EXPECT_EQ(desk.commands[0].verdict, VerdictKind::false_alarm);
  EXPECT_EQ(desk.commands[0].actor, "anna");
  EXPECT_EQ(desk.commands[0].note, "a test");
}

TEST_F(ReviewApi, RefusesAVerdictThatIsNone) {
  put("1AAAB1");
  EXPECT_THAT(judge(R"({"verdict": "good"})", 400)["detail"], HasSubstr("there is no verdict 'good'"));
  judge("", 400);
  judge("[]", 400);
  judge(R"({"verdict": 7})", 400);
  EXPECT_THAT(judge(R"({"verdict": "acted"})", 404, "9ZZZ")["detail"], HasSubstr("there is no incident '9ZZZ'"));
  view.archive_.past[0].incident.merged_into = "1AAAA0";
  EXPECT_THAT(judge(R"({"verdict": "acted"})", 409)["detail"], HasSubstr("merged into '1AAAA0'"));
  view.headers = {{"content-type", "application/json"}};
  judge(R"({"verdict": "acted"})", 401);
  EXPECT_THAT(desk.commands, IsEmpty());
}

TEST_F(ReviewApi, ListsThePastAndWhatHasNoVerdict) {
  put("1AAAB1");
  put("1AAAB2");
  put("1AAAB3", IncidentPhase::open);
  put("1AAAB4", IncidentPhase::resolved, kNow - hours(24 * 40));
  view.archive_.past[1].incident.verdict = Verdict{.kind = VerdictKind::known, .by = "ben", .note = "", .at = kNow};
  const auto list = [&](const std::string& query) {
    std::string out;
    const auto answer = json::parse(view.ask("/api/ward/v1/incidents", query).body);
    for (const auto& i : answer.at("incidents")) out += i.at("id").get<std::string>() + " ";
    return out;
  };
  EXPECT_EQ(list(""), "1AAAB3 ") << "the open ones";
  EXPECT_EQ(list("since=1h"), "1AAAB1 1AAAB2 1AAAB3 ");
  EXPECT_EQ(list("without_verdict=true"), "1AAAB1 ");
  EXPECT_EQ(list("without_verdict=true&since=60d"), "1AAAB1 1AAAB4 ");
  EXPECT_THAT(view.ask("/api/ward/v1/incidents", "since=1h").body, HasSubstr(R"("verdict":{"verdict":"known","by":"ben")"));
  EXPECT_EQ(view.ask("/api/ward/v1/incidents", "since=soon").status, 400);
  EXPECT_EQ(view.ask("/api/ward/v1/incidents", "without_verdict=maybe").status, 400);
}

slo::BudgetState budget() {
  slo::BudgetState out;
  out.slo = "admission-ok";
  out.service = "odoo";
  out.group = Labels{{"tenant", "clinic-a"}};
  out.target = 0.999;
  out.sli = 0.9995;
  out.budget_remaining = 0.5;
  out.coverage = 0.98;
  out.bad_events = 50;
  out.events = 100'000;
  out.period = {slo::Minute{}, slo::Minute{} + hours(24 * 30)};
  out.length = "30d";
  out.windows = {{.length = minutes(5), .bad_ratio = 0.02, .burn = 20, .coverage = 1},
                 {.length = minutes(60), .bad_ratio = 0.016, .burn = 16, .coverage = 1}};
  out.burn = {{.long_window = hours(1), .short_window = minutes(5), .factor = 14.4, .cls = AlertClass::urgent, .after = {}}};
  out.last_sample = from_ms(1'699'999'990'000);
  return out;
}

TEST_F(ReviewApi, TellsWhatIsLeftOfABudget) {
  view.slo_list = {budget()};
  const auto slo = json::parse(view.ask("/api/ward/v1/slos").body).at("slos").at(0);
  EXPECT_EQ(slo["state"], "ok");
  EXPECT_NEAR(slo["minutes_left"].get<double>(), 0.5 * 0.001 * 43'200, 1e-6);
  EXPECT_NEAR(slo["bad_events_left"].get<double>(), 50, 1e-6);
  EXPECT_EQ(slo["windows"][0]["window"], "5m");
  EXPECT_EQ(slo["burn_alerts"][0]["burns"], true);
  EXPECT_EQ(slo["no_data"]["seconds_since"], 10.0);
}

TEST_F(ReviewApi, SaysTheWorstOfAnSloInOneWord) {
  const auto state = [&](const slo::BudgetState& one) {
    view.slo_list = {one};
    return json::parse(view.ask("/api/ward/v1/slos").body).at("slos").at(0).at("state").get<std::string>();
  };
  auto one = budget();
  one.alert = alert("admission-ok");
  EXPECT_EQ(state(one), "burning");
  one.budget_remaining = -0.2;
  EXPECT_EQ(state(one), "spent");
  one.absent = true;
  EXPECT_EQ(state(one), "no data");
  one.counted = false;
  EXPECT_EQ(state(one), "not counted");
  slo::BudgetState unknown;
  EXPECT_EQ(state(unknown), "unknown");
  const auto body = view.ask("/api/ward/v1/slos").body;
  EXPECT_THAT(body, HasSubstr(R"("minutes_left":null)")) << "never NaN";
}

TEST_F(ReviewApi, ChoosesSlosByNameTenantAndService) {
  auto other = budget();
  other.slo = "freshness";
  other.group = Labels{{"tenant", "clinic-b"}};
  view.slo_list = {budget(), other};
  const auto count = [&](const std::string& query) {
    return json::parse(view.ask("/api/ward/v1/slos", query).body).at("slos").size();
  };
  EXPECT_EQ(count(""), 2U);
  EXPECT_EQ(count("name=freshness"), 1U);
  EXPECT_EQ(count("tenant=clinic-a"), 1U);
  EXPECT_EQ(count("tenant=clinic-a&name=freshness"), 0U);
  EXPECT_EQ(count("service=odoo"), 2U);
}

TEST_F(ReviewApi, ReportsAMonth) {
  put("1AAAB1");
  put("1AAAB2", IncidentPhase::resolved, kNow - hours(24 * 40));  // October
  view.archive_.past[0].incident.verdict = Verdict{.kind = VerdictKind::acted, .by = "", .note = "", .at = kNow};
  slo::LedgerMinutes ledger;
  ledger.slo = "admission-ok";
  ledger.service = "pg-main";
  ledger.target = 0.99;
  ledger.range = {slo::minute_of(kNow - minutes(100)), slo::minute_of(kNow)};
  ledger.cells.assign(100, {.bad = 0, .total = slo::kOne});
  ledger.cells[92].bad = slo::kOne;
  view.ledgers = {ledger};
  view.around.tested = [] { return std::set<std::string>{"PostgresDown"}; };
  const auto report = json::parse(view.ask("/api/ward/v1/report/alerts", "month=2023-11").body);
  EXPECT_EQ(report["from"], "2023-11-01T00:00:00.000Z");
  EXPECT_EQ(report["to"], "2023-11-14T22:13:20.000Z") << "no further than now";
  EXPECT_EQ(report["all"]["incidents"], 1);
  EXPECT_EQ(report["all"]["actionability"], 1.0);
  EXPECT_EQ(report["detection"]["stretches"], 1);
  EXPECT_THAT(report["hygiene"]["without_test"], IsEmpty());
  EXPECT_EQ(report["proposals"][0]["rule"], "PostgresDown");
}

TEST_F(ReviewApi, AMonthIsThatOfTheZone) {
  const auto report = json::parse(view.ask("/api/ward/v1/report/alerts", "month=2023-11&zone=Europe/Paris").body);
  EXPECT_EQ(report["from"], "2023-10-31T23:00:00.000Z");
}

TEST_F(ReviewApi, RefusesWhatIsNoMonth) {
  for (const auto* query : {"", "month=", "month=2023", "month=2023-13", "month=2023-00", "month=23-11-1", "month=-023-11",
                            "month=2023-1x", "month=2024-01", "month=2023-11&zone=Nowhere/At_All"})
    EXPECT_EQ(view.ask("/api/ward/v1/report/alerts", query).status, 400) << query;
  view.archive_.trouble = Error{Errc::unavailable, "the disk is away", "Wait."};
  EXPECT_EQ(view.ask("/api/ward/v1/report/alerts", "month=2023-11").status, 503);
}

}  // namespace
}  // namespace ward::collector::api
