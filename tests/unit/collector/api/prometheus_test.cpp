// Prometheus' HTTP API v1 as its clients read it.
#include "collector/api/prometheus.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "common/http/gzip.hpp"
#include "tests/unit/collector/api/test_view.hpp"

namespace ward::collector::api {
namespace {

using nlohmann::json;

constexpr auto kNow = 1'700'000'000'000;

/// Two series of `up` and one of `load`, a sample each 10 s for the last minute.
struct PrometheusApi : testing::Test {
  PrometheusApi() {
    for (int i = 0; i <= 6; ++i) {
      const auto at = from_ms(kNow - 60'000 + i * 10'000);
      view.add({{"__name__", "up"}, {"job", "pg"}, {"tenant", "a"}}, at, 1);
      view.add({{"__name__", "up"}, {"job", "redis"}, {"tenant", "b"}}, at, 0);
      view.add({{"__name__", "load"}, {"tenant", "a"}}, at, i * 1.5);
    }
  }
  TestView view;
};

TEST_F(PrometheusApi, AnswersAnInstantQueryByGetAndByForm) {
  const auto wanted = json::parse(
      R"({"status":"success","data":{"resultType":"vector","result":[{"metric":{"__name__":"load","tenant":"a"},"value":[1700000000,"9"]}]}})");
  EXPECT_EQ(json::parse(view.ask("/api/v1/query", "query=load&time=1700000000").body), wanted);
  EXPECT_EQ(json::parse(view.ask("/api/v1/query", "", "POST", "query=load&time=2023-11-14T22:13:20Z").body), wanted);
}

TEST_F(PrometheusApi, AnswersScalarsAndStringsInTheirOwnShapes) {
  EXPECT_EQ(view.data("/api/v1/query", "query=1%2B1.5"),
            json::parse(R"({"resultType":"scalar","result":[1700000000,"2.5"]})"));
  EXPECT_EQ(view.data("/api/v1/query", "query=%22a%5C%22b%22&time=1.5"),
            json::parse(R"({"resultType":"string","result":[1.5,"a\"b"]})"));
}

TEST_F(PrometheusApi, AnswersARangeQuery) {
  const auto data = view.data("/api/v1/query_range", "query=sum(up)&start=1699999990&end=1700000000&step=5s");
  EXPECT_EQ(data, json::parse(R"({"resultType":"matrix","result":[{"metric":{},
      "values":[[1699999990,"1"],[1699999995,"1"],[1700000000,"1"]]}]})"));
}

TEST_F(PrometheusApi, LargeAnswersArePackedForThoseWhoTakeIt) {
  const auto header = [](const http::ServerResponse& response, std::string_view name) {
    for (const auto& [key, value] : response.headers)
      if (key == name) return value;
    return std::string();
  };
  const std::string range = "query=up&start=1699999940&end=1700000000&step=100ms";
  const auto plain = view.ask("/api/v1/query_range", range);
  EXPECT_EQ(header(plain, "Content-Encoding"), "");
  EXPECT_EQ(header(plain, "Vary"), "Accept-Encoding");
  view.headers = {{"accept-encoding", "deflate, gzip"}};
  const auto packed = view.ask("/api/v1/query_range", range);
  EXPECT_EQ(header(packed, "Content-Encoding"), "gzip");
  EXPECT_EQ(packed.body, http::gzip(plain.body));
  EXPECT_LT(packed.body.size(), plain.body.size() / 4);
  EXPECT_EQ(header(view.ask("/api/v1/query", "query=up"), "Content-Encoding"), "") << "not worth it";
}

struct Refusal {
  std::string path, query;
  int status;
  std::string type, error;
};

