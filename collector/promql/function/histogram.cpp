#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <unordered_map>

#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/number.hpp"

// histogram_quantile over classic buckets (series with `le`). The functions of native histograms see none in this store, and
// as in Prometheus plain samples are no input for them: their result is empty.

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

/// Cumulative counts may not fall; scraping and rates can make them.
void make_monotonic(std::vector<Bucket>& buckets) {
  double previous = buckets.front().count;
  for (auto& b : buckets) {
    if (b.count < previous || nearly_equal(previous, b.count))
      b.count = previous;
    else
      previous = b.count;
  }
}

double bucket_quantile(double q, std::vector<Bucket> buckets) {
  if (std::isnan(q)) return kNaN;
  if (q < 0) return -kInf;
  if (q > 1) return kInf;
  std::sort(buckets.begin(), buckets.end(), [](const Bucket& a, const Bucket& b) { return a.bound < b.bound; });
  if (buckets.empty() || !(std::isinf(buckets.back().bound) && buckets.back().bound > 0)) return kNaN;
  merge_equal_bounds(buckets);
  make_monotonic(buckets);
  if (buckets.size() < 2) return kNaN;
  const double observations = buckets.back().count;
  if (observations == 0 || std::isnan(observations)) return kNaN;
  double rank = q * observations;
  const auto last = buckets.end() - 1;
  const auto at = std::find_if(buckets.begin(), last, [rank](const Bucket& b) { return b.count >= rank; });
  if (at == last) return (last - 1)->bound;
  if (at == buckets.begin() && at->bound <= 0) return at->bound;
  double from = 0;
  double count = at->count;
  if (at != buckets.begin()) {
    from = (at - 1)->bound;
    count -= (at - 1)->count;
    rank -= (at - 1)->count;
  }
  return from + (at->bound - from) * (rank / count);
}

struct Histogram {
  Labels labels;
  std::vector<std::pair<double, const StepSeries*>> buckets;
};

std::vector<Histogram> histograms_of(const StepVector& input) {
  std::vector<Histogram> out;
  std::unordered_map<Labels, std::size_t> known;
  for (const auto& s : input) {
    const auto bound = parse_bound(s.labels.get(kBoundLabel));
    if (!bound || std::isnan(*bound)) continue;
    auto labels = s.labels.without(kBoundLabel);
    labels.erase(kNameLabel);
    const auto [at, is_new] = known.try_emplace(labels, out.size());
    if (is_new) out.push_back({std::move(labels), {}});
    out[at->second].buckets.emplace_back(*bound, &s);
  }
  return out;
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
  StepVector out;
  for (auto& histogram : histograms_of(*input)) {
    if (auto ok = frame.budget().check_time(); !ok) return fail(ok.error());
    StepSeries result{std::move(histogram.labels), q->size()};
    std::vector<Bucket> buckets;
    for (std::size_t i = 0; i < q->size(); ++i) {
      buckets.clear();
      for (const auto& [bound, series] : histogram.buckets)
        if (series->has(i)) buckets.push_back({bound, series->at(i)});
      if (!buckets.empty()) result.set(i, bucket_quantile((*q)[i], buckets));
    }
    out.push_back(std::move(result));
  }
  return Operand{std::move(out)};
}

Result<Operand> eval_histogram_avg(CallFrame& frame) { return nothing(frame); }
Result<Operand> eval_histogram_count(CallFrame& frame) { return nothing(frame); }
Result<Operand> eval_histogram_stddev(CallFrame& frame) { return nothing(frame); }
Result<Operand> eval_histogram_stdvar(CallFrame& frame) { return nothing(frame); }
Result<Operand> eval_histogram_sum(CallFrame& frame) { return nothing(frame); }

}  // namespace ward::promql
