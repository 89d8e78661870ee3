#include "collector/routing/maintenance.hpp"

#include <algorithm>

namespace ward::collector {
namespace {

bool covers(const Maintenance& window, const NeedsService& needs, const std::string& service) {
  return window.services.contains(service) ||
         (needs && std::any_of(window.services.begin(), window.services.end(),
                               [&](const std::string& s) { return needs(service, s); }));
}

TimeIntervals read_times(config::Section& section, const NamedIntervals& intervals) {
  constexpr std::string_view kKey = "time_intervals";
  TimeIntervals out;
  const auto list = section.raw(kKey).value_or(config::Node{});
  if (list.kind() != config::Node::Kind::sequence || list.items().empty()) {
    section.problems().add(section.at(kKey), "this maintenance has no times, so it would never be or never end",
                           "List names or intervals under time_intervals.");
    return out;
  }
  for (const auto& item : list.items()) {
    if (item.kind() == config::Node::Kind::scalar) {
      const auto known = intervals.find(item.scalar());
      if (known != intervals.end())
        out.insert(out.end(), known->second.begin(), known->second.end());
      else
        section.problems().add(item.at(), "the time interval '" + item.scalar() + "' does not exist",
                               "Define it under time_intervals of this document, or name another.");
      continue;
    }
    config::Section one(item, section.path() + ".time_intervals", section.problems());
    out.push_back(read_time_interval(one));
  }
  return out;
}

}  // namespace

const Maintenance* in_maintenance(const std::vector<Maintenance>& windows, const NeedsService& needs,
                                  const std::string& service, Time t) {
  const auto at = std::find_if(windows.begin(), windows.end(),
                               [&](const Maintenance& w) { return any_contains(w.times, t) && covers(w, needs, service); });
  return at == windows.end() ? nullptr : &*at;
}

const Maintenance* suppressing(const std::vector<Maintenance>& windows, const NeedsService& needs,
                               const std::string& service, AlertClass cls, Time t) {
  if (cls == AlertClass::executive) return nullptr;
  const auto at = std::find_if(windows.begin(), windows.end(), [&](const Maintenance& w) {
    return w.suppress.contains(cls) && any_contains(w.times, t) && covers(w, needs, service);
  });
  return at == windows.end() ? nullptr : &*at;
}

std::vector<Maintenance> read_maintenance(config::Section& section, const NamedIntervals& intervals) {
  std::vector<Maintenance> out;
  for (auto& from : section.children("maintenance")) {
    Maintenance window;
    for (const auto& service : from.texts("services")) window.services.insert(service);
    if (window.services.empty())
      from.problems().add(from.at("services"), "this maintenance names no services", "List them: 'services: [pg-main]'.");
    for (const auto& text : from.texts("suppress")) {
      const auto cls = parse_class(text);
      if (!cls)
        from.problems().add(from.at("suppress"), cls.error().what, cls.error().fix);
      else if (*cls == AlertClass::executive)
        from.problems().add(from.at("suppress"), "executive incidents are told in maintenance too",
                            "Remove executive; who plans such work warns those who are told.");
      else
        window.suppress.insert(*cls);
    }
    if (!from.has("suppress")) window.suppress = {AlertClass::informational, AlertClass::actionable};
    window.times = read_times(from, intervals);
    window.slo = from.choice("slo", {"exclude", "count"}, 0) == 0 ? Maintenance::Slo::exclude : Maintenance::Slo::count;
    window.max_excluded = from.duration("maxExcluded", milliseconds{0});
    from.close();
    out.push_back(std::move(window));
  }
  return out;
}

}  // namespace ward::collector
