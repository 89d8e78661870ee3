#include <algorithm>

#include "collector/promql/evaluator.hpp"
#include "collector/promql/kahan.hpp"

// Aggregations without a parameter: one running state for each group and step, fed series by series.

namespace ward::promql {
namespace {

struct Sum {
  KahanSum sum;
  bool any = false;
  void add(double v) {
    any = true;
    sum.add(v);
  }
  [[nodiscard]] double result() const { return sum.total(); }
};
struct Mean {
  KahanMean mean;
  bool any = false;
  void add(double v) {
    any = true;
    mean.add(v);
  }
  [[nodiscard]] double result() const { return mean.mean(); }
};
struct Variance {
  KahanVariance variance;
  bool any = false;
  void add(double v) {
    any = true;
    variance.add(v);
  }
  [[nodiscard]] double result() const { return variance.variance(); }
};
struct Deviation : Variance {
  [[nodiscard]] double result() const { return std::sqrt(variance.variance()); }
};
struct Count {
  std::uint32_t any = 0;
  void add(double) { ++any; }
  [[nodiscard]] double result() const { return any; }
};
struct One {
  bool any = false;
  void add(double) { any = true; }
  [[nodiscard]] static double result() { return 1; }
};
/// NaN gives way to any number.
struct Max {
  double best = 0;
  bool any = false;
  void add(double v) {
    if (!any || best < v || std::isnan(best)) best = v;
    any = true;
  }
  [[nodiscard]] double result() const { return best; }
};
struct Min {
  double best = 0;
  bool any = false;
  void add(double v) {
    if (!any || best > v || std::isnan(best)) best = v;
    any = true;
  }
  [[nodiscard]] double result() const { return best; }
};

template <class State>
Result<StepVector> run(Evaluator& ev, const Aggregate& a, const StepVector& input) {
  const auto steps = ev.steps().count;
  Grouping grouping{ev.labels(), a};
  std::vector<State> states;
  for (const auto& s : input) {
    const auto place = grouping.place_of(s.labels);
    if (place.is_new) {
      if (auto ok = ev.query().budget.charge(steps); !ok) return fail(ok.error());
      states.resize(states.size() + steps);
    }
    if (auto ok = ev.query().budget.tick(); !ok) return fail(ok.error());
    State* const group = states.data() + place.number * steps;
    const auto row = s.row();
    for (std::size_t i = 0; i < steps; ++i)
      if (!is_stale(row[i])) group[i].add(row[i]);
  }
  StepVector out;
  out.reserve(grouping.size());
  for (std::size_t n = 0; n < grouping.size(); ++n) {
    auto series = ev.new_series(grouping.labels(n));
    for (std::size_t i = 0; i < steps; ++i)
      if (const auto& state = states[n * steps + i]; state.any) series.set(i, state.result());
    out.push_back(series);
  }
  return out;
}

}  // namespace

Grouping::Grouping(LabelSpace& space, const Aggregate& a)
    : space_(space), without_(a.without), names_([&a] {
        auto names = a.grouping;
        if (a.without) names.emplace_back(kNameLabel);
        return names;
      }()) {}

LabelSetIndex::Place Grouping::place_of(LabelSet labels) {
  if (without_)
    space_.without(labels, names_, buffer_);
  else
    space_.only(labels, names_, buffer_);
  return index_.add(space_, buffer_);
}

Result<StepVector> aggregate(Evaluator& ev, const Aggregate& a, StepVector input) {
  switch (a.op) {
    case AggregateOp::sum: return run<Sum>(ev, a, input);
    case AggregateOp::avg: return run<Mean>(ev, a, input);
    case AggregateOp::count: return run<Count>(ev, a, input);
    case AggregateOp::min: return run<Min>(ev, a, input);
    case AggregateOp::max: return run<Max>(ev, a, input);
    case AggregateOp::group: return run<One>(ev, a, input);
    case AggregateOp::stddev: return run<Deviation>(ev, a, input);
    case AggregateOp::stdvar: return run<Variance>(ev, a, input);
    case AggregateOp::topk:
    case AggregateOp::bottomk:
    case AggregateOp::count_values:
    case AggregateOp::quantile:
    case AggregateOp::limitk:
    case AggregateOp::limit_ratio: break;
  }
  return fail(Errc::internal, "an aggregation with a parameter went the way of those without", "");
}

}  // namespace ward::promql
