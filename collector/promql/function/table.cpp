#include <algorithm>
#include <initializer_list>

#include "collector/promql/function/function.hpp"
#include "collector/promql/steps.hpp"

namespace ward::promql {

#define WARD_FUNCTION(name, ...) Result<Operand> eval_##name(CallFrame& frame);
#include "collector/promql/function/builtin.def"
#undef WARD_FUNCTION

namespace {

using enum ValueType;

constexpr Function entry(std::string_view name, Result<Operand> (*evaluate)(CallFrame&), ValueType result, int variadic,
                         std::initializer_list<ValueType> listed) {
  Function f{name, result, variadic, {}, static_cast<std::uint8_t>(listed.size()), evaluate};
  std::copy(listed.begin(), listed.end(), f.listed.begin());
  return f;
}

#define WARD_FUNCTION(name, result, variadic, ...) entry(#name, eval_##name, result, variadic, {__VA_ARGS__}),
constexpr Function kFunctions[] = {
#include "collector/promql/function/builtin.def"
};
#undef WARD_FUNCTION

}  // namespace

std::span<const Function> functions() { return kFunctions; }

const Function* find_function(std::string_view name) {
  const auto* const end = std::end(kFunctions);
  const auto* const at =
      std::lower_bound(std::begin(kFunctions), end, name, [](const Function& f, std::string_view n) { return f.name < n; });
  return at != end && at->name == name ? at : nullptr;
}

}  // namespace ward::promql
