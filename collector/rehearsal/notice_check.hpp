#pragma once
#include <map>
#include <optional>
#include <span>
#include <string>

#include "collector/rehearsal/rehearsal.hpp"
#include "collector/rehearsal/test_file.hpp"

namespace ward::collector {

/// How what was told differs from what a case expects.
struct NoticeDifference {
  config::Position at;  ///< of the first expectation that nothing fulfils, or of the case
  std::string expected;
  std::string got;  ///< every message so far, one a line
};

/// nullopt when everything is as expected. Incidents are judged as they stand: a root that showed late is their root.
/// Each message can fulfil one expectation.
std::optional<NoticeDifference> compare(const NotificationCase& expected, std::span<const SentNotice> sent,
                                        const std::map<std::string, Incident>& incidents, Time start);

}  // namespace ward::collector
