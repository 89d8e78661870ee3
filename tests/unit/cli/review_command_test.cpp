// wardctl explain, slo, incidents, verdict and report: what they ask, and what they make of the answers.
#include <fstream>
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "cli/alert_report_text.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using nlohmann::json;
using testing::EndsWith;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

TEST(WardctlExplain, PrintsTheAnswerFirstAndItsReasonsInLines) {
  CliRun cli;
  cli.answer(200, R"({"asked":"X","kind":"alert","headline":"X fires.","sections":[{"title":"The rule","lines":[
    {"at":"2026-11-22T10:42:07.000Z","text":"It was evaluated."},{"text":"It is urgent."}]}]})");
  EXPECT_EQ(cli({"explain", "X{tenant=\"a\"}"}), 0) << cli.err;
  EXPECT_EQ(cli.out, "X fires.\n\nThe rule\n  11-22 10:42:07  It was evaluated.\n                  It is urgent.\n");
  EXPECT_THAT(cli.asked.at(0).url, EndsWith("/api/ward/v1/explain?subject=X%7Btenant%3D%22a%22%7D"));
}

TEST(WardctlExplain, WrapsLongLinesAtWords) {
  CliRun cli;
  std::string text;
  for (int i = 0; i < 40; ++i) text += "word" + std::to_string(i) + " ";
  cli.answer(200, json{{"headline", "H"}, {"sections", {{{"title", "T"}, {"lines", {{{"text", text}}}}}}}}.dump());
  EXPECT_EQ(cli({"explain", "X"}), 0) << cli.err;
  std::istringstream lines(cli.out);
  for (std::string line; std::getline(lines, line);) EXPECT_LE(line.size(), 100U) << line;
  EXPECT_THAT(cli.out, HasSubstr("word39"));
}

TEST(WardctlExplain, ShowsWhatMovesTheCursorEscaped) {
  CliRun cli;
  cli.answer(200, "{\"headline\":\"a\\u001b[2Jb\",\"sections\":[]}");
  EXPECT_EQ(cli({"explain", "X"}), 0);
  EXPECT_THAT(cli.out, Not(HasSubstr("\x1b")));
}

