#include <algorithm>
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

Result<Journal::ReplayedSeries> SqliteJournal::replay_series(const KnownSeries& take) {
  if (!db_) return fail(closed().error());
  auto series = db_->prepare("SELECT id,labels,crc,day FROM series ORDER BY id");
  if (!series) return fail(series.error());
  ReplayedSeries out;
  auto more = series->step();
  for (; more && *more; more = series->step()) {
    const auto id = static_cast<SeriesId>(series->integer(0));
    auto labels = read_series_row(series->blob(1));
    if (!labels || !intact(series->integer(2), row_crc(series->blob(1), id))) {
      ++out.damaged;
      continue;
    }
    take.series(id, std::move(*labels));
    if (take.day && !series->is_null(3)) take.day({id, series->integer(3)});
  }
  if (!more) return fail(more.error());
  auto highest = db_->prepare("SELECT series,crc FROM highest");
  if (!highest) return fail(highest.error());
  const auto row = highest->step();
  if (!row) return fail(row.error());
  const auto number = *row ? highest->integer(0) : -1;
  if (!*row || !intact(highest->integer(1), row_crc({}, static_cast<SeriesId>(number))))
    ++out.damaged;
  else if (number >= 0)
    out.highest = static_cast<SeriesId>(number);
  return out;
}

Result<Journal::ReplayedRecords> SqliteJournal::replay_records(
    Position after, std::size_t enough, const std::function<void(std::vector<wire::IdSample>)>& take) {
  if (!db_) return fail(closed().error());
  auto records = db_->prepare("SELECT position,t_min,t_max,payload,crc FROM journal WHERE position>? ORDER BY position");
  if (!records) return fail(records.error());
  records->bind(1, after.get());
  ReplayedRecords out;
  out.last = after;
  std::size_t samples = 0;
  auto more = records->step();
  for (; more && *more; more = records->step()) {
    out.last = Position{records->integer(0)};
    ++out.rows;
    wire::Record record;
    record.t_min = from_ms(records->integer(1));
    record.t_max = from_ms(records->integer(2));
    if (intact(records->integer(4), row_crc(records->blob(3))) && codec_.decode(records->blob(3), record)) {
      // Not of damaged rows: a flipped bit in a number would take the numbers between, and memory for each.
      for (const auto& sample : record.samples) out.highest = std::max(out.highest.value_or(sample.id), sample.id);
      samples += record.samples.size();
      take(std::move(record.samples));
    } else {
      ++out.damaged;
    }
    if (samples >= enough) return out;
  }
  if (!more) return fail(more.error());
  out.end = true;
  return out;
}

}  // namespace ward::collector
