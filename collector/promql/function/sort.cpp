#include <algorithm>
#include <cmath>

#include "collector/promql/function/call_frame.hpp"

// sort, sort_desc, sort_by_label, sort_by_label_desc. Order means something in an instant result only: range results are
// sorted by labels anyway.

namespace ward::promql {
namespace {

template <class Before>
Result<Operand> sorted(CallFrame& frame, Before before) {
  auto input = frame.vector(0);
  if (!input) return fail(input.error());
  if (frame.steps().count == 1) std::stable_sort(input->begin(), input->end(), before);
  return Operand{std::move(*input)};
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// Takes a run of digits without leading zeros off `text`.
std::string_view take_number(std::string_view& text) {
  std::size_t n = 0;
  while (n < text.size() && is_digit(text[n])) ++n;
  auto number = text.substr(0, n);
  text.remove_prefix(n);
  while (number.size() > 1 && number.front() == '0') number.remove_prefix(1);
  return number;
}

/// Natural order: "node9" before "node10". Negative, zero or positive.
int natural_compare(std::string_view a, std::string_view b) {
  while (!a.empty() && !b.empty()) {
    if (is_digit(a.front()) && is_digit(b.front())) {
      const auto x = take_number(a);
      const auto y = take_number(b);
      if (x.size() != y.size()) return x.size() < y.size() ? -1 : 1;
      if (const int order = x.compare(y); order != 0) return order;
      continue;
    }
    if (a.front() != b.front())
      return static_cast<unsigned char>(a.front()) < static_cast<unsigned char>(b.front()) ? -1 : 1;
    a.remove_prefix(1);
    b.remove_prefix(1);
  }
  return static_cast<int>(!a.empty()) - static_cast<int>(!b.empty());
}

Result<Operand> by_label(CallFrame& frame, int sign) {
  std::vector<std::string> names;
  for (std::size_t n = 1; n < frame.args(); ++n) {
    auto name = frame.string(n);
    if (!name) return fail(name.error());
    names.push_back(std::move(*name));
  }
  const auto& space = frame.labels();
  return sorted(frame, [&](const StepSeries& a, const StepSeries& b) {
    for (const auto& name : names) {
      const int order = natural_compare(space.get(a.labels, name), space.get(b.labels, name));
      if (order != 0) return order * sign < 0;
    }
    return sign > 0 ? space.less(a.labels, b.labels) : space.less(b.labels, a.labels);
  });
}

}  // namespace

// NaN comes last both ways.
Result<Operand> eval_sort(CallFrame& frame) {
  return sorted(frame, [](const StepSeries& a, const StepSeries& b) {
    return std::isnan(b.at(0)) ? !std::isnan(a.at(0)) : a.at(0) < b.at(0);
  });
}
Result<Operand> eval_sort_desc(CallFrame& frame) {
  return sorted(frame, [](const StepSeries& a, const StepSeries& b) {
    return std::isnan(b.at(0)) ? !std::isnan(a.at(0)) : a.at(0) > b.at(0);
  });
}
Result<Operand> eval_sort_by_label(CallFrame& frame) { return by_label(frame, 1); }
Result<Operand> eval_sort_by_label_desc(CallFrame& frame) { return by_label(frame, -1); }

}  // namespace ward::promql
