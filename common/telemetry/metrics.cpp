// The adapter of prometheus-cpp: the only file that sees it.
#include "common/telemetry/metrics.hpp"

#include <array>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <mutex>
#include <prometheus/counter.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>
#include <sstream>
#include <stdexcept>

#include "common/base/thread_annotations.hpp"
#include "common/telemetry/process.hpp"

namespace ward::telemetry {
namespace {

using Key = std::pair<std::string, Labels>;

std::map<std::string, std::string> to_foreign(const Labels& labels) { return {labels.begin(), labels.end()}; }

/// prometheus-cpp writes help texts as they are; a newline would start a line of its own.
std::string one_line(std::string_view help) {
  std::string out{help};
  for (auto& c : out)
    if (c == '\n' || c == '\r' || c == '\\') c = ' ';
  return out;
}

prometheus::MetricFamily family(const char* name, const char* help, prometheus::MetricType type, double value) {
  prometheus::ClientMetric metric;
  if (type == prometheus::MetricType::Counter)
    metric.counter.value = value;
  else
    metric.gauge.value = value;
  return {name, help, type, {std::move(metric)}};
}

void append_process(std::vector<prometheus::MetricFamily>& out) {
  const auto stats = read_process_stats();
  if (!stats) return;
  using prometheus::MetricType;
  out.push_back(family("process_cpu_seconds_total", "User and system CPU time spent in seconds.", MetricType::Counter,
                       stats->cpu_seconds));
  out.push_back(
      family("process_resident_memory_bytes", "Resident memory in bytes.", MetricType::Gauge, stats->resident_bytes));
  out.push_back(family("process_open_fds", "Open file descriptors.", MetricType::Gauge, stats->open_fds));
  out.push_back(family("process_start_time_seconds", "Start of the process in seconds since the Unix epoch.",
                       MetricType::Gauge, stats->start_time_seconds));
}

/// As the text serializer writes it, so that `le` is the same label in a scrape and in a snapshot.
std::string bound_text(double bound) {
  if (std::isinf(bound)) return "+Inf";
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.16g", bound);
  return text.data();
}

using Snapshot = std::vector<std::pair<Labels, double>>;

void append_histogram(Snapshot& out, const std::string& name, const Labels& labels,
                      const prometheus::ClientMetric::Histogram& histogram) {
  for (const auto& bucket : histogram.bucket)
    out.emplace_back(labels.with(kNameLabel, name + "_bucket").with("le", bound_text(bucket.upper_bound)),
                     static_cast<double>(bucket.cumulative_count));
  out.emplace_back(labels.with(kNameLabel, name + "_sum"), histogram.sample_sum);
  out.emplace_back(labels.with(kNameLabel, name + "_count"), static_cast<double>(histogram.sample_count));
}

void append_metric(Snapshot& out, const prometheus::MetricFamily& of, const prometheus::ClientMetric& metric) {
  std::vector<Label> own;
  for (const auto& label : metric.label) own.emplace_back(label.name, label.value);
  const Labels labels{std::move(own)};
  switch (of.type) {
    case prometheus::MetricType::Counter: out.emplace_back(labels.with(kNameLabel, of.name), metric.counter.value); return;
    case prometheus::MetricType::Gauge: out.emplace_back(labels.with(kNameLabel, of.name), metric.gauge.value); return;
    case prometheus::MetricType::Histogram: append_histogram(out, of.name, labels, metric.histogram); return;
    case prometheus::MetricType::Summary:  // never registered here
    case prometheus::MetricType::Untyped: return;
  }
}

}  // namespace

struct Registry::Impl {
  prometheus::Registry inner{prometheus::Registry::InsertBehavior::Merge};
  std::mutex mutex;
  std::map<Key, Counter> counters WARD_GUARDED_BY(mutex);
  std::map<Key, Gauge> gauges WARD_GUARDED_BY(mutex);
  std::map<Key, Histogram> histograms WARD_GUARDED_BY(mutex);

  /// The known metric of this name and labels, or what `make` registers.
  template <class T, class Make>
  T& known(std::map<Key, T>& metrics, std::string_view name, const Labels& labels, Make make) {
    const std::scoped_lock lock(mutex);
    Key key{std::string(name), labels};
    if (const auto at = metrics.find(key); at != metrics.end()) return at->second;
    try {
      return metrics.emplace(std::move(key), make()).first->second;
    } catch (const std::invalid_argument& e) {
      throw std::logic_error("metric " + std::string(name) + ": " + e.what());
    }
  }
  [[nodiscard]] std::vector<prometheus::MetricFamily> collect() const {
    auto out = inner.Collect();
    append_process(out);
    return out;
  }
};

void Counter::add(double amount) { inner_->Increment(amount); }
double Counter::value() const { return inner_->Value(); }
void Gauge::set(double value) { inner_->Set(value); }
void Gauge::add(double amount) { inner_->Increment(amount); }
double Gauge::value() const { return inner_->Value(); }
void Histogram::observe(double value) { inner_->Observe(value); }

Registry::Registry() : impl_(std::make_unique<Impl>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(std::string_view name, std::string_view help, const Labels& labels) {
  return impl_->known(impl_->counters, name, labels, [&] {
    auto& of = prometheus::BuildCounter().Name(std::string(name)).Help(one_line(help)).Register(impl_->inner);
    return Counter{of.Add(to_foreign(labels))};
  });
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, const Labels& labels) {
  return impl_->known(impl_->gauges, name, labels, [&] {
    auto& of = prometheus::BuildGauge().Name(std::string(name)).Help(one_line(help)).Register(impl_->inner);
    return Gauge{of.Add(to_foreign(labels))};
  });
}

Histogram& Registry::histogram(std::string_view name, std::string_view help, const Labels& labels,
                               const std::vector<double>& upper_bounds) {
  return impl_->known(impl_->histograms, name, labels, [&] {
    auto& of = prometheus::BuildHistogram().Name(std::string(name)).Help(one_line(help)).Register(impl_->inner);
    return Histogram{of.Add(to_foreign(labels), upper_bounds)};
  });
}

std::string Registry::exposition() const {
  std::ostringstream out;
  prometheus::TextSerializer{}.Serialize(out, impl_->collect());
  return std::move(out).str();
}

std::vector<std::pair<Labels, double>> Registry::snapshot() const {
  Snapshot out;
  for (const auto& of : impl_->collect())
    for (const auto& metric : of.metric) append_metric(out, of, metric);
  return out;
}

}  // namespace ward::telemetry
