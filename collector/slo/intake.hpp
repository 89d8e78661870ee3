#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "collector/slo/sums.hpp"
#include "common/model/labels.hpp"
#include "common/model/sample.hpp"

namespace ward::collector::slo {

/// What became of one sample.
enum class Intake : std::uint8_t {
  counted,
  duplicate,  ///< this time was seen: nothing to do
  invalid,    ///< no finite number
  too_late,   ///< older than what is remembered of its series: its minutes must be counted anew from the store
};

/// An amount that a minute gains, or (a delta cut in two by a late sample) loses.
struct Gain {
  Time at;
  Amount amount = 0;
};
/// At most two: what a late sample takes from its successor, and its own.
struct Gains {
  std::array<Gain, 3> list;
  std::size_t size = 0;
  void add(Time at, Amount amount) {
    if (amount != 0) list[size++] = {at, amount};
  }
};

/// The last samples of one series, by time: enough to put a late one into its place. A counter's growth belongs to the
/// minute of the sample that shows it; nothing is extrapolated. A fall is a restart from zero.
class SeriesMemory {
 public:
  static constexpr std::size_t kKept = 4;

  /// `from_zero`: whether a first sample counts from zero (its start is known) instead of being where counting begins.
  Intake counter(Sample sample, bool from_zero, Gains& gains);
  /// For gauges: whether the time is new. What its value says is the caller's.
  Intake gauge(Sample sample);
  [[nodiscard]] bool empty() const { return size_ == 0; }
  /// Requires a sample.
  [[nodiscard]] const Sample& newest() const { return samples_[size_ - 1]; }
  [[nodiscard]] const Sample& oldest() const { return samples_[0]; }

 private:
  void insert(std::size_t at, Sample sample);
  [[nodiscard]] Amount growth(std::size_t at) const;

  std::array<Sample, kKept> samples_{};
  std::uint8_t size_ = 0;
  bool whole_ = true;       ///< nothing was forgotten: samples_[0] is the first of the series
  bool from_zero_ = false;  ///< samples_[0] was counted from zero
};

/// Whether a counter that appears has counted from zero since somebody could have seen it: because its process started
/// just now, or because its source (the process, by the labels that name one) was read before and had no such counter.
class Sources {
 public:
  using Index = std::uint32_t;
  /// Labels that tell processes apart.
  static Labels labels_of(const Labels& series);

  /// The process of a series, and of one metric: what is seen of one metric says nothing about the scrapes of another.
  Index find_or_add(const Labels& series);
  void seen(Index source, Time at);
  /// For a series' first sample. `started`: when its process started, where that is told. Ask before seen() of the same
  /// sample.
  [[nodiscard]] bool start_is_known(Index source, Time first, std::optional<Time> started) const;
  [[nodiscard]] std::uint64_t process_of(Index source) const { return sources_[source].process; }

 private:
  struct Source {
    Time first_seen;
    Time last_seen;
    std::uint64_t process = 0;
    bool was_seen = false;
  };
  std::vector<Source> sources_;
  std::unordered_map<std::uint64_t, Index> index_;
};

}  // namespace ward::collector::slo
