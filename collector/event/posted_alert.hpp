#pragma once
#include <optional>
#include <string>

#include "common/base/time.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// An alert as another Prometheus posts it to an Alertmanager.
struct PostedAlert {
  Labels labels;
  Labels annotations;
  std::optional<Time> starts_at;  ///< nullopt: when it came
  std::optional<Time> ends_at;    ///< nullopt: when nothing is heard of it for a while
  std::string generator_url;
  friend bool operator==(const PostedAlert&, const PostedAlert&) = default;
};

}  // namespace ward::collector
