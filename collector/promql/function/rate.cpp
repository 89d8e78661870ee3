#include <algorithm>

#include "collector/promql/function/call_frame.hpp"
#include "collector/promql/lexer.hpp"

// How counters and gauges move inside a window: rate, increase, delta (extrapolated to the window's ends), irate, idelta,
// changes, resets. Source: Prometheus 3, extrapolatedRate and instantValue of promql/functions.go.

namespace ward::promql {
namespace {

enum class Kind : std::uint8_t { rate, increase, delta };

double seconds_between(Time from, Time to) { return static_cast<double>(to_ms(to) - to_ms(from)) / 1000.0; }

/// Where the counter fell: indexes of the samples before which it did, rising. Found once a series, so that windows which
/// overlap do not look at every sample again.
void find_resets(std::span<const Sample> samples, std::vector<std::size_t>& out) {
  out.clear();
  for (std::size_t i = 1; i < samples.size(); ++i)
    if (samples[i].v < samples[i - 1].v) out.push_back(i);
}

/// Last minus first, plus what the counter held before each reset inside the window.
double change(const Window& w, std::span<const std::size_t> resets) {
  double total = w.samples.back().v - w.samples.front().v;
  if (resets.empty()) return total;
  for (auto at = std::upper_bound(resets.begin(), resets.end(), w.first);
       at != resets.end() && *at < w.first + w.samples.size(); ++at)
    total += w.samples[*at - w.first - 1].v;
  return total;
}

std::optional<double> extrapolated(const Window& w, Kind kind, std::span<const std::size_t> resets) {
  if (w.samples.size() < 2) return std::nullopt;
  const auto& first = w.samples.front();
  const double total = change(w, resets);
  const double sampled = seconds_between(first.t, w.samples.back().t);
  const double average_gap = sampled / static_cast<double>(w.samples.size() - 1);
  // A series that starts or ends more than about one gap away from the window's edge is taken to have started or ended
  // there.
  const double threshold = average_gap * 1.1;
  double to_start = seconds_between(w.start, first.t);
  double to_end = seconds_between(w.samples.back().t, w.end);
  if (to_start >= threshold) to_start = average_gap / 2;
  if (kind != Kind::delta && total > 0 && first.v >= 0) {
    // A counter cannot have been below zero: do not extrapolate past the time it would have started at.
    const double to_zero = sampled * (first.v / total);
    if (to_zero < to_start) to_start = to_zero;
  }
  if (to_end >= threshold) to_end = average_gap / 2;
  double factor = (sampled + to_start + to_end) / sampled;
  if (kind == Kind::rate) factor /= to_seconds(w.range);
  return total * factor;
}

std::optional<double> last_two(const Window& w, Kind kind) {
  if (w.samples.size() < 2) return std::nullopt;
  const auto& last = w.samples.back();
  const auto& previous = w.samples[w.samples.size() - 2];
  if (kind == Kind::delta) return last.v - previous.v;
  const double grown = last.v < previous.v ? last.v : last.v - previous.v;
  return grown / seconds_between(previous.t, last.t);
}

bool looks_like_counter(std::string_view name) {
  return name.ends_with("_total") || name.ends_with("_sum") || name.ends_with("_count") || name.ends_with("_bucket");
}

/// A rate of what is no counter is a mistake worth a word.
void check_names(CallFrame& frame, const StepVector& series) {
  auto checked = LabelSpace::kNone;
  for (const auto& s : series) {
    const auto id = frame.labels().name_id(s.labels);
    if (id == checked || id == LabelSpace::kNone) continue;
    checked = id;
    const auto name = frame.labels().reader().text(id).value;
    if (!looks_like_counter(name))
      frame.inform(0, "metric might not be a counter, name does not end in _total/_sum/_count/_bucket: " + quote(name));
  }
}

Result<Operand> extrapolate(CallFrame& frame, Kind kind) {
  const auto steps = frame.steps().count;
  std::vector<std::size_t> resets;
  auto out = walk_series(frame, 0, [&](WindowCursor& cursor, std::span<const Sample> samples, std::span<double> row) {
    if (kind != Kind::delta) find_resets(samples, resets);
    for (std::size_t i = 0; i < steps; ++i)
      if (const auto v = extrapolated(cursor.at(i), kind, resets)) row[i] = *v;
  });
  if (!out) return fail(out.error());
  if (kind != Kind::delta) check_names(frame, *out);
  if (auto ok = frame.evaluator().drop_names(*out); !ok) return fail(ok.error());
  return Operand{std::move(*out)};
}

template <class Counts>
Result<Operand> count_pairs(CallFrame& frame, Counts counts) {
  return map_windows(frame, 0, Names::drop, [&counts](const Window& w) {
    double n = 0;
    for (std::size_t i = 1; i < w.samples.size(); ++i)
      if (counts(w.samples[i - 1].v, w.samples[i].v)) n += 1;
    return std::optional<double>{n};
  });
}

}  // namespace

Result<Operand> eval_rate(CallFrame& frame) { return extrapolate(frame, Kind::rate); }
Result<Operand> eval_increase(CallFrame& frame) { return extrapolate(frame, Kind::increase); }
Result<Operand> eval_delta(CallFrame& frame) { return extrapolate(frame, Kind::delta); }
Result<Operand> eval_irate(CallFrame& frame) {
  return map_windows(frame, 0, Names::drop, [](const Window& w) { return last_two(w, Kind::rate); });
}
Result<Operand> eval_idelta(CallFrame& frame) {
  return map_windows(frame, 0, Names::drop, [](const Window& w) { return last_two(w, Kind::delta); });
}
Result<Operand> eval_changes(CallFrame& frame) {
  return count_pairs(frame, [](double a, double b) { return a != b && !(a != a && b != b); });
}
Result<Operand> eval_resets(CallFrame& frame) {
  return count_pairs(frame, [](double a, double b) { return b < a; });
}

}  // namespace ward::promql
