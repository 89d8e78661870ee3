#pragma once
#include <span>

#include "collector/alerting/rule.hpp"
#include "collector/exchange/imported.hpp"

namespace ward::collector::exchange {

/// The service levels among a rulebook's documents as plain openslo/v1: OpenSLO's own documents as they were read, a
/// BurnPolicy as an AlertPolicy and an AlertCondition for each of its windows, for OpenSLO has one window a condition; the
/// short one stands in the annotation ward.io/short-window. Read again they mean the same. What other tools will not see of
/// it has a note. `documents` must come of a rulebook that loads.
Imported export_openslo(std::span<const OtherDocument> documents);

}  // namespace ward::collector::exchange
