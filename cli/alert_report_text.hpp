#pragma once
#include <string>
#include <vector>

#include "cli/proposal_backtest.hpp"

namespace ward::cli {

/// The changes that a report proposes and a backtest can try: deletes, and tunes of `for`. Errc::corrupt when the report
/// does not look as the API says.
Result<std::vector<RuleChange>> changes_of(const std::string& report_json);
/// The report for people, with what backtests say of its proposals. Ends with '\n'. Errors: as above.
Result<std::string> alert_report_text(const std::string& report_json, const std::vector<TriedChange>& tried);
/// The report with "backtest" in the proposals that were tried.
Result<std::string> alert_report_json(const std::string& report_json, const std::vector<TriedChange>& tried);

}  // namespace ward::cli
