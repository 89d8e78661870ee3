#include <chrono>
#include <cmath>

#include "collector/promql/function/call_frame.hpp"

// Parts of a date in UTC. The value is Unix seconds; without an argument it is the evaluation time.

namespace ward::promql {
namespace {

struct Moment {
  std::chrono::sys_days day;
  std::chrono::year_month_day date;
  std::chrono::hh_mm_ss<std::chrono::seconds> clock;
};

/// nullopt where the calendar ends: NaN, infinities and years beyond 32767.
std::optional<Moment> moment(double seconds) {
  constexpr double kMaxSeconds = 9.0e11;
  if (!(std::abs(seconds) < kMaxSeconds)) return std::nullopt;
  const std::chrono::sys_seconds t{std::chrono::seconds{static_cast<std::int64_t>(seconds)}};
  const auto day = std::chrono::floor<std::chrono::days>(t);
  return Moment{day, std::chrono::year_month_day{day}, std::chrono::hh_mm_ss{t - day}};
}

template <class F>
Result<Operand> date_part(CallFrame& frame, F part) {
  const auto value = [&part](double seconds) -> std::optional<double> {
    const auto m = moment(seconds);
    if (!m) return std::nan("");
    return static_cast<double>(part(*m));
  };
  if (frame.args() > 0) return map_values(frame, 0, [&value](double v, std::size_t) { return value(v); });
  auto out = frame.evaluator().new_series({});
  for (std::size_t i = 0; i < out.steps(); ++i) out.set(i, *value(to_seconds(frame.steps().at(i))));
  return Operand{StepVector{out}};
}

}  // namespace

Result<Operand> eval_year(CallFrame& frame) {
  return date_part(frame, [](const Moment& m) { return static_cast<int>(m.date.year()); });
}
Result<Operand> eval_month(CallFrame& frame) {
  return date_part(frame, [](const Moment& m) { return static_cast<unsigned>(m.date.month()); });
}
Result<Operand> eval_day_of_month(CallFrame& frame) {
  return date_part(frame, [](const Moment& m) { return static_cast<unsigned>(m.date.day()); });
}
Result<Operand> eval_day_of_week(CallFrame& frame) {
  return date_part(frame, [](const Moment& m) { return std::chrono::weekday{m.day}.c_encoding(); });
}
Result<Operand> eval_day_of_year(CallFrame& frame) {
  return date_part(frame, [](const Moment& m) {
    const std::chrono::sys_days first{m.date.year() / std::chrono::January / 1};
    return (m.day - first).count() + 1;
  });
}
Result<Operand> eval_days_in_month(CallFrame& frame) {
  return date_part(frame, [](const Moment& m) {
    const std::chrono::year_month_day_last last{m.date.year() / m.date.month() / std::chrono::last};
    return static_cast<unsigned>(last.day());
  });
}
Result<Operand> eval_hour(CallFrame& frame) {
  return date_part(frame, [](const Moment& m) { return m.clock.hours().count(); });
}
Result<Operand> eval_minute(CallFrame& frame) {
  return date_part(frame, [](const Moment& m) { return m.clock.minutes().count(); });
}

}  // namespace ward::promql
