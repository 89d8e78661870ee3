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
  /// Replaces `out` by the samples in [from, to], oldest first, stale markers included.
  virtual Status read(const FoundSeries& series, Time from, Time to, std::vector<Sample>& out) = 0;
  /// As read(), but only the newest of those samples is wanted: `out` holds it last, and maybe others before it.
  virtual Status read_latest(const FoundSeries& series, Time from, Time to, std::vector<Sample>& out) {
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