TEST(WardctlExplain, TellsWhatWentWrong) {
  CliRun cli;
  EXPECT_EQ(cli({"explain"}), 2);
  EXPECT_THAT(cli.asked, IsEmpty());
  cli.answer(400,
             R"({"title":"Bad request","detail":"several incidents begin with '1A': 1AB, 1AC. Write more of the id."})");
  EXPECT_EQ(cli({"explain", "1A"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("several incidents begin with '1A'"));
  cli.answer(200, "[]");
  EXPECT_EQ(cli({"explain", "X"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("not understood"));
  cli.failure(http::FailureKind::connect_refused);
  EXPECT_EQ(cli({"explain", "X"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("Start it or set --collector"));
}

json slo() {
  return json::parse(R"({"slo":"admission-ok","service":"odoo","group":{"tenant":"clinic-a"},"workflow":"","state":"burning",
    "objective":0.999,"period":"30d","rolling":true,"ratio":0.9995,"coverage":0.98,"budget_remaining":0.5,
    "bad_events_left":49.9,"minutes_left":21.6,"bad_events":50,"events":100000,"budgeting":"Occurrences","excluded_minutes":30,
    "no_data":{"policy":"unknown","told":false,"last_sample":"2026-11-22T10:42:00.000Z","seconds_since":7},"frozen":true,
    "on_exhausted":"freeze","windows":[{"window":"5m","bad_ratio":0.02,"burn_rate":20,"coverage":1},
    {"window":"30d","bad_ratio":null,"burn_rate":null,"coverage":0}],
    "burn_alerts":[{"long":"1h","short":"5m","factor":14.4,"class":"urgent","burns":true}],
    "alert":{"state":"firing","class":"urgent"},"origin":"odoo.yaml:12:1"})");
}
std::string slos(json list) { return json{{"slos", std::move(list)}}.dump(); }

TEST(WardctlSlo, ListsEachGroupInALine) {
  CliRun cli;
  auto unknown = slo();
  unknown["slo"] = "freshness";
  unknown["state"] = "not counted";
  for (const auto* key : {"ratio", "budget_remaining", "minutes_left", "bad_events_left"}) unknown[key] = nullptr;
  unknown["windows"] = json::array();
  cli.answer(200, slos({slo(), unknown}));
  EXPECT_EQ(cli({"slo"}), 0) << cli.err;
  EXPECT_THAT(cli.out,
              HasSubstr("admission-ok  tenant=clinic-a  burning      99.9%/30d  99.95%  50%          21m          20 (5m)"));
  EXPECT_THAT(cli.out, HasSubstr("freshness     tenant=clinic-a  not counted  99.9%/30d  -       -"));
}

TEST(WardctlSlo, ShowsOneWithItsWindows) {
  CliRun cli;
  cli.answer(200, slos({slo()}));
  EXPECT_EQ(cli({"slo", "admission-ok", "--tenant", "clinic-a"}), 0) << cli.err;
  EXPECT_THAT(cli.asked.at(0).url, EndsWith("/api/ward/v1/slos?name=admission-ok&tenant=clinic-a"));
  for (const auto* part : {"50%, as much as 21m of full outage, or 49 bad events", "30m of maintenance",
                           "CHANGES ARE FROZEN", "burning over 14.40 times too fast in 1h and 5m: urgent   <- NOW",
                           "firing, urgent", "  5m      98%   20", "odoo.yaml:12:1"})
    EXPECT_THAT(cli.out, HasSubstr(part));
}

TEST(WardctlSlo, SuggestsANameThatIsThere) {
  CliRun cli;
  cli.answer(200, slos(json::array()));
  cli.answer(200, slos({slo()}));
  EXPECT_EQ(cli({"slo", "admision-ok"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("There is no SLO 'admision-ok'. Did you mean 'admission-ok'?"));
  cli.answer(200, slos(json::array()));
  EXPECT_EQ(cli({"slo"}), 0);
  EXPECT_EQ(cli.out, "No SLOs.\n");
  cli.answer(200, R"({"slos":[{}]})");
  EXPECT_EQ(cli({"slo"}), 2);
}

TEST(WardctlIncidents, ListsWhatIsOpenAndWhatHasNoVerdict) {
  CliRun cli;
  cli.answer(
      200,
      R"({"incidents":[{"id":"1A","class":"urgent","owner":"database","root_service":"pg-main","root_alert":"PostgresDown",
    "opened_at":"2026-11-22T10:40:07.000Z","alerts":[{}],"told":["dba"],"acknowledged":{"by":"anna","at":"","note":""}}]})");
  EXPECT_EQ(cli({"incidents"}), 0) << cli.err;
  EXPECT_THAT(cli.out, HasSubstr("2m        urgent  database  PostgresDown  pg-main  1       anna"));
  EXPECT_THAT(cli.asked.at(0).url, EndsWith("/api/ward/v1/incidents"));
  cli.answer(200, R"({"incidents":[]})");
  EXPECT_EQ(cli({"incidents", "--without-verdict", "--since", "7d"}), 0) << cli.err;
  EXPECT_EQ(cli.out, "Every incident that is over has a verdict.\n");
  EXPECT_THAT(cli.asked.at(1).url, EndsWith("/incidents?since=7d&without_verdict=true"));
  cli.answer(200, R"({"incidents":[{}]})");
  EXPECT_EQ(cli({"incidents"}), 2);
}

TEST(WardctlVerdict, SaysWhatAnIncidentWas) {
  CliRun cli;
  cli.environment["USER"] = "anna";
  cli.answer(200, R"({"incident":"1AAAB1","done":"the verdict is false"})");
  EXPECT_EQ(cli({"verdict", "1AAA", "false", "--note", "a test"}), 0) << cli.err;
  EXPECT_EQ(cli.out, "1AAAB1: the verdict is false\n");
  EXPECT_THAT(cli.asked.at(0).url, EndsWith("/api/ward/v1/incidents/1AAA/verdict"));
  EXPECT_EQ(json::parse(cli.asked[0].body), json({{"verdict", "false"}, {"by", "anna"}, {"note", "a test"}}));
}

TEST(WardctlVerdict, RefusesAWordThatIsNoVerdictBeforeAsking) {
  CliRun cli;
  EXPECT_EQ(cli({"verdict", "1AAA", "fine"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("there is no verdict 'fine'"));
  EXPECT_THAT(cli.err, HasSubstr("acted"));
  EXPECT_EQ(cli({"verdict", "1AAA"}), 2);
  EXPECT_THAT(cli.asked, IsEmpty());
  cli.answer(404, R"({"detail":"there is no incident '1AAA'"})");
  EXPECT_EQ(cli({"verdict", "1AAA", "acted"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("there is no incident '1AAA'"));
}

json figures() {
  return json::parse(R"({"incidents":5,"paged":4,"pages":6,"pages_per_incident":1.5,"night_pages":3,
    "incidents_per_shift":{"mean":0.25,"p95":1},"verdicts":{"acted":1,"auto-recovered":1,"known":0,"false":0},"without_verdict":3,
    "actionability":0.5,"precision":null,"acknowledged":{"count":2,"p50_seconds":60,"p90_seconds":150},"unacknowledged":2,
    "noise":1,"flaps":0,"later_steps":1,"late_roots":1,"residual_roots":0,"merged":1,"suppressed":9,"muted":0})");
}
std::string report() {
  auto row = figures();
  row["rule"] = "PostgresDown";
  auto owner = figures();
  owner["owner"] = "database";
  auto tenant = figures();
  tenant["tenant"] = "";
  json out{{"from", "2026-11-01T00:00:00.000Z"},
           {"to", "2026-12-01T00:00:00.000Z"},
           {"all", figures()},
           {"by_rule", {row}},
           {"by_owner", {owner}},
           {"by_tenant", {tenant}},
           {"notes", {"Mind this."}}};
  out["detection"] =
      json::parse(R"({"stretches":2,"paged":1,"recall":0.5,"delay":{"count":1,"p50_seconds":90,"p90_seconds":90},
    "reset":{"count":0,"p50_seconds":null,"p90_seconds":null},"missed":[{"slo":"admission-ok","group":{"tenant":"a"},
    "from":"2026-11-09T08:20:00.000Z","to":"2026-11-09T09:20:00.000Z","budget":0.25}]})");
  out["hygiene"] =
      json::parse(R"({"silence_hours":12.4,"long_silences":[{"id":"s2","matchers":"a=\"b\"","by":"ben","days":30}],
    "never_fired":["Note"],"log_days":90,"without_owner":[],"without_runbook":["Orphan"],"without_test":[]})");
  out["proposals"] = json::parse(R"([{"action":"delete","rule":"Note","reason":"never fired"},
    {"action":"tune","rule":"PostgresDown","reason":"noise","change":"for: 6m","for_seconds":360},
    {"action":"tune","rule":"Flappy","reason":"it flapped","change":"keep_firing_for: 15m"},
    {"action":"keep","rule":"DiskFull","reason":"2 paged incidents"}])");
  return out.dump();
}

TEST(WardctlReport, TellsTheMonthToPeople) {
  CliRun cli;
  cli.answer(200, report());
  EXPECT_EQ(cli({"report", "alerts", "--month", "2026-11", "--zone", "Europe/Paris"}), 0) << cli.err;
  EXPECT_THAT(cli.asked.at(0).url, EndsWith("/api/ward/v1/report/alerts?month=2026-11&zone=Europe%2FParis"));
  for (const auto* part : {"5, of which 4 paged somebody", "6, 1.5 an incident (goal 1.0), 50 % of them at night",
                           "0.25 incidents in the mean, 1 in the 95th percentile", "50 % of those with a verdict: 1 acted",
                           "- of the paged incidents that can be judged mattered", "50 %: 1 of 2 stretches",
                           "1m p50, 2m30s p90; 2 never", "admission-ok  tenant=a", "s2 by ben: {a=\"b\"}, 30 days",
                           "never fired (90 d)", "write for: 6m", "Note: Mind this."})
    EXPECT_THAT(cli.out, HasSubstr(part));
  EXPECT_THAT(cli.out, Not(HasSubstr("without an owner")));
}

TEST(WardctlReport, GivesTheAnswerAsJson) {
  CliRun cli;
  cli.answer(200, report());
  EXPECT_EQ(cli({"report", "alerts", "--month", "2026-11", "--json"}), 0) << cli.err;
  EXPECT_EQ(json::parse(cli.out), json::parse(report()));
}

TEST(WardctlReport, RefusesWhatCannotBe) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> lines = {
      {{"report"}, "A subcommand is required"},
      {{"report", "alerts"}, "--month"},
      {{"report", "alerts", "--month", "2026-11", "--rules", "x.yaml"}, "nothing says where the stored samples are"},
      {{"report", "alerts", "--month", "2026-11", "--data", "/x"}, "no rules are named"},
      {{"report", "alerts", "--month", "2026-11", "--rules", "x", "--data", "/x", "--step", "often"}, "no length of time"},
  };
  for (const auto& [line, why] : lines) {
    CliRun cli;
    EXPECT_EQ(cli(line), 2);
    EXPECT_THAT(cli.err, HasSubstr(why));
    EXPECT_THAT(cli.asked, IsEmpty());
  }
  CliRun cli;
  cli.answer(400, R"({"detail":"'month' is 'soon'. Write it like 2026-11."})");
  EXPECT_EQ(cli({"report", "alerts", "--month", "soon"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("Write it like 2026-11"));
  for (const auto* answer : {"[]", "{}", "no json"}) {
    cli.answer(200, answer);
    EXPECT_EQ(cli({"report", "alerts", "--month", "2026-11"}), 2) << answer;
    EXPECT_THAT(cli.err, HasSubstr("not understood"));
  }
}

TEST(AlertReportText, TriesDeletesAndAnotherForAndSaysWhatCameOfIt) {
  const auto changes = changes_of(report());
  ASSERT_THAT(*changes, SizeIs(2)) << "what flaps has no change that can be tried";
  EXPECT_TRUE((*changes)[0].remove);
  EXPECT_EQ((*changes)[1].hold, std::chrono::minutes(6));
  const std::vector<TriedChange> tried{{.rule = "PostgresDown",
                                        .pages_before = 14,
                                        .pages_after = 3,
                                        .incidents_before = 9,
                                        .incidents_after = 2,
                                        .gone = 7,
                                        .fresh = 0}};
  EXPECT_THAT(alert_report_text(report(), tried).value(),
              HasSubstr("backtest: 14 -> 3 pages, 9 -> 2 incidents (7 gone, 0 new)"));
  EXPECT_EQ(json::parse(alert_report_json(report(), tried).value())["proposals"][1]["backtest"]["gone"], 7);
}

}  // namespace
}  // namespace ward::cli
