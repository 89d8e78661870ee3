#pragma once
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>

#include "common/config/node.hpp"
#include "probes/probe.hpp"

namespace ward::test {

/// A probe as the agent makes it from its section of agent.yaml, and what was wrong with the section.
struct Configured {
  std::unique_ptr<probes::Probe> probe;
  std::string problems;  ///< one line each
};
inline Configured configure(std::string_view kind, std::string_view yaml) {
  const auto* found = probes::find_probe(kind);
  if (found == nullptr) throw std::logic_error("no such probe: " + std::string(kind));
  const auto documents = config::parse_yaml(yaml, "agent.yaml");
  if (!documents) throw std::logic_error(documents.error().what);
  config::Problems problems;
  config::Section target(documents->empty() ? config::Node{} : documents->front(), "probes[0]", problems);
  Configured made;
  made.probe = found->make(target);
  target.close();
  made.problems = problems.to_text();
  return made;
}

}  // namespace ward::test
