#include "agent/spool/spool.hpp"

#include <algorithm>
#include <utility>

#include "agent/spool/statements.hpp"
#include "common/base/assert.hpp"
#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/sqlite/files.hpp"

namespace ward::agent {
namespace {

constexpr std::size_t kSamplesPerRecord =
    4096;                                      // a record stays far below wire::kMaxRecordBytes even when nothing compresses
constexpr std::uint64_t kRecordOverhead = 96;  // of an in-memory record, beside its samples

std::uint64_t memory_of(const wire::Record& record) {
  return kRecordOverhead + record.samples.size() * sizeof(wire::IdSample) + record.events.size() * 256;
}

}  // namespace

std::uint32_t stored_crc(const wire::Record& record, wire::ByteView payload) {
  wire::Buffer head;
  wire::ByteWriter w(head);
  w.u64(record.seq.get());
  w.u8(static_cast<std::uint8_t>(record.kind));
  w.u8(static_cast<std::uint8_t>(record.data_class));
  w.svarint(to_ms(record.t_min));
  w.svarint(to_ms(record.t_max));
  w.u32(record.digest);
  return crc32c(payload, crc32c(head));
}

std::uint64_t gap_samples_below(wire::ByteView counts, Sequence from, Sequence upto) {
  wire::ByteReader in(counts);
  std::uint64_t samples = 0;
  for (auto seq = from; seq < upto && !in.at_end(); seq = next(seq)) samples += in.varint();
  return samples;
}

Result<std::unique_ptr<Spool::Statements>> Spool::Statements::prepare(sqlite::Database& db) {
  auto out = std::make_unique<Statements>();
  const std::pair<sqlite::Statement*, std::string_view> all[] = {
      {&out->put_record, "INSERT OR REPLACE INTO record VALUES(?,?,?,?,?,?,?,?,?,?)"},
      {&out->get_record, "SELECT kind,class,count,t_min,t_max,digest,crc,payload FROM record WHERE stream=? AND seq=?"},
      {&out->put_stream, "INSERT OR REPLACE INTO stream VALUES(?,?,?,?,?,?,?,?)"},
      {&out->put_series, "INSERT OR REPLACE INTO series VALUES(?,?,?)"},
      {&out->put_gap, "INSERT OR REPLACE INTO gap VALUES(?,?,?,?,?,?,?,?)"},
      {&out->get_gap,
       "SELECT from_seq,to_seq,samples,reason,t0,t1,counts FROM gap WHERE stream=? AND from_seq<=? AND to_seq>=?"},
      {&out->put_cursor, "INSERT OR REPLACE INTO cursor VALUES(?,?,?)"},
      {&out->sum_records, "SELECT coalesce(sum(count),0) FROM record WHERE stream=? AND seq<=?"},
      {&out->delete_records, "DELETE FROM record WHERE stream=? AND seq<=?"},
      {&out->delete_gaps, "DELETE FROM gap WHERE stream=? AND to_seq<=?"},
      {&out->bump, "INSERT INTO meta VALUES('syncs',1) ON CONFLICT(key) DO UPDATE SET value=value+1"},
  };
  for (const auto& [statement, sql] : all) {
    auto prepared = db.prepare(sql);
    if (!prepared) return fail(prepared.error());
    *statement = std::move(*prepared);
  }
  return out;
}

Spool::Spool(SpoolOptions options, Random& random) : options_(std::move(options)), random_(random) {}
Spool::~Spool() = default;

Result<std::unique_ptr<Spool>> Spool::open(SpoolOptions options, Random& random) {
  std::unique_ptr<Spool> spool(new Spool(std::move(options), random));
  if (auto opened = spool->open_or_salvage(); !opened) return fail(opened.error());
  if (auto loaded = spool->load(); !loaded) return fail(loaded.error());
  if (auto begun = spool->begin_life(); !begun) spool->note_failure(begun.error());
  return spool;
}

Status Spool::open_file() {
  statements_.reset();
  db_.reset();
  sqlite::OpenOptions file;
  file.path = options_.path;
  file.vfs = options_.vfs;
  file.max_bytes = options_.max_bytes;
  file.cache_bytes = 512 << 10;
  file.checkpoint_pages = options_.checkpoint_pages;
  auto db = sqlite::Database::open(file);
  if (!db) return fail(db.error());
  if (auto made = db->run(kSpoolSchema); !made) return made;
  if (auto settled = db->settle(); !settled) return settled;
  const auto verdict = db->quick_check();
  if (!verdict) return fail(verdict.error());
  if (!verdict->empty()) return fail(Errc::corrupt, "the spool file '" + options_.path + "' is damaged: " + *verdict, "");
  db_ = std::move(*db);
  auto statements = Statements::prepare(*db_);
  if (!statements) return fail(statements.error());
  statements_ = std::move(*statements);
  return db_->set_durability(sqlite::Durability::normal);
}

Status Spool::load() {
  auto rows =
      db_->prepare("SELECT id,tenant,incarnation,boot,base,next,sampled,sampled_before_base FROM stream ORDER BY id");
  if (!rows) return fail(rows.error());
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    Live live;
    live.id = rows->integer(0);
    live.info.tenant = TenantId{std::string(rows->text(1))};
    const auto incarnation = rows->blob(2);
    std::copy_n(incarnation.begin(), std::min(incarnation.size(), live.info.incarnation.bytes.size()),
                live.info.incarnation.bytes.begin());
    live.info.boot = static_cast<std::uint64_t>(rows->integer(3));
    live.info.base = Sequence{static_cast<std::uint64_t>(rows->integer(4))};
    live.info.next = Sequence{static_cast<std::uint64_t>(rows->integer(5))};
    live.info.sampled = static_cast<std::uint64_t>(rows->integer(6));
    live.info.sampled_before_base = static_cast<std::uint64_t>(rows->integer(7));
    boot_ = std::max(boot_, live.info.boot);
    next_stream_id_ = std::max(next_stream_id_, live.id + 1);
    live.dirty = false;
    streams_.emplace(live.id, std::move(live));
  }
  if (!more) return fail(more.error());
  const auto boot = db_->scalar("SELECT value FROM meta WHERE key='boot'");
  if (!boot) return fail(boot.error());
  boot_ = std::max(boot_, static_cast<std::uint64_t>(*boot));

