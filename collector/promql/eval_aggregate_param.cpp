#include <algorithm>
#include <cmath>

#include "collector/promql/evaluator.hpp"
#include "collector/promql/lexer.hpp"
#include "collector/promql/number.hpp"
#include "collector/promql/quantile.hpp"

// Aggregations with a parameter: topk, bottomk, limitk and limit_ratio pick series; quantile and count_values make new ones.

namespace ward::promql {
namespace {

using Members = std::vector<std::uint32_t>;

/// Series by group, in the order groups are met.
struct Grouped {
  Grouping groups;
  std::vector<Members> members;
};

Grouped group(Evaluator& ev, const Aggregate& a, const StepVector& input) {
  Grouped out{Grouping{ev.labels(), a}, {}};
  for (std::uint32_t n = 0; n < input.size(); ++n) {
    const auto place = out.groups.place_of(input[n].labels);
    if (place.is_new) out.members.emplace_back();
    out.members[place.number].push_back(n);
  }
  return out;
}

/// NaN ranks below everything for topk and above everything for bottomk.
bool ranks_before(AggregateOp op, double a, double b) {
  if (std::isnan(b)) return !std::isnan(a);
  return op == AggregateOp::topk ? a > b : a < b;
}

struct Extremes {
  double min = 0;
  double max = 0;
  bool any_nan = false;
};

Extremes extremes(const StepScalar& values) {
  Extremes out{values.front(), values.front(), false};
  for (const double v : values) {
    out.any_nan = out.any_nan || std::isnan(v);
    out.min = std::min(out.min, v);
    out.max = std::max(out.max, v);
  }
  return out;
}

Status check_whole_numbers(const StepScalar& k) {
  constexpr double kLimit = 9.2233720368547758e18;
  const auto range = extremes(k);
  if (range.any_nan) return fail(Errc::invalid, "Parameter value is NaN", "Ask for a whole number of series.");
  if (range.min <= -kLimit)
    return fail(Errc::invalid, "Scalar value " + go_number(range.min) + " underflows int64",
                "Ask for a whole number of series.");
  if (range.max >= kLimit)
    return fail(Errc::invalid, "Scalar value " + go_number(range.max) + " overflows int64",
                "Ask for a whole number of series.");
  return {};
}

/// Copies chosen values into rows of their own, which are made when the first one is chosen.
class Chosen {
 public:
  Chosen(Evaluator& ev, const StepVector& input) : ev_(ev), input_(input), rows_(input.size()) {}
  void take(std::uint32_t n, std::size_t step) {
    if (rows_[n].empty()) {
      rows_[n] = ev_.new_row();
      order_.push_back(n);
    }
    rows_[n][step] = input_[n].at(step);
  }
  [[nodiscard]] StepVector result() const {
    StepVector out;
    out.reserve(order_.size());
    for (const auto n : order_) {
      out.emplace_back(input_[n].labels, rows_[n]);
      out.back().drop_name = input_[n].drop_name;
    }
    return out;
  }

