#pragma once
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/slo/burn.hpp"
#include "collector/slo/intake.hpp"
#include "collector/slo/ledger.hpp"
#include "collector/slo/recount.hpp"
#include "collector/slo/series_table.hpp"
#include "collector/slo/slo.hpp"
#include "collector/slo/windows.hpp"

/// What the engine knows between calls; plain, private to the engine's files.
namespace ward::collector::slo {

struct SloState;
struct GroupState;

/// A source that a series may match.
struct SourceRef {
  SloState* slo = nullptr;
  std::size_t source = 0;
};

/// One series as one source counts it.
struct Slot {
  SloState* slo = nullptr;
  GroupState* group = nullptr;
  std::uint32_t source = 0;
  Sources::Index process = 0;
  SeriesMemory memory;
  std::optional<Time> live_from;  ///< where counting on arrival began: history is counted up to there
  bool live_from_zero = false;
};

/// What an expression's element counted.
struct QueryMemory {
  GroupState* group = nullptr;
  SeriesMemory memory;
};

struct Rows {
  bool made = false;
  bool has_frozen = false;
  SeriesTable::Row objective = 0;
  SeriesTable::Row budget = 0;
  SeriesTable::Row frozen = 0;
  SeriesTable::Row bad_events = 0;
  SeriesTable::Row good_events = 0;
  SeriesTable::Row excluded = 0;
  struct Window {
    SeriesTable::Row ratio = 0;
    SeriesTable::Row burn = 0;
    SeriesTable::Row coverage = 0;
  };
  std::vector<Window> windows;
};

struct GroupState {
  Labels labels;
  std::unique_ptr<Ledger> ledger;               ///< none in a composite
  std::vector<std::vector<GroupState*>> parts;  ///< of a composite, by component
  double target = 0;

  std::vector<WindowState> windows;  ///< as WindowPlan::lengths, of the last tick
  WindowState period;
  MinuteRange period_range;
  std::optional<double> budget_remaining;
  bool frozen = false;
  std::int64_t excluded_month = 0;  ///< a calendar month as a number
  std::int64_t excluded_used = 0;   ///< minutes of it

  Time last_sample;  ///< of any source: an idle group has samples, an absent one has none

  BurnWatch watch;
  AlertHold burning;
  AlertHold spent;
  Rows rows;
};

struct SloState {
  SloSpec spec;
  std::string identity;
  Counting counting;
  WindowPlan plan;
  bool native = true;  ///< all sources are selectors
  bool is_new = true;  ///< since the reload() that runs
  bool was_saved = false;
  Time since;  ///< known to the engine since
  std::map<Labels, std::unique_ptr<GroupState>> groups;
  std::set<Labels> refused;  ///< some groups beyond the bound, so that a series counts once
  Sources sources;
  std::unordered_map<std::uint64_t, QueryMemory> asked;  ///< by source and labels of the element
  std::optional<Minute> asked_at;
  std::unique_ptr<SeedJob> seed;  ///< history that is not counted yet
  bool seeded = false;
  AlertHold absent;
  std::vector<SloState*> parts;   ///< of a composite, by component; null where the SLO is missing
  std::vector<SloState*> above;   ///< composites this one is part of
  std::size_t parts_version = 0;  ///< of a composite: sum of its parts' versions when its groups were made
  std::size_t version = 0;        ///< rises with each new group
};

/// The labels of `group_by` that the series has.
Labels project(const Labels& series, const std::vector<std::string>& group_by);
/// Joins a source and the hash of a series' labels; with the key instead of the hash it gives the hash back.
std::uint64_t memory_key(std::size_t source, std::uint64_t labels_hash);

}  // namespace ward::collector::slo
