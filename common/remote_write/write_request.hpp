#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/labels.hpp"
#include "common/model/sample.hpp"
#include "common/remote_write/content.hpp"

namespace ward::remote_write {

/// Bounds of one request. Above them all of it is refused: what a few bytes of protobuf unfold to is memory.
struct Limits {
  std::size_t series = 50'000;
  std::size_t samples = 500'000;
  std::size_t symbols = 500'000;  ///< strings of the table of a 2.0 request
};

/// Bounds of one series; one above them is refused alone.
inline constexpr std::size_t kMaxLabels = 64;
inline constexpr std::size_t kMaxLabelText = 15 << 10;  ///< bytes of all names and values
/// Longer help texts and units are cut.
inline constexpr std::size_t kMaxHelp = 512;
inline constexpr std::size_t kMaxUnit = 64;

/// Why a series, or samples of one, are not taken. The closed list is the label of a metric.
enum class Refusal : std::uint8_t {
  no_name,
  empty_label,
  duplicate_label,
  unsorted_labels,
  not_utf8,
  too_many_labels,
  long_labels,
  bad_reference,
  bad_time
};
std::string_view to_string(Refusal refusal);

using ward::LabelView;

/// A good series of a request: places in its labels and samples.
struct Series {
  static constexpr std::uint32_t kUnknown = ~std::uint32_t{0};
  std::uint32_t first_label = 0, labels = 0;
  std::uint32_t first_sample = 0, samples = 0;
  std::uint32_t known = kUnknown;  ///< the number KnownSeries has for it; then it has no labels here
};

/// Series that were decoded before. Most of a sender's series are those of its last request: by the bytes of their labels
/// they are found without a look at each label.
class KnownSeries {
 public:
  virtual ~KnownSeries() = default;
  /// For each series the number of the one whose labels, in a message 1.0, are exactly these bytes, and were good; kUnknown
  /// when there is none.
  virtual void find(std::span<const std::string_view> label_bytes, std::span<std::uint32_t> numbers) = 0;
};

struct Metadata {
  std::string_view metric;  ///< of the family, as far as its series tell
  MetricType type = MetricType::unknown;
  std::string_view help, unit;
  friend bool operator==(const Metadata&, const Metadata&) = default;
};

/// The good part of a request, and what is wrong with the rest. All texts point into the bytes that were decoded.
struct WriteRequest {
  struct Refused {
    std::uint64_t series = 0;
    std::uint64_t samples = 0;
    friend bool operator==(const Refused&, const Refused&) = default;
  };
  std::vector<LabelView> labels;  ///< of each series sorted by name, none twice, none empty; one is __name__
  std::vector<Sample> samples;    ///< as sent: times within wire::kMaxTime
  std::vector<Series> series;
  std::vector<Metadata> metadata;  ///< each metric once
  std::map<Refusal, Refused> refused;
  std::string first_refused;     ///< in words, of the first one; names no value of a label
  std::uint64_t histograms = 0;  ///< native ones, which are not stored
  std::uint64_t exemplars = 0;   ///< likewise

  [[nodiscard]] std::span<const LabelView> labels_of(const Series& s) const {
    return std::span(labels).subspan(s.first_label, s.labels);
  }
  [[nodiscard]] std::span<const Sample> samples_of(const Series& s) const {
    return std::span(samples).subspan(s.first_sample, s.samples);
  }
};

/// Reads an unpacked body. Errors: invalid (no such message: nothing of it is to be taken), overloaded (above a limit).
/// Of a message 1.0 the series that `known` (may be null) knows come without labels. Created and start timestamps are read
/// over. Sources: https://prometheus.io/docs/specs/prw/remote_write_spec/ and
/// https://prometheus.io/docs/specs/prw/remote_write_spec_2_0/#protobuf-message
Result<WriteRequest> decode(Message message, std::string_view bytes, const Limits& limits, KnownSeries* known = nullptr);

}  // namespace ward::remote_write
