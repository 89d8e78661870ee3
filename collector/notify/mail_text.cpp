#include "collector/notify/mail_text.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

#include "common/base/utf8.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kLine = 76;  // below both limits: 78 of a header, 76 of quoted-printable and encoded words
constexpr std::string_view kHex = "0123456789ABCDEF";

bool is_letter_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'); }

void escape(std::string& out, char c) {
  const auto byte = static_cast<unsigned char>(c);
  out += '=';
  out += kHex[byte >> 4U];
  out += kHex[byte & 0x0FU];
}

std::string without_controls(std::string_view text) {
  std::string out(text);
  std::replace_if(
      out.begin(), out.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; }, ' ');
  return out;
}

bool is_plain(std::string_view text) {
  const bool ascii = std::all_of(text.begin(), text.end(), [](char c) { return c >= 0x20 && c < 0x7F; });
  return ascii && text.find("=?") == std::string_view::npos;
}

/// "=?utf-8?q?...?=" words on lines of their own, never split within a character.
std::string encoded_words(std::string_view text, std::size_t first_room) {
  constexpr std::string_view kBegin = "=?utf-8?q?";
  constexpr std::string_view kEnd = "?=";
  std::string out;
  std::string word;
  auto room = first_room - kBegin.size() - kEnd.size();
  for (std::size_t at = 0; at < text.size();) {
    const auto length = std::max<std::size_t>(utf8_length(text, at), 1);
    std::string one;
    for (const char c : text.substr(at, length)) {
      if (is_letter_or_digit(c))
        one += c;
      else if (c == ' ')
        one += '_';
      else
        escape(one, c);
    }
    if (word.size() + one.size() > room) {
      out += std::string(kBegin) + word + std::string(kEnd) + "\r\n ";
      word.clear();
      room = kLine - 1 - kBegin.size() - kEnd.size();
    }
    word += one;
    at += length;
  }
  return out + std::string(kBegin) + word + std::string(kEnd);
}

/// Breaks lines at blanks; "" when a word is too long for that.
std::string folded(std::string_view text, std::size_t used) {
  std::string out;
  std::size_t column = used;
  for (std::size_t at = 0; at < text.size();) {
    // A piece is a word with the blanks before it; these begin a folded line.
    auto end = text.find_first_not_of(' ', at);
    if (end == std::string_view::npos) break;  // blanks at the end would be a line of nothing
    end = std::min(text.find(' ', end), text.size());
    const auto piece = text.substr(at, end - at);
    if (column + piece.size() > kLine) {
      if (piece.front() != ' ' || piece.size() > kLine) return {};
      out += "\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
    at = end;
  }
  return out;
}

}  // namespace

std::string mail_header(std::string_view name, std::string_view value) {
  return std::string(name) + ": " + without_controls(value) + "\r\n";
}

std::string mail_text_header(std::string_view name, std::string_view text) {
  const auto clean = without_controls(text);
  const auto start = std::string(name) + ": ";
  if (is_plain(clean))
    if (const auto plain = folded(clean, start.size()); !plain.empty()) return start + plain + "\r\n";
  return start + encoded_words(clean, kLine - start.size()) + "\r\n";
}

std::string mail_addresses(std::string_view name, const std::vector<std::string>& addresses) {
  auto out = std::string(name) + ":";
  auto column = out.size();
  for (std::size_t n = 0; n < addresses.size(); ++n) {
    const auto piece = " " + without_controls(addresses[n]) + (n + 1 < addresses.size() ? "," : "");
    if (n > 0 && column + piece.size() > kLine) {
      out += "\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  }
  return out + "\r\n";
}

std::string mail_mailbox(std::string_view name, std::string_view display, std::string_view address) {
  auto out = std::string(name) + ": ";
  const auto clean = without_controls(display);
  if (clean.empty()) return out + without_controls(address) + "\r\n";
  if (!is_plain(clean) || clean.size() > kLine / 2) {
    out += encoded_words(clean, kLine - out.size());
  } else {
    out += '"';
    for (const char c : clean) {
      if (c == '"' || c == '\\') out += '\\';
      out += c;
    }
    out += '"';
  }
  const auto last = out.size() - (out.rfind('\n') == std::string::npos ? 0 : out.rfind('\n') + 1);
  return out + (last + address.size() + 3 > kLine ? "\r\n" : "") + " <" + without_controls(address) + ">\r\n";
}

std::string mail_date(Time at) {
  constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(at);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(at - day)};
  std::array<char, 64> out{};
  std::snprintf(out.data(), out.size(), "%s, %u %s %04d %02d:%02d:%02d +0000",
                kDays.at(std::chrono::weekday{day}.c_encoding()), static_cast<unsigned>(date.day()),
                kMonths.at(static_cast<unsigned>(date.month()) - 1), static_cast<int>(date.year()),
                static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                static_cast<int>(time.seconds().count()));
  return out.data();
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  for (std::size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c == '\n') {
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool ends_line = at + 1 == text.size() || text[at + 1] == '\n';
    std::string one;
    // A blank at a line's end gets lost on the way, and a dot at its beginning is SMTP's.
    if ((c == ' ' && !ends_line) || (c > 0x20 && c < 0x7F && c != '=' && !(c == '.' && column == 0)))
      one = c;
    else
      escape(one, c);
    if (column + one.size() > (ends_line ? kLine : kLine - 1)) {
      out += "=\r\n";
      column = 0;
      if (c == '.') {
        one.clear();
        escape(one, c);
      }
    }
    out += one;
    column += one.size();
  }
  return column == 0 ? out : out + "\r\n";
}

bool is_mail_address(std::string_view text) {
  constexpr std::string_view kAtext = "!#$%&'*+-/=?^_`{|}~.";  // RFC 5321, Dot-string
  const auto at = text.rfind('@');
  if (at == std::string_view::npos || at == 0 || at > 64 || text.size() > 254 || text.front() == '.') return false;
  const auto local = text.substr(0, at);
  const auto host = text.substr(at + 1);
  return local.back() != '.' && local.find("..") == std::string_view::npos &&
         std::all_of(local.begin(), local.end(),
                     [&](char c) { return is_letter_or_digit(c) || kAtext.find(c) != std::string_view::npos; }) &&
         is_host_name(host) && host.find(':') == std::string_view::npos;
}

bool is_host_name(std::string_view text) {
  return !text.empty() && text.size() <= 253 && text.front() != '.' && text.front() != '-' && text.back() != '-' &&
         text.find("..") == std::string_view::npos && std::all_of(text.begin(), text.end(), [](char c) {
           return is_letter_or_digit(c) || c == '-' || c == '.' || c == ':';
         });
}

}  // namespace ward::collector
