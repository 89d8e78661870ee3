#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "collector/promql/ast.hpp"

namespace ward::promql {

struct ParseError {
  PositionRange pos;
  std::string message;
};

/// The first type error of a syntactically correct query, in Prometheus' order and words; nullopt when there is none.
std::optional<ParseError> check_types(const Node& root, std::string_view query);

}  // namespace ward::promql
