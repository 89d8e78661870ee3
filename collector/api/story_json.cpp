#include "collector/api/story_json.hpp"

#include <nlohmann/json.hpp>

#include "common/base/duration.hpp"

namespace ward::collector::api {

using nlohmann::ordered_json;

http::ServerResponse story_answer(std::string_view asked, std::string_view kind, const review::Story& story) {
  auto sections = ordered_json::array();
  for (const auto& section : story.sections) {
    auto lines = ordered_json::array();
    for (const auto& line : section.lines) {
      ordered_json one = ordered_json::object();
      if (line.at != Time{}) one["at"] = format_time(line.at);
      one["text"] = line.text;
      lines.push_back(std::move(one));
    }
    sections.push_back({{"title", section.title}, {"lines", std::move(lines)}});
  }
  const ordered_json body{{"asked", asked}, {"kind", kind}, {"headline", story.headline}, {"sections", std::move(sections)}};
  http::ServerResponse response;
  response.body = body.dump(-1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
  return response;
}

}  // namespace ward::collector::api
