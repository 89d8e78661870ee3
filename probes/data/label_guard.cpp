#include "probes/data/label_guard.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace ward::probes::data {
namespace {

constexpr std::size_t kLongestValue = 128;
constexpr std::size_t kDeniedDigits = 6;
constexpr std::size_t kUuidLength = 36;

bool digit(char c) { return c >= '0' && c <= '9'; }
bool letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool hex(char c) { return std::isxdigit(static_cast<unsigned char>(c)) != 0; }
bool quote(char c) { return c == '\'' || c == '"' || c == '`'; }
bool separator(char c) { return std::string_view(" -_/:,;()[]|").find(c) != std::string_view::npos; }

bool uuid_at(std::string_view text, std::size_t at) {
  if (text.size() - at < kUuidLength) return false;
  for (std::size_t i = 0; i < kUuidLength; ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? text[at + i] != '-' : !hex(text[at + i])) return false;
  }
  return true;
}

std::string without_uuids(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (uuid_at(text, i)) {
      i += kUuidLength;
    } else {
      out += text[i++];
    }
  }
  return out;
}

bool all_digits(std::string_view token) { return std::ranges::all_of(token, digit); }

/// Addresses and fully qualified names: two dots or more.
bool like_host(std::string_view token) { return std::ranges::count(token, '.') >= 2; }

/// Generated suffixes: a long hexadecimal word with a digit, or letters and digits that alternate ("6d5f7c9b4", "x2x9z").
bool like_hash(std::string_view token) {
  if (token.size() < 5 || !std::ranges::any_of(token, digit)) return false;
  if (token.size() >= 8 && std::ranges::all_of(token, hex)) return true;
  int turns = 0;
  for (std::size_t i = 1; i < token.size(); ++i) {
    if (!digit(token[i]) && !letter(token[i])) return false;
    if (digit(token[i]) != digit(token[i - 1])) ++turns;
  }
  return turns >= 3;
}

struct Token {
  std::string_view before;  ///< the separators in front of it
  std::string_view word;
};

std::vector<Token> tokens_of(std::string_view text) {
  std::vector<Token> tokens;
  for (std::size_t i = 0; i < text.size();) {
    const auto start = i;
    while (i < text.size() && separator(text[i])) ++i;
    const auto word = i;
    while (i < text.size() && !separator(text[i])) ++i;
    if (i > word) tokens.push_back({text.substr(start, word - start), text.substr(word, i - word)});
  }
  return tokens;
}

/// Numbers that a program name does not have: a record number, a date, a social security number in parts.
bool like_a_record(std::string_view text, const std::vector<Token>& tokens) {
  std::size_t numbers = 0;
  std::size_t longest = 0;
  for (const auto& token : tokens) {
    if (!all_digits(token.word)) continue;
    ++numbers;
    longest = std::max(longest, token.word.size());
  }
  const bool words = text.find(' ') != std::string_view::npos;
  // Linux process ids end at 4194304: seven digits.
  return numbers > 1 || (words && longest >= 3) || longest > 7;
}

}  // namespace

bool is_denied(std::string_view value) {
  std::size_t run = 0;
  for (const char c : value) {
    run = digit(c) ? run + 1 : 0;
    if (run >= kDeniedDigits || c == '@' || quote(c) || static_cast<unsigned char>(c) < 0x20) return true;
  }
  return false;
}

std::string guarded(std::string_view value) {
  if (is_denied(value)) return std::string(kRedacted);
  auto end = std::min(value.size(), kLongestValue);
  // Never cut a UTF-8 sequence in two.
  while (end < value.size() && end > 0 && (static_cast<unsigned char>(value[end]) & 0xC0) == 0x80) --end;
  return std::string(value.substr(0, end));
}

std::string application_label(std::string_view application_name) {
  const auto text = without_uuids(application_name);
  const auto tokens = tokens_of(text);
  if (like_a_record(text, tokens)) return std::string(kRedacted);
  std::string kept;
  bool after_hash = false;
  for (const auto& [before, word] : tokens) {
    // The second suffix of a Kubernetes pod has five letters and may hold no digit.
    const bool pod_suffix = after_hash && word.size() == 5;
    after_hash = like_hash(word);
    if (all_digits(word) || like_host(word) || after_hash || pod_suffix) continue;
    if (!kept.empty()) kept += before;
    kept += word;
  }
  if (kept.empty()) return application_name.empty() ? std::string() : std::string(kOther);
  return guarded(kept);
}

}  // namespace ward::probes::data
