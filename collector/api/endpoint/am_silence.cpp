// GET and DELETE /api/v2/silence/ID: one silence, and its end before its time.
// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
#include <nlohmann/json.hpp>

#include "collector/api/alertmanager.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

async::Task<http::ServerResponse> answer_silence(View& view, http::ServerRequest request) {
  const auto id = request.path.substr(request.path.rfind('/') + 1);
  if (request.method != "DELETE") {
    for (const auto& silence : view.desk()->silences())
      if (silence.id == id) co_return alertmanager::answer(alertmanager::json_of(silence, view.clock().wall()));
    co_return alertmanager::refused(404, "there is no silence '" + id + "'");
  }
  const auto actor = view.access()->admit(request, Scope::silences);
  if (!actor) co_return actor.error();
  Command command;
  command.kind = Command::Kind::expire_silence;
  command.actor = *actor;
  command.subject = id;
  auto performing = view.desk()->perform(std::move(command));
  const auto done = co_await std::move(performing);
  if (!done) co_return alertmanager::refused(done.error());
  http::ServerResponse empty;
  co_return empty;
}

}  // namespace

Endpoint am_silence_endpoint() {
  return {"/api/v2/silence/*", "One silence, and its end (Alertmanager)", answer_silence, Methods::get_and_delete,
          Scope::silences};
}

}  // namespace ward::collector::api
