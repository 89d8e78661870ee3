#pragma once
#include <cstdint>

#include "common/base/time.hpp"

namespace ward::agent {

/// When one target runs: at phase + n * interval on the monotonic clock. A run that lasts past its next time skips it;
/// the skipped times are counted, never made up for in a burst. Pure: no clock, no timer.
class Rhythm {
 public:
  /// `phase` in [0, 1) of the interval spreads targets; it is derived from names, so that a restart keeps the rhythm.
  Rhythm(milliseconds interval, double phase, MonoTime start)
      : interval_(interval), next_(start + std::chrono::duration_cast<std::chrono::nanoseconds>(interval * phase)) {}

  [[nodiscard]] MonoTime next() const { return next_; }
  /// Call when a run has ended: moves to the first time after `now`, and returns how many were missed meanwhile.
  std::uint64_t advance(MonoTime now) {
    next_ += interval_;
    if (next_ > now) return 0;
    const auto missed = (now - next_) / std::chrono::nanoseconds(interval_) + 1;
    next_ += interval_ * missed;
    return static_cast<std::uint64_t>(missed);
  }

 private:
  milliseconds interval_;
  MonoTime next_;
};

}  // namespace ward::agent
