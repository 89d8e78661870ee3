#pragma once
#include <string>
#include <string_view>

#include "collector/event/state.hpp"

namespace ward::collector {

/// The stored form of what incidents are made of. Keys are only ever added; a reader takes an absent key as its default.
/// Readers fail with Errc::corrupt.
std::string to_json(const IncidentRecord& record);
Result<IncidentRecord> incident_record_from_json(std::string_view text);
std::string to_json(const WatchedAlert& watched);
Result<WatchedAlert> watched_alert_from_json(std::string_view text);
std::string to_json(const Notice& notice);
Result<Notice> notice_from_json(std::string_view text);

}  // namespace ward::collector
