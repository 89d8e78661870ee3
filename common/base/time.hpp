#pragma once
#include <chrono>
#include <cstdint>

namespace ward {

using std::chrono::milliseconds;

/// Wall time of samples, events and alerts: ms since the Unix epoch, UTC. It may jump; never wait on it.
using Time = std::chrono::sys_time<milliseconds>;
/// For waits, deadlines and durations: never jumps.
using MonoTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

[[nodiscard]] constexpr Time from_ms(std::int64_t ms) { return Time{milliseconds{ms}}; }
[[nodiscard]] constexpr std::int64_t to_ms(Time t) { return t.time_since_epoch().count(); }
[[nodiscard]] constexpr double to_seconds(Time t) { return static_cast<double>(to_ms(t)) / 1000.0; }
[[nodiscard]] inline double to_seconds(std::chrono::nanoseconds d) { return std::chrono::duration<double>(d).count(); }

}  // namespace ward
