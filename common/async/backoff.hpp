#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>

#include "common/base/world.hpp"

namespace ward::async {

/// Exponential waits with full jitter: uniform in [0, min(cap, first * 2^n)], so that a thousand agents do not come back
/// in one wave. A floor of a tenth of the bound keeps a lucky zero from spinning.
class Backoff {
 public:
  struct Options {
    std::chrono::milliseconds first{500};
    std::chrono::milliseconds cap{60'000};
  };
  Backoff(Options options, Random& random) : options_(options), random_(random) {}

  std::chrono::milliseconds next() {
    const std::chrono::milliseconds doubled = options_.first * (1L << std::min(failures_, 20));
    const auto bound = std::min(options_.cap, doubled);
    ++failures_;
    const auto jittered = static_cast<std::int64_t>(random_.unit() * static_cast<double>(bound.count()));
    return std::chrono::milliseconds{std::max<std::int64_t>(jittered, bound.count() / 10)};
  }
  void reset() { failures_ = 0; }
  [[nodiscard]] int failures() const { return failures_; }

 private:
  Options options_;
  Random& random_;
  int failures_ = 0;
};

}  // namespace ward::async
