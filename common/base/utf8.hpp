#pragma once
#include <cstddef>
#include <string_view>

namespace ward {

/// Length of the UTF-8 sequence at `at`, 0 when it is malformed (overlong, surrogate, truncated, above U+10FFFF).
std::size_t utf8_length(std::string_view text, std::size_t at);
/// Well-formed all through. Source: RFC 3629.
[[nodiscard]] bool is_utf8(std::string_view text);

}  // namespace ward
