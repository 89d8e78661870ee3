#include "collector/alerting/template_value.hpp"

#include <array>
#include <charconv>
#include <cmath>

#include "common/base/parse.hpp"

namespace ward::collector::templates {

const List* Value::as_list() const {
  const auto* p = std::get_if<std::shared_ptr<const List>>(&v_);
  return p == nullptr ? nullptr : p->get();
}

const Map* Value::as_map() const {
  const auto* p = std::get_if<std::shared_ptr<const Map>>(&v_);
  return p == nullptr ? nullptr : p->get();
}

bool truth(const Value& v) {
  if (const auto* b = v.as_bool()) return *b;
  if (const auto* i = v.as_int()) return *i != 0;
  if (const auto* d = v.as_double()) return *d != 0;
  if (const auto* s = v.as_string()) return !s->empty();
  if (const auto* l = v.as_list()) return !l->empty();
  if (const auto* m = v.as_map()) return !m->empty();
  return false;
}

std::string float_text(double d) {
  if (std::isnan(d)) return "NaN";
  if (std::isinf(d)) return d > 0 ? "+Inf" : "-Inf";
  if (d == 0) return std::signbit(d) ? "-0" : "0";
  // Go's strconv: the shortest spelling takes precision 6 to choose its form, so 1000000 is 1e+06.
  const double magnitude = std::fabs(d);
  const auto shape = magnitude < 1e-4 || magnitude >= 1e6 ? std::chars_format::scientific : std::chars_format::fixed;
  std::array<char, 512> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), d, shape);
  return {text.data(), end.ptr};
}

std::string to_text(const Value& v) {
  if (const auto* b = v.as_bool()) return *b ? "true" : "false";
  if (const auto* i = v.as_int()) return std::to_string(*i);
  if (const auto* d = v.as_double()) return float_text(*d);
  if (const auto* s = v.as_string()) return *s;
  std::string out;
  if (const auto* l = v.as_list()) {
    for (const auto& item : *l) out += (out.empty() ? "[" : " ") + to_text(item);
    return out.empty() ? "[]" : out + "]";
  }
  if (const auto* m = v.as_map()) {
    for (const auto& [key, item] : *m) out += (out.empty() ? "map[" : " ") + key + ":" + to_text(item);
    return out.empty() ? "map[]" : out + "]";
  }
  return "<nil>";
}

std::string_view type_name(const Value& v) {
  if (v.as_bool() != nullptr) return "bool";
  if (v.as_int() != nullptr) return "int";
  if (v.as_double() != nullptr) return "float64";
  if (v.as_string() != nullptr) return "string";
  if (v.as_list() != nullptr) return "template.queryResult";
  if (v.as_map() != nullptr) return "map[string]string";
  return "nil";
}

Result<double> to_float(const Value& v) {
  if (const auto* d = v.as_double()) return *d;
  if (const auto* i = v.as_int()) return static_cast<double>(*i);
  if (const auto* s = v.as_string()) {
    std::string_view text = *s;
    if (text.starts_with('+')) text.remove_prefix(1);
    double parsed = 0;
    const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), parsed);
    if (failed == std::errc{} && end == text.data() + text.size() && !text.empty()) return parsed;
    return fail(Errc::invalid, "strconv.ParseFloat: parsing \"" + *s + "\": invalid syntax", "Give a number.");
  }
  return fail(Errc::invalid, "can't convert " + std::string(type_name(v)) + " to float", "Give a number.");
}

Result<int> compare(const Value& a, const Value& b) {
  const auto order = [](const auto& x, const auto& y) { return x < y ? -1 : (y < x ? 1 : 0); };
  if (a.as_int() != nullptr && b.as_int() != nullptr) return order(*a.as_int(), *b.as_int());
  if (a.as_double() != nullptr && b.as_double() != nullptr) return order(*a.as_double(), *b.as_double());
  if (a.as_string() != nullptr && b.as_string() != nullptr) return order(*a.as_string(), *b.as_string());
  if (a.as_bool() != nullptr && b.as_bool() != nullptr) return order(int{*a.as_bool()}, int{*b.as_bool()});
  const bool basic = a.as_list() == nullptr && a.as_map() == nullptr && b.as_list() == nullptr && b.as_map() == nullptr;
  return fail(Errc::invalid, basic ? "incompatible types for comparison" : "invalid type for comparison",
              "Compare values of one kind; write a float as 5.0, not 5.");
}

}  // namespace ward::collector::templates
