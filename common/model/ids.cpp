#include "common/model/ids.hpp"

#include <algorithm>

namespace ward {

std::string to_string(const Incarnation& incarnation) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string out;
  out.reserve(32);
  for (const auto byte : incarnation.bytes) {
    out += kHex[byte >> 4];
    out += kHex[byte & 15];
  }
  return out;
}

bool PeerIdentity::may_speak_for(const TenantId& tenant) const {
  return std::find(tenants.begin(), tenants.end(), tenant) != tenants.end();
}

Status check_name(std::string_view kind, std::string_view name) {
  const auto alnum = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
  const bool good = !name.empty() && name.size() <= 63 && alnum(name.front()) && alnum(name.back()) &&
                    std::all_of(name.begin(), name.end(), [&](char c) { return alnum(c) || c == '-' || c == '.'; });
  if (good) return {};
  return fail(Errc::invalid, std::string(kind) + " name '" + std::string(name.substr(0, 80)) + "' is not allowed",
              "Use 1 to 63 of a-z, 0-9, '-' and '.', starting and ending with a letter or digit.");
}

}  // namespace ward
