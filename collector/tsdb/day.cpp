#include "collector/tsdb/day.hpp"

#include <array>
#include <chrono>
#include <cstdio>

namespace ward::collector {

std::string to_string(Day day) {
  constexpr std::int64_t kYear0 = -719'528;
  constexpr std::int64_t kYear10000 = 2'932'897;
  if (day.get() < kYear0 || day.get() >= kYear10000) return "day-" + std::to_string(day.get());
  const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day.get()}}};
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02u-%02u", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()));
  return text.data();
}

}  // namespace ward::collector