TEST_F(PrometheusApi, RefusesWithPrometheusSentences) {
  const std::string range = "/api/v1/query_range";
  const std::vector<Refusal> rows{
      {"/api/v1/query", "query=sum(", 400, "bad_data",
       "invalid parameter \"query\": 1:5: parse error: unclosed left parenthesis"},
      {"/api/v1/query", "query=up&time=soon", 400, "bad_data",
       "invalid parameter \"time\": cannot parse \"soon\" to a valid timestamp"},
      {"/api/v1/query", "query=up&timeout=x", 400, "bad_data",
       "invalid parameter \"timeout\": cannot parse \"x\" to a valid duration"},
      {"/api/v1/query", "query=up%2Bon()up", 422, "execution", ""},
      {range, "query=up&start=2&end=1&step=1", 400, "bad_data",
       "invalid parameter \"end\": end timestamp must not be before start time"},
      {range, "query=up&start=1&end=2&step=0", 400, "bad_data",
       "invalid parameter \"step\": zero or negative query resolution step widths are not accepted. Try a positive integer"},
      {range, "query=up&start=0&end=11001&step=1", 400, "bad_data",
       "exceeded maximum resolution of 11,000 points per timeseries. Try decreasing the query resolution (?step=XX)"},
      {range, "query=up&end=1&step=1", 400, "bad_data",
       "invalid parameter \"start\": cannot parse \"\" to a valid timestamp"},
      {"/api/v1/series", "", 400, "bad_data", "no match[] parameter provided"},
      {"/api/v1/labels", "limit=-1", 400, "bad_data", ""},
      {"/api/v1/rules", "type=page", 400, "bad_data", "invalid parameter \"type\": not supported value \"page\""},
      {"/api/v1/rules", "exclude_alerts=maybe", 400, "bad_data",
       "invalid parameter \"exclude_alerts\": must be true or false, not \"maybe\""},
      {"/api/v1/rules", "match[]=%7Bclass=", 400, "bad_data", ""},
      {"/api/v1/rules", "match[]=%7Bclass=%22%22%7D", 400, "bad_data", ""},
  };
  for (const auto& row : rows) {
    const auto response = view.ask(row.path, row.query);
    const auto body = json::parse(response.body);
    EXPECT_EQ(response.status, row.status) << row.path << '?' << row.query << ' ' << response.body;
    EXPECT_EQ(body["status"], "error") << row.query;
    EXPECT_EQ(body["errorType"], row.type) << row.query;
    if (!row.error.empty()) {
      EXPECT_EQ(body["error"], row.error);
    }
  }
}

TEST_F(PrometheusApi, FindsSeriesNamesAndValues) {
  EXPECT_EQ(view.data("/api/v1/series", "match[]=up%7Bjob=~%22r.*%22%7D&match[]=load"),
            json::parse(R"([{"__name__":"load","tenant":"a"},{"__name__":"up","job":"redis","tenant":"b"}])"));
  EXPECT_EQ(view.data("/api/v1/labels"), json::parse(R"(["__name__","job","tenant"])"));
  EXPECT_EQ(view.data("/api/v1/labels", "match[]=load"), json::parse(R"(["__name__","tenant"])"));
  EXPECT_EQ(view.data("/api/v1/label/tenant/values"), json::parse(R"(["a","b"])"));
  EXPECT_EQ(view.data("/api/v1/label/__name__/values", "match[]=%7Bjob=%22pg%22%7D"), json::parse(R"(["up"])"));
  EXPECT_EQ(view.data("/api/v1/label/U__job/values"), json::parse(R"(["pg","redis"])"));
  EXPECT_EQ(view.data("/api/v1/label/nothing/values"), json::array());
}

TEST_F(PrometheusApi, LeavesOutSeriesWithoutSamplesInTheTimeAskedFor) {
  view.add({{"__name__", "late"}}, from_ms(kNow + 3'600'000), 1);
  EXPECT_EQ(view.data("/api/v1/label/__name__/values"), json::parse(R"(["late","load","up"])"));
  EXPECT_EQ(view.data("/api/v1/label/__name__/values", "end=1700000000"), json::parse(R"(["load","up"])"));
  EXPECT_EQ(view.data("/api/v1/series", "match[]=%7B__name__=~%22.%2B%22%7D&start=1700000001"),
            json::parse(R"([{"__name__":"late"}])"));
}

TEST_F(PrometheusApi, PrintsAnAlertsValueAsPrometheusDoes) {
  AlertEvent alert;
  alert.labels = Labels{{"alertname", "Down"}};
  alert.active_at = from_ms(kNow);
  alert.value = 12.5;
  view.alert_list = {alert};
  EXPECT_EQ(view.data("/api/v1/alerts"),
            json::parse(R"({"alerts":[{"labels":{"alertname":"Down"},"annotations":{},"state":"pending",
                            "activeAt":"2023-11-14T22:13:20.000Z","value":"1.25e+01"}]})"));
}

