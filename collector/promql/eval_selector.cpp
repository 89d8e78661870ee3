#include <algorithm>
#include <limits>

#include "collector/promql/evaluator.hpp"

// What reads the store: instant selectors, and range vectors (selectors with a range, subqueries) series by series.

namespace ward::promql {

Time earlier_by(Time t, milliseconds d) {
  std::int64_t out = 0;
  if (!__builtin_sub_overflow(to_ms(t), d.count(), &out)) return from_ms(out);
  return from_ms(d.count() > 0 ? std::numeric_limits<std::int64_t>::min() : std::numeric_limits<std::int64_t>::max());
}

namespace {

/// The first millisecond of a window (t - d, t]: left-open since Prometheus 3.
Time opens(Time t, milliseconds d) { return earlier_by(earlier_by(t, d), milliseconds{-1}); }

std::span<const Sample> without_stale(std::span<Sample> samples) {
  const auto stale = [](const Sample& s) { return is_stale(s.v); };
  const auto end = std::remove_if(std::find_if(samples.begin(), samples.end(), stale), samples.end(), stale);
  return samples.first(static_cast<std::size_t>(end - samples.begin()));
}

/// Calls `visit(n)` for each n below `count` in batches, after `read(first, many)` for each batch.
template <class Read, class Visit>
Status in_batches(std::size_t count, Read read, Visit visit) {
  constexpr auto kBatch = collector::SeriesReader::kBatch;
  for (std::size_t first = 0; first < count; first += kBatch) {
    const auto many = std::min(kBatch, count - first);
    if (auto ok = read(first, many); !ok) return ok;
    for (std::size_t n = 0; n < many; ++n)
      if (auto ok = visit(first + n, n); !ok) return ok;
  }
  return {};
}

}  // namespace

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

void Evaluator::latest_at_steps(std::span<const Sample> samples, std::span<const Time> times, Take take,
                                std::span<double> row) const {
  std::size_t next = 0;
  for (std::size_t i = 0; i < times.size(); ++i) {
    while (next < samples.size() && samples[next].t <= times[i]) ++next;
    if (next == 0) continue;
    const auto& latest = samples[next - 1];
    if (latest.t <= earlier_by(times[i], query_.options.lookback) || is_stale(latest.v)) continue;
    row[i] = take == Take::value ? latest.v : to_seconds(latest.t);
  }
}

Result<StepVector> Evaluator::select(const VectorSelector& selector, Take take) {
  return select(query_.found[&selector], selector.when, take);
}

Result<StepVector> Evaluator::select(std::span<const collector::FoundSeries> found, const TimeModifiers& when, Take take) {
  const auto times = reference_times(when);
  const auto from = opens(times.front(), query_.options.lookback);
  auto& reader = labels().reader();
  StepVector out;
  out.reserve(found.size());
  collector::SampleBatch batch;
  std::span<double> row;
  const auto read = [&](std::size_t first, std::size_t many) {
    const auto part = found.subspan(first, many);
    return times.front() == times.back() ? reader.read_latest(part, from, times.back(), batch)
                                         : reader.read(part, from, times.back(), batch);
  };
  const auto visit = [&](std::size_t n, std::size_t in_batch) -> Status {
    const auto samples = batch[in_batch];
    if (samples.empty()) return {};
    if (auto ok = query_.budget.charge(samples.size() + times.size()); !ok) return ok;
    if (auto ok = query_.budget.tick(); !ok) return ok;
    if (row.empty()) row = new_row();
    latest_at_steps(samples, times, take, row);
    StepSeries steps{LabelSet{found[n].labels()}, row};
    if (!steps.any()) return {};  // the next series may have the row
    out.push_back(steps);
    row = {};
    return {};
  };
  if (auto ok = in_batches(found.size(), read, visit); !ok) return fail(ok.error());
  return out;
}

WindowShape Evaluator::shape(const Node& node) const {
  const auto& inner = unwrap_parens(node);
  if (const auto* m = std::get_if<MatrixSelector>(&inner.data)) return {m->range, reference_times(m->vector.when)};
  const auto& s = std::get<Subquery>(inner.data);
  return {s.range, reference_times(s.when)};
}

Status Evaluator::each_series(const Node& node, const WindowShape& shape, const TakeSamples& take) {
  const auto& inner = unwrap_parens(node);
  if (const auto* matrix = std::get_if<MatrixSelector>(&inner.data)) return each_series(*matrix, shape, take);
  return each_series(std::get<Subquery>(inner.data), shape, take);
}

Status Evaluator::each_series(const MatrixSelector& m, const WindowShape& shape, const TakeSamples& take) {
  const auto from = opens(shape.ends.front(), m.range);
  auto& reader = labels().reader();
  const std::span<const collector::FoundSeries> found = query_.found[&m.vector];
  collector::SampleBatch batch;
  const auto read = [&](std::size_t first, std::size_t many) {
    return reader.read(found.subspan(first, many), from, shape.ends.back(), batch);
  };
  const auto visit = [&](std::size_t n, std::size_t in_batch) -> Status {
    const auto samples = without_stale(batch[in_batch]);
    if (samples.empty()) return {};
    if (auto ok = query_.budget.charge(samples.size()); !ok) return ok;
    if (auto ok = query_.budget.tick(); !ok) return ok;
    return take(StepSeries{LabelSet{found[n].labels()}, {}}, samples);
  };
  return in_batches(found.size(), read, visit);
}

Result<StepRange> subquery_steps(const Subquery& s, const EngineOptions& options, Budget& budget, Time first, Time last) {
  const auto step = s.step.count() != 0 ? s.step : options.subquery_step;
  const auto begin = earlier_by(first, s.range);
  // Steps of subqueries are multiples of the step since the epoch, whatever the query's own times; the first lies after
  // `begin`.
  auto start = from_ms(to_ms(begin) / step.count() * step.count());
  if (start <= begin) start = earlier_by(start, -step);
  if (start > last) return StepRange{start, step, 0};
  const auto span = static_cast<std::uint64_t>(to_ms(last)) - static_cast<std::uint64_t>(to_ms(start));
  const std::uint64_t count = span / static_cast<std::uint64_t>(step.count()) + 1;
  if (auto ok = budget.charge(count); !ok) return fail(ok.error());
  return StepRange{start, step, static_cast<std::size_t>(count)};
}

Status Evaluator::each_series(const Subquery& s, const WindowShape& shape, const TakeSamples& take) {
  const auto steps = subquery_steps(s, query_.options, query_.budget, shape.ends.front(), shape.ends.back());
  if (!steps) return fail(steps.error());
  if (steps->count == 0) return {};
  Evaluator inner{query_, *steps};
  auto value = inner.vector(*s.expr);
  if (!value) return fail(value.error());
  std::vector<Sample> samples;
  for (const auto& series : *value) {
    samples.clear();
    for (std::size_t i = 0; i < series.steps(); ++i)
      if (series.has(i)) samples.push_back({steps->at(i), series.at(i)});
    if (samples.empty()) continue;
    if (auto ok = query_.budget.charge(samples.size()); !ok) return ok;
    if (auto ok = query_.budget.tick(); !ok) return ok;
    if (auto ok = take(series, samples); !ok) return ok;
  }
  return {};
}

Window WindowCursor::at(std::size_t step) {
  const auto end = shape_.ends[step];
  const auto start = earlier_by(end, shape_.range);
  while (to_ < samples_.size() && samples_[to_].t <= end) ++to_;
  while (from_ < to_ && samples_[from_].t <= start) ++from_;
  return {samples_.subspan(from_, to_ - from_), start, end, shape_.range, step, steps_.at(step), from_};
}

}  // namespace ward::promql
