#include "collector/api/alert_json.hpp"

#include <array>
#include <cstdio>

#include "collector/api/prometheus.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {

using namespace prometheus;

void append_alerts(std::string& out, std::span<const AlertEvent> alerts) {
  out += '[';
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    const auto& alert = alerts[i];
    std::array<char, 40> value{};
    (void)std::snprintf(value.data(), value.size(), "%e", alert.value);
    out += i == 0 ? R"({"labels":)" : R"(,{"labels":)";
    append_labels(out, alert.labels);
    out += R"(,"annotations":)";
    append_labels(out, alert.annotations);
    out += R"(,"state":)";
    append_text(out, to_string(alert.phase));
    out += R"(,"activeAt":)";
    append_text(out, format_time(alert.active_at));
    out += R"(,"value":)";
    append_text(out, value.data());
    out += '}';
  }
  out += ']';
}

}  // namespace ward::collector::api
