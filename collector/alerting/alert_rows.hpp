#pragma once
#include "collector/alerting/alert_states.hpp"
#include "collector/event/state.hpp"
#include "common/base/result.hpp"

namespace ward::collector {

/// How alert instances stand in the store. The instance part of the key is the fingerprint of the labels.
AlertRowKey row_key(const AlertState& state);
AlertRow to_row(const AlertState& state);
/// Errc::corrupt when the data is not what to_row() wrote. Unknown keys are ignored, absent ones take their default.
Result<AlertState> from_row(const AlertRow& row);

}  // namespace ward::collector
