#pragma once
#include <cstdint>
#include <string>

#include "common/base/strong.hpp"
#include "common/base/time.hpp"

namespace ward::collector {

/// A day in UTC, counted from 1970-01-01: what stored samples are filed by and retention drops.
using Day = Strong<struct DayTag, std::int64_t>;

inline constexpr std::int64_t kDayMs = 86'400'000;

[[nodiscard]] constexpr Day day_of(Time t) {
  const auto ms = to_ms(t);
  return Day{ms / kDayMs - (ms % kDayMs < 0 ? 1 : 0)};
}

/// `2026-11-23`; days that no calendar of four digits has are `day-<number>`.
[[nodiscard]] std::string to_string(Day day);

}  // namespace ward::collector
