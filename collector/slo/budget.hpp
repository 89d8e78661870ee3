#pragma once
#include <optional>
#include <string>
#include <vector>

#include "collector/slo/slo.hpp"
#include "collector/slo/sums.hpp"

namespace ward::collector::slo {

/// What one rolling window says.
struct BudgetWindow {
  minutes length{0};
  std::optional<double> bad_ratio;  ///< nothing where nothing is known
  std::optional<double> burn;       ///< times the rate that spends the budget in exactly one period
  double coverage = 0;
  friend bool operator==(const BudgetWindow&, const BudgetWindow&) = default;
};

/// Budgets as of the last tick, for API, console and gates.
struct BudgetState {
  std::string slo;
  std::string service;
  Labels group;
  double target = 0;
  std::optional<double> sli;               ///< good share over the budget's period
  std::optional<double> budget_remaining;  ///< 1: untouched, 0: spent, below 0: overspent
  double coverage = 0;
  double bad_events = 0;
  double events = 0;
  minutes excluded{0};
  MinuteRange period;
  bool frozen = false;
  bool counted = true;  ///< false: no series has given it a group yet; only what is promised is known
  std::string length;   ///< of the period: "30d", "1M"
  bool rolling = true;
  bool freezes = false;  ///< a spent budget freezes changes
  bool composite = false;
  Budgeting budgeting = Budgeting::occurrences;
  NoData no_data = NoData::unknown;
  bool absent = false;  ///< platform is told that no sample comes
  Time last_sample;     ///< epoch: none yet, or a composite
  std::string workflow;
  std::string origin;                 ///< "pack.yaml:12:1"
  std::vector<BudgetWindow> windows;  ///< rising
  std::vector<BurnWindow> burn;       ///< what its alerts compare
  std::optional<AlertEvent> alert;    ///< of the burn, pending or firing
  friend bool operator==(const BudgetState&, const BudgetState&) = default;
};

/// What one ledger counted, minute by minute.
struct LedgerMinutes {
  std::string slo;
  std::string service;
  Labels group;
  double target = 0;
  NoData no_data = NoData::unknown;
  Counting counting;
  MinuteRange range;
  std::vector<Cell> cells;  ///< one a minute of `range`
};

}  // namespace ward::collector::slo
