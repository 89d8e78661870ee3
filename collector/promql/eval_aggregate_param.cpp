#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <unordered_map>

#include "collector/promql/evaluator.hpp"
#include "collector/promql/lexer.hpp"
#include "collector/promql/number.hpp"
#include "collector/promql/quantile.hpp"

namespace ward::promql {
namespace {

/// Series by group, in the order groups are met.
struct Grouped {
  std::vector<Labels> labels;
  std::vector<std::vector<std::size_t>> members;
};

Grouped group(const Aggregate& a, const StepVector& input) {
  Grouped out;
  std::unordered_map<Labels, std::size_t> known;
  for (std::size_t n = 0; n < input.size(); ++n) {
    auto labels = group_labels(a, input[n].labels);
    const auto [at, is_new] = known.try_emplace(labels, out.labels.size());
    if (is_new) {
      out.labels.push_back(std::move(labels));
      out.members.emplace_back();
    }
    out.members[at->second].push_back(n);
  }
  return out;
}

/// NaN ranks below everything for topk and above everything for bottomk.
bool ranks_before(AggregateOp op, double a, double b) {
  if (std::isnan(b)) return !std::isnan(a);
  return op == AggregateOp::topk ? a > b : a < b;
}

std::string short_number(double v) {
  std::array<char, 32> text{};
  const auto [end, ec] = std::to_chars(text.data(), text.data() + text.size(), v);
  return std::isfinite(v) && ec == std::errc{} ? std::string(text.data(), end) : format_number(v);
}

Result<std::size_t> whole_number(double k) {
  constexpr double kMax = 9.2e18;
  if (!(std::abs(k) < kMax))
    return fail(Errc::invalid, "Scalar value " + short_number(k) + " overflows int64", "Ask for a whole number of series.");
  return k < 1 ? 0 : static_cast<std::size_t>(k);
}

Result<StepVector> pick(const Aggregate& a, StepVector input, const StepScalar& param) {
  const auto grouped = group(a, input);
  StepVector out;
  std::vector<std::size_t> order;  // of an instant result: by rank, group by group
  for (const auto& s : input) out.emplace_back(s.labels, s.steps());
  for (std::size_t i = 0; i < param.size(); ++i) {
    const auto k = whole_number(param[i]);
    if (!k) return fail(k.error());
    for (const auto& members : grouped.members) {
      std::vector<std::size_t> present;
      for (const auto n : members)
        if (input[n].has(i)) present.push_back(n);
      if (a.op != AggregateOp::limitk)
        std::stable_sort(present.begin(), present.end(),
                         [&](std::size_t x, std::size_t y) { return ranks_before(a.op, input[x].at(i), input[y].at(i)); });
      present.resize(std::min(present.size(), *k));
      for (const auto n : present) out[n].set(i, input[n].at(i));
      if (param.size() == 1) order.insert(order.end(), present.begin(), present.end());
    }
  }
  if (param.size() == 1) {
    StepVector ranked;
    for (const auto n : order) ranked.push_back(std::move(out[n]));
    return ranked;
  }
  drop_empty(out);
  return out;
}

StepVector quantiles(const Aggregate& a, const StepVector& input, const StepScalar& param) {
  const auto grouped = group(a, input);
  StepVector out;
  for (std::size_t g = 0; g < grouped.labels.size(); ++g) {
    StepSeries result{grouped.labels[g], param.size()};
    for (std::size_t i = 0; i < param.size(); ++i) {
      std::vector<double> values;
      for (const auto n : grouped.members[g])
        if (input[n].has(i)) values.push_back(input[n].at(i));
      if (!values.empty()) result.set(i, quantile(param[i], std::move(values)));
    }
    out.push_back(std::move(result));
  }
  return out;
}

Result<StepVector> count_values(Evaluator& ev, const Aggregate& a, const StepVector& input, const std::string& label) {
  if (label.empty())
    return fail(Errc::invalid, "invalid label name " + quote(label), "Name the label that takes the values.");
  const auto steps = ev.steps().count;
  const bool removed = a.without && std::find(a.grouping.begin(), a.grouping.end(), label) != a.grouping.end();
  std::unordered_map<Labels, std::size_t> known;
  StepVector out;
  for (const auto& s : input) {
    const auto base = group_labels(a, s.labels);
    for (std::size_t i = 0; i < steps; ++i) {
      if (!s.has(i)) continue;
      auto labels = removed ? base : base.with(label, format_number(s.at(i)));
      const auto [at, is_new] = known.try_emplace(labels, out.size());
      if (is_new) {
        if (auto ok = ev.query().budget.charge(steps); !ok) return fail(ok.error());
        out.emplace_back(std::move(labels), steps);
      }
      auto& result = out[at->second];
      result.set(i, result.has(i) ? result.at(i) + 1 : 1);
    }
  }
  return out;
}

}  // namespace

Result<StepVector> aggregate_with_parameter(Evaluator& ev, const Aggregate& a, StepVector input) {
  if (a.op == AggregateOp::limit_ratio)
    return fail(Errc::invalid, "aggregation \"limit_ratio\" is not evaluated by this version",
                "Use limitk, or evaluate this query in Prometheus.");
  if (a.op == AggregateOp::count_values) {
    auto label = ev.string(*a.param);
    if (!label) return fail(label.error());
    return count_values(ev, a, input, *label);
  }
  auto param = ev.scalar(*a.param);
  if (!param) return fail(param.error());
  if (auto ok = ev.query().budget.charge(input.size() * param->size()); !ok) return fail(ok.error());
  if (a.op == AggregateOp::quantile) return quantiles(a, input, *param);
  return pick(a, std::move(input), *param);
}

}  // namespace ward::promql
