#include "collector/event/metadata.hpp"

#include <algorithm>
#include <utility>

namespace ward::collector {
namespace {

// Source: https://prometheus.io/docs/concepts/data_model/#metric-names-and-labels
bool is_metric_name(std::string_view name) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == ':';
  };
  return !name.empty() && !(name.front() >= '0' && name.front() <= '9') && std::all_of(name.begin(), name.end(), good);
}

}  // namespace

void MetricMetadata::put(const TenantId& tenant, std::string_view metric, MetricDescription description) {
  const std::scoped_lock lock(mutex_);
  if (!is_metric_name(metric)) {
    ++refused_;
    return;
  }
  auto at = metrics_.find(metric);
  const bool is_new = at == metrics_.end() || !at->second.contains(tenant);
  if (is_new) {
    auto& size = sizes_[tenant];
    if (size >= limits_.per_tenant || size_ >= limits_.all) {
      ++refused_;
      return;
    }
    ++size;
    ++size_;
  }
  if (at == metrics_.end()) at = metrics_.emplace(metric, ByTenant{}).first;
  for (const auto& [other, told] : at->second) {
    if (*told != description) continue;
    at->second[tenant] = told;
    return;
  }
  at->second[tenant] = std::make_shared<const MetricDescription>(std::move(description));
}

MetricMetadata::Entry MetricMetadata::entry_of(const std::string& metric, const ByTenant& told) {
  Entry out{metric, {}};
  for (const auto& [tenant, description] : told)
    if (std::find(out.descriptions.begin(), out.descriptions.end(), *description) == out.descriptions.end())
      out.descriptions.push_back(*description);
  return out;
}

std::vector<MetricMetadata::Entry> MetricMetadata::read(std::string_view metric) const {
  const std::scoped_lock lock(mutex_);
  std::vector<Entry> out;
  if (!metric.empty()) {
    if (const auto at = metrics_.find(metric); at != metrics_.end()) out.push_back(entry_of(at->first, at->second));
    return out;
  }
  for (const auto& [name, told] : metrics_) out.push_back(entry_of(name, told));
  return out;
}

std::optional<MetricDescription> MetricMetadata::find(const TenantId& tenant, std::string_view series_name) const {
  const std::scoped_lock lock(mutex_);
  const auto told = [&](std::string_view name) -> const MetricDescription* {
    const auto at = metrics_.find(name);
    if (at == metrics_.end()) return nullptr;
    const auto of_tenant = at->second.find(tenant);
    return of_tenant != at->second.end() ? of_tenant->second.get() : nullptr;
  };
  if (const auto* own = told(series_name)) return *own;
  for (const std::string_view end : {"_bucket", "_sum", "_count"}) {
    if (!series_name.ends_with(end)) continue;
    const auto* family = told(series_name.substr(0, series_name.size() - end.size()));
    if (family != nullptr && (family->type == MetricType::histogram || family->type == MetricType::summary)) return *family;
  }
  return std::nullopt;
}

std::size_t MetricMetadata::size() const {
  const std::scoped_lock lock(mutex_);
  return size_;
}

std::uint64_t MetricMetadata::refused() const {
  const std::scoped_lock lock(mutex_);
  return refused_;
}

}  // namespace ward::collector
