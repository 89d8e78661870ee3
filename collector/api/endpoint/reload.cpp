// POST /-/reload: rule files and what stands beside them are read anew, as at SIGHUP; the answer tells what is wrong.
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_reload(View& view, http::ServerRequest request) {
  const auto actor = view.access()->admit(request, Scope::reload);
  if (!actor) co_return actor.error();
  auto reloading = view.desk()->reload(*actor);
  const auto done = co_await std::move(reloading);
  if (!done && done.error().code == Errc::overloaded) co_return problem(503, "Busy", describe(done.error()));
  if (!done) co_return problem(422, "The new rules are refused; the old ones stay", describe(done.error()));
  http::ServerResponse out;
  out.content_type = "text/plain; charset=utf-8";
  out.body = *done + "\n";
  co_return out;
}

}  // namespace

Endpoint reload_endpoint() {
  return {"/-/reload", "Reads the rule files anew", answer_reload, Methods::post, Scope::reload};
}

}  // namespace ward::collector::api
