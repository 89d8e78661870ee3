// POST /api/ward/v1/incidents/ID/unack: nobody has the incident any more; its escalation begins anew. The body may be
// {"by": NAME, "note": TEXT}.
#include "collector/api/endpoint.hpp"
#include "collector/api/incident_command.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_unack(View& view, http::ServerRequest request) {
  return answer_incident_command(view, std::move(request), Command::Kind::unacknowledge);
}

}  // namespace

Endpoint unack_endpoint() {
  return {"/api/ward/v1/incidents/*/unack", "Give an incident back", answer_unack, Methods::post, Scope::acks};
}

}  // namespace ward::collector::api
