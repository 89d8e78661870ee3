#include "collector/store/sqlite/journal.hpp"

#include <algorithm>
#include <utility>

#include "collector/ingest/series_row.hpp"
#include "collector/store/sqlite/journal_row.hpp"
#include "collector/store/sqlite/journal_schema.hpp"
#include "common/base/assert.hpp"
#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

constexpr std::int64_t kRoomShare = 64;  // of the cap that must be free to count as room, not one record's worth
constexpr const char* kSlice = " LIMIT 4096";

constexpr const char* kStreamColumns =
    "SELECT id,tenant,agent,incarnation,boot,durable,stored,refused,lost,seen,forgotten FROM stream";

StreamState read_stream(const sqlite::Statement& row) {
  StreamState state;
  state.row = StreamRow{row.integer(0)};
  state.key.tenant = TenantId{std::string(row.text(1))};
  state.key.agent = AgentId{std::string(row.text(2))};
  const auto bytes = row.blob(3);
  std::copy_n(bytes.begin(), std::min(bytes.size(), state.key.incarnation.bytes.size()),
              state.key.incarnation.bytes.begin());
  state.boot = static_cast<std::uint64_t>(row.integer(4));
  state.durable = Sequence{static_cast<std::uint64_t>(row.integer(5))};
  state.stored = static_cast<std::uint64_t>(row.integer(6));
  state.refused = static_cast<std::uint64_t>(row.integer(7));
  state.lost = static_cast<std::uint64_t>(row.integer(8));
  state.seen = from_ms(row.integer(9));
  return state;
}

StreamRow stream_of(const JournalEntry& entry) {
  const auto* received = std::get_if<ReceivedRecord>(&entry);
  return received != nullptr ? received->stream : std::get<ReceivedGap>(entry).stream;
}

bool is_journal_row(const JournalEntry& entry) {
  const auto* received = std::get_if<ReceivedRecord>(&entry);
  return received != nullptr && received->record.kind != wire::RecordKind::events;
}

std::int64_t as_row(Sequence seq) { return static_cast<std::int64_t>(seq.get()); }

}  // namespace

struct SqliteJournal::Statements {
  sqlite::Statement put_stream, put_series, put_record, put_gap, put_event, put_mark, put_day, put_highest, find_digest,
      find_stream, put_seen, put_forgotten, drop_series;

  static Result<std::unique_ptr<Statements>> prepare(sqlite::Database& db) {
    auto out = std::make_unique<Statements>();
    const std::pair<sqlite::Statement*, std::string> all[] = {
        {&out->put_stream,
         "INSERT INTO stream(id,tenant,agent,incarnation,boot,durable,stored,refused,lost) VALUES(?,?,?,?,?,0,0,0,0)"},
        {&out->put_series,
         "INSERT INTO series(id,labels,crc,day) VALUES(?,?,?,?) ON CONFLICT(id) DO UPDATE SET "
         "labels=excluded.labels,crc=excluded.crc,day=max(coalesce(day,excluded.day),coalesce(excluded.day,day))"},
        {&out->put_record, "INSERT INTO journal(stream,seq,class,t_min,t_max,digest,payload,crc) VALUES(?,?,?,?,?,?,?,?)"},
        {&out->put_gap, "INSERT INTO gap VALUES(?,?,?,?,?,?,?)"},
        {&out->put_event, "INSERT INTO event(stream,seq,t,kind,attributes) VALUES(?,?,?,?,?)"},
        {&out->put_mark, "UPDATE stream SET durable=?,stored=?,refused=?,lost=?,forgotten=0 WHERE id=?"},
        {&out->put_day, "UPDATE series SET day=? WHERE id=?"},
        {&out->put_highest, "UPDATE highest SET series=?1,crc=?2 WHERE series<?1"},
        {&out->find_stream, std::string(kStreamColumns) + " WHERE tenant=? AND agent=? AND incarnation=?"},
        {&out->drop_series, "DELETE FROM series WHERE id=?"},
        {&out->put_seen, "UPDATE stream SET seen=?,forgotten=0 WHERE id=?"},
        {&out->put_forgotten, "UPDATE stream SET forgotten=? WHERE id=?"},
        {&out->find_digest, "SELECT digest FROM journal WHERE stream=? AND seq=? ORDER BY position DESC LIMIT 1"},
    };
    for (const auto& [statement, sql] : all) {
      auto prepared = db.prepare(sql);
      if (!prepared) return fail(prepared.error());
      *statement = std::move(*prepared);
    }
    return out;
  }
};

