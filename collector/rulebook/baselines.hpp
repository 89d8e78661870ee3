#pragma once
#include "collector/alerting/expression.hpp"
#include "collector/alerting/rule.hpp"
#include "common/config/node.hpp"

namespace ward::collector {

/// Reads a document of kind Baseline: a series' usual values by hour of week and month's ends, recorded so that plain
/// Prometheus rules can compare with them. It becomes a group of recording rules, evaluated as all others are.
///
///   metadata: {name: NAME}      -> group "baseline:NAME"
///   spec: {expr, quantiles: [0.5, 0.95], band: 4, weeks, tz, monthEnd, months, interval: 1m, labels}
///     -> ward_baseline:NAME:p50, ward_baseline:NAME:p95
///     -> ward_baseline:NAME:upper and :lower: the median and `band` times 1.4826 MAD above and below it
///
/// Problems go into the section's list; what is returned then must not be used.
RuleGroup read_baseline_document(config::Section& document, const ExpressionCompiler& compiler);

}  // namespace ward::collector
