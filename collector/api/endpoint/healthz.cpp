// GET /healthz: the process answers. Whether it can do its work is /readyz.
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_healthz(View&, http::ServerRequest) {
  http::ServerResponse response;
  response.content_type = "text/plain; charset=utf-8";
  response.body = "ok\n";
  co_return response;
}

}  // namespace

Endpoint healthz_endpoint() { return {"/healthz", "The process answers", answer_healthz}; }

}  // namespace ward::collector::api
