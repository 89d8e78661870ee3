#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "common/exposition/descriptions.hpp"
#include "common/exposition/reader.hpp"
#include "common/relabel/relabel.hpp"
#include "probes/probe.hpp"

namespace ward::probes {

/// Whose label counts when an exporter says one that the target has too.
enum class OnConflict : std::uint8_t { rename, honor };

struct IntakeOptions {
  OnConflict on_conflict = OnConflict::rename;
  std::vector<RelabelRule> metric_relabel;
  std::size_t sample_limit = 10'000;  ///< samples that are left after relabelling
  std::size_t label_limit = 0;        ///< labels of a series, the target's and the name counted; 0 = none
};

/// What one exposition came to. Also of one that was refused: the counts say how far it was read.
struct Intake {
  Readings readings;  ///< with the target's labels (Naming::by_probe)
  std::vector<exposition::Description> descriptions;
  std::size_t scraped = 0;  ///< samples read
  std::size_t kept = 0;     ///< of those, what relabelling left
  std::optional<ProbeFailure> failure;
};

/// Turns an exposition into readings as Prometheus' scrape loop does: the target's labels, then relabelling, then limits;
/// one sample beyond a limit, or one line that cannot be read, refuses the whole. Timestamps of samples are left aside: all
/// of a run have the time of the run.
Intake take_in(std::string_view body, exposition::Format format, const IntakeOptions& options, const TargetFacts& target);

/// The labels of one sample beside those of its target, without its name. Names that conflict are the exporter's with
/// `honor` (an empty value removes the target's), else they become `exported_...`. The tenant is never the exporter's.
Labels with_target(std::vector<Label> exposed, const TargetFacts& target, OnConflict on_conflict);

}  // namespace ward::probes
