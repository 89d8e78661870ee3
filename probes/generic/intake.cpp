#include "probes/generic/intake.hpp"

#include <algorithm>
#include <utility>

namespace ward::probes {
namespace {

constexpr std::string_view kTenant = "tenant";

Label* find(std::vector<Label>& labels, std::string_view name) {
  const auto at = std::find_if(labels.begin(), labels.end(), [&](const Label& label) { return label.first == name; });
  return at == labels.end() ? nullptr : &*at;
}

/// Moves what the exporter said under `name` out of the way of the target's own.
void rename(std::vector<Label>& labels, std::string_view name) {
  auto* const own = find(labels, name);
  if (own == nullptr) return;
  const auto value = std::exchange(own->second, "");
  if (value.empty()) return;
  auto other = "exported_" + std::string(name);
  while (find(labels, other) != nullptr) other.insert(0, "exported_");
  labels.emplace_back(std::move(other), value);
}

void put(std::vector<Label>& labels, std::string_view name, std::string_view value) {
  if (auto* const there = find(labels, name))
    there->second = value;
  else
    labels.emplace_back(name, value);
}

ProbeFailure beyond(std::string what, std::string_view key) {
  return {FailureReason::probe_overload,
          {Errc::full, std::move(what),
           "Drop what is not needed in 'metric_relabel' or at the exporter, or raise '" + std::string(key) + "'."}};
}

}  // namespace

Labels with_target(std::vector<Label> exposed, const TargetFacts& target, OnConflict on_conflict) {
  const auto add = [&](std::string_view name, std::string_view value, OnConflict mode) {
    if (mode == OnConflict::honor && find(exposed, name) != nullptr) return;
    rename(exposed, name);
    put(exposed, name, value);
  };
  for (const auto& [name, value] : target.labels) add(name, value, on_conflict);
  // The collector sets the tenant, whoever says what: here so that rules see it, and so that two series that differ in this
  // label alone do not fall together there.
  add(kTenant, target.tenant.get(), OnConflict::rename);
  return Labels(std::move(exposed));
}

Intake take_in(std::string_view body, exposition::Format format, const IntakeOptions& options, const TargetFacts& target) {
  Intake out;
  exposition::Reader reader(body, format);
  exposition::Descriptions descriptions(format, {});
  const auto refuse = [&](ProbeFailure failure) {
    out.readings.clear();
    out.failure = std::move(failure);
    return std::move(out);
  };
  const auto at_line = [&] { return "line " + std::to_string(reader.line()) + ": "; };
  while (true) {
    auto entry = reader.next();
    if (!entry) {
      const bool full = entry.error().code == Errc::full;
      return refuse({full ? FailureReason::probe_overload : FailureReason::protocol, std::move(entry.error())});
    }
    if (!*entry) break;
    descriptions.add(**entry);
    auto* const sample = std::get_if<exposition::SampleLine>(&**entry);
    if (sample == nullptr) continue;
    ++out.scraped;
    auto series = with_target(std::move(sample->series.labels), target, options.on_conflict);
    series.set(kNameLabel, sample->series.metric);
    if (!relabel(options.metric_relabel, series)) continue;
    series.erase(kTenant);
    if (series.empty()) continue;
    if (options.label_limit > 0 && series.size() > options.label_limit)
      return refuse(beyond(at_line() + "a series has " + std::to_string(series.size()) + " labels, more than " +
                               std::to_string(options.label_limit),
                           "label_limit"));
    std::string metric(series.name());
    if (metric.empty())
      return refuse(
          {FailureReason::protocol,
           {Errc::invalid, at_line() + "relabelling left a series without name", "Keep __name__ in 'metric_relabel'."}});
    if (++out.kept > options.sample_limit)
      return refuse(
          beyond("the exporter serves more than " + std::to_string(options.sample_limit) + " samples", "sample_limit"));
    series.erase(kNameLabel);
    out.readings.push_back({std::move(metric), std::move(series), sample->value});
  }
  out.descriptions = descriptions.take();
  return out;
}

}  // namespace ward::probes
