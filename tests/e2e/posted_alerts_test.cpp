// A real Prometheus posts its alerts as to an Alertmanager, and rule files that change are taken while the collector runs.
#include <gmock/gmock.h>

#include "tests/e2e/estate.hpp"
#include "tests/e2e/page_receiver.hpp"

namespace ward::test {
namespace {

using testing::HasSubstr;

struct PostedAlerts : testing::Test {
  [[nodiscard]] std::string incidents() const { return http_get(estate.http_port, "/api/ward/v1/incidents").body; }
  bool comes(const std::string& text) {
    return eventually(kPatience, [&] { return incidents().find(text) != std::string::npos; });
  }
  bool goes(const std::string& text) {
    return eventually(kPatience, [&] { return incidents().find(text) == std::string::npos; });
  }
  Estate estate{{Estate::Transport::insecure, 1, "", "", ""}};
};

TEST_F(PostedAlerts, APrometheusAlertIsAnIncidentUntilPrometheusSaysItIsOver) {
  estate.collector.start();
  TempDir dir{"prometheus"};
  dir.write("rules.yml",
            "groups: [{name: g, interval: 1s, rules: [{alert: FromPrometheus, expr: 'absent(up)', labels: "
            "{severity: critical, service: billing}}]}]\n");
  dir.write("targets.json", "[]");
  const auto collector = "127.0.0.1:" + std::to_string(estate.http_port);
  dir.write("prometheus.yml",
            "global: {evaluation_interval: 1s, scrape_interval: 1s}\nrule_files: [rules.yml]\n"
            "scrape_configs: [{job_name: late, file_sd_configs: [{files: [targets.json]}]}]\n"
            "alerting: {alertmanagers: [{api_version: v2, static_configs: [{targets: ['" +
                collector + "']}]}]}\n");
  const auto port = free_port();
  Process prometheus(
      {{"prometheus", "--config.file=" + (dir / "prometheus.yml").string(), "--storage.tsdb.path=" + (dir / "data").string(),
        "--web.listen-address=127.0.0.1:" + std::to_string(port)},
       {},
       "",
       "/",
       dir / "prometheus.log"});
  ASSERT_TRUE(comes("FromPrometheus")) << text_of(dir / "prometheus.log") << estate.logs();
  EXPECT_THAT(incidents(), HasSubstr("\"urgent\""));
  // A restart of the collector neither ends it nor opens another.
  estate.collector.kill();
  estate.collector.start();
  ASSERT_TRUE(comes("FromPrometheus"));
  // The rule is well when there is something to scrape; Prometheus posts the end at once.
  dir.write("targets.json", "[{\"targets\": [\"" + collector + "\"]}]");
  EXPECT_TRUE(goes("FromPrometheus")) << text_of(dir / "prometheus.log") << estate.logs();
}

TEST_F(PostedAlerts, ARuleFileThatChangesIsTakenAndABadOneIsNot) {
  const auto alert = [](const std::string& name, const std::string& expr) {
    return "groups: [{name: g, interval: 1s, rules: [{alert: " + name + ", expr: '" + expr +
           "', labels: {class: actionable, layer: platform, owner: platform, service: node}}]}]\n";
  };
  estate.dir.write("mine.yaml", alert("First", "vector(1)"));
  auto yaml = text_of(estate.dir / "collector.yaml");
  const auto at = yaml.find("rules: [");
  yaml.replace(at, yaml.find('\n', at) - at, "rules: [\"" + (estate.dir / "mine.yaml").string() + "\"]");
  yaml += "evaluation: {rules_poll: 100ms}\n";
  estate.dir.write("collector.yaml", yaml);
  estate.collector.start();
  ASSERT_TRUE(comes("First")) << estate.logs();
  estate.dir.write("mine.yaml", alert("Broken", "vector("));
  ASSERT_TRUE(eventually(kPatience, [&] {
    return estate.collector.log().find("is refused; the old one stays") != std::string::npos;
  })) << estate.logs();
  EXPECT_EQ(estate.collector_metric("ward_config_last_reload_successful"), 0);
  EXPECT_THAT(incidents(), HasSubstr("First"));
  estate.dir.write("mine.yaml", alert("Second", "vector(1)"));
  EXPECT_TRUE(comes("Second")) << estate.logs();
  EXPECT_TRUE(eventually(kPatience, [&] {
    return http_get(estate.http_port, "/api/v1/alerts").body.find("First") == std::string::npos;
  })) << estate.logs();
}

}  // namespace
}  // namespace ward::test
