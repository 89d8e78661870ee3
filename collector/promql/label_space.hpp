#pragma once
#include <cstdint>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "collector/tsdb/series_reader.hpp"
#include "common/model/labels.hpp"

namespace ward::promql {

using collector::LabelId;

/// A label set inside one query: numbers of its pairs in the order of their names. Two sets are equal when their numbers
/// are. The numbers live as long as the query's LabelSpace.
class LabelSet {
 public:
  LabelSet() = default;
  explicit LabelSet(std::span<const LabelId> ids) : ids_(ids.data()), size_(static_cast<std::uint32_t>(ids.size())) {}
  [[nodiscard]] std::span<const LabelId> ids() const { return {ids_, size_}; }
  [[nodiscard]] std::size_t size() const { return size_; }
  [[nodiscard]] std::uint64_t hash() const;
  friend bool operator==(LabelSet a, LabelSet b);

 private:
  const LabelId* ids_ = nullptr;
  std::uint32_t size_ = 0;
};

/// Some label names, to be looked for in many sets: text is compared once a name, then numbers are.
class NameSet {
 public:
  explicit NameSet(std::vector<std::string> names) : names_(std::move(names)) {}
  [[nodiscard]] const std::vector<std::string>& names() const { return names_; }
  [[nodiscard]] bool contains(const collector::SeriesReader& reader, LabelId id);

 private:
  static constexpr std::uint32_t kRemembered = 4096;
  enum class Known : std::uint8_t { unknown, yes, no };
  [[nodiscard]] bool has_text(const collector::SeriesReader& reader, LabelId id) const;
  std::vector<std::string> names_;
  std::vector<Known> known_;  ///< by name number
};

/// Label sets of one query: makes new ones out of those the store gave, and turns numbers into text at the end. All its
/// memory is freed with the query. Thread: the query's.
class LabelSpace {
 public:
  LabelSpace(collector::SeriesReader& reader, std::pmr::memory_resource& memory) : reader_(reader), memory_(memory) {}

  /// Empty when absent.
  [[nodiscard]] std::string_view get(LabelSet set, std::string_view name) const;
  [[nodiscard]] Labels labels(LabelSet set) const;
  /// The number of the metric name's pair, or kNone.
  static constexpr LabelId kNone = 0xffff'ffffU;
  [[nodiscard]] LabelId name_id(LabelSet set);

  LabelSet make(const Labels& labels);
  /// An empty value removes the label.
  LabelSet with(LabelSet set, std::string_view name, std::string_view value);
  LabelSet without(LabelSet set, std::string_view name);
  LabelSet without_name(LabelSet set);
  /// Only the labels whose names are in `names`.
  LabelSet only(LabelSet set, NameSet& names);
  LabelSet without(LabelSet set, NameSet& names);
  /// As only() and without(), into a buffer of the caller: for looking a set up before keeping it.
  void only(LabelSet set, NameSet& names, std::vector<LabelId>& out) const;
  void without(LabelSet set, NameSet& names, std::vector<LabelId>& out) const;
  LabelSet keep(std::span<const LabelId> ids);
  /// By label names and values, as Labels order.
  [[nodiscard]] bool less(LabelSet a, LabelSet b) const;
  [[nodiscard]] collector::SeriesReader& reader() { return reader_; }

 private:
  collector::SeriesReader& reader_;
  std::pmr::memory_resource& memory_;
  NameSet metric_name_{{std::string(kNameLabel)}};
};

/// Numbers label sets from 0 in the order they come. Thread: the query's.
class LabelSetIndex {
 public:
  struct Place {
    std::uint32_t number = 0;
    bool is_new = false;
  };
  /// The set's ids must stay where they are when it is new.
  Place add(LabelSet set);
  /// Copies the ids into `space` when the set is new.
  Place add(LabelSpace& space, std::span<const LabelId> ids);
  [[nodiscard]] std::size_t size() const { return sets_.size(); }
  [[nodiscard]] LabelSet operator[](std::size_t number) const { return sets_[number]; }

 private:
  [[nodiscard]] std::size_t slot(LabelSet set) const;
  Place insert(std::size_t at, LabelSet set);
  void grow();
  std::vector<LabelSet> sets_;
  std::vector<std::uint32_t> slots_;  ///< number + 1, 0 where free; a power of two, at most half full
};

}  // namespace ward::promql
