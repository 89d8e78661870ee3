#include "collector/api/incident_command.hpp"

#include <nlohmann/json.hpp>

#include "collector/api/archive.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

constexpr std::size_t kLongest = 4'096;

int status_of(const Error& error) {
  switch (error.code) {
    case Errc::not_found: return 404;
    case Errc::invalid: return 409;  // the body is fine: it is the incident that is not so
    case Errc::unavailable:
    case Errc::timed_out:
    case Errc::overloaded:
    case Errc::cancelled:
    case Errc::full: return 503;
    case Errc::denied: return 403;
    case Errc::corrupt:
    case Errc::internal: break;
  }
  return 500;
}

/// "/api/ward/v1/incidents/ID/ack" -> "ID".
std::string incident_in(const std::string& path) {
  const auto end = path.rfind('/');
  const auto begin = path.rfind('/', end - 1) + 1;
  return path.substr(begin, end - begin);
}

/// Puts the verdict and the whole id into the command; the answer that refuses when it cannot.
async::Task<std::optional<http::ServerResponse>> judge(View* view, std::string verdict, Command* command) {
  const auto kind = parse_verdict(verdict);
  if (!kind) co_return problem(400, "Bad request", describe(kind.error()));
  command->verdict = *kind;
  auto filing = view->archive()->file(command->subject);
  const auto file = co_await std::move(filing);
  if (!file) co_return problem(status_of(file.error()), "Not done", describe(file.error()));
  const auto& incident = file->incident;
  command->subject = incident.id;
  if (!incident.merged_into.empty())
    co_return problem(
        409, "Not done",
        "incident '" + incident.id + "' was merged into '" + incident.merged_into + "': give the verdict on that one.");
  co_return std::nullopt;
}

}  // namespace

async::Task<http::ServerResponse> answer_incident_command(View& view, http::ServerRequest request, Command::Kind kind) {
  const auto actor = view.access()->admit(request, Scope::acks);
  if (!actor) co_return actor.error();
  Command command;
  command.kind = kind;
  command.actor = *actor;
  command.subject = incident_in(request.path);
  std::string verdict;
  if (!request.body.empty()) {
    const auto body = nlohmann::json::parse(request.body, nullptr, false);
    const auto text = [&](const char* key) {
      return body.contains(key) && body.at(key).is_string() ? body.at(key).get<std::string>() : std::string{};
    };
    if (!body.is_object()) co_return problem(400, "Bad request", R"(The body must be JSON: {"by": NAME, "note": TEXT}.)");
    command.by = text("by");
    command.note = text("note");
    verdict = text("verdict");
  }
  if (command.by.size() > kLongest || command.note.size() > kLongest)
    co_return problem(400, "Bad request", "'by' and 'note' may have 4096 characters each.");
  if (kind == Command::Kind::give_verdict) {
    auto judging = judge(&view, std::move(verdict), &command);
    auto refused = co_await std::move(judging);
    if (refused) co_return std::move(*refused);
  }
  const auto id = command.subject;
  auto performing = view.desk()->perform(std::move(command));
  const auto done = co_await std::move(performing);
  if (!done) co_return problem(status_of(done.error()), "Not done", describe(done.error()));
  http::ServerResponse response;
  response.body = nlohmann::ordered_json{{"incident", id}, {"done", *done}}.dump(-1, ' ', false,
                                                                                 nlohmann::json::error_handler_t::replace) +
                  "\n";
  co_return response;
}

}  // namespace ward::collector::api
