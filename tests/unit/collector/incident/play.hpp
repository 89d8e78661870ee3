#pragma once
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "collector/event/json.hpp"
#include "collector/incident/engine.hpp"
#include "tests/unit/collector/incident/alerts.hpp"
#include "tests/unit/collector/incident/short_times.hpp"

namespace ward::collector::test {

using namespace std::chrono_literals;
using Lines = std::vector<std::string>;

/// web -> odoo -> pg-main -> node; odoo also leans on redis; pg-main is backed up by pgbackrest.
inline ServiceMap estate() {
  using M = DependencyMode;
  std::vector<Service> services{
      {.name = "web",
       .owner = "application",
       .depends_on = {{.to = "odoo", .mode = M::hard, .on = {"tenant"}}},
       .scope = {}},
      {.name = "odoo",
       .owner = "application",
       .depends_on = {{.to = "pg-main", .mode = M::hard, .on = {"tenant"}}, {.to = "redis", .mode = M::soft, .on = {}}},
       .scope = {}},
      {.name = "pg-main",
       .owner = "database",
       .depends_on = {{.to = "node", .mode = M::hard, .on = {"node"}}, {.to = "pgbackrest", .mode = M::async, .on = {}}},
       .scope = {}},
      {.name = "redis", .owner = "platform", .depends_on = {}, .scope = {}},
      {.name = "pgbackrest", .owner = "backup", .depends_on = {}, .scope = {}},
      {.name = "node", .owner = "platform", .depends_on = {}, .scope = {}}};
  std::vector<Workflow> workflows{
      {.name = "billing", .criticality = "patient-safety", .path = {"web"}, .executive_after = 10min}};
  return ServiceMap::make(std::move(services), std::move(workflows)).value();
}

/// Plays alerts into an engine, collects what comes out, and can put the engine through a restart before every step.
class Play {
 public:
  explicit Play(bool restart_each_step = false, EngineOptions options = short_times(), ServiceMap map = estate())
      : map_(std::move(map)),
        options_(options),
        restarts_(restart_each_step),
        engine_(std::make_unique<Engine>(map_, options_)) {}

  std::vector<Notice> step(std::int64_t second, std::vector<AlertEvent> alerts = {}) {
    if (restarts_) restart();
    auto out = engine_->fold(alerts, at(second));
    for (const auto& d : out.decisions) decisions.push_back(d);
    for (const auto& n : out.notices) told.push_back(n);
    return out.notices;
  }

  // Through the stored form, as a real restart.
  void restart() {
    IncidentState loaded;
    for (const auto& r : engine_->state().incidents) loaded.incidents.push_back(*incident_record_from_json(to_json(r)));
    for (const auto& w : engine_->state().watched) loaded.watched.push_back(*watched_alert_from_json(to_json(w)));
    engine_ = std::make_unique<Engine>(map_, options_, std::move(loaded));
  }

  // "fire urgent database PgPrimaryDown"
  [[nodiscard]] std::vector<std::string> spoken() const {
    std::vector<std::string> out;
    for (const auto& n : told)
      out.push_back(std::string(to_string(n.kind)) + " " + std::string(to_string(n.incident.cls)) + " " + n.incident.owner +
                    " " + n.incident.root_alert);
    return out;
  }

  [[nodiscard]] bool decided(const std::string& what) const {
    return std::any_of(decisions.begin(), decisions.end(), [&](const Decision& d) { return d.what == what; });
  }

  [[nodiscard]] Engine& engine() { return *engine_; }

  std::vector<Notice> told;
  std::vector<Decision> decisions;

 private:
  ServiceMap map_;
  EngineOptions options_;
  bool restarts_;
  std::unique_ptr<Engine> engine_;
};

}  // namespace ward::collector::test