SqliteJournal::SqliteJournal(Options options) : options_(std::move(options)) {}
SqliteJournal::~SqliteJournal() = default;

Result<std::unique_ptr<SqliteJournal>> SqliteJournal::open(Options options) {
  std::unique_ptr<SqliteJournal> journal(new SqliteJournal(std::move(options)));
  if (auto opened = journal->reopen(); !opened) return fail(opened.error());
  return journal;
}

Status SqliteJournal::reopen() {
  statements_.reset();
  db_.reset();
  auto opened = open_file();
  if (opened) return opened;
  statements_.reset();
  db_.reset();
  // The statements fit the schema of every release: a name that SQLite misses is damage in the text of the schema. The code
  // does not tell it from a want of memory.
  const auto& what = opened.error().what;
  if (what.find("no such ") != std::string::npos || what.find("has no column named") != std::string::npos)
    return fail(Errc::corrupt, what, "Move '" + options_.path + "' aside and restart; keep it for analysis.");
  return opened;
}

Status SqliteJournal::open_file() {
  sqlite::OpenOptions file;
  file.path = options_.path;
  file.vfs = options_.vfs;
  file.max_bytes = options_.max_bytes;
  file.cache_bytes = 8 << 20;
  file.checkpoint_pages = options_.checkpoint_pages;
  auto db = sqlite::Database::open(file);
  if (!db) return fail(db.error());
  if (auto made = migrate_journal_schema(*db); !made) return made;
  if (auto settled = db->settle(); !settled) return settled;
  db_ = std::move(*db);
  auto statements = Statements::prepare(*db_);
  if (!statements) return fail(statements.error());
  statements_ = std::move(*statements);
  const auto rows = db_->scalar("SELECT count(*) FROM journal");
  if (!rows) return fail(rows.error());
  rows_since_chunks_ = static_cast<std::uint64_t>(*rows);
  return load_streams();
}

Status SqliteJournal::closed() const {
  return fail(Errc::unavailable, "the journal '" + options_.path + "' is closed after an I/O error", "Check its disk.");
}

Status SqliteJournal::ensure_open() { return db_ ? Status{} : reopen(); }

// After a failed sync the kernel holds pages that are clean and not on disk. Another write through the same connection
// builds on them: SQLite writes again only what it rolled back, not the frame tails before it, and a forced commit behind
// such a hole is gone after a power loss (found by tests/sim, seed 44: open_streams() failed, the next commit did not).
Status SqliteJournal::note(Status status) {
  if (status || status.error().code == Errc::full || planted(Planted::retry_failed_commit)) return status;
  statements_.reset();
  db_.reset();
  return status;
}

Status SqliteJournal::load_streams() {
  auto rows = db_->prepare(kStreamColumns);
  if (!rows) return fail(rows.error());
  // Sessions go on with the numbers they were given, also for streams that have no row yet or were forgotten in the file.
  const auto before = std::exchange(streams_, {});
  rows_.clear();
  rowless_.clear();
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    auto state = read_stream(*rows);
    highest_row_ = std::max(highest_row_, state.row);
    if (rows->integer(10) == 0 || before.contains(state.row)) know(std::move(state));
  }
  if (!more) {
    for (const auto& [row, state] : before) know(state);
    return fail(more.error());
  }
  for (const auto& [row, state] : before)
    if (!streams_.contains(row)) {
      rowless_.insert(row);
      know(state);
    }
  return {};
}

void SqliteJournal::know(StreamState state) {
  rows_.insert_or_assign(state.key, state.row);
  const auto row = state.row;
  streams_.insert_or_assign(row, std::move(state));
}

