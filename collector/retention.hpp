#pragma once
#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "collector/tsdb/day.hpp"

namespace ward::collector {

/// How long what is kept. Samples go by whole days (UTC): a day goes when its end is that old. 0 keeps for ever.
struct Retention {
  milliseconds samples{std::chrono::hours{24 * 32}};  ///< a window of 30 days can be computed anew
  std::map<std::string, milliseconds> tenants;        ///< those that have a time of their own
  std::uint64_t size = 0;                             ///< of all days together; the oldest go first; 0 = as the disk allows
  milliseconds events{std::chrono::hours{24 * 90}};   ///< gaps too
  milliseconds slos{std::chrono::hours{24 * 400}};    ///< ledgers of SLOs: a year's budget and the one before

  /// The first day of which something of this tenant is kept; nullopt: all are.
  [[nodiscard]] std::optional<Day> first_day(const std::string& tenant, Time now) const {
    const auto own = tenants.find(tenant);
    return first_day(own != tenants.end() ? own->second : samples, now);
  }
  /// The first day of which anything is kept.
  [[nodiscard]] std::optional<Day> first_day(Time now) const {
    auto longest = samples;
    for (const auto& [tenant, time] : tenants)
      if (time.count() == 0 || (longest.count() != 0 && time > longest)) longest = time;
    return first_day(longest, now);
  }
  /// The first day of which everything is kept.
  [[nodiscard]] std::optional<Day> whole_day(Time now) const {
    auto shortest = samples;
    for (const auto& [tenant, time] : tenants)
      if (time.count() != 0 && (shortest.count() == 0 || time < shortest)) shortest = time;
    return first_day(shortest, now);
  }

 private:
  [[nodiscard]] static std::optional<Day> first_day(milliseconds time, Time now) {
    if (time.count() == 0) return std::nullopt;
    return day_of(now - time);
  }
};

}  // namespace ward::collector
