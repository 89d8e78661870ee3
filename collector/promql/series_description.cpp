#include "collector/promql/series_description.hpp"

#include <bit>

#include "collector/promql/number.hpp"
#include "collector/promql/parser.hpp"
#include "common/base/parse.hpp"
#include "common/model/sample.hpp"

namespace ward::promql {
namespace {

constexpr std::size_t kMaxValues = 1'000'000;

tl::unexpected<Error> bad_word(std::string_view word) {
  return fail(Errc::invalid, "'" + std::string(word) + "' is not a series value",
              "Write numbers, a+bxn, a-bxn, axn, _, _xn or stale, parted by blanks.");
}

/// End of the number `text` starts with, sign included; 0 when there is none.
std::size_t number_length(std::string_view text) {
  std::size_t n = !text.empty() && (text[0] == '+' || text[0] == '-') ? 1 : 0;
  while (n < text.size() && text[n] != 'x') {
    const bool sign = text[n] == '+' || text[n] == '-';
    if (sign && text[n - 1] != 'e' && text[n - 1] != 'E') break;
    ++n;
  }
  return n;
}

Result<double> signed_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative || text.starts_with('+')) text.remove_prefix(1);
  if (text.empty()) return bad_word(text);
  const auto value = parse_number(text);
  if (!value) return bad_word(text);
  return negative ? -*value : *value;
}

Result<std::size_t> repetitions(std::string_view text) {
  const auto n = to_u64(text);
  if (!n || *n > kMaxValues) return bad_word(text);
  return static_cast<std::size_t>(*n);
}

Status add_word(std::string_view word, std::vector<std::optional<double>>& out) {
  if (word == "stale") {
    out.emplace_back(stale_marker());
    return {};
  }
  if (word.starts_with('_')) {
    std::size_t gaps = 1;
    if (word.size() > 1) {
      const auto n = word[1] == 'x' ? repetitions(word.substr(2)) : bad_word(word);
      if (!n) return bad_word(word);
      gaps = *n;
    }
    out.resize(out.size() + gaps);
    return {};
  }
  const auto first_length = number_length(word);
  const auto first = signed_number(word.substr(0, first_length));
  if (!first) return bad_word(word);
  auto rest = word.substr(first_length);
  double step = 0;
  if (!rest.empty() && rest[0] != 'x') {
    const auto step_length = number_length(rest);
    const auto value = signed_number(rest.substr(0, step_length));
    if (!value || step_length == rest.size()) return bad_word(word);
    step = *value;
    rest.remove_prefix(step_length);
  }
  std::size_t times = 0;
  if (!rest.empty()) {
    const auto n = repetitions(rest.substr(1));
    if (!n) return bad_word(word);
    times = *n;
  }
  double value = *first;
  for (std::size_t i = 0; i <= times; ++i, value += step) out.emplace_back(value);
  return {};
}

}  // namespace

bool operator==(const SeriesDescription& a, const SeriesDescription& b) {
  if (a.labels != b.labels || a.values.size() != b.values.size()) return false;
  for (std::size_t i = 0; i < a.values.size(); ++i) {
    if (a.values[i].has_value() != b.values[i].has_value()) return false;
    if (a.values[i] && std::bit_cast<std::uint64_t>(*a.values[i]) != std::bit_cast<std::uint64_t>(*b.values[i]))
      return false;
  }
  return true;
}

Result<Labels> parse_metric(std::string_view text) {
  const auto trimmed = trim(text);
  if (trimmed == "{}") return Labels{};
  const auto matchers = parse_selector(trimmed);
  if (!matchers) return fail(matchers.error());
  Labels labels;
  for (const auto& m : *matchers) {
    if (m.op() != Matcher::Op::equal)
      return fail(Errc::invalid, "a series is named by equal signs, not by " + collector::to_string(m),
                  "Write name{label=\"value\"}.");
    labels.set(m.name(), m.value());
  }
  return labels;
}

Result<SeriesDescription> parse_series_description(std::string_view text) {
  auto rest = trim(text);
  // The metric ends at its closing brace, or at the first blank when it has none; braces inside quotes do not count.
  std::size_t end = 0;
  char quote = 0;
  bool braces = false;
  for (; end < rest.size(); ++end) {
    const char c = rest[end];
    if (quote != 0) {
      if (c == '\\')
        ++end;
      else if (c == quote)
        quote = 0;
    } else if (c == '"' || c == '\'' || c == '`') {
      quote = c;
    } else if (c == '{') {
      braces = true;
    } else if (c == '}' || (!braces && (c == ' ' || c == '\t'))) {
      break;
    }
  }
  if (end < rest.size() && rest[end] == '}') ++end;
  end = std::min(end, rest.size());
  auto labels = parse_metric(rest.substr(0, end));
  if (!labels) return fail(labels.error());
  SeriesDescription out{std::move(*labels), {}};
  rest.remove_prefix(end);
  for (auto word = next_word(rest); !word.empty(); word = next_word(rest)) {
    if (auto ok = add_word(word, out.values); !ok) return fail(ok.error());
    if (out.values.size() > kMaxValues)
      return fail(Errc::invalid, "a series has more than 1000000 values", "Split the test.");
  }
  return out;
}

}  // namespace ward::promql