  // Series numbers are kept only as long as records use them: label churn over months must not pile up.
  const auto records = db_->scalar("SELECT count(*) FROM (SELECT 1 FROM record LIMIT 1)");
  if (!records) return fail(records.error());
  if (*records == 0)
    if (auto cleared = db_->run("DELETE FROM series"); !cleared) note_failure(cleared.error());
  auto series = db_->prepare("SELECT id,labels,crc FROM series");
  if (!series) return fail(series.error());
  for (more = series->step(); more && *more; more = series->step()) {
    next_series_id_ = std::max(next_series_id_, static_cast<std::uint32_t>(series->integer(0)) + 1);
    // Damaged labels would be refused by every collector, or be a lie; without them their records become gaps. An emptied
    // row has the right CRC: that of nothing.
    const bool intact = crc32c(series->blob(1)) == static_cast<std::uint32_t>(series->integer(2));
    wire::ByteReader in(series->blob(1));
    auto labels = wire::read_labels(in);
    if ((!intact || !in.ok() || labels.name().empty()) && !planted(Planted::trust_damaged_series)) continue;
    const auto [at, fresh] = ids_by_labels_.emplace(std::move(labels), static_cast<std::uint32_t>(series->integer(0)));
    if (fresh) labels_by_id_.emplace(at->second, &at->first);
  }
  if (!more) return fail(more.error());

  for (const auto& collector : options_.collectors) cursors_[collector];
  auto cursors = db_->prepare("SELECT collector,stream,durable FROM cursor");
  if (!cursors) return fail(cursors.error());
  for (more = cursors->step(); more && *more; more = cursors->step()) {
    const auto at = cursors_.find(std::string(cursors->text(0)));
    if (at != cursors_.end()) at->second[cursors->integer(1)] = Sequence{static_cast<std::uint64_t>(cursors->integer(2))};
  }
  if (!more) return fail(more.error());
  return {};
}

Status Spool::begin_life() {
  ++boot_;
  start_new_streams();
  auto put = db_->prepare("INSERT OR REPLACE INTO meta VALUES('boot',?)");
  if (!put) return fail(put.error());
  return put->bind(1, static_cast<std::int64_t>(boot_)).run();
}

void Spool::start_new_streams() {
  for (auto& [id, live] : streams_) live.info.live = false;
  Incarnation incarnation;
  for (auto& byte : incarnation.bytes) byte = static_cast<std::uint8_t>(random_.next());
  for (const auto& tenant : options_.tenants) {
    if (planted(Planted::reuse_incarnation)) {
      incarnation = Incarnation{};
      const auto old = find(tenant, incarnation);
      if (old != 0) {
        stream(old)->info.live = true;
        continue;
      }
    }
    Live live;
    live.id = next_stream_id_++;
    live.info.tenant = tenant;
    live.info.incarnation = incarnation;
    live.info.boot = boot_;
    live.info.live = true;
    streams_.emplace(live.id, std::move(live));
  }
  unsynced_ = true;
}

Spool::Live* Spool::stream(StreamId id) {
  const auto at = streams_.find(id);
  return at == streams_.end() ? nullptr : &at->second;
}

