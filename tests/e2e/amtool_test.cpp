// Alertmanager's own client asks a collector, unchanged; and wardctl does the same and verifies what was written of it.
#include <gmock/gmock.h>

#include "tests/e2e/estate.hpp"

namespace ward::test {
namespace {

using testing::HasSubstr;
using testing::Not;

struct Amtool : testing::Test {
  Amtool() {
    estate.dir.write("on.md", "# On\n");
    estate.dir.write("on.yaml", R"(groups:
- name: g
  interval: 1s
  rules:
  - alert: AlwaysOn
    expr: vector(1)
    labels: {class: executive, layer: platform, owner: platform, service: node, tenant: t1}
    annotations: {summary: it is on, description: d, runbook_url: on.md#on, decision_tree: on}
---
kind: Operations
apiVersion: ward/v1
spec: {decisionTrees: {on: {only: {do: 'on.md#on'}}}}
)");
    auto yaml = text_of(estate.dir / "collector.yaml");
    const auto at = yaml.find("rules: [");
    yaml.replace(at, yaml.find('\n', at) - at, "rules: [\"" + (estate.dir / "on.yaml").string() + "\"]");
    estate.dir.write("collector.yaml", yaml);
    estate.collector.start();
    EXPECT_TRUE(eventually(kPatience, [this] { return incidents().find("AlwaysOn") != std::string::npos; }))
        << estate.logs();
  }
  [[nodiscard]] std::string incidents() const { return http_get(estate.http_port, "/api/ward/v1/incidents").body; }
  std::string amtool(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {"amtool", "--no-version-check", "--alertmanager.url=" + url});
    return run(std::move(arguments));
  }
  std::string wardctl(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), WARD_CTL_PROGRAM);
    arguments.insert(arguments.end(), {"--collector", url});
    return run(std::move(arguments));
  }
  static std::string run(std::vector<std::string> arguments) {
    Process::Spec command;
    command.argv = std::move(arguments);
    return run_to_end(std::move(command));
  }
  Estate estate{{Estate::Transport::insecure, 1, "", "", ""}};
  const std::string url = "http://127.0.0.1:" + std::to_string(estate.http_port);
};

TEST_F(Amtool, ListsAddsQueriesAndEndsSilences) {
  EXPECT_THAT(amtool({"alert", "query"}), HasSubstr("AlwaysOn"));
  auto id = amtool({"silence", "add", "alertname=AlwaysOn", "--comment=work", "--author=anna", "--duration=1h"});
  id = id.substr(0, id.find_first_of("\r\n"));
  EXPECT_THAT(amtool({"silence", "query"}), HasSubstr("alertname=\"AlwaysOn\""));
  EXPECT_THAT(amtool({"alert", "query"}), Not(HasSubstr("AlwaysOn")));
  EXPECT_THAT(amtool({"alert", "query", "--silenced", "-o", "extended"}), HasSubstr("suppressed"));
  EXPECT_THAT(amtool({"silence", "update", "--duration=3h", id}), HasSubstr(id));
  estate.collector.kill();
  estate.collector.start();
  ASSERT_TRUE(eventually(kPatience, [this] { return http_get(estate.http_port, "/api/v2/status").status == 200; }));
  EXPECT_THAT(amtool({"silence", "query", "-q"}), HasSubstr(id));
  amtool({"silence", "expire", id});
  EXPECT_THAT(amtool({"silence", "query", "-q"}), Not(HasSubstr(id)));
  EXPECT_THAT(amtool({"alert", "query"}), HasSubstr("AlwaysOn"));
  EXPECT_THAT(amtool({"cluster", "show"}), HasSubstr("disabled"));
  EXPECT_THAT(wardctl({"audit", "verify"}), HasSubstr("3 records, all in their place"));
}

TEST_F(Amtool, SeesWhatWardctlDoes) {
  auto body = incidents();
  const auto at = body.find("\"id\":\"") + 6;
  const auto id = body.substr(at, body.find('"', at) - at);
  EXPECT_THAT(wardctl({"ack", id, "--by", "anna", "--note", "on it"}), HasSubstr("acknowledged by anna"));
  EXPECT_THAT(wardctl({"silence", "add", "alertname=AlwaysOn", "--comment", "work", "--author", "anna"}), HasSubstr("-"));
  EXPECT_THAT(amtool({"silence", "query"}), HasSubstr("anna"));
  EXPECT_THAT(wardctl({"silence", "list"}), HasSubstr("active"));
  EXPECT_THAT(wardctl({"audit", "list"}), HasSubstr("on it"));
}

}  // namespace
}  // namespace ward::test