 private:
  Evaluator& ev_;
  const StepVector& input_;
  std::vector<std::span<double>> rows_;
  std::vector<std::uint32_t> order_;  ///< as they were chosen: by rank in an instant query
};

Result<StepVector> pick(Evaluator& ev, const Aggregate& a, const StepVector& input, const StepScalar& param) {
  if (auto ok = check_whole_numbers(param); !ok) return fail(ok.error());
  const auto grouped = group(ev, a, input);
  Chosen chosen{ev, input};
  Members present;
  for (std::size_t i = 0; i < param.size(); ++i) {
    if (param[i] < 1) continue;
    const auto k = static_cast<std::size_t>(param[i]);
    // Of equals the one met first, so that the order is total and the k best can be found without sorting all.
    const auto before = [&](std::uint32_t x, std::uint32_t y) {
      const double u = input[x].at(i);
      const double v = input[y].at(i);
      if (ranks_before(a.op, u, v)) return true;
      return !ranks_before(a.op, v, u) && x < y;
    };
    for (const auto& members : grouped.members) {
      if (auto ok = ev.query().budget.tick(); !ok) return fail(ok.error());
      present.clear();
      for (const auto n : members)
        if (input[n].has(i)) present.push_back(n);
      const auto count = std::min(present.size(), k);
      if (a.op != AggregateOp::limitk)
        std::partial_sort(present.begin(), present.begin() + static_cast<std::ptrdiff_t>(count), present.end(), before);
      for (std::size_t n = 0; n < count; ++n) chosen.take(present[n], i);
    }
  }
  return chosen.result();
}

/// Where a label set lies in [0, 1): stable through time and restarts, so that a ratio keeps its series.
double place_of(LabelSpace& space, LabelSet labels) {
  auto h = space.labels(labels).hash();
  h = (h ^ (h >> 32)) * 0x9e3779b97f4a7c15ULL;
  return static_cast<double>((h ^ (h >> 29)) >> 11) * 0x1.0p-53;
}

Result<StepVector> pick_ratio(Evaluator& ev, const Node& where, const StepVector& input, const StepScalar& param) {
  const auto range = extremes(param);
  if (range.any_nan) return fail(Errc::invalid, "Ratio value is NaN", "Write a ratio between -1 and 1.");
  const auto capped = [&](double value, double to) {
    ev.query().notes.warn(
        where.pos, "ratio value should be between -1 and 1, got " + go_number(value) + ", capping to " + go_number(to));
  };
  if (range.max > 1) capped(range.max, 1);
  if (range.min < -1) capped(range.min, -1);
  Chosen chosen{ev, input};
  for (std::uint32_t n = 0; n < input.size(); ++n) {
    const double place = place_of(ev.labels(), input[n].labels);
    for (std::size_t i = 0; i < param.size(); ++i) {
      const double r = std::clamp(param[i], -1.0, 1.0);
      // A negative ratio takes what the positive one beside it leaves: r and r - 1 split the series.
      const bool in = r >= 0 ? place < r : place >= 1 + r;
      if (in && input[n].has(i)) chosen.take(n, i);
    }
  }
  return chosen.result();
}

Result<StepVector> quantiles(Evaluator& ev, const Aggregate& a, const StepVector& input, const StepScalar& param) {
  const auto range = extremes(param);
  const auto warn = [&](double q) {
    ev.query().notes.warn(a.param->pos, "quantile value should be between 0 and 1, got " + go_number(q));
  };
  if (range.any_nan) warn(std::nan(""));
  if (range.max > 1) warn(range.max);
  if (range.min < 0) warn(range.min);
  const auto grouped = group(ev, a, input);
  StepVector out;
  for (std::size_t g = 0; g < grouped.members.size(); ++g) {
    auto result = ev.new_series(grouped.groups.labels(g));
    for (std::size_t i = 0; i < param.size(); ++i) {
      std::vector<double> values;
      for (const auto n : grouped.members[g])
        if (input[n].has(i)) values.push_back(input[n].at(i));
      if (!values.empty()) result.set(i, quantile(param[i], std::move(values)));
    }
    out.push_back(result);
  }
  return out;
}

Result<StepVector> count_values(Evaluator& ev, const Aggregate& a, const StepVector& input, const std::string& label) {
  if (label.empty())
    return fail(Errc::invalid, "invalid label name " + quote(label), "Name the label that takes the values.");
  const auto steps = ev.steps().count;
  Grouping grouping{ev.labels(), a};
  const bool removed = a.without && std::find(a.grouping.begin(), a.grouping.end(), label) != a.grouping.end();
  LabelSetIndex known;
  StepVector out;
  for (const auto& s : input) {
    const auto base = grouping.labels(grouping.group_of(s.labels));
    for (std::size_t i = 0; i < steps; ++i) {
      if (!s.has(i)) continue;
      const auto place = known.add(removed ? base : ev.labels().with(base, label, format_number(s.at(i))));
      if (place.is_new) {
        if (auto ok = ev.query().budget.charge(steps); !ok) return fail(ok.error());
        out.push_back(ev.new_series(known[place.number]));
      }
      auto& result = out[place.number];
      result.set(i, result.has(i) ? result.at(i) + 1 : 1);
    }
  }
  return out;
}

}  // namespace

Result<StepVector> aggregate_with_parameter(Evaluator& ev, const Aggregate& a, StepVector input) {
  if (a.op == AggregateOp::count_values) {
    auto label = ev.string(*a.param);
    if (!label) return fail(label.error());
    return count_values(ev, a, input, *label);
  }
  auto param = ev.scalar(*a.param);
  if (!param) return fail(param.error());
  if (auto ok = ev.query().budget.charge(input.size() * param->size()); !ok) return fail(ok.error());
  if (a.op == AggregateOp::quantile) return quantiles(ev, a, input, *param);
  if (a.op == AggregateOp::limit_ratio) return pick_ratio(ev, *a.param, input, *param);
  return pick(ev, a, input, *param);
}

}  // namespace ward::promql
