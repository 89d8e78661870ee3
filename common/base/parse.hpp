#pragma once
#include <charconv>
#include <cstdint>
#include <string_view>

#include "common/base/result.hpp"

namespace ward {

/// Takes the next blank-separated word off `text`; empty when none is left.
std::string_view next_word(std::string_view& text);
/// Takes the next line (without its '\n') off `text`; false when none is left.
bool next_line(std::string_view& text, std::string_view& line);
std::string_view trim(std::string_view text);

/// The whole word must be the number; anything else is Errc::invalid naming the word.
Result<double> to_double(std::string_view word);
Result<std::uint64_t> to_u64(std::string_view word);
Result<std::int64_t> to_i64(std::string_view word);

}  // namespace ward
