#pragma once
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "common/config/node.hpp"

namespace ward::collector {

/// What a document may name as the one who is told.
struct Targets {
  std::optional<std::set<std::string>> receivers;  ///< nullopt: they are checked elsewhere
  std::set<std::string> schedules;

  /// A problem at `key` when `name` is neither a receiver nor a schedule. "" is a problem of the key itself.
  void check(config::Section& section, std::string_view key, const std::string& name) const;
  /// The same for receivers alone.
  void check_receiver(config::Section& section, std::string_view key, const std::string& name) const;
};

}  // namespace ward::collector
