#pragma once
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collector/rehearsal/rehearsal.hpp"
#include "collector/rehearsal/series_reads.hpp"

namespace ward::collector {

/// Stored samples, handed over as time goes on.
class SampleSource {
 public:
  /// One chunk as it is stored (tsdb/chunk.hpp), and its samples. Both live until it returns.
  using Take =
      std::function<void(const Labels& series, std::span<const std::uint8_t> chunk, std::span<const Sample> samples)>;
  virtual ~SampleSource() = default;
  /// Begins anew: from now on only chunks that end at `from` or later, of series that `wanted` names.
  virtual Status open(Time from, std::function<bool(const Labels&)> wanted) = 0;
  /// Everything that begins before `until` and was not handed over yet. Errors are those of the disk; what is damaged is
  /// left out.
  virtual Status load(Time until, const Take& take) = 0;
};

/// An incident and the pages about it.
struct PagedIncident {
  Incident incident;
  std::size_t pages = 0;               ///< fires and escalations, each receiver's for itself
  std::vector<std::string> receivers;  ///< sorted
};

/// A page that went out, or would have.
struct Page {
  std::string incident;
  std::string receiver;
};

/// The incidents opened in [since, until] with their pages, oldest first. One that was merged into another is not among
/// them; its pages are the other's.
std::vector<PagedIncident> paged_incidents(std::span<const Incident> incidents, std::span<const Page> pages, Time since,
                                           Time until);

/// One SLO and group, as it would have stood.
struct RehearsedLevel {
  slo::BudgetState over;                ///< of the time that was asked for, taken as a period of its own
  std::optional<double> budget_left{};  ///< of its own period, as of the end
  std::size_t incidents = 0;            ///< that alerts of it were part of
  std::size_t pages = 0;                ///< of incidents whose root it was
};

struct BacktestResult {
  std::vector<PagedIncident> incidents;  ///< opened in the time that was asked for, oldest first
  /// Rules that could not be evaluated, and how often; with the last reason.
  struct Failing {
    std::size_t times = 0;
    std::string why;
  };
  std::map<std::string, Failing> failing;
  std::vector<RehearsedLevel> levels;  ///< by SLO and group
  std::size_t series = 0;              ///< read from the source
  std::size_t samples = 0;             ///< of them
  std::size_t evaluations = 0;
};

struct BacktestOptions {
  Time since;
  Time until;
  /// Evaluate no more often than this; zero: as often as the collector does.
  milliseconds step{0};
};

/// What the rules and SLOs would have done with the samples of the past, evaluated when the collector would have evaluated
/// them. Before, SLOs count as far back as their windows reach, as a collector does at its start.
/// Starts some time before `since`, so that what is pending then is known; incidents from before are not told. Memory holds
/// an hour of chunks of the series that rules read, and how far back they look.
Result<BacktestResult> backtest(Sandbox& sandbox, Rehearsal::Setting setting, SampleSource& source,
                                const BacktestOptions& options);

/// One incident on both sides, or on one.
struct BacktestRow {
  enum class Kind : std::uint8_t {
    same,     ///< the same cause at the same time
    changed,  ///< the same alerts, under another cause, owner or class
    added,    ///< only now
    gone,     ///< only before
  };
  Kind kind = Kind::same;
  std::optional<PagedIncident> now;
  std::optional<PagedIncident> before;
};
std::string_view to_string(BacktestRow::Kind kind);

/// Pairs incidents that overlap in time, with `slack` for late and early ones; oldest first.
std::vector<BacktestRow> compare_incidents(std::span<const PagedIncident> now, std::span<const PagedIncident> before,
                                           milliseconds slack = std::chrono::minutes{5});

}  // namespace ward::collector
