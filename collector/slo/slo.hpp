#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/slo/period.hpp"
#include "collector/tsdb/queryable.hpp"
#include "common/base/time.hpp"
#include "common/config/node.hpp"
#include "common/model/labels.hpp"

/// Service level objectives: what is promised, how it is counted, when a burning error budget is told. Plain values, made
/// by slo_document.hpp and taken by engine.hpp. Facts: OpenSLO v1, Google's SRE workbook chapter 5.
namespace ward::collector::slo {

/// Alerts beside the one that carries its SLO's name.
inline constexpr std::string_view kNoDataAlert = "SloNoData";
inline constexpr std::string_view kSpentAlert = "SloBudgetSpent";

/// What a minute without events means. unknown: outside the ratio, lowers the coverage. bad, good: counts as such.
enum class NoData : std::uint8_t { unknown, bad, good };
std::string_view to_string(NoData n);

/// OpenSLO's budgetingMethod. occurrences: events are counted. timeslices: a slice of time is good or bad as a whole.
/// ratio_timeslices: the mean of the slices' ratios, so that busy slices weigh no more than quiet ones.
enum class Budgeting : std::uint8_t { occurrences, timeslices, ratio_timeslices };
std::string_view to_string(Budgeting b);

/// What a value of a source says.
enum class SliRole : std::uint8_t {
  good,       ///< good events
  bad,        ///< bad events
  total,      ///< all events
  raw_good,   ///< a ratio 0..1 of good
  raw_bad,    ///< a ratio 0..1 of bad
  threshold,  ///< a measurement that is good when it compares
  up,         ///< 0: the target is known to be down, so a minute without events is bad, not unknown
};

/// One stream of values of an indicator.
struct SliSource {
  SliRole role = SliRole::total;
  std::string query;              ///< as written
  std::vector<Matcher> matchers;  ///< of a bare selector, counted as samples arrive; empty: PromQL, asked once a minute
  bool counter = false;           ///< values only grow; deltas count, a fall is a restart from 0
  friend bool operator==(const SliSource&, const SliSource&) = default;
};

enum class Comparison : std::uint8_t { lt, lte, gt, gte };
bool holds(Comparison op, double value, double limit);

/// How good and bad are told apart. No sources: a composite.
struct Indicator {
  std::string name;
  std::vector<SliSource> sources;
  Comparison op = Comparison::lte;  ///< of SliRole::threshold
  double limit = 0;
  friend bool operator==(const Indicator&, const Indicator&) = default;
};

/// A part of a composite SLO.
struct Component {
  std::string slo;
  double weight = 1;
  friend bool operator==(const Component&, const Component&) = default;
};
/// all: a path works when every part works. weighted: OpenSLO's compositeWeight.
enum class Composition : std::uint8_t { all, weighted };

/// So many events in so long.
struct EventRate {
  double count = 0;
  milliseconds window{0};
  friend bool operator==(const EventRate&, const EventRate&) = default;
};

/// Burning when both windows burn faster than `factor`: long says that it matters, short that it goes on.
struct BurnWindow {
  milliseconds long_window{0};
  milliseconds short_window{0};
  double factor = 0;  ///< times the rate that spends the budget in exactly one period
  AlertClass cls = AlertClass::actionable;
  milliseconds after{0};  ///< burning for this long before it is told
  friend bool operator==(const BurnWindow&, const BurnWindow&) = default;
};

struct SloSpec {
  std::string name;
  std::string service;
  Indicator indicator;
  std::vector<Component> components;  ///< of a composite: it has no ledger of its own
  Composition composition = Composition::all;
  double target = 0;                             ///< good share, above 0 and below 1
  std::map<std::string, double> tenant_targets;  ///< where the group has this tenant
  Period period;
  Budgeting budgeting = Budgeting::occurrences;
  double slice_target = 1;  ///< good share that makes a slice good
  minutes slice{1};
  std::vector<std::string> group_by;  ///< labels that tell groups apart; each has its own ledger and alert
  std::size_t max_groups = 200;
  NoData no_data = NoData::unknown;
  milliseconds absent_after{0};  ///< without any known minute for this long, platform is told; 0: never
  EventRate min_events;          ///< fewer: no alert above actionable. count 0: no such gate
  EventRate min_bad;             ///< told as actionable when fewer events than min_events are usual; count 0: not
  milliseconds min_history{0};   ///< counted for less than this, a group's burning is not told
  bool exclude_maintenance = false;
  milliseconds max_excluded{0};  ///< in a calendar month (UTC); 0: no bound
  bool freeze = false;           ///< a spent budget freezes changes: an alert and a series say so
  std::vector<BurnWindow> burn;  ///< empty: nothing is told
  std::optional<AlertClass> max_class;
  std::string workflow;
  Labels alert_labels;       ///< owner, layer
  Labels alert_annotations;  ///< runbook_url, escalation, decision_tree, summary, description
  config::Node document;     ///< as loaded, for export
  std::string origin;        ///< "pack.yaml:12:1"

  [[nodiscard]] std::string file() const;  ///< of origin
  /// The highest class its burning is told with; informational where nothing is told.
  [[nodiscard]] AlertClass gravest() const;
};

/// Alike for SLOs that count alike: what is kept of one serves the other. Targets, periods, slices and alerts do not count.
/// Stable across releases: it is stored.
std::string counting_identity(const SloSpec& slo);
/// The tenant's own, or the SLO's.
double target_of(const SloSpec& slo, const Labels& group);

struct SloSet {
  std::vector<SloSpec> slos;  ///< by name; names are unique
  std::vector<std::string> services;
};

}  // namespace ward::collector::slo
