#pragma once
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/tsdb/series_reader.hpp"

namespace ward::collector {

/// Label pairs one query brings along, numbered from 0 in the order they come. Thread: the query's.
class LabelNumbers {
 public:
  LabelId intern(std::string_view name, std::string_view value) {
    const auto [name_at, new_name] = names_.try_emplace(std::string(name));
    if (new_name) name_at->second.number = static_cast<std::uint32_t>(names_.size() - 1);
    const auto [at, is_new] = name_at->second.values.try_emplace(std::string(value), static_cast<LabelId>(pairs_.size()));
    if (is_new) pairs_.push_back({name_at->first, at->first, name_at->second.number});
    return at->second;
  }
  [[nodiscard]] LabelText text(LabelId id) const { return {pairs_[id].name, pairs_[id].value}; }
  [[nodiscard]] std::uint32_t name_number(LabelId id) const { return pairs_[id].name_number; }

 private:
  struct Name {
    std::uint32_t number = 0;
    std::unordered_map<std::string, LabelId> values;
  };
  struct Pair {
    std::string_view name;  // the keys of the maps, whose nodes never move
    std::string_view value;
    std::uint32_t name_number;
  };
  std::unordered_map<std::string, Name> names_;
  std::vector<Pair> pairs_;
};

}  // namespace ward::collector
