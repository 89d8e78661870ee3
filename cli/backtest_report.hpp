#pragma once
#include <span>
#include <string>
#include <vector>

#include "collector/rehearsal/backtest.hpp"

namespace ward::cli {

/// What a backtest has found.
struct BacktestReport {
  Time since;
  Time until;
  std::vector<std::string> notes;  ///< what the reader must know to judge the rest
  collector::BacktestResult now;
  std::string before_is;  ///< what `now` is compared with: "recorded", "current rules"; "" when with nothing
  std::vector<collector::PagedIncident> before;
  std::vector<collector::BacktestRow> rows;
};

/// For people: totals, then one line an incident, marked by what has changed. Ends with '\n'.
std::string backtest_text(const BacktestReport& report);
/// For programs. Ends with '\n'.
std::string backtest_json(const BacktestReport& report);

}  // namespace ward::cli