/// The state in memory, from the file if it was forgotten; null when there is none.
Result<StreamState*> SqliteJournal::recall(const StreamKey& key) {
  if (const auto known = rows_.find(key); known != rows_.end()) return &streams_.at(known->second);
  auto& find = statements_->find_stream;
  find.bind(1, std::string_view{key.tenant.get()})
      .bind(2, std::string_view{key.agent.get()})
      .bind(3, sqlite::Bytes{key.incarnation.bytes});
  const auto found = find.step();
  std::optional<StreamState> state;
  if (found && *found) state = read_stream(find);
  find.reset();
  if (!found) return fail(found.error());
  if (!state) return nullptr;
  const auto row = state->row;
  know(std::move(*state));
  return &streams_.at(row);
}

Result<std::vector<StreamState>> SqliteJournal::open_streams(std::span<const StreamKey> keys,
                                                             std::span<const std::uint64_t> boots) {
  WARD_ASSERT(keys.size() == boots.size());
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  std::vector<StreamState> out;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto known = recall(keys[i]);
    if (!known) return fail(note(fail(known.error())).error());
    if (*known == nullptr) {
      StreamState state;
      state.row = highest_row_ = StreamRow{highest_row_.get() + 1};
      state.key = keys[i];
      state.boot = boots[i];
      rowless_.insert(state.row);
      know(state);
      out.push_back(std::move(state));
    } else {
      out.push_back(**known);
    }
    stirred_.insert(out.back().row);
  }
  return out;
}

Status SqliteJournal::write_new_stream(const StreamState& state) {
  return statements_->put_stream.bind(1, state.row.get())
      .bind(2, std::string_view{state.key.tenant.get()})
      .bind(3, std::string_view{state.key.agent.get()})
      .bind(4, sqlite::Bytes{state.key.incarnation.bytes})
      .bind(5, static_cast<std::int64_t>(state.boot))
      .run();
}

Status SqliteJournal::probe() {
  if (auto opened = ensure_open(); !opened) return opened;
  if (auto room = has_room_under_cap(); !room) return note(std::move(room));
  return note(write_mark_of_life());
}

// The mark of life rewrites a row in its place, which a file at its cap takes too.
Status SqliteJournal::has_room_under_cap() {
  if (options_.max_bytes == 0) return {};
  const auto cap = db_->scalar("PRAGMA max_page_count");
  const auto used = cap ? db_->scalar("PRAGMA page_count") : cap;
  const auto unused = used ? db_->scalar("PRAGMA freelist_count") : used;
  if (!unused) return fail(unused.error());
  if (*cap - *used + *unused >= *cap / kRoomShare) return {};
  return fail(Errc::full, "the journal '" + options_.path + "' is at its cap",
              "Raise ingest.max_journal_size or shorten retention.");
}

Status SqliteJournal::write_mark_of_life() {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  if (auto put = db_->run("DELETE FROM settled; INSERT INTO settled VALUES(1)"); !put) return put;
  return transaction->commit();
}

Status SqliteJournal::commit(std::span<const NewSeries> series, std::span<const JournalEntry> entries) {
  if (auto opened = ensure_open(); !opened) return opened;
  // The marks in memory move only when the transaction did.
  States after;
  auto written = write(series, entries, after);
  if (!written && planted(Planted::retry_failed_commit)) written = write(series, entries, after = {});
  if (!written) return note(std::move(written));
  for (auto& [row, state] : after) {
    streams_.at(row) = std::move(state);
    rowless_.erase(row);
    stirred_.insert(row);
  }
  rows_since_chunks_ += static_cast<std::uint64_t>(std::count_if(entries.begin(), entries.end(), is_journal_row));
  return {};
}

Status SqliteJournal::write(std::span<const NewSeries> series, std::span<const JournalEntry> entries, States& after) {
  for (const auto& entry : entries) {
    const auto* received = std::get_if<ReceivedRecord>(&entry);
    const auto row = stream_of(entry);
    auto& state = after.try_emplace(row, streams_.at(row)).first->second;
    if (received != nullptr) {
      state.durable = std::max(state.durable, received->record.seq);
      state.stored += received->record.samples.size();
      state.refused += received->refused;
    } else {
      const auto& gap = std::get<ReceivedGap>(entry).gap;
      state.durable = std::max(state.durable, gap.to);
      state.lost += gap.samples;
    }
  }
  if (planted(Planted::watermark_apart)) {
    for (const auto& [row, state] : after) {
      if (rowless_.contains(row))
        if (auto put = write_new_stream(state); !put) return put;
      rowless_.erase(row);
      if (auto put = write_mark(state); !put) return put;
    }
  }

  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  if (auto put = write_series(series); !put) return put;
  for (const auto& [row, state] : after)
    if (rowless_.contains(row))
      if (auto put = write_new_stream(state); !put) return put;
  for (const auto& entry : entries) {
    const auto* received = std::get_if<ReceivedRecord>(&entry);
    if (auto put = received != nullptr ? write_record(*received) : write_gap(std::get<ReceivedGap>(entry)); !put) return put;
  }
  for (const auto& [row, state] : after)
    if (auto put = write_mark(state); !put) return put;
  return transaction->commit();
}

