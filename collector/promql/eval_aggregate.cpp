#include <algorithm>
#include <unordered_map>

#include "collector/promql/evaluator.hpp"
#include "collector/promql/kahan.hpp"

namespace ward::promql {
namespace {

/// Running results of one group at all steps.
class Group {
 public:
  Group(AggregateOp op, std::size_t steps) : op_(op), count_(steps) {
    switch (op) {
      case AggregateOp::sum: sums_.resize(steps); break;
      case AggregateOp::avg: means_.resize(steps); break;
      case AggregateOp::stddev:
      case AggregateOp::stdvar: variances_.resize(steps); break;
      case AggregateOp::min:
      case AggregateOp::max: extremes_.resize(steps); break;
      case AggregateOp::count:
      case AggregateOp::group:
      case AggregateOp::topk:
      case AggregateOp::bottomk:
      case AggregateOp::count_values:
      case AggregateOp::quantile:
      case AggregateOp::limitk:
      case AggregateOp::limit_ratio: break;
    }
  }
  void add(std::size_t i, double v) {
    const bool first = count_[i]++ == 0;
    if (!sums_.empty()) {
      sums_[i].add(v);
    } else if (!means_.empty()) {
      means_[i].add(v);
    } else if (!variances_.empty()) {
      variances_[i].add(v);
    } else if (!extremes_.empty()) {
      auto& best = extremes_[i];
      const bool better = op_ == AggregateOp::max ? best < v : best > v;
      if (first || better || std::isnan(best)) best = v;
    }
  }
  [[nodiscard]] bool has(std::size_t i) const { return count_[i] != 0; }
  [[nodiscard]] double result(std::size_t i) const {
    if (!sums_.empty()) return sums_[i].total();
    if (!means_.empty()) return means_[i].mean();
    if (!variances_.empty())
      return op_ == AggregateOp::stddev ? std::sqrt(variances_[i].variance()) : variances_[i].variance();
    if (!extremes_.empty()) return extremes_[i];
    return op_ == AggregateOp::group ? 1 : static_cast<double>(count_[i]);
  }

 private:
  AggregateOp op_;
  std::vector<std::uint32_t> count_;
  std::vector<KahanSum> sums_;
  std::vector<KahanMean> means_;
  std::vector<KahanVariance> variances_;
  std::vector<double> extremes_;
};

}  // namespace

Labels group_labels(const Aggregate& a, const Labels& labels) {
  std::vector<Label> kept;
  for (const auto& label : labels) {
    const bool named = std::find(a.grouping.begin(), a.grouping.end(), label.first) != a.grouping.end();
    if (a.without ? !named && label.first != kNameLabel : named) kept.push_back(label);
  }
  return Labels{std::move(kept)};
}

Result<StepVector> aggregate(Evaluator& ev, const Aggregate& a, StepVector input) {
  const auto steps = ev.steps().count;
  std::unordered_map<Labels, std::size_t> known;
  std::vector<Group> groups;
  StepVector out;
  for (const auto& s : input) {
    auto labels = group_labels(a, s.labels);
    const auto [at, is_new] = known.try_emplace(labels, groups.size());
    if (is_new) {
      if (auto ok = ev.query().budget.charge(steps); !ok) return fail(ok.error());
      groups.emplace_back(a.op, steps);
      out.emplace_back(std::move(labels), steps);
    }
    auto& group = groups[at->second];
    for (std::size_t i = 0; i < steps; ++i)
      if (s.has(i)) group.add(i, s.at(i));
  }
  for (std::size_t n = 0; n < out.size(); ++n)
    for (std::size_t i = 0; i < steps; ++i)
      if (groups[n].has(i)) out[n].set(i, groups[n].result(i));
  return out;
}

}  // namespace ward::promql
