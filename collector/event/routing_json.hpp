#pragma once
#include <string>
#include <string_view>

#include "collector/event/escalation.hpp"
#include "collector/event/silence.hpp"
#include "common/base/result.hpp"

namespace ward::collector {

/// The stored form of what routing remembers. Keys are only ever added; a reader takes an absent key as its default.
/// Readers fail with Errc::corrupt.
std::string to_json(const EscalationRecord& record);
Result<EscalationRecord> escalation_record_from_json(std::string_view text);
std::string to_json(const AlertSilence& silence);
Result<AlertSilence> silence_from_json(std::string_view text);

}  // namespace ward::collector
