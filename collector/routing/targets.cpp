#include "collector/routing/targets.hpp"

namespace ward::collector {

void Targets::check(config::Section& section, std::string_view key, const std::string& name) const {
  if (name.empty() || !receivers || receivers->contains(name) || schedules.contains(name)) return;
  section.problems().add(section.at(key), "'" + name + "' is neither a receiver nor an on-call schedule",
                         "Add it under 'receivers' of collector.yaml or 'schedules', or name another.");
}

void Targets::check_receiver(config::Section& section, std::string_view key, const std::string& name) const {
  if (name.empty() || !receivers || receivers->contains(name)) return;
  section.problems().add(section.at(key), "the receiver '" + name + "' does not exist",
                         "Add it under 'receivers' of collector.yaml, or name another.");
}

}  // namespace ward::collector
