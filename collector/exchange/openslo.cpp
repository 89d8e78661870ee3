// Source: the OpenSLO specification, v1.
#include "collector/exchange/openslo.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <map>
#include <set>

#include "collector/exchange/source.hpp"
#include "collector/slo/alert_policy_document.hpp"
#include "collector/slo/period.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::exchange {
namespace {

using config::Node;

const Node* find(const Node& mapping, std::string_view key) {
  for (const auto& [name, value] : mapping.entries())
    if (name == key) return &value;
  return nullptr;
}
std::string text_at(const Node& mapping, std::string_view first, std::string_view second) {
  const auto* child = find(mapping, first);
  const auto* value = child == nullptr ? nullptr : find(*child, second);
  return value == nullptr ? std::string{} : value->scalar();
}

std::string number(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.15g", value);
  return text.data();
}

/// "30d" of an SLO document.
std::string period_of(const Node& slo) {
  const auto* spec = find(slo, "spec");
  const auto* windows = spec == nullptr ? nullptr : find(*spec, "timeWindow");
  const auto* duration =
      windows == nullptr || windows->items().empty() ? nullptr : find(windows->items().front(), "duration");
  return duration == nullptr ? "30d" : duration->scalar();
}

/// The name that an entry of alertPolicies refers to; "" for a policy written in place.
std::string reference_of(const Node& entry) {
  if (entry.kind() == Node::Kind::scalar) return entry.scalar();
  const auto* ref = find(entry, "alertPolicyRef");
  return ref == nullptr ? std::string{} : ref->scalar();
}

class Export {
 public:
  Imported run(std::span<const OtherDocument> documents) {
    for (const auto& document : documents) {
      if (document.kind == "BurnPolicy") read_policy(document.node);
      if (document.kind == "AlertPolicy" || document.kind == "AlertCondition")
        names_.insert(text_at(document.node, "metadata", "name"));
    }
    for (const auto& document : documents)
      if (document.kind == "SLO") note_uses(document.node);
    for (const auto& document : documents) {
      const auto* api = find(document.node, "apiVersion");
      if (api != nullptr && api->scalar() == "openslo/v1")
        out_.documents.push_back(document.kind == "SLO" ? slo(document.node) : Yaml::copy(document.node));
      else if (document.kind == "BurnPolicy")
        write_policy(document.node);
      else if (document.kind == "Operations")
        tell_of_overrides(document.node);
    }
    return std::move(out_);
  }

 private:
  struct Policy {
    std::vector<slo::BurnCondition> windows;
    std::set<std::string> periods;  ///< of the SLOs that use it: the factor of a share of the budget depends on them
  };

  void read_policy(const Node& document) {
    config::Problems problems;
    config::Section section(document, "", problems);
    auto spec = section.child("spec");
    const auto name = text_at(document, "metadata", "name");
    policies_[name].windows = slo::read_burn_policy(spec, name).windows;
  }

  template <class Visit>
  static void each_policy(const Node& slo, Visit visit) {
    const auto* spec = find(slo, "spec");
    const auto* list = spec == nullptr ? nullptr : find(*spec, "alertPolicies");
    if (list == nullptr) return;
    for (const auto& entry : list->items()) visit(entry);
  }

  void note_uses(const Node& slo) {
    each_policy(slo, [&](const Node& entry) {
      const auto policy = policies_.find(reference_of(entry));
      if (policy != policies_.end()) policy->second.periods.insert(period_of(slo));
    });
  }

  /// sre-30d-1h; with SLOs of several periods, sre-28d-1h too where the factors are not the same.
  std::string name_of(const std::string& policy, const std::string& period, const slo::BurnCondition& window) {
    const bool several = policies_.at(policy).periods.size() > 1 && window.budget.has_value();
    auto name = policy + (several ? "-of-" + period : "") + "-" + format_duration(window.long_window);
    while (names_.contains(name)) name += "-burn";
    return name;
  }

  Yaml slo(const Node& document) {
    auto out = Yaml::map();
    for (const auto& [key, value] : document.entries()) {
      if (key != "spec") {
        out.set(key, Yaml::copy(value));
        continue;
      }
      auto spec = Yaml::map();
      for (const auto& [name, part] : value.entries())
        spec.set(name, name == "alertPolicies" ? policies_of(document) : Yaml::copy(part));
      out.set(key, std::move(spec));
    }
    tell_of_annotations(document);
    return out;
  }