Status SqliteJournal::write_series(std::span<const NewSeries> series) {
  if (series.empty()) return {};
  SeriesId highest = 0;
  for (const auto& [id, labels, day] : series) {
    highest = std::max(highest, id);
    const auto row = series_row(labels);
    auto& put = statements_->put_series.bind(1, std::int64_t{id}).bind(2, sqlite::Bytes{row}).bind(3, row_crc(row, id));
    if (auto done = (day ? put.bind(4, *day) : put.bind_null(4)).run(); !done) return done;
  }
  return statements_->put_highest.bind(1, std::int64_t{highest}).bind(2, row_crc({}, highest)).run();
}

Status SqliteJournal::write_record(const ReceivedRecord& received) {
  const auto& record = received.record;
  if (record.kind == wire::RecordKind::events) return write_events(received);
  const auto payload = codec_.encode(record);
  return statements_->put_record.bind(1, received.stream.get())
      .bind(2, as_row(record.seq))
      .bind(3, static_cast<std::int64_t>(record.data_class))
      .bind(4, to_ms(record.t_min))
      .bind(5, to_ms(record.t_max))
      .bind(6, std::int64_t{record.digest})
      .bind(7, sqlite::Bytes{payload})
      .bind(8, row_crc(payload))
      .run();
}

Status SqliteJournal::write_events(const ReceivedRecord& received) {
  for (const auto& event : received.record.events) {
    wire::Buffer bytes;
    wire::ByteWriter w(bytes);
    wire::write_labels(w, event.attributes);
    auto put = statements_->put_event.bind(1, received.stream.get())
                   .bind(2, as_row(received.record.seq))
                   .bind(3, to_ms(event.t))
                   .bind(4, std::string_view{event.kind})
                   .bind(5, sqlite::Bytes{bytes})
                   .run();
    if (!put) return put;
  }
  return {};
}

Status SqliteJournal::write_gap(const ReceivedGap& received) {
  if (planted(Planted::forget_gap)) return {};
  const auto& gap = received.gap;
  return statements_->put_gap.bind(1, received.stream.get())
      .bind(2, as_row(gap.from))
      .bind(3, as_row(gap.to))
      .bind(4, static_cast<std::int64_t>(gap.samples))
      .bind(5, static_cast<std::int64_t>(gap.reason))
      .bind(6, to_ms(gap.t0))
      .bind(7, to_ms(gap.t1))
      .run();
}

Status SqliteJournal::write_mark(const StreamState& state) {
  return statements_->put_mark.bind(1, as_row(state.durable))
      .bind(2, static_cast<std::int64_t>(state.stored))
      .bind(3, static_cast<std::int64_t>(state.refused))
      .bind(4, static_cast<std::int64_t>(state.lost))
      .bind(5, state.row.get())
      .run();
}

Result<std::int64_t> SqliteJournal::identity() {
  if (!db_) return fail(closed().error());
  return db_->scalar("SELECT number FROM identity");
}

Result<std::int64_t> SqliteJournal::batch() {
  if (!db_) return fail(closed().error());
  return db_->scalar("SELECT number FROM chunk_batch");
}

Status SqliteJournal::settle_chunks(const ChunkBatch& batch) {
  if (!db_) return closed();
  if (auto written = note(write_settled(batch)); !written) return written;
  rows_since_chunks_ = 0;
  return {};
}

