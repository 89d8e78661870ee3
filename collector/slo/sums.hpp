#pragma once
#include <cmath>
#include <cstdint>
#include <span>

#include "collector/slo/slo.hpp"

namespace ward::collector::slo {

/// Thousandths of an event: whole numbers add up in any order and can be taken back exactly.
using Amount = std::int64_t;
inline constexpr Amount kOne = 1'000;
inline constexpr double kMostEvents = 4e12;  ///< of one value; beyond, it counts as this

/// Of a counter's value: differences of rounded values add up to the rounded difference. Requires a finite value.
[[nodiscard]] inline Amount to_amount(double events) {
  const double bounded = events > kMostEvents ? kMostEvents : events < -kMostEvents ? -kMostEvents : events;
  return std::llround(bounded * static_cast<double>(kOne));
}
[[nodiscard]] constexpr double to_events(Amount a) { return static_cast<double>(a) / static_cast<double>(kOne); }

/// What arrived of one minute. `bad` may be below 0 for a while: good events of a minute can arrive, or be scraped, before
/// the total they are part of; only the ratio of a window is held between 0 and 1.
struct Cell {
  static constexpr std::uint8_t kExcluded = 1;  ///< maintenance: recorded, not counted
  static constexpr std::uint8_t kDown = 2;      ///< the target said, or its probe, that it is down
  static constexpr std::uint8_t kUp = 4;        ///< a target of the group was up
  static constexpr std::uint8_t kFlags = 7;

  Amount bad = 0;
  Amount total = 0;
  std::uint8_t flags = 0;
  [[nodiscard]] bool empty() const { return bad == 0 && total == 0 && flags == 0; }
  friend bool operator==(const Cell&, const Cell&) = default;
};

/// What counts of some minutes. Minutes that are none of the three are unknown.
struct Sums {
  Amount bad = 0;
  Amount total = 0;
  std::int32_t known = 0;     ///< minutes with events
  std::int32_t excluded = 0;  ///< minutes
  std::int32_t down = 0;      ///< minutes without events in which the target was known to be down

  Sums& operator+=(const Sums& o);
  Sums& operator-=(const Sums& o);
  friend Sums operator-(Sums a, const Sums& b) { return a -= b; }
  friend Sums operator+(Sums a, const Sums& b) { return a += b; }
  friend bool operator==(const Sums&, const Sums&) = default;
};

/// How minutes become what counts.
struct Counting {
  Budgeting budgeting = Budgeting::occurrences;
  std::int64_t slice = 1;  ///< minutes; divides an hour
  double slice_target = 1;
  /// Of one whole slice; the cells are its minutes.
  [[nodiscard]] Sums count(std::span<const Cell> cells) const;
  friend bool operator==(const Counting&, const Counting&) = default;
};
/// For occurrences a slice is a minute.
Counting counting_of(const SloSpec& slo);

inline Sums& Sums::operator+=(const Sums& o) {
  bad += o.bad;
  total += o.total;
  known += o.known;
  excluded += o.excluded;
  down += o.down;
  return *this;
}
inline Sums& Sums::operator-=(const Sums& o) {
  bad -= o.bad;
  total -= o.total;
  known -= o.known;
  excluded -= o.excluded;
  down -= o.down;
  return *this;
}

}  // namespace ward::collector::slo
