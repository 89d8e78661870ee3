#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "collector/promql/ast.hpp"

namespace ward::promql {

class CallFrame;  // function/call_frame.hpp
struct Operand;   // steps.hpp

/// One line of builtin.def. `variadic` as Prometheus counts it: 0 takes exactly the listed arguments, n > 0 makes the last
/// one optional and lets it come up to n times, -1 any number of times.
struct Function {
  static constexpr std::size_t kMaxListed = 5;
  std::string_view name;
  ValueType result = ValueType::vector;
  int variadic = 0;
  std::array<ValueType, kMaxListed> listed{};
  std::uint8_t listed_count = 0;
  Result<Operand> (*evaluate)(CallFrame&) = nullptr;
  [[nodiscard]] std::span<const ValueType> args() const { return std::span{listed}.first(listed_count); }
};

/// Null when the language has no such function.
const Function* find_function(std::string_view name);
std::span<const Function> functions();

}  // namespace ward::promql
