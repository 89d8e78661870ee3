#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "common/model/ids.hpp"
#include "common/model/sample.hpp"

namespace ward {

/// Drop order of a full spool: raw first, page-relevant data last (facts: reliability 3.5).
enum class DataClass : std::uint8_t { raw = 0, sli = 1, page = 2, audit = 3 };

/// One value of a full series (labels include __name__), without its time.
struct SeriesValue {
  Labels series;
  double value = 0;
  friend bool operator==(const SeriesValue&, const SeriesValue&) = default;
};

/// What one probe run yields on its way into the spool: one time for all values.
struct Batch {
  TenantId tenant;
  DataClass data_class = DataClass::raw;
  Time time;
  std::vector<SeriesValue> values;
  Events events;
  friend bool operator==(const Batch&, const Batch&) = default;
};

/// Why samples are missing from a stream; the label of ward_*_dropped_total and of stored gaps.
enum class GapReason : std::uint8_t { trimmed = 1, spool_full = 2, corrupt = 3, rejected = 4, crash = 5, disk_error = 6 };
std::string_view to_string(GapReason reason);

/// An exact statement of loss: records [from, to] of a stream held `samples` samples and will never come.
struct Gap {
  Sequence from;
  Sequence to;
  std::uint64_t samples = 0;
  GapReason reason = GapReason::trimmed;
  Time t0;
  Time t1;
  friend bool operator==(const Gap&, const Gap&) = default;
};

}  // namespace ward
