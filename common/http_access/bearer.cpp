#include "common/http_access/bearer.hpp"

#include <openssl/crypto.h>

namespace ward::http {

std::string_view bearer(std::string_view header) {
  constexpr std::string_view kScheme = "bearer ";
  if (header.size() < kScheme.size()) return {};
  for (std::size_t i = 0; i < kScheme.size(); ++i) {
    const char c = header[i];
    if ((c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c) != kScheme[i]) return {};
  }
  return header.substr(kScheme.size());
}

bool same_secret(std::string_view given, const Secret& expected) {
  const auto& text = expected.reveal();
  return given.size() == text.size() && CRYPTO_memcmp(given.data(), text.data(), given.size()) == 0;
}

}  // namespace ward::http
