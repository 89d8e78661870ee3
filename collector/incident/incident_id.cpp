#include "collector/incident/incident_id.hpp"

#include <string_view>

namespace ward::collector {
namespace {

// Crockford's alphabet: no I, L, O, U, so that an id read aloud at night is typed right.
constexpr std::string_view kDigits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void put(std::string& out, std::uint64_t value, int digits) {
  for (int shift = 5 * (digits - 1); shift >= 0; shift -= 5) out += kDigits[(value >> shift) & 31];
}

// splitmix64's finaliser: spreads the salt over all bits.
std::uint64_t mix(std::uint64_t z) {
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
  return z ^ (z >> 31);
}

}  // namespace

std::string incident_id(Time began, std::uint64_t root, std::uint32_t salt) {
  // A ULID writes 48 bits of ms in ten digits; the last two are below 1.024 s and give way to a shorter id.
  const auto time = (static_cast<std::uint64_t>(to_ms(began)) & 0xffffffffffffULL) >> 10;
  // With the lowest ten bits back in the hash, two breaches of one alert within a second still differ.
  const auto low = static_cast<std::uint64_t>(to_ms(began)) & 1023;
  std::string out;
  put(out, time, 8);
  put(out, mix(root ^ (low << 32) ^ (std::uint64_t{salt} << 48)), 6);
  return out;
}

}  // namespace ward::collector
