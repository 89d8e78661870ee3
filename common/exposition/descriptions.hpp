#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "common/exposition/reader.hpp"
#include "common/model/sample.hpp"

namespace ward::exposition {

/// What a metric is, as its exporter tells it.
struct Description {
  std::string name;
  MetricType type = MetricType::unknown;
  std::string unit;
  std::string help;
  friend bool operator==(const Description&, const Description&) = default;
};

/// Gathers what the TYPE, HELP and UNIT lines of one exposition say of each family. The latest line counts.
class Descriptions {
 public:
  /// Families past `most` and texts past `text_bytes` are left out or cut: they are for people.
  struct Limits {
    std::size_t most = 4'096;
    std::size_t text_bytes = 512;
  };
  Descriptions(Format format, Limits limits) : format_(format), limits_(limits) {}

  /// Samples are passed over.
  void add(const Entry& entry);
  /// By name. In OpenMetrics a counter `x` has the samples `x_total`, and an info `x` the sample `x_info`: it is told under
  /// the name that a query asks for.
  [[nodiscard]] std::vector<Description> take();

 private:
  Description* of(const std::string& family);
  Format format_;
  Limits limits_;
  std::map<std::string, Description> by_family_;
};

}  // namespace ward::exposition