TEST_F(PrometheusApi, CutsListsToTheLimitAndSaysSo) {
  const auto body = json::parse(view.ask("/api/v1/label/tenant/values", "limit=1").body);
  EXPECT_EQ(body["data"], json::parse(R"(["a"])"));
  EXPECT_EQ(body["warnings"], json::parse(R"(["results truncated due to limit"])"));
  EXPECT_EQ(view.data("/api/v1/query", "query=up&limit=1")["result"].size(), 1U);
}

TEST_F(PrometheusApi, NeverLetsARequestRunLongerThanTheServer) {
  http::ServerRequest request;
  const auto lease = view.gate().lease();
  const prometheus::Turn turn{view.clock().mono(), *lease};
  request.query = "timeout=10h";
  ASSERT_TRUE(prometheus::engine_for(view, request, turn));
  EXPECT_EQ(prometheus::engine_for(view, request, turn)->options().limits.timeout, view.engine().options().limits.timeout);
  request.query = "timeout=5&lookback_delta=10s";
  EXPECT_EQ(prometheus::engine_for(view, request, turn)->options().limits.timeout, std::chrono::seconds{5});
  EXPECT_EQ(prometheus::engine_for(view, request, turn)->options().lookback, std::chrono::seconds{10});
}

TEST_F(PrometheusApi, CountsTheTimeInTheQueueTowardsTheTimeout) {
  http::ServerRequest request;
  request.query = "timeout=5";
  const auto lease = view.gate().lease();
  const auto waited = [&](std::chrono::seconds time) {
    const prometheus::Turn turn{view.clock().mono() - time, *lease};
    return prometheus::engine_for(view, request, turn);
  };
  EXPECT_EQ(waited(std::chrono::seconds{2})->options().limits.timeout, std::chrono::seconds{3});
  EXPECT_EQ(waited(std::chrono::seconds{5}).error().code, Errc::timed_out);
}

