#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "collector/ingest/series_row.hpp"
#include "collector/store/sqlite/journal.hpp"
#include "collector/store/sqlite/journal_row.hpp"

namespace ward::collector {
namespace {

/// Of a row that was written before rows carried one.
constexpr std::int64_t kUnchecked = -1;

bool intact(std::int64_t stored, std::int64_t computed) { return stored == kUnchecked || stored == computed; }

}  // namespace

/// What one replay() has come to.
struct SqliteJournal::Reading {
  const Replay& into;
  std::uint64_t damaged = 0;
  std::optional<SeriesId> highest;

  // Only of rows whose crc is right: a flipped bit in a number would take the numbers between, and memory for each of them.
  // A damaged row never becomes samples of a series, so its number may be another's.
  void met(SeriesId id) { highest = std::max(highest.value_or(id), id); }
};

Result<std::uint64_t> SqliteJournal::replay(const Replay& replay) {
  if (!db_) return fail(closed().error());
  Reading reading{replay, 0, {}};
  auto read = replay_series(reading);
  if (read && replay.before_samples) read = replay.before_samples(reading.damaged);
  if (read) read = replay_records(reading);
  if (!read) return fail(read.error());
  if (reading.highest && replay.highest) replay.highest(*reading.highest);
  return reading.damaged;
}

Status SqliteJournal::replay_series(Reading& reading) {
  auto series = db_->prepare("SELECT id,labels,crc,day FROM series ORDER BY id");
  if (!series) return fail(series.error());
  auto more = series->step();
  for (; more && *more; more = series->step()) {
    const auto id = static_cast<SeriesId>(series->integer(0));
    auto labels = read_series_row(series->blob(1));
    if (!labels || !intact(series->integer(2), row_crc(series->blob(1), id))) {
      ++reading.damaged;
      continue;
    }
    reading.into.series(id, std::move(*labels));
    if (reading.into.day && !series->is_null(3)) reading.into.day({id, series->integer(3)});
  }
  return more ? Status{} : fail(more.error());
}

Status SqliteJournal::replay_records(Reading& reading) {
  auto records = db_->prepare("SELECT t_min,t_max,payload,crc FROM journal ORDER BY position");
  if (!records) return fail(records.error());
  auto more = records->step();
  for (; more && *more; more = records->step()) {
    wire::Record record;
    record.t_min = from_ms(records->integer(0));
    record.t_max = from_ms(records->integer(1));
    if (intact(records->integer(3), row_crc(records->blob(2))) && codec_.decode(records->blob(2), record)) {
      for (const auto& sample : record.samples) reading.met(sample.id);
      reading.into.samples(std::move(record.samples));
    } else {
      ++reading.damaged;
    }
  }
  return more ? Status{} : fail(more.error());
}

}  // namespace ward::collector
