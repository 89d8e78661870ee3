#include "collector/sample_store.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "collector/store/sqlite/day_writer.hpp"

namespace ward::collector {
namespace {

/// Less than while it runs: a start should be short, and after it memory fills by itself.
constexpr std::chrono::hours kInMemoryAtStart{1};
/// A clock this far ahead of the newest stored day is not believed when it says what is old.
constexpr std::int64_t kDaysAhead = 2;

Time start_of(Day day) { return from_ms(day.get() * kDayMs); }

HeadOptions head_options(const CollectorConfig& config) {
  HeadOptions options;
  options.max_sample_age = config.max_sample_age;
  return options;
}

SeriesRef ref_of(SeriesId id) { return SeriesRef{id + 1}; }

SeriesId id_of(SeriesRef ref) { return ref.get() - 1; }

}  // namespace

Store::Store(const CollectorConfig& config, telemetry::Registry& metrics, std::unique_ptr<SqliteJournal> opened,
             std::unique_ptr<Days> on_disk)
    : journal(std::move(opened)),
      days(std::move(on_disk)),
      head(head_options(config)),
      history(head, *days),
      catalogue(config.caps),
      sink(head, catalogue, metrics),
      retention_(config.retention),
      in_memory_(std::max<milliseconds>(kInMemory, 2 * config.max_sample_age)),
      appending_(sink) {}

Result<std::uint64_t> Store::replay(Time now) {
  auto damaged = begin(now);
  while (damaged && replaying_) {
    const auto some = replay_some();
    damaged = some ? Result<std::uint64_t>{*damaged + *some} : some;
  }
  return damaged;
}

Result<std::uint64_t> Store::begin(Time now) {
  auto foreign = days->begin();
  if (!foreign) return fail(foreign.error());
  foreign_ = std::move(*foreign);
  Journal::KnownSeries into;
  into.series = [&](SeriesId id, const Labels& labels) {
    sink.define(id, labels);
    catalogue.load(id, labels);
  };
  into.day = [&](StoredDay stored) { head.set_last_day(ref_of(stored.series), Day{stored.day}); };
  const auto rows = journal->replay_series(into);
  if (!rows) return fail(rows.error());
  if (rows->highest) catalogue.reserve(*rows->highest);
  if (rows->damaged > 0) recover_series();
  auto from = now - std::max<milliseconds>(kInMemoryAtStart, 2 * (in_memory_ - kInMemory));
  // A clock that stands before all that is stored would have all of it read into memory.
  if (const auto oldest = days->first(); oldest && now < start_of(*oldest)) from = start_of(*days->last());
  history.whole_from(from);
  auto damaged = rows->damaged;
  auto read = days->each_chunk_since(from, [&](const SealedChunk& chunk) { damaged += head.load_chunk(chunk) ? 0 : 1; });
  if (!read) return fail(read.error());
  replaying_ = true;
  sink.hold_back(true);
  // Where series are damaged, only the records tell which numbers are taken, and a new series needs one that is free.
  while (rows->damaged > 0 && replaying_) {
    const auto some = replay_some();
    if (!some) return fail(some.error());
    damaged += *some;
  }
  return damaged;
}

Result<std::uint64_t> Store::replay_some(std::size_t enough) {
  std::vector<wire::IdSample> samples;
  samples.reserve(enough + enough / 8);
  const auto read = journal->replay_records(replayed_, enough, [&](const std::vector<wire::IdSample>& of_row) {
    samples.insert(samples.end(), of_row.begin(), of_row.end());
  });
  if (!read) return fail(read.error());
  // Beside the reading of the next ones: each takes about half of the time.
  appending_.append(samples);
  if (read->highest) catalogue.reserve(*read->highest);
  replayed_ = read->last;
  replayed_rows_ += read->rows;
  if (!read->end) return read->damaged;
  appending_.finish();
  sink.hold_back(false);
  replaying_ = false;
  // Positions are under no crc: one that is damaged upwards hides all rows behind it.
  const auto rows = journal->rows_since_chunks();
  return read->damaged + (rows > replayed_rows_ ? rows - replayed_rows_ : 0);
}

/// Every day knows the labels of its series too. What of the journal's rows cannot be read is found there, so that chunks on
/// disk are seen and their numbers are not another series'.
void Store::recover_series() {
  days->each_series([&](Day day, SeriesId id, const Labels& labels) {
    if (!catalogue.labels(id).empty()) return;
    sink.define(id, labels);
    head.set_last_day(ref_of(id), day);
    catalogue.load(id, labels);
  });
}

Status Store::adopt(Day day) {
  // Open, so that no commit is in doubt: opening it here would hide from the recorder that one was.
  if (const auto open = journal->batch(); !open) return fail(open.error());
  std::vector<NewSeries> series;
  const auto number = [&](const Labels& labels) {
    const auto id = catalogue.resolve_own(labels);
    series.push_back({id, labels, day.get()});
    return id;
  };
  if (auto read = days->each_series_of(day, [&](SeriesId, const Labels& labels) { number(labels); }); !read) return read;
  // The journal first: numbers that only the day knew would be given again after a crash.
  if (auto committed = journal->commit(series, {}); !committed) return committed;
  if (auto adopted = days->adopt(day, number); !adopted) return adopted;
  for (const auto& [id, labels, of_day] : series) {
    sink.define(id, labels);
    const auto known = head.last_day(ref_of(id));
    if (!known || *known < day) head.set_last_day(ref_of(id), day);
  }
  // From whole_from() on queries ask memory alone.
  return days->each_chunk_of(day, history.whole_from(), [this](const SealedChunk& chunk) { (void)head.load_chunk(chunk); });
}

Status Store::store_chunks() {
  // It would take rows off the journal that the head has not seen.
  if (replaying_) return fail(Errc::unavailable, "the journal is still being read", "Nothing; it is tried again.");
  if (auto resolved = resolve_attempt(); !resolved) return resolved;
  const auto last = journal->batch();
  if (!last) return fail(last.error());
  Attempt attempt;
  attempt.batch = *last + 1;
  attempt.series = head.close();
  if (attempt.series.empty() && journal->rows_since_chunks() == 0) return {};
  if (auto written = write_chunks(attempt); !written) {
    head.settle(attempt.series, false);
    return written;
  }
  return settle(std::move(attempt));
}

Status Store::write_chunks(Attempt& attempt) {
  std::map<std::string, std::vector<SeriesRef>> by_tenant;
  for (const auto ref : attempt.series) by_tenant[head.label(ref, "tenant")].push_back(ref);
  DayWriter writer(
      *days, attempt.batch,
      {[this](SeriesRef ref) { return head.labels(ref); }, [this](SeriesRef ref) { return head.last_day(ref); }});
  std::vector<SealedChunk> chunks;
  for (const auto& [tenant, refs] : by_tenant) {
    for (const auto ref : refs) {
      chunks.clear();
      // Copied, so that nobody waits for the disk behind the head's lock.
      head.take_unkept(ref, [&](const StoredChunk& chunk) {
        chunks.push_back({ref, chunk.t_min, chunk.t_max, chunk.count, {chunk.bytes().begin(), chunk.bytes().end()}});
      });
      for (const auto& chunk : chunks)
        if (auto added = writer.add(tenant, ref, chunk.t_min, chunk.t_max, chunk.bytes); !added) return added;
    }
  }
  attempt.newest = writer.newest();
  return writer.finish();
}

Status Store::settle(Attempt attempt) {
  // Own series come with no commit of an agent: without their rows the chunks would have no labels after a restart, or those
  // of whoever got the free number next.
  auto series = catalogue.take_new();
  std::vector<StoredDay> newest;
  for (const auto& [ref, day] : attempt.newest) newest.push_back({id_of(ref), day.get()});
  if (auto settled = journal->settle_chunks({attempt.batch, series, newest}); !settled) {
    catalogue.put_back(std::move(series));  // written twice is written once
    attempt_ = std::move(attempt);
    if (settled.error().code == Errc::full) (void)resolve_attempt();
    return settled;
  }
  // Those of agents whose samples wait for their commit: the head has to know them too.
  for (const auto& fresh : series) sink.define(fresh.id, fresh.labels);
  complete(attempt);
  return {};
}

Status Store::resolve_attempt() {
  if (!attempt_) return {};
  const auto batch = journal->batch();
  if (!batch) return fail(batch.error());
  const auto attempt = *std::exchange(attempt_, std::nullopt);
  if (*batch == attempt.batch)
    complete(attempt);
  else
    head.settle(attempt.series, false);
  return {};
}

void Store::complete(const Attempt& attempt) {
  for (const auto& [ref, day] : attempt.newest) head.set_last_day(ref, day);
  days->settled(attempt.batch);
  head.settle(attempt.series, true);
}

Status Store::tidy(Time now) {
  auto dropped = drop_old_days(trusted(now));
  release(now);
  auto rows = dropped ? drop_series(trusted(now)) : Status{};
  days->measure();
  return dropped ? rows : dropped;
}

/// Retention does not believe a clock that runs ahead: what it took away would be gone.
Time Store::trusted(Time now) const {
  const auto newest = days->last();
  return newest ? std::min(now, start_of(Day{newest->get() + 1 + kDaysAhead})) : now;
}

Status Store::drop_old_days(Time now) {
  Status first;
  const auto step = [&first](Status done) {
    if (!done && first) first = std::move(done);
  };
  if (const auto day = retention_.first_day(now)) step(days->drop_before(*day));
  if (retention_.size > 0) step(days->shrink_to(retention_.size));
  if (retention_.events.count() > 0) step(journal->drop_before(now - retention_.events));
  if (const auto whole = retention_.whole_day(now); whole && !retention_.tenants.empty()) {
    const auto expired = [&](const std::string& tenant, Day day) {
      const auto kept_from = retention_.first_day(tenant, now);
      return kept_from && day < *kept_from;
    };
    step(days->drop_tenants(*whole, whole->get(), expired));
  }
  return first;
}

void Store::release(Time now) {
  const auto from = std::max(history.whole_from(), now - in_memory_);
  history.whole_from(from);
  const auto first = retention_.first_day(trusted(now));
  const auto horizon = first ? start_of(*first) : Time::min();
  std::vector<SeriesId> quiet;
  for (const auto ref : head.release(from, horizon)) quiet.push_back(id_of(ref));
  catalogue.retire(quiet);
}

// Records are opaque, so there must be none; of chunks the head knows the last day.
Status Store::drop_series(Time now) {
  const auto oldest = days->first();
  head.forget([&](const std::string& tenant, std::optional<Day> last) {
    const auto first = retention_.first_day(tenant, now);
    return !last || !oldest || *last < *oldest || (first && *last < *first);
  });
  if (journal->rows_since_chunks() > 0) return {};
  auto unused = catalogue.unused();
  std::erase_if(unused, [this](SeriesId id) { return head.knows(ref_of(id)); });
  if (unused.empty()) return {};
  auto dropped = journal->drop_series(unused);
  if (dropped) catalogue.erase(unused);
  return dropped;
}

}  // namespace ward::collector
