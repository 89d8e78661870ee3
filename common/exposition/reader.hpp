#pragma once
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/exposition/format.hpp"
#include "common/exposition/line.hpp"
#include "common/model/sample.hpp"

namespace ward::exposition {

/// What one exposition may hold; beyond, the whole of it is refused.
struct Limits {
  std::size_t line_bytes = 64 << 10;
  std::size_t labels = 256;         ///< of one sample
  std::size_t samples = 1'000'000;  ///< of all families
};

struct TypeLine {
  std::string family;
  MetricType type = MetricType::unknown;
  friend bool operator==(const TypeLine&, const TypeLine&) = default;
};
struct HelpLine {
  std::string family;
  std::string text;
  friend bool operator==(const HelpLine&, const HelpLine&) = default;
};
struct UnitLine {
  std::string family;
  std::string unit;
  friend bool operator==(const UnitLine&, const UnitLine&) = default;
};
/// A line with a value. Buckets, sums, counts and `_created` are samples like any other; exemplars are read and left out.
struct SampleLine {
  Series series;
  double value = 0;
  std::optional<Time> time;
  friend bool operator==(const SampleLine&, const SampleLine&) = default;
};
using Entry = std::variant<TypeLine, HelpLine, UnitLine, SampleLine>;

/// Reads an exposition entry by entry, in linear time and without I/O. What it accepts is what Prometheus 3 accepts, but
/// for line breaks inside quotes and NUL bytes, which are refused. It does not judge what families mean: order, repeated
/// TYPE lines and missing buckets are the exporter's. `gaugehistogram` and `stateset` of OpenMetrics are told as gauges,
/// which their series are. `le` of a histogram and `quantile` of a summary get one spelling, "1.0" for "1", as Prometheus 3
/// has it. Views the text, which must outlive it.
class Reader {
 public:
  Reader(std::string_view text, Format format, Limits limits);
  Reader(std::string_view text, Format format) : Reader(text, format, Limits{}) {}

  /// The next entry; nullopt at the end, and again after an error. Errc::invalid names the line and what was seen, never the
  /// value of a label; Errc::full is a limit.
  Result<std::optional<Entry>> next();
  /// Lines begun so far, from 1.
  [[nodiscard]] std::size_t line() const { return line_; }

 private:
  using MaybeEntry = Read<std::optional<Entry>>;
  std::optional<std::string_view> take_line();
  Result<std::optional<Entry>> stop(Errc code, std::string what, std::string fix = {});
  MaybeEntry text_line(std::string_view text);
  MaybeEntry openmetrics_line(std::string_view text);
  MaybeEntry described(Line& line, std::string_view keyword);
  MaybeEntry sample(Line& line);
  Read<void> exemplar(Line& line);
  void spell_bound(Series& series) const;
  Read<double> value(Line& line);
  Read<Time> time(Line& line);
  Result<std::optional<Entry>> end();

  std::string_view rest_;
  Format format_;
  Limits limits_;
  std::size_t line_ = 0;
  std::size_t samples_ = 0;
  TypeLine type_;  // the last one
  bool saw_eof_ = false;
};

}  // namespace ward::exposition
