#pragma once
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

namespace ward::probes::data {

/// A member that may be absent, null or of another type: nothing then. Booleans are 0 and 1.
std::optional<double> number_at(const nlohmann::json& object, std::string_view key);
/// "" when absent or null.
std::string text_at(const nlohmann::json& object, std::string_view key);
/// The member, or a null value.
const nlohmann::json& member(const nlohmann::json& object, std::string_view key);

}  // namespace ward::probes::data