  Yaml policies_of(const Node& document) {
    auto out = Yaml::list();
    each_policy(document, [&](const Node& entry) {
      const auto policy = policies_.find(reference_of(entry));
      if (policy == policies_.end()) {
        out.add(Yaml::copy(entry));
        return;
      }
      for (const auto& window : policy->second.windows)
        out.add(Yaml::map().set("alertPolicyRef", name_of(policy->first, period_of(document), window)));
    });
    return out;
  }

  void write_policy(const Node& document) {
    const auto name = text_at(document, "metadata", "name");
    auto& policy = policies_.at(name);
    if (policy.periods.empty()) {
      policy.periods.insert("30d");
      out_.notes.changed(document.at(), "BurnPolicy '" + name + "'", "no SLO uses it, so its factors are those of 30 days",
                         "mend the thresholds if it is meant for another period");
    }
    std::set<std::string> written;
    for (const auto& period : policy.periods)
      for (const auto& window : policy.windows) {
        const auto own = name_of(name, period, window);
        if (written.insert(own).second) write_window(own, period, window);
      }
    out_.notes.changed(document.at(),
                       "BurnPolicy '" + name + "' is now " + std::to_string(written.size()) + " AlertPolicies",
                       "OpenSLO has one window a condition", "know that tools other than Ward see the long windows alone");
  }

  void write_window(const std::string& name, const std::string& period, const slo::BurnCondition& window) {
    const auto parsed = slo::parse_period(period);
    const auto length = parsed ? milliseconds{slo::nominal_length(*parsed)} : milliseconds{std::chrono::hours{720}};
    const auto factor = window.budget ? *window.budget * static_cast<double>(length.count()) /
                                            static_cast<double>(window.long_window.count())
                                      : window.factor;
    const auto metadata = [&] { return Yaml::map().set("name", name); };
    out_.documents.push_back(
        Yaml::map()
            .set("apiVersion", "openslo/v1")
            .set("kind", "AlertPolicy")
            .set("metadata", metadata())
            .set("spec", Yaml::map().set("conditions", Yaml::list().add(Yaml::map().set("conditionRef", name)))));
    auto condition = Yaml::map()
                         .set("kind", "burnrate")
                         .set("op", "gt")
                         .set("threshold", Yaml::bare(number(factor)))
                         .set("lookbackWindow", Yaml::bare(format_duration(window.long_window)))
                         .set("alertAfter", Yaml::bare(format_duration(window.after)));
    auto annotations = Yaml::map()
                           .set("ward.io/short-window", Yaml::bare(format_duration(window.short_window)))
                           .set("ward.io/class", Yaml::text(to_string(window.cls)));
    out_.documents.push_back(Yaml::map()
                                 .set("apiVersion", "openslo/v1")
                                 .set("kind", "AlertCondition")
                                 .set("metadata", metadata().set("annotations", std::move(annotations)))
                                 .set("spec", Yaml::map()
                                                  .set("severity", window.cls >= AlertClass::urgent ? "page" : "ticket")
                                                  .set("condition", std::move(condition))));
  }

  void tell_of_annotations(const Node& document) {
    const auto* metadata = find(document, "metadata");
    const auto* annotations = metadata == nullptr ? nullptr : find(*metadata, "annotations");
    if (annotations == nullptr) return;
    std::string names;
    for (const auto& [name, value] : annotations->entries())
      if (name.starts_with("ward.io/")) names += (names.empty() ? "" : ", ") + name;
    if (names.empty()) return;
    const auto slo = "SLO '" + text_at(document, "metadata", "name") + "'";
    out_.notes.changed(annotations->at(), names + " of " + slo, "OpenSLO has no word for it and other tools pass it over",
                       "see what they do without");
    if (find(*annotations, "ward.io/composite") != nullptr)
      out_.notes.changed(annotations->at(), slo + " has no indicator", "it is a path of other SLOs, which only Ward knows",
                         "expect other tools to refuse it");
  }

  void tell_of_overrides(const Node& document) {
    const auto* spec = find(document, "spec");
    const auto* list = spec == nullptr ? nullptr : find(*spec, "tenantOverrides");
    if (list == nullptr) return;
    for (const auto& entry : list->items()) {
      const auto* levels = find(entry, "slo");
      if (levels == nullptr) continue;
      for (const auto& [name, value] : levels->entries())
        out_.notes.lost(entry.key_at("slo"), "a tenant's own target of SLO '" + name + "'", "OpenSLO knows no tenants",
                        "write an SLO of its own for that tenant");
    }
  }

  Imported out_;
  std::map<std::string, Policy> policies_;
  std::set<std::string> names_;  ///< of policies and conditions that stand there
};

}  // namespace

Imported export_openslo(std::span<const OtherDocument> documents) { return Export{}.run(documents); }

}  // namespace ward::collector::exchange
