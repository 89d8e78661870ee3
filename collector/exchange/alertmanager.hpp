#pragma once
#include <map>
#include <set>
#include <string>
#include <vector>

#include "collector/exchange/imported.hpp"
#include "collector/exchange/source.hpp"

/// The parts of the import of an Alertmanager configuration; import_alertmanager() joins them.
namespace ward::collector::exchange {

/// Receivers as Ward has them: each with one channel.
struct AmReceivers {
  std::vector<Yaml> list;  ///< of collector.yaml
  /// Alertmanager's name -> Ward's names; empty: it has no integrations and tells nobody. Of a receiver whose integrations
  /// Ward has no channel for, the name is missing.
  std::map<std::string, std::vector<std::string>> names;
  std::map<std::string, config::Position> places;
};

/// Reads `global` and `receivers`.
AmReceivers read_am_receivers(Source& config, Notes& notes);

struct AmRouting {
  Yaml route;
  Yaml intervals;                ///< null without any
  Yaml inhibit_rules;            ///< null without any
  std::string root;              ///< Ward's receiver of what no route catches
  std::set<std::string> silent;  ///< receivers that tell nobody, and whose routes are muted
};
/// Reads `route`, `time_intervals`, `mute_time_intervals` and `inhibit_rules`.
AmRouting read_am_routing(Source& config, const AmReceivers& receivers, Notes& notes);

}  // namespace ward::collector::exchange
