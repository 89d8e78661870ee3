#include <algorithm>
#include <limits>

#include "collector/promql/evaluator.hpp"

namespace ward::promql {
namespace {

std::uint64_t total_samples(const std::vector<collector::SeriesData>& series) {
  std::uint64_t total = 0;
  for (const auto& s : series) total += s.samples.size();
  return total;
}

}  // namespace

Time earlier_by(Time t, milliseconds d) {
  std::int64_t out = 0;
  if (!__builtin_sub_overflow(to_ms(t), d.count(), &out)) return from_ms(out);
  return from_ms(d.count() > 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max());
}

std::vector<Time> Evaluator::reference_times(const TimeModifiers& when) const {
  std::vector<Time> times(steps_.count);
  for (std::size_t i = 0; i < times.size(); ++i) {
    auto t = steps_.at(i);
    switch (when.point) {
      case AtPoint::none: break;
      case AtPoint::fixed: t = when.at; break;
      case AtPoint::start: t = query_.start; break;
      case AtPoint::end: t = query_.end; break;
    }
    times[i] = earlier_by(t, when.offset);
  }
  return times;
}

Result<StepVector> Evaluator::select(const VectorSelector& selector, Take take) {
  const auto times = reference_times(selector.when);
  const auto lookback = query_.options.lookback;
  const auto from = earlier_by(earlier_by(times.front(), lookback), milliseconds{-1});  // left-open since Prometheus 3
  auto data = query_.store.select(selector.matchers, from, times.back());
  if (!data) return fail(data.error());
  if (auto ok = query_.budget.charge(total_samples(*data) + data->size() * times.size()); !ok) return fail(ok.error());
  StepVector out;
  out.reserve(data->size());
  for (auto& series : *data) {
    StepSeries steps{std::move(series.labels), times.size()};
    std::size_t next = 0;
    bool any = false;
    for (std::size_t i = 0; i < times.size(); ++i) {
      while (next < series.samples.size() && series.samples[next].t <= times[i]) ++next;
      if (next == 0) continue;
      const auto& latest = series.samples[next - 1];
      if (latest.t <= earlier_by(times[i], lookback) || is_stale(latest.v)) continue;
      steps.set(i, take == Take::value ? latest.v : to_seconds(latest.t));
      any = true;
    }
    if (any) out.push_back(std::move(steps));
  }
  return out;
}

Result<Windows> Evaluator::windows(const Node& node) {
  const auto& inner = unwrap_parens(node);
  if (const auto* matrix = std::get_if<MatrixSelector>(&inner.data)) return windows(*matrix);
  if (const auto* subquery = std::get_if<Subquery>(&inner.data)) return windows(*subquery);
  return fail(Errc::internal, "a range vector was expected", "");
}

Result<Windows> Evaluator::windows(const MatrixSelector& m) {
  Windows out{{}, m.range, reference_times(m.vector.when)};
  const auto from = earlier_by(earlier_by(out.ends.front(), m.range), milliseconds{-1});
  auto data = query_.store.select(m.vector.matchers, from, out.ends.back());
  if (!data) return fail(data.error());
  if (auto ok = query_.budget.charge(total_samples(*data)); !ok) return fail(ok.error());
  out.series.reserve(data->size());
  for (auto& series : *data) {
    std::erase_if(series.samples, [](const Sample& s) { return is_stale(s.v); });
    if (!series.samples.empty()) out.series.push_back({std::move(series.labels), std::move(series.samples)});
  }
  return out;
}

Result<Windows> Evaluator::windows(const Subquery& s) {
  Windows out{{}, s.range, reference_times(s.when)};
  const auto step = s.step.count() != 0 ? s.step : query_.options.subquery_step;
  const auto begin = earlier_by(out.ends.front(), s.range);
  // Steps of subqueries are multiples of the step since the epoch, whatever the query's own times; the first lies after
  // `begin`.
  Time first = from_ms(to_ms(begin) / step.count() * step.count());
  if (first <= begin) first = earlier_by(first, -step);
  if (first > out.ends.back()) return out;
  const auto span = static_cast<std::uint64_t>(to_ms(out.ends.back())) - static_cast<std::uint64_t>(to_ms(first));
  const std::uint64_t count = span / static_cast<std::uint64_t>(step.count()) + 1;
  if (auto ok = query_.budget.charge(count); !ok) return fail(ok.error());
  Evaluator inner{query_, {first, step, static_cast<std::size_t>(count)}};
  auto value = inner.vector(*s.expr);
  if (!value) return fail(value.error());
  if (auto ok = query_.budget.charge(value->size() * count); !ok) return fail(ok.error());
  for (auto& series : *value) {
    WindowSeries points{std::move(series.labels), {}};
    for (std::size_t i = 0; i < series.steps(); ++i)
      if (series.has(i)) points.samples.push_back({inner.steps().at(i), series.at(i)});
    if (!points.samples.empty()) out.series.push_back(std::move(points));
  }
  return out;
}

Window window_at(const Windows& windows, const WindowSeries& series, const StepRange& steps, std::size_t step,
                 std::size_t& from, std::size_t& to) {
  const auto end = windows.ends[step];
  const auto start = earlier_by(end, windows.range);
  while (to < series.samples.size() && series.samples[to].t <= end) ++to;
  while (from < to && series.samples[from].t <= start) ++from;
  return {std::span{series.samples}.subspan(from, to - from), start, end, windows.range, step, steps.at(step)};
}

}  // namespace ward::promql
