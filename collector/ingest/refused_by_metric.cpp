#include "collector/ingest/refused_by_metric.hpp"

#include <algorithm>

namespace ward::collector {
namespace {

/// The classic names; others are texts of any kind.
bool is_plain(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':'; };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && name.size() <= RefusedByMetric::kLongestName && letter(name.front()) &&
         std::all_of(name.begin(), name.end(), [&](char c) { return letter(c) || digit(c); });
}

}  // namespace

std::string_view RefusedByMetric::add(std::string_view metric, std::uint64_t series) {
  auto at = by_metric_.find(metric);
  if (at == by_metric_.end()) {
    const auto others = by_metric_.contains(kOther) ? 1U : 0U;
    if (!is_plain(metric) || by_metric_.size() - others >= kMost) metric = kOther;
    at = by_metric_.emplace(metric, 0).first;
  }
  at->second += series;
  return at->first;
}

std::string_view RefusedByMetric::largest() const {
  const auto at = std::max_element(by_metric_.begin(), by_metric_.end(),
                                   [](const auto& a, const auto& b) { return a.second < b.second; });
  return at == by_metric_.end() ? std::string_view() : std::string_view(at->first);
}

}  // namespace ward::collector
