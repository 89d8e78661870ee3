#include "collector/exchange/address.hpp"

#include <algorithm>
#include <cctype>

#include "common/base/parse.hpp"

namespace ward::collector::exchange {
namespace {

bool is_word(std::string_view segment) {
  if (segment.size() > 24) return false;
  if (segment.size() <= 3 && segment.starts_with('v'))  // v1, v2
    return std::all_of(segment.begin() + 1, segment.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
  return std::all_of(segment.begin(), segment.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '-' || c == '_' || c == '.'; });
}

}  // namespace

Address address_of(std::string_view url) {
  Address out;
  const auto scheme = url.starts_with("https://") ? std::size_t{8} : url.starts_with("http://") ? std::size_t{7} : 0;
  if (scheme == 0) return out;
  const auto end = url.find_first_of("/?#", scheme);
  auto host = url.substr(scheme, end == std::string_view::npos ? std::string_view::npos : end - scheme);
  const auto user = host.rfind('@');
  if (user != std::string_view::npos) host = host.substr(user + 1);
  const bool plain = !host.empty() && std::all_of(host.begin(), host.end(), [](unsigned char c) {
    return std::isalnum(c) != 0 || c == '.' || c == '-' || c == ':' || c == '[' || c == ']';
  });
  if (!plain) return out;
  out.safe = std::string(url.substr(0, scheme)) + std::string(host);
  const auto path = end == std::string_view::npos ? std::string_view{} : url.substr(end);
  bool words = user == std::string_view::npos && path.find_first_of("?#") == std::string_view::npos;
  for (auto rest = path; words && !rest.empty();) {
    rest.remove_prefix(1);
    const auto slash = rest.find('/');
    words = is_word(rest.substr(0, slash));
    rest = slash == std::string_view::npos ? std::string_view{} : rest.substr(slash);
  }
  out.whole = words;
  if (words) out.safe += path;
  return out;
}

std::string file_name(std::string_view text) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (std::isalnum(byte) != 0)
      out += static_cast<char>(std::tolower(byte));
    else if (!out.empty() && out.back() != '-')
      out += '-';
  }
  while (out.ends_with('-')) out.pop_back();
  return out.empty() ? "receiver" : out;
}

std::optional<std::string> mail_address(std::string_view text) {
  text = trim(text);
  if (const auto open = text.find('<'); open != std::string_view::npos && text.ends_with('>'))
    text = text.substr(open + 1, text.size() - open - 2);
  const auto at = text.find('@');
  const bool fine = at != std::string_view::npos && at > 0 && at + 1 < text.size() &&
                    text.find('@', at + 1) == std::string_view::npos &&
                    text.find_first_of(" \t\"'{}<>,;") == std::string_view::npos;
  return fine ? std::optional{std::string(text)} : std::nullopt;
}

}  // namespace ward::collector::exchange
