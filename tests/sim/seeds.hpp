#pragma once
#include <cstdint>
#include <cstdlib>

namespace ward::sim {

/// WARD_SIM_SEEDS=n runs seeds 1 to n, WARD_SIM_SEEDS=a-b those, so that one failing seed can be run alone.
struct SeedRange {
  std::uint64_t first = 1;
  std::uint64_t last = 100;
};

inline SeedRange seeds(std::uint64_t usual) {
  SeedRange range{.last = usual};
  const char* wanted = std::getenv("WARD_SIM_SEEDS");
  if (wanted == nullptr) return range;
  char* end = nullptr;
  range.last = std::strtoull(wanted, &end, 10);
  if (*end == '-') {
    range.first = range.last;
    range.last = std::strtoull(end + 1, nullptr, 10);
  }
  return range;
}

}  // namespace ward::sim
