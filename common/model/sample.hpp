#pragma once
#include <bit>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward {

/// Prometheus' stale marker: a NaN with these bits says "this series ended here" and is kept bit-exact everywhere.
inline constexpr std::uint64_t kStaleBits = 0x7ff0000000000002ULL;
[[nodiscard]] inline double stale_marker() { return std::bit_cast<double>(kStaleBits); }
[[nodiscard]] inline bool is_stale(double v) { return std::bit_cast<std::uint64_t>(v) == kStaleBits; }

/// One measurement of one series.
struct Sample {
  Time t;
  double v = 0;
  /// Bit-exact, so that NaNs compare.
  friend bool operator==(const Sample& a, const Sample& b) {
    return a.t == b.t && std::bit_cast<std::uint64_t>(a.v) == std::bit_cast<std::uint64_t>(b.v);
  }
};

/// What a probe measured: a metric name, the probe's own labels (without __name__) and a value.
struct Reading {
  std::string metric;
  Labels labels;
  double value = 0;
  friend bool operator==(const Reading&, const Reading&) = default;
};
using Readings = std::vector<Reading>;

/// Something that happened, with redacted attributes. `kind` is snake_case from a closed list per probe.
struct Event {
  Time t;
  std::string kind;
  Labels attributes;
  friend bool operator==(const Event&, const Event&) = default;
};
using Events = std::vector<Event>;

enum class MetricType : std::uint8_t { unknown, counter, gauge, histogram, summary, info, untyped };
std::string_view to_string(MetricType type);

/// Static description of a metric; a probe lists all it can emit, the reference docs are generated from the list.
struct MetricMeta {
  std::string_view name;
  MetricType type = MetricType::gauge;
  std::string_view unit;  ///< "seconds", "bytes", "" for none
  std::string_view help;
};

}  // namespace ward