Spool::StreamId Spool::find(const TenantId& tenant, const Incarnation& incarnation) const {
  for (const auto& [id, live] : streams_)
    if (live.info.tenant == tenant && live.info.incarnation == incarnation) return id;
  return 0;
}

std::uint32_t Spool::series_id(const Labels& labels) {
  const auto known = ids_by_labels_.find(labels);
  if (known != ids_by_labels_.end()) return known->second;
  const auto id = next_series_id_++;
  const auto at = ids_by_labels_.emplace(labels, id).first;
  labels_by_id_.emplace(id, &at->first);
  unsaved_series_.push_back(id);
  return id;
}

void Spool::append(const Batch& batch) {
  if (planted(Planted::drop_silently) && trouble_) return;
  StreamId id = 0;
  for (const auto& [candidate, live] : streams_)
    if (live.info.live && live.info.tenant == batch.tenant) id = candidate;
  WARD_ASSERT(id != 0);
  for (std::size_t at = 0; at < batch.values.size(); at += kSamplesPerRecord) {
    wire::Record record;
    record.kind = wire::RecordKind::samples;
    record.data_class = batch.data_class;
    record.t_min = record.t_max = batch.time;
    const auto end = std::min(batch.values.size(), at + kSamplesPerRecord);
    record.samples.reserve(end - at);
    for (std::size_t i = at; i < end; ++i)
      record.samples.push_back({series_id(batch.values[i].series), batch.time, batch.values[i].value});
    record.digest = wire::digest(record.samples);
    seal(id, std::move(record));
  }
  for (std::size_t at = 0; at < batch.events.size(); at += wire::kMaxRecordEvents) {
    wire::Record record;
    record.kind = wire::RecordKind::events;
    record.data_class = std::max(batch.data_class, DataClass::page);
    const auto end = std::min(batch.events.size(), at + wire::kMaxRecordEvents);
    record.events.assign(batch.events.begin() + static_cast<std::ptrdiff_t>(at),
                         batch.events.begin() + static_cast<std::ptrdiff_t>(end));
    record.t_min = record.events.front().t;
    record.t_max = record.events.back().t;
    record.digest = wire::digest(record.events);
    seal(id, std::move(record));
  }
  // Page-relevant data reaches the disk itself at once, the rest within a second.
  flush(batch.data_class >= DataClass::page && !planted(Planted::never_sync_spool) ? sqlite::Durability::full
                                                                                   : sqlite::Durability::normal);
}

void Spool::seal(StreamId id, wire::Record record) {
  auto& live = *stream(id);
  live.dirty = true;
  auto& info = live.info;
  record.seq = info.next;
  info.next = next(info.next);
  info.sampled += record.samples.size();
  unsaved_bytes_ += memory_of(record);
  unsaved_.push_back({id, std::move(record)});
}

bool Spool::flush(sqlite::Durability durability) {
  if (db_ && unsaved_.empty() && unsaved_gaps_.empty() && !(unsynced_ && durability == sqlite::Durability::full))
    return true;
  auto written = db_ ? Status{} : reopen();
  if (written && durability == sqlite::Durability::full) written = db_->set_durability(durability);
  if (written) written = write_unsaved();
  if (!written && written.error().code == Errc::full && db_) {
    // Making room may meet another error than the one it should heal, and that one decides what comes next.
    written = make_room();
    if (written) written = write_unsaved();
  }
  if (db_ && durability == sqlite::Durability::full) (void)db_->set_durability(sqlite::Durability::normal);
  if (!written) {
    note_failure(written.error());
    bound_memory();
    return false;
  }
  unsynced_ = durability != sqlite::Durability::full;
  trouble_.reset();
  unsaved_.clear();
  unsaved_gaps_.clear();
  unsaved_series_.clear();
  unsaved_bytes_ = 0;
  for (auto& [id, live] : streams_) live.dirty = false;
  return true;
}

void Spool::note_failure(const Error& error) {
  ++stats_.write_failures;
  trouble_ = error;
  // After an I/O error the file's state is unknown until it is opened again; a bare retry could "succeed" on lost pages.
  if (error.code != Errc::full) {
    statements_.reset();
    db_.reset();
  }
}

Status Spool::open_or_salvage() {
  auto opened = open_file();
  if (opened || opened.error().code != Errc::corrupt) return opened;
  if (planted(Planted::drop_spool_on_damage)) {
    for (const char* suffix : {"", "-wal"}) (void)sqlite::remove_file(options_.vfs, options_.path + suffix);
  } else if (auto saved = salvage_spool(options_.path, options_.vfs); !saved) {
    return saved;
  }
  return open_file();
}

