#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>

#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/function/quantile_check.hpp"
#include "collector/promql/lexer.hpp"

// histogram_quantile, histogram_quantiles and histogram_fraction over classic buckets (series with `le`). The functions of
// native histograms see none in this store, and as in Prometheus plain samples are no input for them: their result is empty.

namespace ward::promql {
namespace {

constexpr std::string_view kBoundLabel = "le";
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();
constexpr double kInf = std::numeric_limits<double>::infinity();

struct Bucket {
  double bound = 0;
  double count = 0;  ///< cumulative
};

std::optional<double> parse_bound(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  double value = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || ec != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return negative ? -value : value;
}

/// Counts that differ by rounding only are the same count; Prometheus' tolerance.
bool nearly_equal(double a, double b) {
  constexpr double kTolerance = 1e-12;
  if (a == b) return true;
  const double size = std::abs(a) + std::abs(b);
  const double difference = std::abs(a - b);
  if (a == 0 || b == 0 || size < std::numeric_limits<double>::min())
    return difference < kTolerance * std::numeric_limits<double>::min();
  return difference / std::min(size, std::numeric_limits<double>::max()) < kTolerance;
}

void merge_equal_bounds(std::vector<Bucket>& buckets) {
  std::vector<Bucket> merged;
  for (const auto& b : buckets) {
    if (!merged.empty() && merged.back().bound == b.bound)
      merged.back().count += b.count;
    else
      merged.push_back(b);
  }
  buckets = std::move(merged);
}

/// Cumulative counts may not fall; scraping and rates can make them. True when one fell by more than rounding.
bool make_monotonic(std::vector<Bucket>& buckets) {
  bool forced = false;
  double previous = buckets.front().count;
  for (auto& b : buckets) {
    if (b.count < previous || nearly_equal(previous, b.count)) {
      forced = forced || !nearly_equal(previous, b.count);
      b.count = previous;
    } else {
      previous = b.count;
    }
  }
  return forced;
}

/// Sorted, each bound once; false when the last is not +Inf: then nobody knows how many observations there were.
bool put_in_order(std::vector<Bucket>& buckets) {
  const auto by_bound = [](const Bucket& a, const Bucket& b) { return a.bound < b.bound; };
  if (!std::is_sorted(buckets.begin(), buckets.end(), by_bound)) std::sort(buckets.begin(), buckets.end(), by_bound);
  if (buckets.empty() || buckets.back().bound != kInf) return false;
  merge_equal_bounds(buckets);
  return true;
}

struct Quantile {
  double value = kNaN;
  bool forced = false;
};

Quantile bucket_quantile(double q, std::vector<Bucket> buckets) {
  if (std::isnan(q)) return {};
  if (q < 0) return {-kInf};
  if (q > 1) return {kInf};
  if (!put_in_order(buckets)) return {};
  const bool forced = make_monotonic(buckets);
  if (buckets.size() < 2) return {};
  const double observations = buckets.back().count;
  if (observations == 0 || std::isnan(observations)) return {};
  double rank = q * observations;
  const auto last = buckets.end() - 1;
  const auto at = std::find_if(buckets.begin(), last, [rank](const Bucket& b) { return b.count >= rank; });
  if (at == last) return {(last - 1)->bound, forced};
  if (at == buckets.begin() && at->bound <= 0) return {at->bound, forced};
  double from = 0;
  double count = at->count;
  if (at != buckets.begin()) {
    from = (at - 1)->bound;
    count -= (at - 1)->count;
    rank -= (at - 1)->count;
  }
  return {from + (at->bound - from) * (rank / count), forced};
}

/// How many observations lie at or below `value`, with even spread inside a bucket; the first bucket starts at zero when its
/// bound is positive.
double rank_of(double value, const std::vector<Bucket>& buckets) {
  double below = 0;
  double from = -kInf;
  for (std::size_t i = 0; i < buckets.size(); ++i) {
    const auto& b = buckets[i];
    if (from >= value) return below;
    if (b.bound > value) {
      if (i == 0) from = b.bound > 0 ? 0 : -kInf;
      if (value <= from || std::isinf(from) || std::isinf(b.bound)) return below;
      return below + (b.count - below) * (value - from) / (b.bound - from);
    }
    below = b.count;
    from = b.bound;
  }
  return below;
}

double bucket_fraction(double lower, double upper, std::vector<Bucket> buckets) {
  if (!put_in_order(buckets)) return kNaN;
  const double observations = buckets.back().count;
  if (observations == 0 || std::isnan(lower) || std::isnan(upper)) return kNaN;
  if (lower >= upper) return 0;
  return (std::min(rank_of(upper, buckets), observations) - std::min(rank_of(lower, buckets), observations)) / observations;
}

struct Histogram {
  LabelSet labels;
  std::vector<std::pair<double, const StepSeries*>> buckets;
};

std::string for_metric(std::string_view name) { return name.empty() ? std::string{} : " for metric name " + quote(name); }

std::vector<Histogram> histograms_of(CallFrame& frame, std::size_t argument, const StepVector& input) {
  NameSet apart{{std::string(kNameLabel), std::string(kBoundLabel)}};
  std::vector<LabelId> ids;
  std::vector<Histogram> out;
  LabelSetIndex known;
  auto& space = frame.labels();
  for (const auto& s : input) {
    const auto text = space.get(s.labels, kBoundLabel);
    const auto bound = parse_bound(text);
    if (!bound || std::isnan(*bound)) {
      const auto name = space.get(s.labels, kNameLabel);
      frame.warn(argument, "bucket label \"le\" is missing or has a malformed value of " + quote(text) + for_metric(name));
      continue;
    }
    space.without(s.labels, apart, ids);
    const auto place = known.add(space, ids);
    if (place.is_new) out.push_back({known[place.number], {}});
    out[place.number].buckets.emplace_back(*bound, &s);
  }
  return out;
}

/// The buckets of one step.
void gather(const Histogram& histogram, std::size_t step, std::vector<Bucket>& out) {
  out.clear();
  for (const auto& [bound, series] : histogram.buckets)
    if (series->has(step)) out.push_back({bound, series->at(step)});
}

StepSeries quantile_series(CallFrame& frame, std::size_t argument, const Histogram& histogram, const StepScalar& q) {
  auto result = frame.evaluator().new_series(histogram.labels);
  std::vector<Bucket> buckets;
  for (std::size_t i = 0; i < q.size(); ++i) {
    gather(histogram, i, buckets);
    if (buckets.empty()) continue;
    const auto quantile = bucket_quantile(q[i], buckets);
    result.set(i, quantile.value);
    if (quantile.forced)
      frame.inform(argument,
                   "input to histogram_quantile needed to be fixed for monotonicity (see "
                   "https://prometheus.io/docs/prometheus/latest/querying/functions/#histogram_quantile)" +
                       for_metric(frame.labels().get(histogram.buckets.front().second->labels, kNameLabel)));
  }
  return result;
}

Result<Operand> nothing(CallFrame& frame) {
  const auto input = frame.vector(0);
  if (!input) return fail(input.error());
  return Operand{StepVector{}};
}

}  // namespace

Result<Operand> eval_histogram_quantile(CallFrame& frame) {
  const auto q = frame.scalar(0);
  if (!q) return fail(q.error());
  const auto input = frame.vector(1);
  if (!input) return fail(input.error());
  warn_of_quantiles(frame, 0, *q);
  StepVector out;
  for (const auto& histogram : histograms_of(frame, 1, *input)) {
    if (auto ok = frame.budget().tick(); !ok) return fail(ok.error());
    out.push_back(quantile_series(frame, 1, histogram, *q));
  }
  return Operand{std::move(out)};
}

Result<Operand> eval_histogram_quantiles(CallFrame& frame) {
  const auto input = frame.vector(0);
  if (!input) return fail(input.error());
  const auto label = frame.string(1);
  if (!label) return fail(label.error());
  if (label->empty())
    return fail(Errc::invalid, "invalid label name in histogram_quantiles(): " + *label, "Name the label of the quantile.");
  const auto histograms = histograms_of(frame, 0, *input);
  StepVector out;
  for (std::size_t n = 2; n < frame.args(); ++n) {
    const auto q = frame.scalar(n);
    if (!q) return fail(q.error());
    warn_of_quantiles(frame, n, *q);
    for (auto histogram : histograms) {
      if (auto ok = frame.budget().tick(); !ok) return fail(ok.error());
      histogram.labels = frame.labels().with(histogram.labels, *label, go_number(q->front()));
      out.push_back(quantile_series(frame, 0, histogram, *q));
    }
  }
  if (auto ok = join_alike(out); !ok) return fail(ok.error());
  return Operand{std::move(out)};
}

Result<Operand> eval_histogram_fraction(CallFrame& frame) {
  const auto lower = frame.scalar(0);
  if (!lower) return fail(lower.error());
  const auto upper = frame.scalar(1);
  if (!upper) return fail(upper.error());
  const auto input = frame.vector(2);
  if (!input) return fail(input.error());
  StepVector out;
  std::vector<Bucket> buckets;
  for (const auto& histogram : histograms_of(frame, 2, *input)) {
    if (auto ok = frame.budget().tick(); !ok) return fail(ok.error());
    auto result = frame.evaluator().new_series(histogram.labels);
    for (std::size_t i = 0; i < lower->size(); ++i) {
      gather(histogram, i, buckets);
      if (!buckets.empty()) result.set(i, bucket_fraction((*lower)[i], (*upper)[i], buckets));
    }
    out.push_back(result);
  }
  return Operand{std::move(out)};
}

Result<Operand> eval_histogram_avg(CallFrame& frame) { return nothing(frame); }
Result<Operand> eval_histogram_count(CallFrame& frame) { return nothing(frame); }
Result<Operand> eval_histogram_stddev(CallFrame& frame) { return nothing(frame); }
Result<Operand> eval_histogram_stdvar(CallFrame& frame) { return nothing(frame); }
Result<Operand> eval_histogram_sum(CallFrame& frame) { return nothing(frame); }

}  // namespace ward::promql
