// POST /api/ward/v1/incidents/ID/verdict: what an incident turned out to be. The body is {"verdict": acted|auto-recovered|
// known|false, "by": NAME, "note": TEXT}; ID may be cut short where that is unique.
#include "collector/api/endpoint.hpp"
#include "collector/api/incident_command.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_verdict(View& view, http::ServerRequest request) {
  return answer_incident_command(view, std::move(request), Command::Kind::give_verdict);
}

}  // namespace

Endpoint verdict_endpoint() {
  return {"/api/ward/v1/incidents/*/verdict", "Say what an incident was", answer_verdict, Methods::post, Scope::acks};
}

}  // namespace ward::collector::api
