#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collector/tsdb/hash_index.hpp"
#include "collector/tsdb/label_table.hpp"
#include "collector/tsdb/queryable.hpp"

namespace ward::collector {

/// Labels of all series and the postings that find them: name -> value -> sorted refs. Each label pair is stored once; a
/// series holds the numbers of its pairs. Thread: not safe, the head guards it.
class LabelIndex {
 public:
  [[nodiscard]] std::optional<SeriesRef> find(const Labels& labels) const;
  /// Requires that neither the ref nor the labels are known.
  void add(SeriesRef ref, const Labels& labels);
  void remove(std::span<const SeriesRef> refs);
  /// Empty for an unknown ref.
  [[nodiscard]] Labels labels(SeriesRef ref) const;
  [[nodiscard]] bool has(SeriesRef ref) const;
  /// Orders refs as their label sets order; equal pairs are skipped by number, without comparing text.
  void sort_by_labels(std::vector<SeriesRef>& refs) const;
  /// Refs of the series that match all matchers, rising.
  [[nodiscard]] std::vector<SeriesRef> match(std::span<const Matcher> matchers) const;
  /// Values of a label over all series, sorted.
  [[nodiscard]] std::vector<std::string> values(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;
  [[nodiscard]] std::size_t size() const { return count_; }

  /// Rows of series and texts of pairs found while it is held stay where they are. Take it under the owner's lock.
  [[nodiscard]] LabelTable::Pin pin() const { return LabelTable::Pin{table_}; }
  /// Pair numbers of a series in label order; empty for an unknown ref.
  [[nodiscard]] std::span<const LabelId> row(SeriesRef ref) const;
  [[nodiscard]] const LabelTable& table() const { return table_; }

 private:
  /// Pair numbers of one series in label order; the first element is their count.
  using Row = std::unique_ptr<LabelId[]>;

  [[nodiscard]] bool same_labels(SeriesRef ref, const Labels& labels) const;
  [[nodiscard]] const std::vector<SeriesRef>* postings(std::string_view name, std::string_view value) const;
  [[nodiscard]] std::vector<SeriesRef> postings_of(const Matcher& m) const;
  [[nodiscard]] std::vector<SeriesRef> all() const;
  void filter(std::vector<SeriesRef>& refs, const Matcher& m) const;

  LabelTable table_;
  std::vector<Row> rows_;          ///< by ref
  std::vector<Row> dropped_rows_;  ///< pinned when their series went
  HashIndex by_hash_;
  std::size_t count_ = 0;
};

}  // namespace ward::collector
