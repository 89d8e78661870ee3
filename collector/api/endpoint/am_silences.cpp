// GET and POST /api/v2/silences: Alertmanager's list of silences, and a new or a changed one.
// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "collector/api/alertmanager.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"

namespace ward::collector::api {
namespace {

/// Amtool and its like read a silence's id as a UUID.
std::string fresh_id() {
  std::array<std::uint8_t, 16> bytes{};
  fill_secure_random(bytes);
  bytes[6] = static_cast<std::uint8_t>((bytes[6] & 0x0f) | 0x40);
  bytes[8] = static_cast<std::uint8_t>((bytes[8] & 0x3f) | 0x80);
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
    out += kDigits[bytes[i] >> 4];
    out += kDigits[bytes[i] & 15];
  }
  return out;
}

/// A filter is about the silence's own matchers: one of them must say what it says.
bool shows(const AlertSilence& silence, const std::vector<LabelCondition>& filters) {
  return std::all_of(filters.begin(), filters.end(), [&](const LabelCondition& filter) {
    std::string_view value;
    for (const auto& m : silence.matchers)
      if (m.name == filter.name()) value = m.value;
    return filter.holds(Labels{{filter.name(), std::string(value)}});
  });
}

async::Task<http::ServerResponse> answer_silences(View& view, http::ServerRequest request) {
  const auto now = view.clock().wall();
  if (request.method != "POST") {
    const auto filters = alertmanager::filters(request);
    if (!filters) co_return alertmanager::refused(filters.error());
    auto list = nlohmann::ordered_json::array();
    for (const auto& silence : view.desk()->silences())
      if (shows(silence, *filters)) list.push_back(alertmanager::json_of(silence, now));
    co_return alertmanager::answer(list);
  }
  const auto actor = view.access()->admit(request, Scope::silences);
  if (!actor) co_return actor.error();
  auto silence = alertmanager::silence_from(request.body);
  if (!silence) co_return alertmanager::refused(silence.error());
  Command command;
  command.kind = Command::Kind::put_silence;
  command.actor = *actor;
  command.by = silence->created_by;
  command.silence = std::move(*silence);
  command.fresh_id = fresh_id();
  auto performing = view.desk()->perform(std::move(command));
  const auto id = co_await std::move(performing);
  if (!id) co_return alertmanager::refused(id.error());
  co_return alertmanager::answer({{"silenceID", *id}});
}

}  // namespace

Endpoint am_silences_endpoint() {
  return {"/api/v2/silences", "Silences, and a new one (Alertmanager)", answer_silences, Methods::get_and_post,
          Scope::silences};
}

}  // namespace ward::collector::api
