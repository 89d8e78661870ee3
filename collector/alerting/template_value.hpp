#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/base/result.hpp"

namespace ward::collector::templates {

class Value;
using List = std::vector<Value>;
using Map = std::map<std::string, Value>;

/// What a template expression yields. Kinds follow Go's, because `eq 1 1.0` and `printf "%d"` depend on them.
class Value {
 public:
  Value() = default;
  explicit Value(bool b) : v_(b) {}
  explicit Value(std::int64_t i) : v_(i) {}
  explicit Value(double d) : v_(d) {}
  explicit Value(std::string s) : v_(std::move(s)) {}
  explicit Value(List l) : v_(std::make_shared<const List>(std::move(l))) {}
  explicit Value(Map m) : v_(std::make_shared<const Map>(std::move(m))) {}

  [[nodiscard]] bool is_nil() const { return std::holds_alternative<std::monostate>(v_); }
  [[nodiscard]] const bool* as_bool() const { return std::get_if<bool>(&v_); }
  [[nodiscard]] const std::int64_t* as_int() const { return std::get_if<std::int64_t>(&v_); }
  [[nodiscard]] const double* as_double() const { return std::get_if<double>(&v_); }
  [[nodiscard]] const std::string* as_string() const { return std::get_if<std::string>(&v_); }
  [[nodiscard]] const List* as_list() const;
  [[nodiscard]] const Map* as_map() const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, std::shared_ptr<const List>,
               std::shared_ptr<const Map>>
      v_;
};

/// Go's notion of truth: false, 0, "" and empty containers are false.
bool truth(const Value& v);
/// As Go prints `%v`: 1e+06, map[a:1], [x y].
std::string to_text(const Value& v);
/// Go's type name, for `%!d(float64=1)`.
std::string_view type_name(const Value& v);
/// A number, or a string that spells one.
Result<double> to_float(const Value& v);
/// Shortest spelling that reads back, exponent form outside 1e-4..1e6 as Go prints it.
std::string float_text(double d);
/// Negative, zero, positive; refuses values of different kinds as Go does.
Result<int> compare(const Value& a, const Value& b);

}  // namespace ward::collector::templates
