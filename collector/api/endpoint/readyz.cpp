// GET /readyz: 200 when samples are stored, rules are evaluated and pages leave; else 503. One line a part.
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_readyz(View& view, http::ServerRequest) {
  http::ServerResponse response;
  response.content_type = "text/plain; charset=utf-8";
  for (const auto& part : view.readiness()) {
    if (!part.ready) response.status = 503;
    response.body += part.part + (part.ready ? ": ready" : ": not ready");
    if (!part.detail.empty()) response.body += ", " + part.detail;
    response.body += '\n';
  }
  co_return response;
}

}  // namespace

Endpoint readyz_endpoint() { return {"/readyz", "Ready to store, evaluate and page", answer_readyz}; }

}  // namespace ward::collector::api
