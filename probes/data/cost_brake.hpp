#pragma once
#include <chrono>

#include "common/base/time.hpp"

namespace ward::probes::data {

/// Cost-aware back-off (facts: probe-safety 3): a question that takes more than a quarter of its interval is asked half as
/// often, down to every eighth run; when it costs less than a twentieth, twice as often again. No clock of its own.
class CostBrake {
 public:
  /// Counts one run; true when this run must leave the question out.
  bool skip() {
    if (++run_ < every_) return true;
    run_ = 0;
    return false;
  }
  void spent(std::chrono::nanoseconds took, milliseconds interval) {
    if (took * 4 > interval && every_ < kSlowest) every_ *= 2;
    if (took * 20 < interval && every_ > 1) every_ /= 2;
  }
  [[nodiscard]] bool throttled() const { return every_ > 1; }

 private:
  static constexpr int kSlowest = 8;
  int every_ = 1;
  int run_ = 0;
};

/// When a costly question is due again; a failure doubles the wait up to one hour.
class Cadence {
 public:
  explicit Cadence(milliseconds every) : usual_(every), wait_(every) {}
  [[nodiscard]] bool due(MonoTime now) const { return now >= next_; }
  void answered(MonoTime now, double jitter) { plan(now, wait_ = usual_, jitter); }
  void failed(MonoTime now, double jitter) {
    constexpr milliseconds kLongest = std::chrono::hours{1};
    wait_ = wait_ * 2 < kLongest ? wait_ * 2 : kLongest;
    plan(now, wait_, jitter);
  }
  [[nodiscard]] bool throttled() const { return wait_ > usual_; }

 private:
  /// `jitter` in [0, 1): the wait varies by a fifth, so that tenants on one server do not ask together.
  void plan(MonoTime now, milliseconds wait, double jitter) {
    next_ = now + std::chrono::duration_cast<std::chrono::nanoseconds>(wait * (0.9 + 0.2 * jitter));
  }
  milliseconds usual_;
  milliseconds wait_;
  MonoTime next_{};
};

}  // namespace ward::probes::data
