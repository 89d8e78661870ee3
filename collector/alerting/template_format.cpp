// How numbers and printf look in templates: the formats of Prometheus' humanize functions and of Go's fmt.
#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <vector>

#include "collector/alerting/template_functions.hpp"

namespace ward::collector::templates {
namespace {

template <class... Args>
std::string printed(const char* format, Args... args) {
  std::array<char, 512> text{};
  const int n = std::snprintf(text.data(), text.size(), format, args...);
  return {text.data(), std::min(text.size() - 1, static_cast<std::size_t>(std::max(n, 0)))};
}

std::string four_digits(double v) {
  if (std::isnan(v)) return "NaN";
  if (std::isinf(v)) return v > 0 ? "+Inf" : "-Inf";
  return printed("%.4g", v);
}

bool special(double v) { return std::isnan(v) || std::isinf(v); }

std::string small(double v) {
  constexpr std::array<const char*, 8> kPrefixes{"m", "u", "n", "p", "f", "a", "z", "y"};
  const char* prefix = "";
  for (const char* p : kPrefixes) {
    if (std::fabs(v) >= 1) break;
    prefix = p;
    v *= 1000;
  }
  return four_digits(v) + prefix;
}

/// One %verb with its flags, width and precision.
struct Directive {
  std::string flags;
  int width = 0;
  int precision = -1;
  char verb = 0;
};

std::string padded(std::string text, const Directive& d) {
  const auto width = static_cast<std::size_t>(std::clamp(d.width, 0, 200));
  if (text.size() >= width) return text;
  if (d.flags.find('-') != std::string::npos) return text + std::string(width - text.size(), ' ');
  return std::string(width - text.size(), ' ') + text;
}

/// `-+ #0` flags, width and precision as C's printf reads them; they mean the same there.
std::string c_format(const Directive& d, const char* length) {
  std::string out = "%" + d.flags;
  if (d.width > 0) out += std::to_string(std::min(d.width, 200));
  if (d.precision >= 0) out += "." + std::to_string(std::min(d.precision, 60));
  return out + length + d.verb;
}

std::string quoted(std::string_view text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\t') {
      out += "\\t";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

std::string formatted(const Directive& d, const Value& v) {
  const auto* text = v.as_string();
  switch (d.verb) {
    case 'v': return padded(to_text(v), d);
    case 's':
      if (text != nullptr)
        return padded(d.precision >= 0 ? text->substr(0, static_cast<std::size_t>(d.precision)) : *text, d);
      if (v.as_map() != nullptr || v.as_list() != nullptr) return padded(to_text(v), d);
      break;
    case 'q':
      if (text != nullptr) return padded(quoted(*text), d);
      break;
    case 'd':
    case 'x':
    case 'X':
    case 'o':
    case 'c':
      if (const auto* i = v.as_int()) {
        if (d.verb == 'c') return padded(std::string(1, static_cast<char>(*i)), d);
        const std::string format = c_format(d, "ll");
        return printed(format.c_str(), static_cast<long long>(*i));
      }
      break;
    case 'f':
    case 'F':
    case 'e':
    case 'E':
    case 'g':
    case 'G':
      if (const auto* n = v.as_double()) {
        if (special(*n)) return padded(four_digits(*n), d);
        if ((d.verb == 'g' || d.verb == 'G') && d.precision < 0) return padded(float_text(*n), d);
        return printed(c_format(d, "").c_str(), *n);
      }
      break;
    case 't':
      if (v.as_bool() != nullptr) return padded(to_text(v), d);
      break;
    default: break;
  }
  if (v.is_nil()) return std::string("%!") + d.verb + "(<nil>)";
  return std::string("%!") + d.verb + "(" + std::string(type_name(v)) + "=" + to_text(v) + ")";
}

}  // namespace

std::string sprintf(std::string_view format, std::span<const Value> args) {
  std::string out;
  std::size_t used = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '%') {
      out += format[i];
      continue;
    }
    Directive d;
    const auto number = [&](int fallback) {
      if (i < format.size() && format[i] == '*') {
        ++i;
        const auto* n = used < args.size() ? args[used++].as_int() : nullptr;
        return n == nullptr ? fallback : static_cast<int>(std::clamp<std::int64_t>(*n, 0, 200));
      }
      int n = fallback;
      for (; i < format.size() && std::isdigit(static_cast<unsigned char>(format[i])) != 0; ++i)
        n = std::min(std::max(n, 0) * 10 + (format[i] - '0'), 200);
      return n;
    };
    for (++i; i < format.size() && std::string_view("-+ #0").find(format[i]) != std::string_view::npos; ++i)
      d.flags += format[i];
    d.width = number(0);
    if (i < format.size() && format[i] == '.') {
      ++i;
      d.precision = number(0);
    }
    if (i >= format.size()) {
      out += "%!(NOVERB)";
      break;
    }
    d.verb = format[i];
    if (d.verb == '%')
      out += '%';
    else if (used >= args.size())
      out += std::string("%!") + d.verb + "(MISSING)";
    else
      out += formatted(d, args[used++]);
  }
  if (used < args.size()) {
    std::string extra;
    for (; used < args.size(); ++used)
      extra += (extra.empty() ? "" : ", ") + std::string(type_name(args[used])) + "=" + to_text(args[used]);
    out += "%!(EXTRA " + extra + ")";
  }
  return out;
}

