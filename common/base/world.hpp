#pragma once
#include <cstdint>
#include <memory>
#include <span>

#include "common/base/time.hpp"

namespace ward {

/// The two clocks of the outside world. Everything that asks for the time gets one of these from app.cpp;
/// tests and the simulator give a ManualClock (tests/support).
class Clock {
 public:
  virtual ~Clock() = default;
  [[nodiscard]] virtual Time wall() const = 0;
  [[nodiscard]] virtual MonoTime mono() const = 0;
};

/// Random numbers for jitter and identifiers. Thread: the one that owns it.
class Random {
 public:
  virtual ~Random() = default;
  virtual std::uint64_t next() = 0;
  /// Uniform in [0, bound); bound > 0.
  std::uint64_t below(std::uint64_t bound) { return next() % bound; }
  /// Uniform in [0, 1).
  double unit() { return static_cast<double>(next() >> 11) * 0x1.0p-53; }
};

std::unique_ptr<Clock> real_clock();
/// Seeded from the kernel.
std::unique_ptr<Random> real_random();
/// Cryptographically secure bytes, for incarnations and tokens.
void fill_secure_random(std::span<std::uint8_t> out);

}  // namespace ward
