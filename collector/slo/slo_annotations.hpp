#pragma once
#include <optional>
#include <string>
#include <vector>

#include "collector/slo/slo.hpp"
#include "common/config/node.hpp"

namespace ward::collector::slo {

/// What the annotations `ward.io/...` of an SLO say beside what goes into its SloSpec.
struct SloAnnotations {
  std::vector<std::string> composite;
  std::optional<SliSource> up;
  milliseconds scrape_interval{0};  ///< 0: not told
};

/// Reads them into `spec`. Keys of other owners are left alone; an unknown one of Ward's is a problem.
SloAnnotations read_annotations(config::Section& annotations, SloSpec& spec);

}  // namespace ward::collector::slo
