#include "common/http/form.hpp"

#include "common/http/server.hpp"

namespace ward::http {
namespace {

int hex(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view text, Plus plus) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '+' && plus == Plus::is_blank) {
      out += ' ';
    } else if (text[i] != '%') {
      out += text[i];
    } else {
      const int high = i + 2 < text.size() ? hex(text[i + 1]) : -1;
      const int low = i + 2 < text.size() ? hex(text[i + 2]) : -1;
      if (high < 0 || low < 0) return std::nullopt;
      out += static_cast<char>(high * 16 + low);
      i += 2;
    }
  }
  return out;
}

std::vector<std::string> form_values(std::string_view encoded, std::string_view name) {
  std::vector<std::string> values;
  while (!encoded.empty()) {
    const auto end = encoded.find('&');
    const auto pair = encoded.substr(0, end);
    encoded.remove_prefix(end == std::string_view::npos ? encoded.size() : end + 1);
    const auto equals = pair.find('=');
    const auto key = percent_decode(pair.substr(0, equals), Plus::is_blank);
    if (!key || *key != name) continue;
    // What is not decodable is taken as it stands: a query "a%b" is the user's typing error, not an attack.
    const auto raw = equals == std::string_view::npos ? std::string_view{} : pair.substr(equals + 1);
    values.push_back(percent_decode(raw, Plus::is_blank).value_or(std::string(raw)));
  }
  return values;
}

std::string form_value(std::string_view encoded, std::string_view name) {
  auto values = form_values(encoded, name);
  return values.empty() ? std::string{} : std::move(values.front());
}

}  // namespace ward::http
