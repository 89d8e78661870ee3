// Why it paged, what it was, and what the month was like: wardctl asks a real collector, over a kill -9.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "tests/e2e/estate.hpp"

namespace ward::test {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr const char* kRules = R"(groups:
- name: g
  interval: 1s
  rules:
  - alert: AlwaysOn
    expr: vector(1)
    labels: {class: executive, layer: platform, owner: platform, service: node, tenant: t1}
    annotations: {summary: it is on, description: d, runbook_url: on.md#on, decision_tree: on}
  - {alert: NeverOn, expr: vector(1) > 1, for: 5m, labels: {class: actionable, owner: platform, service: node}}
---
kind: Operations
apiVersion: ward/v1
spec: {decisionTrees: {on: {only: {do: 'on.md#on'}}}}
---
apiVersion: openslo/v1
kind: SLO
metadata: {name: few-alerts}
spec:
  service: node
  indicator:
    metadata: {name: few}
    spec:
      thresholdMetric: {metricSource: {type: Prometheus, spec: {query: ward_alerting_alerts_firing}}}
  timeWindow: [{duration: 30d, isRolling: true}]
  budgetingMethod: Occurrences
  objectives: [{target: 0.99, op: lte, value: 100}]
)";

struct Review : testing::Test {
  Review() {
    estate.dir.write("on.md", "# On\n");
    estate.dir.write("on.yaml", kRules);
    auto yaml = text_of(estate.dir / "collector.yaml");
    const auto at = yaml.find("rules: [");
    yaml.replace(at, yaml.find('\n', at) - at, "rules: [\"" + (estate.dir / "on.yaml").string() + "\"]");
    estate.dir.write("collector.yaml", yaml);
    estate.collector.start();
  }
  [[nodiscard]] json incident() const {
    const auto body = json::parse(http_get(estate.http_port, "/api/ward/v1/incidents").body, nullptr, false);
    if (!body.is_object() || !body.contains("incidents") || body["incidents"].empty()) return nullptr;
    return body["incidents"][0];
  }
  [[nodiscard]] bool has_incident() const {
    return eventually(kPatience, [this] { return !incident().is_null(); });
  }
  [[nodiscard]] bool counts_slos() const {
    return eventually(kPatience, [this] {
      return http_get(estate.http_port, "/api/ward/v1/slos").body.find(R"("state":"ok")") != std::string::npos;
    });
  }
  std::string wardctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), WARD_CTL_PROGRAM);
    arguments.insert(arguments.end(), {"--collector", "http://127.0.0.1:" + std::to_string(estate.http_port)});
    Process::Spec command;
    command.argv = std::move(arguments);
    return run_to_end(std::move(command));
  }
  Estate estate{{Estate::Transport::insecure, 1, "", "", ""}};
};

TEST_F(Review, TellsAnAlertsWholeStoryAndKeepsTheVerdictOverAKill) {
  ASSERT_TRUE(has_incident()) << estate.logs();
  const auto id = incident()["id"].get<std::string>();
  EXPECT_THAT(wardctl({"explain", "AlwaysOn"}),
              AllOf(HasSubstr("AlwaysOn: 1 alert fires."), HasSubstr("It is the cause of incident " + id),
                    HasSubstr("Why it paged"), HasSubstr("platform was paged")));
  EXPECT_THAT(wardctl({"explain", "NeverOn"}), HasSubstr("does not fire now"));
  EXPECT_THAT(wardctl({"explain", "AlwaysOff"}), HasSubstr("Did you mean AlwaysOn?"));
  EXPECT_THAT(wardctl({"explain", id.substr(0, 10)}), HasSubstr("Nobody has it now. Take it on with 'wardctl ack " + id));
  wardctl({"ack", id, "--by", "anna"});
  EXPECT_THAT(wardctl({"explain", id}), AllOf(HasSubstr("Taken on by anna."), Not(HasSubstr("Nobody has it"))));

  EXPECT_THAT(wardctl({"verdict", id.substr(0, 10), "false", "--note", "it is a test", "--by", "anna"}),
              HasSubstr(id + ": the verdict is false"));
  estate.collector.kill();
  estate.collector.start();
  ASSERT_TRUE(has_incident()) << estate.logs();
  EXPECT_THAT(wardctl({"incidents", "--since", "1h"}), HasSubstr("false"));
  EXPECT_THAT(wardctl({"audit", "list"}), HasSubstr("false: it is a test"));
  EXPECT_THAT(wardctl({"audit", "verify"}), HasSubstr("2 records, all in their place"));
  const auto report = wardctl({"report", "alerts", "--month", incident()["opened_at"].get<std::string>().substr(0, 7)});
  EXPECT_THAT(report, AllOf(HasSubstr("1, of which 1 paged somebody"),
                            HasSubstr("0 acted, 0 auto-recovered, 0 known, 1 false"), HasSubstr("NeverOn")));
}

TEST_F(Review, ShowsErrorBudgetsAsTheyAreCounted) {
  ASSERT_TRUE(counts_slos()) << http_get(estate.http_port, "/api/ward/v1/slos").body << estate.logs();
  EXPECT_THAT(wardctl({"slo"}), AllOf(HasSubstr("few-alerts"), HasSubstr("99%/30d"), HasSubstr("100%")));
  EXPECT_THAT(wardctl({"slo", "few-alerts"}), AllOf(HasSubstr("without data"), HasSubstr("WINDOW")));
}

}  // namespace
}  // namespace ward::test
