#include "collector/event/json_values.hpp"

#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace ward::collector {

using nlohmann::json;

json json_of(const Labels& labels) {
  auto out = json::object();
  for (const auto& [name, value] : labels) out[name] = value;
  return out;
}

Labels labels_at(const json& object, const char* key) {
  std::vector<Label> labels;
  if (const auto at = object.find(key); at != object.end())
    for (const auto& [name, value] : at->items()) labels.emplace_back(name, value.get<std::string>());
  return Labels(std::move(labels));
}

json json_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return value;
}

double number_of(const json& value) {
  if (value.is_number()) return value.get<double>();
  const auto text = value.get<std::string>();
  if (text == "+Inf") return std::numeric_limits<double>::infinity();
  if (text == "-Inf") return -std::numeric_limits<double>::infinity();
  return std::numeric_limits<double>::quiet_NaN();
}

}  // namespace ward::collector
