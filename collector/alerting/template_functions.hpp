#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "collector/alerting/expression.hpp"
#include "collector/alerting/template_value.hpp"
#include "common/base/result.hpp"

namespace ward::collector {
struct TemplateData;
}

namespace ward::collector::templates {

/// A template function. `max_args` -1: any number. Errors carry the reason alone; the caller adds the function's name.
struct Function {
  std::string_view name;
  int min_args = 0;
  int max_args = 0;
  Result<Value> (*call)(std::span<const Value> args, const TemplateData& data) = nullptr;
};

/// nullptr when there is no such function.
const Function* find_function(std::string_view name);

/// Go's fmt.Sprintf for the kinds a template knows.
std::string sprintf(std::string_view format, std::span<const Value> args);
/// {"Labels": map, "Value": number}, as templates see a query result.
Value to_value(const Vector& vector);
Value to_value(const Labels& labels);

// Number formats, shared with whoever prints values for people (units: as the name says; input in base units).
std::string humanize(double v);
std::string humanize1024(double v);
std::string humanize_duration(double seconds);
std::string humanize_timestamp(double unix_seconds);

}  // namespace ward::collector::templates
