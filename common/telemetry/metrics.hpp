#pragma once
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/model/labels.hpp"

namespace prometheus {
class Counter;
class Gauge;
class Histogram;
}  // namespace prometheus

namespace ward::telemetry {

/// Only grows; a negative amount is ignored. Threads: any.
class Counter {
 public:
  void add(double amount = 1);
  [[nodiscard]] double value() const;

 private:
  friend class Registry;
  explicit Counter(prometheus::Counter& inner) : inner_(&inner) {}
  prometheus::Counter* inner_;
};

/// Threads: any.
class Gauge {
 public:
  void set(double value);
  void add(double amount);
  [[nodiscard]] double value() const;

 private:
  friend class Registry;
  explicit Gauge(prometheus::Gauge& inner) : inner_(&inner) {}
  prometheus::Gauge* inner_;
};

/// Threads: any.
class Histogram {
 public:
  void observe(double value);

 private:
  friend class Registry;
  explicit Histogram(prometheus::Histogram& inner) : inner_(&inner) {}
  prometheus::Histogram* inner_;
};

/// The program's own metrics. The same name and labels give the same metric, so a room may ask again instead of keeping
/// the reference; references live as long as the registry. An invalid name or label, or one name with two types, is a
/// bug and throws std::logic_error. Label values are bounded: what a peer names is checked and counted by its owner first.
/// Threads: any.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  Counter& counter(std::string_view name, std::string_view help, const Labels& labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, const Labels& labels = {});
  /// `upper_bounds` ascend, without +Inf.
  Histogram& histogram(std::string_view name, std::string_view help, const Labels& labels,
                       const std::vector<double>& upper_bounds);

  /// Text format 0.0.4, with the process_* metrics of /proc read now.
  /// Source: https://prometheus.io/docs/instrumenting/exposition_formats/
  [[nodiscard]] std::string exposition() const;
  /// Every current value with its __name__, histograms as _bucket{le}, _sum and _count: what a scrape would store.
  [[nodiscard]] std::vector<std::pair<Labels, double>> snapshot() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

inline constexpr std::string_view kExpositionContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace ward::telemetry
