#include "collector/review/words.hpp"

#include <algorithm>
#include <array>

#include "common/base/duration.hpp"

namespace ward::collector::review {

std::string lasting(milliseconds d) {
  using namespace std::chrono;
  const auto unit = d < minutes{2}  ? milliseconds{seconds{1}}
                    : d < hours{24} ? milliseconds{minutes{1}}
                                    : milliseconds{hours{1}};
  return format_duration(std::max(milliseconds{0}, d / unit * unit));
}

std::string name_of(const AlertEvent& alert) {
  static constexpr std::array<std::string_view, 7> kUsual{"alertname", "class", "layer",   "owner",
                                                          "service",   "job",   "severity"};
  std::string inside;
  for (const auto& [name, value] : alert.labels)
    if (std::find(kUsual.begin(), kUsual.end(), name) == kUsual.end())
      inside += (inside.empty() ? "" : ", ") + name + "=\"" + value + "\"";
  const auto name = std::string(alert.labels.get("alertname"));
  return inside.empty() ? name : name + "{" + inside + "}";
}

std::string place_of(const Incident& incident) {
  std::string inside;
  for (const auto& [name, value] : incident.scope) inside += (inside.empty() ? "" : ", ") + name + " " + value;
  return inside.empty() ? incident.root_service : incident.root_service + " (" + inside + ")";
}

std::string count_of(std::size_t n, std::string_view thing) {
  return std::to_string(n) + " " + std::string(thing) + (n == 1 ? "" : "s");
}

std::string listed(const std::vector<std::string>& words) {
  std::string out;
  for (std::size_t i = 0; i < words.size(); ++i) out += (i == 0 ? "" : i + 1 == words.size() ? " and " : ", ") + words[i];
  return out;
}

}  // namespace ward::collector::review
