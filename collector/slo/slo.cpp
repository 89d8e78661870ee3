#include "collector/slo/slo.hpp"

#include <algorithm>
#include <charconv>

namespace ward::collector::slo {
namespace {

std::string shortest(double v) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof text, v).ptr};
}

std::string_view to_string(SliRole role) {
  switch (role) {
    case SliRole::good: return "good";
    case SliRole::bad: return "bad";
    case SliRole::total: return "total";
    case SliRole::raw_good: return "raw_good";
    case SliRole::raw_bad: return "raw_bad";
    case SliRole::threshold: return "threshold";
    case SliRole::up: return "up";
  }
  return "";
}

}  // namespace

std::string_view to_string(NoData n) {
  switch (n) {
    case NoData::unknown: return "unknown";
    case NoData::bad: return "bad";
    case NoData::good: return "good";
  }
  return "unknown";
}

std::string_view to_string(Budgeting b) {
  switch (b) {
    case Budgeting::occurrences: return "Occurrences";
    case Budgeting::timeslices: return "Timeslices";
    case Budgeting::ratio_timeslices: return "RatioTimeslices";
  }
  return "Occurrences";
}

bool holds(Comparison op, double value, double limit) {
  switch (op) {
    case Comparison::lt: return value < limit;
    case Comparison::lte: return value <= limit;
    case Comparison::gt: return value > limit;
    case Comparison::gte: return value >= limit;
  }
  return false;
}

std::string counting_identity(const SloSpec& slo) {
  std::vector<Label> parts{{"name", slo.name}};
  for (std::size_t i = 0; i < slo.indicator.sources.size(); ++i) {
    const auto& source = slo.indicator.sources[i];
    const auto key = "source" + std::to_string(i);
    parts.emplace_back(key, std::string(to_string(source.role)) + (source.counter ? " counter " : " gauge ") + source.query);
    if (source.role == SliRole::threshold)
      parts.emplace_back(key + ".limit",
                         std::to_string(static_cast<int>(slo.indicator.op)) + " " + shortest(slo.indicator.limit));
  }
  for (std::size_t i = 0; i < slo.group_by.size(); ++i) parts.emplace_back("group" + std::to_string(i), slo.group_by[i]);
  return fingerprint(Labels{std::move(parts)});
}

double target_of(const SloSpec& slo, const Labels& group) {
  const auto own = slo.tenant_targets.find(std::string(group.get("tenant")));
  return own == slo.tenant_targets.end() ? slo.target : own->second;
}

std::string SloSpec::file() const {
  const auto column = origin.rfind(':');
  const auto line = column == std::string::npos || column == 0 ? std::string::npos : origin.rfind(':', column - 1);
  return line == std::string::npos ? origin : origin.substr(0, line);
}

AlertClass SloSpec::gravest() const {
  auto out = AlertClass::informational;
  for (const auto& pair : burn) out = std::max(out, pair.cls);
  return max_class ? std::min(out, *max_class) : out;
}

}  // namespace ward::collector::slo
