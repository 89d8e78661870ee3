#include "collector/api/alert_json.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "collector/api/prometheus.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::api {

using namespace prometheus;

namespace {

/// As Go's 'e' with as many digits as the number needs.
std::string scientific(double v) {
  if (!std::isfinite(v)) return std::isnan(v) ? "NaN" : v > 0 ? "+Inf" : "-Inf";
  std::array<char, 40> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), v, std::chars_format::scientific).ptr;
  return {text.data(), end};
}

}  // namespace

void append_alerts(std::string& out, std::span<const AlertEvent> alerts) {
  out += '[';
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    const auto& alert = alerts[i];
    out += i == 0 ? R"({"labels":)" : R"(,{"labels":)";
    append_labels(out, alert.labels);
    out += R"(,"annotations":)";
    append_labels(out, alert.annotations);
    out += R"(,"state":)";
    append_text(out, to_string(alert.phase));
    out += R"(,"activeAt":)";
    append_text(out, format_time(alert.active_at));
    out += R"(,"value":)";
    append_text(out, scientific(alert.value));
    out += '}';
  }
  out += ']';
}

}  // namespace ward::collector::api
