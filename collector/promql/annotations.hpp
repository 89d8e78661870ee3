#pragma once
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "collector/promql/ast.hpp"

namespace ward::promql {

/// What a query wants its reader to know beside its result, each sentence once, as Prometheus words it:
/// "PromQL warning: ... (line:column)".
struct Annotations {
  std::vector<std::string> warnings;
  std::vector<std::string> infos;
  friend bool operator==(const Annotations&, const Annotations&) = default;
};

/// Collects annotations while a query runs. Thread: the query's.
class AnnotationList {
 public:
  explicit AnnotationList(std::string_view query) : query_(query) {}
  void warn(PositionRange where, std::string_view what);
  void inform(PositionRange where, std::string_view what);
  /// Sorted; at most kMax of each kind, then how many more there were.
  [[nodiscard]] Annotations take() &&;

 private:
  static constexpr std::size_t kMax = 10;  ///< as Prometheus' API shows
  [[nodiscard]] std::string worded(std::string_view kind, PositionRange where, std::string_view what) const;
  std::string_view query_;
  std::set<std::string> warnings_;
  std::set<std::string> infos_;
};

/// `line:column` of a byte of the query, from 1.
std::string line_and_column(std::string_view query, std::uint32_t at);
/// A number as Go's %g.
std::string go_number(double value);

}  // namespace ward::promql
