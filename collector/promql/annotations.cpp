#include "collector/promql/annotations.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace ward::promql {
namespace {

std::vector<std::string> shown(const std::set<std::string>& all, std::size_t max, std::string_view kind) {
  std::vector<std::string> out;
  for (const auto& text : all) {
    if (out.size() == max) {
      out.push_back(std::to_string(all.size() - max) + " more " + std::string(kind) + " annotations omitted");
      break;
    }
    out.push_back(text);
  }
  return out;
}

}  // namespace

std::string line_and_column(std::string_view query, std::uint32_t at) {
  const auto before = query.substr(0, std::min<std::size_t>(at, query.size()));
  const auto line = std::count(before.begin(), before.end(), '\n') + 1;
  const auto newline = before.rfind('\n');
  const auto column = newline == std::string_view::npos ? before.size() + 1 : before.size() - newline;
  return std::to_string(line) + ":" + std::to_string(column);
}

std::string go_number(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  std::array<char, 40> text{};
  // Go writes exponents only below 1e-4 and from 1e21 on.
  const double size = std::abs(value);
  const bool fixed = size == 0 || (size >= 1e-4 && size < 1e21);
  const auto format = fixed ? std::chars_format::fixed : std::chars_format::scientific;
  const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), value, format);
  return ec == std::errc{} ? std::string(text.data(), end) : "0";
}

std::string AnnotationList::worded(std::string_view kind, PositionRange where, std::string_view what) const {
  std::string out = "PromQL ";
  out.append(kind).append(": ").append(what);
  if (!query_.empty()) out += " (" + line_and_column(query_, where.start) + ")";
  return out;
}

void AnnotationList::warn(PositionRange where, std::string_view what) { warnings_.insert(worded("warning", where, what)); }
void AnnotationList::inform(PositionRange where, std::string_view what) { infos_.insert(worded("info", where, what)); }

Annotations AnnotationList::take() && { return {shown(warnings_, kMax, "warning"), shown(infos_, kMax, "info")}; }

}  // namespace ward::promql
