// GET /api/ward/v1/agents: every agent this collector knows, whether it is connected and how long it has been silent.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "collector/api/endpoint.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_agents(View& view, http::ServerRequest) {
  auto list = nlohmann::ordered_json::array();
  const auto now = view.clock().wall();
  for (const auto& agent : view.agents())
    list.push_back({{"agent", agent.agent},
                    {"tenants", agent.tenants},
                    {"connected", agent.connected},
                    {"silent_seconds", std::max(0.0, to_seconds(now - agent.last_seen))},
                    {"last_seen", format_time(agent.last_seen)},
                    {"remote", agent.remote},
                    {"records", agent.records},
                    {"samples", agent.samples},
                    {"lost_samples", agent.lost_samples}});
  http::ServerResponse response;
  response.body =
      nlohmann::ordered_json{{"agents", std::move(list)}}.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace) +
      "\n";
  co_return response;
}

}  // namespace

Endpoint agents_endpoint() { return {"/api/ward/v1/agents", "Agents and their streams", answer_agents}; }

}  // namespace ward::collector::api
