#include "collector/notify/text.hpp"

#include <algorithm>
#include <cstdint>

#include "common/base/utf8.hpp"

namespace ward::collector {
namespace {

std::uint32_t code_point(std::string_view c) {
  const auto byte = [&](std::size_t i) { return static_cast<std::uint32_t>(static_cast<unsigned char>(c[i])); };
  switch (c.size()) {
    case 1: return byte(0);
    case 2: return (byte(0) & 0x1FU) << 6U | (byte(1) & 0x3FU);
    case 3: return (byte(0) & 0x0FU) << 12U | (byte(1) & 0x3FU) << 6U | (byte(2) & 0x3FU);
    default: return (byte(0) & 0x07U) << 18U | (byte(1) & 0x3FU) << 12U | (byte(2) & 0x3FU) << 6U | (byte(3) & 0x3FU);
  }
}

/// Control characters, the separators of lines and paragraphs, the marks that turn the direction of writing (Unicode,
/// annex 9), the invisible ones and the tags.
bool is_unseen(std::uint32_t c) {
  return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0xAD || c == 0x61C || (c >= 0x200B && c <= 0x200F) ||
         (c >= 0x2028 && c <= 0x202E) || (c >= 0x2060 && c <= 0x206F) || c == 0xFEFF || (c >= 0xE0000 && c <= 0xE007F);
}

std::string clean(std::string_view text, std::size_t max_bytes, bool keep_breaks) {
  std::string out;
  // More is never shown, and a label may be a megabyte.
  for (std::size_t at = 0; at < text.size() && out.size() <= max_bytes;) {
    const auto length = utf8_length(text, at);
    const auto c = text.substr(at, std::max<std::size_t>(length, 1));
    if (length == 0) {
      out += "\xEF\xBF\xBD";
    } else if (keep_breaks && c == "\n") {
      out += '\n';
    } else if (is_unseen(code_point(c))) {
      out += ' ';
    } else {
      if (c == "{" && out.ends_with('{')) out += ' ';
      out += c;
    }
    at += c.size();
  }
  return cut(out, max_bytes);
}

}  // namespace

std::string one_line(std::string_view text, std::size_t max_bytes) { return clean(text, max_bytes, false); }
std::string lines(std::string_view text, std::size_t max_bytes) { return clean(text, max_bytes, true); }

std::string cut(std::string_view text, std::size_t max_bytes) {
  constexpr std::string_view kMore = "...";
  if (text.size() <= max_bytes) return std::string(text);
  auto keep = max_bytes > kMore.size() ? max_bytes - kMore.size() : 0;
  while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xC0U) == 0x80U) --keep;
  return std::string(text.substr(0, keep)) + std::string(kMore.substr(0, max_bytes));
}

std::string safe_link(std::string_view url) {
  constexpr std::size_t kLongest = 2'000;
  constexpr std::string_view kOthers = "-._~:/?#[]@!$&'()*+,;=%";  // RFC 3986, section 2
  if (url.size() > kLongest || (!url.starts_with("https://") && !url.starts_with("http://"))) return {};
  const bool good = std::all_of(url.begin(), url.end(), [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           kOthers.find(c) != std::string_view::npos;
  });
  // "https://good.example@evil.example" leads to evil.example.
  const auto host = url.substr(url.find("://") + 3);
  return good && host.substr(0, host.find_first_of("/?#")).find('@') == std::string_view::npos ? std::string(url) : "";
}

std::string_view first_line_of(std::string_view text) { return text.substr(0, text.find('\n')); }

std::string_view after_first_line(std::string_view text) {
  const auto at = text.find('\n');
  return at == std::string_view::npos ? std::string_view() : text.substr(at + 1);
}

}  // namespace ward::collector