std::string humanize(double v) {
  constexpr std::array<const char*, 8> kPrefixes{"k", "M", "G", "T", "P", "E", "Z", "Y"};
  if (v == 0 || special(v)) return four_digits(v);
  if (std::fabs(v) < 1) return small(v);
  const char* prefix = "";
  for (const char* p : kPrefixes) {
    if (std::fabs(v) < 1000) break;
    prefix = p;
    v /= 1000;
  }
  return four_digits(v) + prefix;
}

std::string humanize1024(double v) {
  constexpr std::array<const char*, 8> kPrefixes{"ki", "Mi", "Gi", "Ti", "Pi", "Ei", "Zi", "Yi"};
  if (std::fabs(v) <= 1 || special(v)) return four_digits(v);
  const char* prefix = "";
  for (const char* p : kPrefixes) {
    if (std::fabs(v) < 1024) break;
    prefix = p;
    v /= 1024;
  }
  return four_digits(v) + prefix;
}

std::string humanize_duration(double v) {
  if (special(v)) return four_digits(v);
  if (v == 0) return "0s";
  if (std::fabs(v) < 1) return small(v) + "s";
  if (std::fabs(v) >= 9e18) return four_digits(v) + "s";
  const char* sign = v < 0 ? "-" : "";
  v = std::fabs(v);
  const auto whole = static_cast<long long>(v);
  const long long s = whole % 60;
  const long long m = whole / 60 % 60;
  const long long h = whole / 3600 % 24;
  const long long d = whole / 86400;
  if (d != 0) return printed("%s%lldd %lldh %lldm %llds", sign, d, h, m, s);
  if (h != 0) return printed("%s%lldh %lldm %llds", sign, h, m, s);
  if (m != 0) return printed("%s%lldm %llds", sign, m, s);
  return sign + four_digits(v) + "s";
}

std::string humanize_timestamp(double unix_seconds) {
  using namespace std::chrono;
  if (special(unix_seconds)) return four_digits(unix_seconds);
  if (std::fabs(unix_seconds) > 2.5e11) return four_digits(unix_seconds);  // past the year 9999
  const sys_time<milliseconds> t{milliseconds{std::llround(unix_seconds * 1000)}};
  const auto day = floor<days>(t);
  const year_month_day date{day};
  const hh_mm_ss time{t - day};
  std::string out = printed("%04d-%02u-%02u %02d:%02d:%02d", int{date.year()}, unsigned{date.month()}, unsigned{date.day()},
                            static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                            static_cast<int>(time.seconds().count()));
  if (const auto ms = static_cast<int>(time.subseconds().count()); ms != 0) {
    out += printed(".%03d", ms);
    while (out.back() == '0') out.pop_back();
  }
  return out + " +0000 UTC";
}

}  // namespace ward::collector::templates
