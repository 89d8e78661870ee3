#pragma once
#include "collector/api/view.hpp"
#include "collector/event/command.hpp"
#include "common/http/server.hpp"

namespace ward::collector::api {

/// Does to the incident named in the path's part before the last what a person asks; the body may say who and why.
async::Task<http::ServerResponse> answer_incident_command(View& view, http::ServerRequest request, Command::Kind kind);

}  // namespace ward::collector::api
