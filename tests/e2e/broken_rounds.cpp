#include "tests/e2e/broken_rounds.hpp"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "tests/support/remote_write_body.hpp"

namespace ward::test {
namespace {

using nlohmann::json;

const std::string kRules = R"(groups:
- name: g
  interval: 1s
  rules:
  - alert: Broken
    expr: fault == 1
    labels: {class: urgent, layer: data, owner: database, service: pg-main}
    annotations: {summary: it is broken, description: d, runbook_url: broken.md#broken, decision_tree: broken}
)";

std::string cluster_of(int round) { return "r" + std::to_string(round); }

}  // namespace

void use_broken_rules(const Estate& estate, const std::string& acknowledge_within) {
  estate.dir.write("broken.md", "# Broken\n");
  const auto rules =
      estate.dir.write("rules.yaml", kRules +
                                         "---\nkind: Operations\napiVersion: ward/v1\nspec: {decisionTrees: {broken: "
                                         "{only: {do: 'broken.md#broken'}}}, acknowledge_within: " +
                                         acknowledge_within + "}\n");
  auto yaml = text_of(estate.dir / "collector.yaml");
  const auto at = yaml.find("rules: [");
  yaml.replace(at, yaml.find('\n', at) - at, "rules: [\"" + rules + "\"]");
  estate.dir.write("collector.yaml", yaml);
}

bool tell_broken(std::uint16_t http_port, int round, bool broken) {
  const auto now =
      std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch());
  const SentSeries series{{{"__name__", "fault"}, {"cluster", cluster_of(round)}}, {{now.count(), broken ? 1.0 : 0.0}}};
  return post_remote_write(http_port, packed(body_v2({series}))).status == 204;
}

int Came::most(const std::map<std::string, int>& by_key) {
  int out = 0;
  for (const auto& [key, times] : by_key) out = std::max(out, times);
  return out;
}

Came came_in_round(const PageReceiver& receiver, int round) {
  Came out;
  for (const auto& page : receiver.pages()) {
    const auto body = json::parse(page.body, nullptr, false);
    if (!body.is_object() || body["alerts"].empty() || body["alerts"][0]["labels"]["cluster"] != cluster_of(round)) continue;
    auto& by_key = body.value("status", "") == "firing" ? out.firing : out.ends;
    ++by_key[page.path + " " + page.key];
  }
  return out;
}

int rounds(int usual) {
  const char* wanted = std::getenv("WARD_KILL_ROUNDS");
  return wanted == nullptr ? usual : std::atoi(wanted);
}

}  // namespace ward::test
