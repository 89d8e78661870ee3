#include "common/model/sample.hpp"

namespace ward {

std::string_view to_string(MetricType type) {
  switch (type) {
    case MetricType::unknown: return "unknown";
    case MetricType::counter: return "counter";
    case MetricType::gauge: return "gauge";
    case MetricType::histogram: return "histogram";
    case MetricType::summary: return "summary";
    case MetricType::info: return "info";
    case MetricType::untyped: return "untyped";
  }
  return "unknown";
}

}  // namespace ward
