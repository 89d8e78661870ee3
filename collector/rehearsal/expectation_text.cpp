#include "collector/rehearsal/expectation_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace ward::collector {
namespace {

/// The name stands among the labels here, as promtool prints it.
std::string labels_text(const Labels& labels) {
  std::string out = "{";
  for (const auto& [name, value] : labels) {
    if (out.size() > 1) out += ", ";
    auto one = to_string(Labels{{"v", value}});  // {v="..."}
    out += name + one.substr(2, one.size() - 3);
  }
  return out + "}";
}

/// Go's 'E' with the fewest digits: 1E+00.
std::string number_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 32> digits{};
  const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, std::chars_format::scientific);
  std::string out(digits.data(), end.ptr);
  std::replace(out.begin(), out.end(), 'e', 'E');
  return out;
}

}  // namespace

std::string indented(std::string_view lines, std::string_view indent) {
  std::string out;
  for (const char c : lines) {
    out += c;
    if (c == '\n') out += indent;
  }
  return out;
}

std::string text_of(std::span<const ExpectedAlert> alerts) {
  if (alerts.empty()) return "[]";
  std::string out = "[";
  for (std::size_t i = 0; i < alerts.size(); ++i) {
    const auto one = "\nLabels:" + labels_text(alerts[i].labels) + "\nAnnotations:" + labels_text(alerts[i].annotations);
    out += (i == 0 ? "\n" : ",\n") + std::to_string(i) + ":" + indented(one, "  ");
  }
  return out + "\n]";
}

std::string text_of(std::span<const ExpectedSample> samples) {
  if (samples.empty()) return "nil";
  std::string out;
  for (const auto& sample : samples) {
    if (!out.empty()) out += ", ";
    out += labels_text(sample.labels) + " " + number_text(sample.value);
  }
  return out;
}

}  // namespace ward::collector
