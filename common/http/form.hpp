#pragma once
#include <optional>
#include <string>
#include <string_view>

namespace ward::http {

/// In forms and queries '+' is a blank, in paths it is a plus.
enum class Plus { is_plus, is_blank };

/// nullopt when a '%' is not followed by two hex digits.
std::optional<std::string> percent_decode(std::string_view text, Plus plus);

}  // namespace ward::http