Status SqliteJournal::write_settled(const ChunkBatch& batch) {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  // The rows first, so that the rest finds their pages: at the cap there are no others.
  auto done = db_->run("DELETE FROM journal; UPDATE chunk_batch SET number=" + std::to_string(batch.number));
  if (!done) return done;
  if (auto put = write_series(batch.series); !put) return put;
  for (const auto& [series, day] : batch.days)
    if (auto put = statements_->put_day.bind(1, day).bind(2, std::int64_t{series}).run(); !put) return put;
  return transaction->commit();
}

Status SqliteJournal::drop_before(Time time) {
  if (!db_) return closed();
  const auto before = std::to_string(to_ms(time));
  // In slices: the log of one transaction needs room on the disk, and what is freed so far stays freed.
  const std::string slices[] = {
      "DELETE FROM event WHERE id IN (SELECT id FROM event WHERE t<" + before + " ORDER BY t" + kSlice + ")",
      "DELETE FROM gap WHERE rowid IN (SELECT rowid FROM gap WHERE t1<" + before + " AND t1>0" + kSlice + ")"};
  for (const auto& slice : slices) {
    do {
      if (auto dropped = note(db_->run(slice)); !dropped) return dropped;
    } while (db_->changes() > 0);
  }
  return {};
}

Status SqliteJournal::drop_series(std::span<const SeriesId> series) {
  if (!db_) return closed();
  while (!series.empty()) {
    const auto slice = series.first(std::min<std::size_t>(series.size(), 4'096));
    if (auto dropped = note(drop_slice(slice)); !dropped) return dropped;
    series = series.subspan(slice.size());
  }
  return {};
}

Status SqliteJournal::drop_slice(std::span<const SeriesId> series) {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  for (const auto id : series)
    if (auto dropped = statements_->drop_series.bind(1, std::int64_t{id}).run(); !dropped) return dropped;
  return transaction->commit();
}

Status SqliteJournal::forget_streams(const Silence& silence) {
  if (!db_) return closed();
  auto living = stirred_;
  living.insert(silence.in_use.begin(), silence.in_use.end());
  std::vector<StreamRow> heard;
  std::vector<StreamRow> silent;
  for (const auto& [row, state] : streams_) {
    // A clock that stood ahead once must not keep a stream for ever.
    if (living.contains(row) || state.seen == Time{} || state.seen > silence.now)
      heard.push_back(row);
    else if (silence.now - state.seen > silence.forget_after)
      silent.push_back(row);
  }
  if (auto written = note(write_silence(silence, heard, silent)); !written) return written;
  for (const auto row : heard) streams_.at(row).seen = silence.now;
  for (const auto row : silent) {
    rows_.erase(streams_.at(row).key);
    rowless_.erase(row);
    streams_.erase(row);
  }
  stirred_.clear();
  return {};
}

Status SqliteJournal::write_silence(const Silence& silence, std::span<const StreamRow> heard,
                                    std::span<const StreamRow> silent) {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  const auto now = to_ms(silence.now);
  for (const auto row : heard)
    if (auto put = statements_->put_seen.bind(1, now).bind(2, row.get()).run(); !put) return put;
  for (const auto row : silent)
    if (auto put = statements_->put_forgotten.bind(1, now).bind(2, row.get()).run(); !put) return put;
  // The newest row stays, so that its number is not given again after a restart.
  const auto limit = std::to_string(to_ms(silence.now - kKeepMarks));
  auto gone =
      db_->run("DELETE FROM stream WHERE forgotten>0 AND forgotten<" + limit + " AND id<(SELECT max(id) FROM stream)");
  if (!gone) return gone;
  return transaction->commit();
}

Result<std::vector<StreamState>> SqliteJournal::streams() {
  std::vector<StreamState> out;
  for (const auto& [row, state] : streams_) out.push_back(state);
  return out;
}

Result<bool> SqliteJournal::contradicts(StreamRow stream, Sequence seq, std::uint32_t digest) {
  if (!db_) return false;
  auto& find = statements_->find_digest;
  find.bind(1, stream.get()).bind(2, as_row(seq));
  const auto row = find.step();
  const bool differs = row && *row && static_cast<std::uint32_t>(find.integer(0)) != digest;
  find.reset();
  if (!row) return fail(row.error());
  return differs;
}

}  // namespace ward::collector
