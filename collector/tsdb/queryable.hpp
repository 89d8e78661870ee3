#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "collector/tsdb/series_reader.hpp"
#include "common/base/result.hpp"
#include "common/model/labels.hpp"
#include "common/model/sample.hpp"

namespace ward::collector {

/// One label condition of a selector. Regular expressions are RE2 and fully anchored, as in Prometheus.
class Matcher {
 public:
  enum class Op : std::uint8_t { equal, not_equal, regex, not_regex };
  static Result<Matcher> make(Op op, std::string name, std::string value);
  [[nodiscard]] bool matches(std::string_view value) const;  ///< "" stands for an absent label
  [[nodiscard]] Op op() const { return op_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& value() const { return value_; }
  friend bool operator==(const Matcher& a, const Matcher& b) {
    return a.op_ == b.op_ && a.name_ == b.name_ && a.value_ == b.value_;
  }

 private:
  Matcher(Op op, std::string name, std::string value);
  Op op_;
  std::string name_;
  std::string value_;
  struct Pattern;
  std::shared_ptr<const Pattern> pattern_;
};
std::string to_string(const Matcher& m);  ///< `name=~"value"`

/// A selected series with its samples in [from, to], oldest first, stale markers included.
struct SeriesData {
  Labels labels;
  std::vector<Sample> samples;
  friend bool operator==(const SeriesData&, const SeriesData&) = default;
};

/// The query face of the store. Thread: any; a call sees a consistent moment.
class Queryable {
 public:
  virtual ~Queryable() = default;
  /// Series that match all of `matchers`, sorted by labels. Both ends inclusive, in ms.
  [[nodiscard]] virtual Result<std::vector<SeriesData>> select(std::span<const Matcher> matchers, Time from,
                                                               Time to) const = 0;
  /// The faster way in, for one query; by default it goes through select().
  [[nodiscard]] virtual std::unique_ptr<SeriesReader> reader() const { return select_reader(*this); }
};

}  // namespace ward::collector
