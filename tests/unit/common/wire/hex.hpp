#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/wire/bytes.hpp"

namespace ward::wire {

/// "04 01 ff" as bytes; blanks are free.
inline Buffer unhex(std::string_view text) {
  const auto digit = [](char c) { return c <= '9' ? c - '0' : c - 'a' + 10; };
  Buffer out;
  int high = -1;
  for (const char c : text) {
    if (c == ' ') continue;
    if (high < 0) {
      high = digit(c);
      continue;
    }
    out.push_back(static_cast<std::uint8_t>(high << 4 | digit(c)));
    high = -1;
  }
  return out;
}

inline std::string hex(ByteView bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (const auto byte : bytes) {
    if (!out.empty()) out += ' ';
    out += kDigits[byte >> 4];
    out += kDigits[byte & 15];
  }
  return out;
}

}  // namespace ward::wire
