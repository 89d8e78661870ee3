// POST /api/ward/v1/incidents/ID/ack: somebody has taken the incident on; steps that wait for nobody's answer are passed
// over. The body may be {"by": NAME, "note": TEXT}.
#include "collector/api/endpoint.hpp"
#include "collector/api/incident_command.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_ack(View& view, http::ServerRequest request) {
  return answer_incident_command(view, std::move(request), Command::Kind::acknowledge);
}

}  // namespace

Endpoint ack_endpoint() {
  return {"/api/ward/v1/incidents/*/ack", "Take an incident on", answer_ack, Methods::post, Scope::acks};
}

}  // namespace ward::collector::api
