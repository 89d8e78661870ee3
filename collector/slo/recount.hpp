#pragma once
#include <cstdint>
#include <optional>
#include <unordered_map>

#include "collector/slo/intake.hpp"
#include "collector/slo/period.hpp"

namespace ward::collector::slo {

struct SloState;
struct GroupState;

/// Where a series stands while history is read piece by piece.
struct Carried {
  GroupState* group = nullptr;
  Sources::Index process = 0;
  SeriesMemory memory;
};

/// History of one SLO that is to be counted, oldest first, a piece at a time. The piece that reaches the present is read
/// under the engine's lock, so that no sample falls between history and arrival.
struct SeedJob {
  Time count_from;  ///< samples before are read to know where counters stood
  Time read_from;
  Time read_to;     ///< how far it came
  Sources sources;  ///< of the time being read, apart from the present
  std::unordered_map<std::uint64_t, Carried> carried;
};

/// Minutes of one SLO to be counted anew from the store.
struct Repair {
  SloState* slo = nullptr;
  Minute from;
  Minute to;  ///< excluded
};

}  // namespace ward::collector::slo