Status Spool::reopen() {
  if (auto opened = open_or_salvage(); !opened) return opened;
  // A commit that failed in its sync may have happened all the same: a trim that did counts, or its records would be
  // missed as a hole.
  auto rows = db_->prepare("SELECT id,base,sampled_before_base FROM stream");
  if (!rows) return fail(rows.error());
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    auto* known = stream(rows->integer(0));
    const Sequence base{static_cast<std::uint64_t>(rows->integer(1))};
    if (known == nullptr || base <= known->info.base) continue;
    known->info.base = base;
    known->info.sampled_before_base = static_cast<std::uint64_t>(rows->integer(2));
  }
  if (!more) return fail(more.error());
  // And whatever was committed before the error may be gone: series and streams are written again with the next flush.
  unsaved_series_.clear();
  for (const auto& [labels, id] : ids_by_labels_) unsaved_series_.push_back(id);
  for (auto& [id, live] : streams_) live.dirty = true;
  return {};
}

Status Spool::write_unsaved() {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  for (const auto id : unsaved_series_) {
    wire::Buffer bytes;
    wire::ByteWriter w(bytes);
    wire::write_labels(w, *labels_by_id_.at(id));
    if (auto put =
            statements_->put_series.bind(1, std::int64_t{id}).bind(2, bytes).bind(3, std::int64_t{crc32c(bytes)}).run();
        !put)
      return put;
  }
  for (const auto& [id, record] : unsaved_)
    if (auto put = write_record(id, record); !put) return put;
  for (const auto& [id, gap] : unsaved_gaps_)
    if (auto put = write_gap(id, gap); !put) return put;
  for (const auto& [id, live] : streams_)
    if (live.dirty)
      if (auto put = write_stream(live); !put) return put;
  if (unsaved_.empty())
    if (auto put = statements_->bump.run(); !put) return put;
  return transaction->commit();
}

Status Spool::write_record(StreamId id, const wire::Record& record) {
  const auto payload = codec_.encode(record);
  return statements_->put_record.bind(1, id)
      .bind(2, static_cast<std::int64_t>(record.seq.get()))
      .bind(3, static_cast<std::int64_t>(record.kind))
      .bind(4, static_cast<std::int64_t>(record.data_class))
      .bind(5, static_cast<std::int64_t>(record.samples.size()))
      .bind(6, to_ms(record.t_min))
      .bind(7, to_ms(record.t_max))
      .bind(8, std::int64_t{record.digest})
      .bind(9, std::int64_t{stored_crc(record, payload)})
      .bind(10, sqlite::Bytes{payload})
      .run();
}

Status Spool::write_stream(const Live& live) {
  const auto& info = live.info;
  return statements_->put_stream.bind(1, live.id)
      .bind(2, std::string_view{info.tenant.get()})
      .bind(3, sqlite::Bytes{info.incarnation.bytes})
      .bind(4, static_cast<std::int64_t>(info.boot))
      .bind(5, static_cast<std::int64_t>(info.base.get()))
      .bind(6, static_cast<std::int64_t>(info.next.get()))
      .bind(7, static_cast<std::int64_t>(info.sampled))
      .bind(8, static_cast<std::int64_t>(info.sampled_before_base))
      .run();
}

Status Spool::write_gap(StreamId id, const Gap& gap, wire::ByteView counts) {
  return statements_->put_gap.bind(1, id)
      .bind(2, static_cast<std::int64_t>(gap.from.get()))
      .bind(3, static_cast<std::int64_t>(gap.to.get()))
      .bind(4, static_cast<std::int64_t>(gap.samples))
      .bind(5, static_cast<std::int64_t>(gap.reason))
      .bind(6, to_ms(gap.t0))
      .bind(7, to_ms(gap.t1))
      .bind(8, counts)
      .run();
}

void Spool::bound_memory() {
  // Lowest class first, oldest first; each becomes a gap, so that the stream stays whole and the count exact.
  for (auto cls = DataClass::raw; unsaved_bytes_ > options_.max_unsaved_bytes && cls <= DataClass::audit;
       cls = static_cast<DataClass>(static_cast<int>(cls) + 1)) {
    for (auto it = unsaved_.begin(); it != unsaved_.end() && unsaved_bytes_ > options_.max_unsaved_bytes;) {
      if (it->record.data_class != cls) {
        ++it;
        continue;
      }
      const auto& record = it->record;
      const Gap gap{record.seq, record.seq, record.samples.size(), GapReason::disk_error, record.t_min, record.t_max};
      stats_.dropped_samples[gap.reason] += gap.samples;
      unsaved_bytes_ -= memory_of(record);
      unsaved_gaps_.push_back({it->stream, gap});
      it = unsaved_.erase(it);
    }
  }
}

}  // namespace ward::agent
