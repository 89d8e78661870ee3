#pragma once
#include <cstdint>
#include <string>

#include "common/base/time.hpp"

namespace ward::collector {

/// The id of an incident that began at `began` with the alert of fingerprint hash `root`: Crockford base32, the first eight
/// digits a ULID's time (so ids sort by time, to the second), then six digits of the hash. Nothing is random: two
/// collectors that see the same breach give it the same id, and so do a crash before the commit and its repetition.
/// `salt` tells apart what would be equal otherwise.
std::string incident_id(Time began, std::uint64_t root, std::uint32_t salt = 0);

}  // namespace ward::collector
