#pragma once
#include <string>
#include <string_view>
#include <vector>

#include "common/exposition/reader.hpp"

namespace ward::exposition {

/// Everything that was read, and the error that ended it ("" = none).
struct Whole {
  std::vector<Entry> entries;
  std::string error;
  std::vector<SampleLine> samples() const {
    std::vector<SampleLine> out;
    for (const auto& entry : entries)
      if (const auto* sample = std::get_if<SampleLine>(&entry)) out.push_back(*sample);
    return out;
  }
};

inline Whole read(std::string_view text, Format format, Limits limits = {}) {
  Whole whole;
  Reader reader(text, format, limits);
  while (true) {
    auto entry = reader.next();
    if (!entry) {
      whole.error = entry.error().what;
      break;
    }
    if (!*entry) break;
    whole.entries.push_back(std::move(**entry));
  }
  return whole;
}

inline SampleLine sample(std::string metric, std::vector<Label> labels, double value,
                         std::optional<Time> time = std::nullopt) {
  return {{std::move(metric), std::move(labels)}, value, time};
}

}  // namespace ward::exposition