TEST_F(PrometheusApi, PrintsAndTakesQueriesApart) {
  EXPECT_EQ(view.data("/api/v1/format_query", "query=sum%20by(a)(up)"), "sum by (a) (up)");
  const auto tree = view.data("/api/v1/parse_query", "query=rate(up%7Bjob!=%22x%22%7D[5m]%20offset%201m)%20%3E%20bool%202");
  EXPECT_EQ(tree["type"], "binaryExpr");
  EXPECT_EQ(tree["bool"], true);
  EXPECT_EQ(tree["lhs"]["func"]["name"], "rate");
  EXPECT_EQ(tree["lhs"]["args"][0]["type"], "matrixSelector");
  EXPECT_EQ(tree["lhs"]["args"][0]["range"], 300'000);
  EXPECT_EQ(tree["lhs"]["args"][0]["offset"], 60'000);
  EXPECT_EQ(tree["rhs"], json::parse(R"({"type":"numberLiteral","val":"2"})"));
}

TEST_F(PrometheusApi, ShowsRulesWithTheirHealthAndAlerts) {
  AlertEvent alert;
  alert.labels = Labels{{"alertname", "Down"}};
  alert.phase = AlertPhase::firing;
  RuleView down;
  down.name = "Down";
  down.query = "up == 0";
  down.hold = std::chrono::seconds{5};
  down.last_evaluation = from_ms(kNow);
  down.alerts = {alert};
  RuleView record;
  record.alerting = false;
  record.name = "a:b";
  record.query = "nonsense()";
  record.last_error = "it does not work";
  view.groups = {{"g", "pack.yaml", std::chrono::seconds{15}, 0, {down, record}}};
  const auto group = view.data("/api/v1/rules")["groups"][0];
  EXPECT_EQ(group["interval"], 15);
  EXPECT_EQ(group["rules"][0]["state"], "firing");
  EXPECT_EQ(group["rules"][0]["duration"], 5);
  EXPECT_EQ(group["rules"][0]["health"], "ok");
  EXPECT_EQ(group["rules"][0]["alerts"].size(), 1U);
  EXPECT_EQ(group["rules"][0]["lastEvaluation"], "2023-11-14T22:13:20.000Z");
  EXPECT_EQ(group["rules"][1]["type"], "recording");
  EXPECT_EQ(group["rules"][1]["health"], "err");
  EXPECT_EQ(group["rules"][1]["lastError"], "it does not work");
  EXPECT_EQ(view.data("/api/v1/rules", "type=record")["groups"][0]["rules"].size(), 1U);
  EXPECT_EQ(view.data("/api/v1/rules", "rule_group[]=other")["groups"].size(), 0U);
}

struct RuleChoice {
  std::string query;
  std::vector<std::string> names;
};

TEST_F(PrometheusApi, ShowsTheRulesThatAreAskedFor) {
  const auto rule = [](const std::string& name, bool alerting, Labels labels) {
    RuleView out;
    out.name = name;
    out.alerting = alerting;
    out.labels = std::move(labels);
    return out;
  };
  const auto page = rule("Down", true, {{"class", "urgent"}, {"owner", "database"}, {"who", "{{ $labels.tenant }}"}});
  const auto note = rule("Slow", true, {{"class", "informational"}});
  const auto sum = rule("a:b", false, {{"class", "urgent"}});
  view.groups = {{"g", "pg.yaml", std::chrono::seconds{15}, 0, {page, note, sum}},
                 {"h", "odoo.yaml", std::chrono::seconds{15}, 0, {note}}};
  const std::vector<RuleChoice> rows{
      {"", {"g/Down", "g/Slow", "g/a:b", "h/Slow"}},
      {"type=alert", {"g/Down", "g/Slow", "h/Slow"}},
      {"type=Record", {"g/a:b"}},
      {"rule_name[]=Slow", {"g/Slow", "h/Slow"}},
      {"rule_name[]=Slow&rule_name[]=a:b", {"g/Slow", "g/a:b", "h/Slow"}},
      {"rule_group[]=h", {"h/Slow"}},
      {"rule_group[]=g&rule_group[]=h&type=record", {"g/a:b"}},
      {"file[]=odoo.yaml", {"h/Slow"}},
      {"file[]=nothing.yaml", {}},
      {"match[]=%7Bclass=%22urgent%22%7D", {"g/Down", "g/a:b"}},
      {"match[]=%7Bclass=%22urgent%22,owner=~%22data.*%22%7D", {"g/Down"}},
      {"match[]=%7Bclass=%22urgent%22,owner=%22%22%7D", {"g/a:b"}},
      {"match[]=%7Bowner=%22database%22%7D&match[]=%7Bclass=%22informational%22%7D", {"g/Down", "g/Slow", "h/Slow"}},
      {"match[]=%7Bwho=%22%7B%7B%20$labels.tenant%20%7D%7D%22%7D", {"g/Down"}},
      {"match[]=%7Bclass=%22urgent%22%7D&type=record&rule_group[]=h", {}},
  };
  for (const auto& row : rows) {
    std::vector<std::string> names;
    const auto data = view.data("/api/v1/rules", row.query);
    for (const auto& group : data["groups"])
      for (const auto& shown : group["rules"])
        names.push_back(group["name"].get<std::string>() + "/" + shown["name"].get<std::string>());
    EXPECT_EQ(names, row.names) << row.query;
  }
}

TEST_F(PrometheusApi, ShowsRulesWithoutTheirAlertsWhereThatIsAskedFor) {
  AlertEvent alert;
  alert.labels = Labels{{"alertname", "Down"}};
  alert.phase = AlertPhase::firing;
  RuleView down;
  down.name = "Down";
  down.alerts = {alert};
  view.groups = {{"g", "pack.yaml", std::chrono::seconds{15}, 0, {down}}};
  for (const char* yes : {"true", "1", "T"}) {
    const auto rule = view.data("/api/v1/rules", std::string("exclude_alerts=") + yes)["groups"][0]["rules"][0];
    EXPECT_EQ(rule["alerts"], json::array()) << yes;
    EXPECT_EQ(rule["state"], "firing") << "what it does is still told";
  }
  for (const char* no : {"false", "0", ""})
    EXPECT_EQ(view.data("/api/v1/rules", std::string("exclude_alerts=") + no)["groups"][0]["rules"][0]["alerts"].size(), 1U);
}

TEST_F(PrometheusApi, ShowsProbesAsTargets) {
  const Labels target{{"instance", "pg1"}, {"job", "postgres"}, {"probe", "postgres"}, {"tenant", "a"}};
  view.add(target.with("__name__", "ward_probe_success"), from_ms(kNow - 1'000), 0);
  view.add(target.with("__name__", "ward_probe_duration_seconds"), from_ms(kNow - 1'000), 0.25);
  view.add(target.with("__name__", "ward_probe_failure_info").with("reason", "auth"), from_ms(kNow - 1'000), 1);
  const auto targets = view.data("/api/v1/targets")["activeTargets"];
  ASSERT_EQ(targets.size(), 1U);
  EXPECT_EQ(targets[0]["health"], "down");
  EXPECT_EQ(targets[0]["lastError"], "auth");
  EXPECT_EQ(targets[0]["lastScrapeDuration"], 0.25);
  EXPECT_EQ(targets[0]["labels"]["instance"], "pg1");
}

TEST_F(PrometheusApi, NamesWhoHasTheMostSeries) {
  const auto data = view.data("/api/v1/status/tsdb");
  EXPECT_EQ(data["headStats"]["numSeries"], 3);
  EXPECT_EQ(data["seriesCountByMetricName"][0], json::parse(R"({"name":"up","value":2})"));
  EXPECT_EQ(view.data("/api/v1/status/tsdb", "limit=1")["seriesCountByLabelValuePair"].size(), 1U);
  EXPECT_EQ(data["wardRefusedSeries"], json::array());
}

TEST_F(PrometheusApi, NamesWhoseSeriesAreRefusedMost) {
  view.refused = {{"clinic-a", "pod_info", 3}, {"clinic-a", "up", 1}, {"clinic-b", "pod_info", 900}};
  const auto most = json::parse(R"({"tenant":"clinic-b","metric":"pod_info","value":900})");
  const auto all = view.data("/api/v1/status/tsdb")["wardRefusedSeries"];
  ASSERT_EQ(all.size(), 3U);
  EXPECT_EQ(all[0], most);
  EXPECT_EQ(view.data("/api/v1/status/tsdb", "limit=1")["wardRefusedSeries"], json::array({most}));
}

TEST(PrometheusJson, PrintsNumbersAsGoDoes) {
  const std::vector<std::pair<double, std::string>> rows{{0, "0"},
                                                         {100'000, "100000"},
                                                         {1e20, "100000000000000000000"},
                                                         {1e21, "1e+21"},
                                                         {1e-6, "0.000001"},
                                                         {1e-7, "1e-07"},
                                                         {-0.5, "-0.5"},
                                                         {std::numeric_limits<double>::infinity(), "+Inf"},
                                                         {std::numeric_limits<double>::quiet_NaN(), "NaN"}};
  for (const auto& [value, wanted] : rows) {
    std::string out;
    prometheus::append_number(out, value);
    EXPECT_EQ(out, wanted);
  }
}

TEST(PrometheusJson, PrintsTimesToTheMillisecond) {
  for (const auto& [ms, wanted] : std::vector<std::pair<std::int64_t, std::string>>{{0, "0"},
                                                                                    {1'500, "1.500"},
                                                                                    {1'700'000'000'000, "1700000000"},
                                                                                    {-250, "-0.250"},
                                                                                    {-1'250, "-1.250"},
                                                                                    {-2'000, "-2"}}) {
    std::string out;
    prometheus::append_seconds(out, from_ms(ms));
    EXPECT_EQ(out, wanted);
  }
}

TEST(PrometheusJson, KeepsForeignTextValid) {
  std::string out;
  prometheus::append_text(out, "a\"b\\c\n\x01\xff");
  EXPECT_EQ(out, "\"a\\\"b\\\\c\\n\\u0001\xef\xbf\xbd\"");
}

}  // namespace
}  // namespace ward::collector::api
