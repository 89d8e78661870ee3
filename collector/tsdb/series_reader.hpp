#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/sample.hpp"

namespace ward::collector {

class Matcher;
class Queryable;

/// Number of a label pair in the eyes of one SeriesReader: equal numbers mean equal name and value.
using LabelId = std::uint32_t;

struct LabelText {
  std::string_view name;
  std::string_view value;
};

/// A series a reader found: its labels by number, in the order of their names, and the key to its samples. The ids live as
/// long as the reader.
struct FoundSeries {
  const LabelId* ids = nullptr;
  std::uint32_t label_count = 0;
  std::uint32_t key = 0;
  [[nodiscard]] std::span<const LabelId> labels() const { return {ids, label_count}; }
};

/// Samples of some series, one after the other in one piece of memory that serves again and again.
class SampleBatch {
 public:
  void clear() {
    samples_.clear();
    ends_.clear();
  }
  /// Where the samples of the series being read are added; end_series() ends it.
  [[nodiscard]] std::vector<Sample>& sink() { return samples_; }
  void end_series() { ends_.push_back(samples_.size()); }
  [[nodiscard]] std::size_t size() const { return ends_.size(); }
  [[nodiscard]] std::span<Sample> operator[](std::size_t i) {
    const std::size_t from = i == 0 ? 0 : ends_[i - 1];
    return std::span{samples_}.subspan(from, ends_[i] - from);
  }

 private:
  std::vector<Sample> samples_;
  std::vector<std::size_t> ends_;
};

/// What one query sees of a store. Labels stay numbers until somebody asks for their text, and samples are read series by
/// series into a buffer of the caller, so that a query over many series copies neither. Each series is seen whole; between
/// two reads others may append.
/// Thread: one at a time; several readers of one store run side by side. The store must outlive it.
class SeriesReader {
 public:
  virtual ~SeriesReader() = default;
  /// Series that match all of `matchers` and may have samples in [from, to], in an order that depends on the store only.
  /// Numbers given out by intern() before may differ from those of pairs found here: find first, intern then.
  virtual Result<std::vector<FoundSeries>> find(std::span<const Matcher> matchers, Time from, Time to) = 0;
  /// Series best read at once: enough that waiting for memory overlaps, few enough to stay in the nearest cache.
  static constexpr std::size_t kBatch = 16;
  /// Replaces `out` by the samples in [from, to] of each of `series`, oldest first, stale markers included.
  virtual Status read(std::span<const FoundSeries> series, Time from, Time to, SampleBatch& out) = 0;
  /// As read(), but only the newest of those samples is wanted: each series holds it last, and maybe others before it.
  virtual Status read_latest(std::span<const FoundSeries> series, Time from, Time to, SampleBatch& out) {
    return read(series, from, to, out);
  }
  /// The number of a pair, new or known. Requires a value.
  virtual LabelId intern(std::string_view name, std::string_view value) = 0;
  /// Valid as long as the reader.
  [[nodiscard]] virtual LabelText text(LabelId id) const = 0;
  /// Equal for pairs of equal name.
  [[nodiscard]] virtual std::uint32_t name_number(LabelId id) const = 0;
};

/// Works over any store's select(): copies what it selects.
std::unique_ptr<SeriesReader> select_reader(const Queryable& store);

}  // namespace ward::collector
