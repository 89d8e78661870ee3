#include "collector/store/sqlite/journal.hpp"

#include <algorithm>
#include <utility>

#include "common/base/assert.hpp"
#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

constexpr std::string_view kSchema = R"(
CREATE TABLE IF NOT EXISTS stream(
  id INTEGER PRIMARY KEY, tenant TEXT NOT NULL, agent TEXT NOT NULL, incarnation BLOB NOT NULL, boot INTEGER NOT NULL,
  durable INTEGER NOT NULL, stored INTEGER NOT NULL, refused INTEGER NOT NULL, lost INTEGER NOT NULL,
  UNIQUE(tenant, agent, incarnation));
CREATE TABLE IF NOT EXISTS series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS journal(
  position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, class INTEGER NOT NULL,
  t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, digest INTEGER NOT NULL, payload BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS gap(
  stream INTEGER NOT NULL, from_seq INTEGER NOT NULL, to_seq INTEGER NOT NULL, samples INTEGER NOT NULL,
  reason INTEGER NOT NULL, t0 INTEGER NOT NULL, t1 INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS event(
  id INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL, t INTEGER NOT NULL, kind TEXT NOT NULL,
  attributes BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS event_by_time ON event(t);
CREATE TABLE IF NOT EXISTS chunk(
  id INTEGER PRIMARY KEY, series INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, count INTEGER NOT NULL,
  data BLOB NOT NULL);
CREATE INDEX IF NOT EXISTS chunk_by_time ON chunk(t_max);
)";

std::int64_t as_row(Sequence seq) { return static_cast<std::int64_t>(seq.get()); }

}  // namespace

struct SqliteJournal::Statements {
  sqlite::Statement put_stream, put_series, put_record, put_gap, put_event, put_mark, put_chunk, find_digest;

  static Result<std::unique_ptr<Statements>> prepare(sqlite::Database& db) {
    auto out = std::make_unique<Statements>();
    const std::pair<sqlite::Statement*, std::string_view> all[] = {
        {&out->put_stream,
         "INSERT INTO stream(tenant,agent,incarnation,boot,durable,stored,refused,lost) VALUES(?,?,?,?,0,0,0,0)"},
        {&out->put_series, "INSERT OR REPLACE INTO series VALUES(?,?)"},
        {&out->put_record, "INSERT INTO journal(stream,seq,class,t_min,t_max,digest,payload) VALUES(?,?,?,?,?,?,?)"},
        {&out->put_gap, "INSERT INTO gap VALUES(?,?,?,?,?,?,?)"},
        {&out->put_event, "INSERT INTO event(stream,seq,t,kind,attributes) VALUES(?,?,?,?,?)"},
        {&out->put_mark, "UPDATE stream SET durable=?,stored=?,refused=?,lost=? WHERE id=?"},
        {&out->put_chunk, "INSERT INTO chunk(series,t_min,t_max,count,data) VALUES(?,?,?,?,?)"},
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
  sqlite::OpenOptions file;
  file.path = options_.path;
  file.vfs = options_.vfs;
  file.max_bytes = options_.max_bytes;
  file.cache_bytes = 8 << 20;
  file.checkpoint_pages = options_.checkpoint_pages;
  auto db = sqlite::Database::open(file);
  if (!db) return fail(db.error());
  if (auto made = db->run(kSchema); !made) return made;
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
  std::map<StreamRow, StreamState> found;
  auto rows = db_->prepare("SELECT id,tenant,agent,incarnation,boot,durable,stored,refused,lost FROM stream");
  if (!rows) return fail(rows.error());
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    StreamState state;
    state.row = StreamRow{rows->integer(0)};
    state.key.tenant = TenantId{std::string(rows->text(1))};
    state.key.agent = AgentId{std::string(rows->text(2))};
    const auto bytes = rows->blob(3);
    std::copy_n(bytes.begin(), std::min(bytes.size(), state.key.incarnation.bytes.size()),
                state.key.incarnation.bytes.begin());
    state.boot = static_cast<std::uint64_t>(rows->integer(4));
    state.durable = Sequence{static_cast<std::uint64_t>(rows->integer(5))};
    state.stored = static_cast<std::uint64_t>(rows->integer(6));
    state.refused = static_cast<std::uint64_t>(rows->integer(7));
    state.lost = static_cast<std::uint64_t>(rows->integer(8));
    found.emplace(state.row, std::move(state));
  }
  if (!more) return fail(more.error());
  streams_ = std::move(found);
  return {};
}

Result<std::vector<StreamState>> SqliteJournal::open_streams(std::span<const StreamKey> keys,
                                                             std::span<const std::uint64_t> boots) {
  WARD_ASSERT(keys.size() == boots.size());
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  std::vector<StreamState> out;
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const auto known =
        std::find_if(streams_.begin(), streams_.end(), [&](const auto& s) { return s.second.key == keys[i]; });
    if (known != streams_.end()) {
      out.push_back(known->second);
      continue;
    }
    StreamState state;
    state.key = keys[i];
    state.boot = boots[i];
    if (auto put = note(write_new_stream(state)); !put) return fail(put.error());
    streams_.emplace(state.row, state);
    out.push_back(std::move(state));
  }
  return out;
}

Status SqliteJournal::write_new_stream(StreamState& state) {
  auto put = statements_->put_stream.bind(1, std::string_view{state.key.tenant.get()})
                 .bind(2, std::string_view{state.key.agent.get()})
                 .bind(3, sqlite::Bytes{state.key.incarnation.bytes})
                 .bind(4, static_cast<std::int64_t>(state.boot))
                 .run();
  if (!put) return put;
  state.row = StreamRow{db_->last_insert_id()};
  return {};
}

Status SqliteJournal::commit(std::span<const NewSeries> series, std::span<const JournalEntry> entries) {
  if (auto opened = ensure_open(); !opened) return opened;
  // The marks in memory move only when the transaction did.
  auto after = streams_;
  auto written = write(series, entries, after);
  if (!written && planted(Planted::retry_failed_commit)) written = write(series, entries, after = streams_);
  if (!written) return note(std::move(written));
  streams_ = std::move(after);
  rows_since_chunks_ += entries.size();
  return {};
}

Status SqliteJournal::write(std::span<const NewSeries> series, std::span<const JournalEntry> entries,
                            std::map<StreamRow, StreamState>& after) {
  std::vector<StreamRow> touched;
  for (const auto& entry : entries) {
    const auto* received = std::get_if<ReceivedRecord>(&entry);
    const auto row = received != nullptr ? received->stream : std::get<ReceivedGap>(entry).stream;
    auto& state = after.at(row);
    touched.push_back(row);
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
  if (planted(Planted::watermark_apart))
    for (const auto row : touched)
      if (auto put = write_mark(after.at(row)); !put) return put;

  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  for (const auto& [id, labels] : series) {
    wire::Buffer bytes;
    wire::ByteWriter w(bytes);
    wire::write_labels(w, labels);
    if (auto put = statements_->put_series.bind(1, std::int64_t{id}).bind(2, sqlite::Bytes{bytes}).run(); !put) return put;
  }
  for (const auto& entry : entries) {
    const auto* received = std::get_if<ReceivedRecord>(&entry);
    if (auto put = received != nullptr ? write_record(*received) : write_gap(std::get<ReceivedGap>(entry)); !put) return put;
  }
  std::sort(touched.begin(), touched.end());
  touched.erase(std::unique(touched.begin(), touched.end()), touched.end());
  for (const auto row : touched)
    if (auto put = write_mark(after.at(row)); !put) return put;
  return transaction->commit();
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

Result<std::uint64_t> SqliteJournal::replay(const Replay& replay) {
  if (!db_) return fail(closed().error());
  std::uint64_t damaged = 0;
  auto series = db_->prepare("SELECT id,labels FROM series ORDER BY id");
  if (!series) return fail(series.error());
  auto more = series->step();
  for (; more && *more; more = series->step()) {
    wire::ByteReader in(series->blob(1));
    auto labels = wire::read_labels(in);
    if (in.ok())
      replay.series(static_cast<SeriesId>(series->integer(0)), std::move(labels));
    else
      ++damaged;
  }
  if (!more) return fail(more.error());
  auto chunks = db_->prepare("SELECT series,t_min,t_max,count,data FROM chunk ORDER BY t_max,id");
  if (!chunks) return fail(chunks.error());
  for (more = chunks->step(); more && *more; more = chunks->step()) {
    ChunkRow row;
    row.series = static_cast<SeriesId>(chunks->integer(0));
    row.t_min = from_ms(chunks->integer(1));
    row.t_max = from_ms(chunks->integer(2));
    row.count = static_cast<std::uint32_t>(chunks->integer(3));
    const auto data = chunks->blob(4);
    row.bytes.assign(data.begin(), data.end());
    replay.chunk(std::move(row));
  }
  if (!more) return fail(more.error());
  auto records = db_->prepare("SELECT t_min,t_max,payload FROM journal ORDER BY position");
  if (!records) return fail(records.error());
  for (more = records->step(); more && *more; more = records->step()) {
    wire::Record record;
    record.t_min = from_ms(records->integer(0));
    record.t_max = from_ms(records->integer(1));
    if (codec_.decode(records->blob(2), record))
      replay.samples(std::move(record.samples));
    else
      ++damaged;
  }
  if (!more) return fail(more.error());
  return damaged;
}

Status SqliteJournal::store_chunks(std::span<const ChunkRow> chunks) {
  if (!db_) return closed();
  if (auto stored = note(write_chunks(chunks)); !stored) return stored;
  rows_since_chunks_ = 0;
  return {};
}

Status SqliteJournal::write_chunks(std::span<const ChunkRow> chunks) {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  for (const auto& chunk : chunks) {
    auto put = statements_->put_chunk.bind(1, std::int64_t{chunk.series})
                   .bind(2, to_ms(chunk.t_min))
                   .bind(3, to_ms(chunk.t_max))
                   .bind(4, std::int64_t{chunk.count})
                   .bind(5, sqlite::Bytes{chunk.bytes})
                   .run();
    if (!put) return put;
  }
  if (auto gone = db_->run("DELETE FROM journal"); !gone) return gone;
  return transaction->commit();
}

Status SqliteJournal::drop_before(Time time) {
  if (!db_) return closed();
  const auto limit = std::to_string(to_ms(time));
  return note(db_->run("DELETE FROM chunk WHERE t_max<" + limit + "; DELETE FROM event WHERE t<" + limit +
                       "; DELETE FROM gap WHERE t1<" + limit + " AND t1>0"));
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
