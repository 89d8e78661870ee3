#pragma once
#include <string_view>

#include "collector/review/story.hpp"
#include "common/http/server.hpp"

namespace ward::collector::api {

/// {"asked", "kind", "headline", "sections": [{"title", "lines": [{"at", "text"}]}]}; a line without a time has no "at".
http::ServerResponse story_answer(std::string_view asked, std::string_view kind, const review::Story& story);

}  // namespace ward::collector::api
