#pragma once
#include <string>
#include <string_view>

#include "common/telemetry/log.hpp"

namespace ward::telemetry {

/// The bytes one key, sentence or value may take in a line, escapes included; a cut value ends with "...".
inline constexpr std::size_t kMaxFieldBytes = 4096;

/// One line, ending with '\n':
///   {"time":"2026-11-22T10:42:07.123Z","level":"warn","message":"Probe failed","probe":"pg-main","seconds":3}
///   2026-11-22T10:42:07.123Z warn  Probe failed probe=pg-main seconds=3
std::string format_line(LogFormat format, Time at, LogLevel level, std::string_view sentence, Fields fields);

/// Foreign text as a terminal may safely show it on one line: escaped and cut as in a text line.
std::string printable(std::string_view text);

}  // namespace ward::telemetry
