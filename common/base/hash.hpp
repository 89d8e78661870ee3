#pragma once
#include <bit>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace ward {

/// A quick hash of bytes for tables in memory: eight bytes a step. It is another one with another seed, may change with a
/// release, and must not be stored; nothing is safe to take for equal because its hash is.
[[nodiscard]] inline std::uint64_t hash_bytes(std::string_view bytes, std::uint64_t seed) {
  constexpr std::uint64_t kFirst = 0x9e3779b97f4a7c15ULL;
  constexpr std::uint64_t kSecond = 0xd6e8feb86659fd93ULL;
  const auto load = [](const char* at) {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
  };
  // Two lanes, so that the next multiplication need not wait for the one before.
  std::uint64_t a = seed ^ bytes.size() * kFirst;
  std::uint64_t b = ~seed;
  const char* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 16; left -= 16, at += 16) {
    a = std::rotl((a ^ load(at)) * kFirst, 31);
    b = std::rotl((b ^ load(at + 8)) * kSecond, 29);
  }
  if (left >= 8) {
    a = std::rotl((a ^ load(at)) * kFirst, 31);
    left -= 8;
    at += 8;
  }
  std::uint64_t rest = 0;
  std::memcpy(&rest, at, left);
  b = (b ^ rest) * kSecond;
  std::uint64_t out = a ^ std::rotl(b, 32);
  out = (out ^ out >> 32) * kSecond;
  out = (out ^ out >> 29) * kFirst;
  return out ^ out >> 32;
}

}  // namespace ward
