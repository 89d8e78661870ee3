#pragma once
#include <atomic>
#include <chrono>

#include "common/base/world.hpp"

namespace ward::test {

/// Both clocks stand still until the test moves them. Thread: any reads, one moves it.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(Time wall = from_ms(1'764'000'000'000)) : wall_(wall) {}
  [[nodiscard]] Time wall() const override { return wall_.load(); }
  [[nodiscard]] MonoTime mono() const override { return mono_.load(); }
  /// Time passes: both clocks move.
  void advance(milliseconds by) {
    wall_ = wall_.load() + by;
    mono_ = mono_.load() + by;
  }
  /// Someone sets the wall clock; steady time does not notice.
  void set_wall(Time wall) { wall_ = wall; }

 private:
  std::atomic<Time> wall_;
  std::atomic<MonoTime> mono_{MonoTime{std::chrono::hours{1}}};
};

/// The same numbers for the same seed on every machine (splitmix64).
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed = 1) : state_(seed) {}
  std::uint64_t next() override {
    std::uint64_t z = state_ += 0x9e3779b97f4a7c15ULL;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }

 private:
  std::uint64_t state_;
};

}  // namespace ward::test
