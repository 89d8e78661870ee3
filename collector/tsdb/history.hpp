#pragma once
#include <atomic>
#include <memory>
#include <span>
#include <vector>

#include "collector/tsdb/archive.hpp"
#include "collector/tsdb/head.hpp"

namespace ward::collector {

/// All samples: the head's and, before the time from which the head holds everything, those of the archive. Thread: any.
class History final : public Queryable {
 public:
  /// Both must outlive it. Until whole_from() says otherwise the head is taken to hold nothing.
  History(const Head& head, const ChunkArchive& archive) : head_(head), archive_(archive) {}

  /// From `t` on every sample is in the head. Call it before the head lets go of what is older.
  void whole_from(Time t) { whole_from_.store(to_ms(t)); }
  [[nodiscard]] Time whole_from() const { return from_ms(whole_from_.load()); }

  [[nodiscard]] Result<std::vector<SeriesData>> select(std::span<const Matcher> matchers, Time from, Time to) const override;
  [[nodiscard]] std::unique_ptr<SeriesReader> reader() const override;

 private:
  class Reader;
  const Head& head_;
  const ChunkArchive& archive_;
  std::atomic<std::int64_t> whole_from_{to_ms(Time::max())};
};

}  // namespace ward::collector
