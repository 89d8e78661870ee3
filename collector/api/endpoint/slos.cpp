// GET /api/ward/v1/slos?name=&tenant=&service=: service levels with what is left of their error budgets, a line for each
// group. Where nothing is known a number is null; there is never a NaN.
#include <nlohmann/json.hpp>

#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

using nlohmann::ordered_json;

ordered_json or_null(const std::optional<double>& value) { return value ? ordered_json(*value) : ordered_json(nullptr); }

/// In a word, the worst that can be said of it.
std::string_view state_of(const slo::BudgetState& slo) {
  if (!slo.counted) return "not counted";
  if (slo.absent) return "no data";
  if (slo.budget_remaining && *slo.budget_remaining <= 0) return "spent";
  if (slo.alert && slo.alert->phase == AlertPhase::firing) return "burning";
  return slo.sli ? "ok" : "unknown";
}

/// What may still go wrong until the budget is spent: so many events of those counted so far, and so long a full outage.
void add_left(ordered_json& out, const slo::BudgetState& slo) {
  out["bad_events_left"] = nullptr;
  out["minutes_left"] = nullptr;
  if (!slo.budget_remaining) return;
  const auto budget = 1 - slo.target;
  if (slo.budgeting == slo::Budgeting::occurrences && !slo.composite)
    out["bad_events_left"] = budget * slo.events - slo.bad_events;
  out["minutes_left"] = *slo.budget_remaining * budget * static_cast<double>(slo.period.length().count());
}

ordered_json windows_of(const slo::BudgetState& slo) {
  auto out = ordered_json::array();
  for (const auto& window : slo.windows)
    out.push_back({{"window", format_duration(window.length)},
                   {"bad_ratio", or_null(window.bad_ratio)},
                   {"burn_rate", or_null(window.burn)},
                   {"coverage", window.coverage}});
  return out;
}

std::optional<double> burn_over(const slo::BudgetState& slo, milliseconds window) {
  for (const auto& one : slo.windows)
    if (one.length == std::chrono::ceil<std::chrono::minutes>(window)) return one.burn;
  return std::nullopt;
}

ordered_json alerts_of(const slo::BudgetState& slo) {
  auto out = ordered_json::array();
  for (const auto& pair : slo.burn) {
    const auto burns = [&](milliseconds window) {
      const auto burn = burn_over(slo, window);
      return burn && *burn > pair.factor;
    };
    out.push_back({{"long", format_duration(pair.long_window)},
                   {"short", format_duration(pair.short_window)},
                   {"factor", pair.factor},
                   {"class", to_string(pair.cls)},
                   {"burns", burns(pair.long_window) && burns(pair.short_window)}});
  }
  return out;
}

ordered_json view_of(const slo::BudgetState& slo, Time now) {
  auto group = ordered_json::object();
  for (const auto& [name, value] : slo.group) group[name] = value;
  ordered_json out{{"slo", slo.slo},
                   {"service", slo.service},
                   {"group", std::move(group)},
                   {"workflow", slo.workflow},
                   {"state", state_of(slo)},
                   {"objective", slo.target},
                   {"period", slo.length},
                   {"rolling", slo.rolling},
                   {"ratio", or_null(slo.sli)},
                   {"coverage", slo.coverage},
                   {"budget_remaining", or_null(slo.budget_remaining)}};
  add_left(out, slo);
  out["bad_events"] = slo.bad_events;
  out["events"] = slo.events;
  out["budgeting"] = to_string(slo.budgeting);
  out["excluded_minutes"] = slo.excluded.count();
  out["no_data"] = {{"policy", to_string(slo.no_data)}, {"told", slo.absent}};
  if (slo.last_sample != Time{}) {
    out["no_data"]["last_sample"] = format_time(slo.last_sample);
    out["no_data"]["seconds_since"] = to_seconds(std::max(milliseconds{0}, now - slo.last_sample));
  }
  out["frozen"] = slo.frozen;
  out["on_exhausted"] = slo.freezes ? "freeze" : "nothing";
  out["windows"] = windows_of(slo);
  out["burn_alerts"] = alerts_of(slo);
  if (slo.alert) out["alert"] = {{"state", to_string(slo.alert->phase)}, {"class", to_string(class_of(slo.alert->labels))}};
  out["origin"] = slo.origin;
  return out;
}

async::Task<http::ServerResponse> answer_slos(View& view, http::ServerRequest request) {
  const auto name = parameter(request, "name");
  const auto tenant = parameter(request, "tenant");
  const auto service = parameter(request, "service");
  auto list = ordered_json::array();
  for (const auto& slo : view.slos()) {
    if (!name.empty() && slo.slo != name) continue;
    if (!tenant.empty() && slo.group.get("tenant") != tenant) continue;
    if (!service.empty() && slo.service != service) continue;
    list.push_back(view_of(slo, view.clock().wall()));
  }
  http::ServerResponse response;
  response.body =
      ordered_json{{"slos", std::move(list)}}.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  co_return response;
}

}  // namespace

Endpoint slos_endpoint() { return {"/api/ward/v1/slos", "Service levels and their error budgets", answer_slos}; }

}  // namespace ward::collector::api
