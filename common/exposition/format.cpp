#include "common/exposition/format.hpp"

#include <algorithm>

#include "common/base/parse.hpp"

namespace ward::exposition {
namespace {

bool same_word(std::string_view a, std::string_view lower_case) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), lower_case.begin(), lower_case.end(), [&](char x, char y) { return lower(x) == y; });
}

}  // namespace

std::optional<Format> format_of(std::string_view content_type) {
  const auto media = trim(content_type.substr(0, content_type.find(';')));
  if (media.empty() || same_word(media, "text/plain")) return Format::text;
  if (same_word(media, "application/openmetrics-text")) return Format::openmetrics;
  return std::nullopt;
}

}  // namespace ward::exposition
