// How a spool starts: the file is opened, read and believed, or set aside; what a former life left becomes known.
#include <algorithm>
#include <utility>

#include "agent/spool/spool.hpp"
#include "agent/spool/statements.hpp"
#include "common/base/crc32c.hpp"
#include "common/base/planted.hpp"
#include "common/sqlite/files.hpp"

namespace ward::agent {
namespace {

bool has_no_bytes(const std::string& vfs, const std::string& path) {
  const auto there = sqlite::file_exists(vfs, path);
  if (!there || !*there) return there.has_value();
  auto file = sqlite::File::open(vfs, path, sqlite::File::Mode::read);
  const auto size = file ? file->size() : Result<std::uint64_t>{fail(file.error())};
  return size && *size == 0;
}

/// What cannot be wrong with our own statements is wrong with the names in the file: integrity_check does not look there.
Error as_damage(Error error) {
  if (error.code == Errc::internal) error.code = Errc::corrupt;
  return error;
}

/// Of a row id, tenant, incarnation, boot, base, next, sampled, sampled_before_base, crc.
bool intact_stream(const sqlite::Statement& row) {
  return row.integer(8) ==
         row_crc({row.integer(0), row.integer(3), row.integer(4), row.integer(5), row.integer(6), row.integer(7)},
                 row.text(1), row.blob(2));
}

/// A flipped bit in the key of a record may put it under a number that its stream never gave out, or under no stream at all,
/// and leave the order of keys as it should be. Nobody reads, sends or trims such a record: it would stay for ever. Its own
/// number is a hole now and is stated as such. How many there were.
Result<std::int64_t> drop_strays(sqlite::Database& db) {
  std::int64_t dropped = 0;
  // Searches only, no walk through all records: each start pays for this. CROSS JOIN keeps SQLite to this order of tables.
  for (const char* which :
       {"(stream,seq) IN (SELECT r.stream,r.seq FROM stream s CROSS JOIN record r ON r.stream=s.id AND r.seq<s.base)",
        "(stream,seq) IN (SELECT r.stream,r.seq FROM stream s CROSS JOIN record r ON r.stream=s.id AND r.seq>=s.next)",
        "stream IN (WITH RECURSIVE held(id) AS (SELECT min(stream) FROM record UNION ALL "
        "SELECT (SELECT min(stream) FROM record WHERE stream>held.id) FROM held WHERE held.id IS NOT NULL) "
        "SELECT id FROM held WHERE id NOT IN (SELECT id FROM stream))"}) {
    if (auto gone = db.run("DELETE FROM record WHERE " + std::string(which)); !gone) return fail(gone.error());
    dropped += db.changes();
  }
  return dropped;
}

}  // namespace

Result<std::unique_ptr<Spool>> Spool::open(SpoolOptions options, Random& random) {
  std::unique_ptr<Spool> spool(new Spool(std::move(options), random));
  auto opened = spool->open_or_salvage(Settle::yes);
  const bool full = !opened && opened.error().code == Errc::full;
  const auto why = full ? std::optional<Error>{opened.error()} : std::nullopt;
  // To settle takes room. Without, the file can be read and its streams known; it is settled before the next write.
  if (full) opened = spool->open_or_salvage(Settle::no);
  if (!opened) return fail(opened.error());
  if (auto loaded = spool->load_or_salvage(full ? Settle::no : Settle::yes); !loaded) return fail(loaded.error());
  spool->open_tail();
  spool->recover_tail();
  if (full) {
    spool->statements_.reset();
    spool->db_.reset();
    spool->note_failure(*why);
  }
  if (auto begun = spool->begin_life(); !begun) spool->note_failure(begun.error());
  return spool;
}

Status Spool::load_or_salvage(Settle settle) {
  const auto loaded = load();
  if (loaded || as_damage(loaded.error()).code != Errc::corrupt) return loaded;
  statements_.reset();
  db_.reset();
  if (auto aside = set_aside(as_damage(loaded.error())); !aside) return aside;
  if (auto opened = open_or_salvage(settle); !opened) return opened;
  streams_.clear();
  ids_by_labels_.clear();
  labels_by_id_.clear();
  return load();
}

Status Spool::open_or_salvage(Settle settle) {
  auto opened = open_file(settle);
  for (int tries = 0; tries < 2 && !opened; ++tries) {
    const auto why = opened.error();
    if (why.code != Errc::corrupt && why.code != Errc::invalid) break;
    if (auto aside = set_aside(why); !aside) return aside;
    opened = open_file(settle);
  }
  return opened;
}

Status Spool::set_aside(const Error& why) {
  if (planted(Planted::drop_spool_on_damage)) {
    for (const char* suffix : {"", "-wal"}) (void)sqlite::remove_file(options_.vfs, options_.path + suffix);
    return {};
  }
  if (why.code == Errc::corrupt) {
    auto saved = salvage_spool(options_.path, options_.vfs);
    if (saved)
      notices_.push_back(
          {Errc::corrupt, why.what + "; what could be read was kept, the rest becomes gaps",
           "Check the disk. The old file is '" + options_.path + ".damaged'; remove it when it is of no use."});
    return saved;
  }
  sqlite::OpenOptions file;
  file.path = options_.path;
  file.vfs = options_.vfs;
  std::int64_t version = 0;
  {
    auto db = sqlite::Database::open(file);
    if (!db) return fail(db.error());
    const auto schema = look_at_schema(*db);
    if (!schema) return fail(schema.error());
    version = schema->version;
  }
  auto moved = set_schema_aside(options_.path, options_.vfs, version);
  if (moved)
    notices_.push_back({Errc::invalid,
                        why.what + "; it was set aside as '" + options_.path + ".schema-" + std::to_string(version) +
                            "' and a new one begun",
                        "Run the release of Ward that wrote it once more to send what it holds, or remove it."});
  return moved;
}

Status Spool::open_file(Settle settle) {
  statements_.reset();
  db_.reset();
  sqlite::OpenOptions file;
  file.path = options_.path;
  file.vfs = options_.vfs;
  file.max_bytes = options_.max_bytes;
  file.cache_bytes = 512 << 10;
  file.checkpoint_pages = options_.checkpoint_pages;
  auto db = sqlite::Database::open(file);
  if (!db && settle == Settle::no && db.error().code == Errc::full && has_no_bytes(options_.vfs, options_.path)) return {};
  if (!db) return fail(db.error());
  const auto schema = look_at_schema(*db);
  if (!schema) return fail(schema.error());
  if (schema->empty && settle == Settle::no) return {};  // nothing to read, and no room to make it
  if (auto made = prepare_tables(*db, settle); !made) return made;
  const auto verdict = db->integrity_check();
  if (!verdict) return fail(verdict.error());
  if (!verdict->empty()) return fail(Errc::corrupt, "the spool file '" + options_.path + "' is damaged: " + *verdict, "");
  db_ = std::move(*db);
  auto statements = Statements::prepare(*db_);
  if (!statements) return fail(as_damage(statements.error()));
  statements_ = std::move(*statements);
  return db_->set_durability(sqlite::Durability::normal);
}

Status Spool::prepare_tables(sqlite::Database& db, Settle settle) {
  const auto schema = look_at_schema(db);
  if (!schema) return fail(schema.error());
  if (!schema->empty && schema->version != kSpoolVersion)
    return fail(Errc::invalid,
                "the spool '" + options_.path + "' has schema " + std::to_string(schema->version) + ", this release knows " +
                    std::to_string(kSpoolVersion),
                "");
  if (schema->empty) {
    const auto damaged = sqlite::file_exists(options_.vfs, options_.path + ".damaged");
    if (!damaged) return fail(damaged.error());
    // Tables come with their rows or not at all: a file without them beside a damaged one is a salvage that was interrupted.
    if (*damaged) {
      if (auto read = read_damaged(db, options_.path, options_.vfs); !read) return read;
    } else {
      auto transaction = sqlite::Transaction::begin(db);
      if (!transaction) return fail(transaction.error());
      if (auto made = create_spool_schema(db); !made) return made;
      if (auto done = transaction->commit(); !done) return done;
    }
  }
  return settle == Settle::yes ? db.settle() : Status{};
}

Status Spool::load() {
  for (const auto& collector : options_.collectors) cursors_[collector];
  if (!db_) return {};
  if (auto dropped = drop_damaged(); !dropped && dropped.error().code != Errc::full) return dropped;
  if (auto loaded = load_streams(); !loaded) return loaded;
  if (auto loaded = load_series(); !loaded) return loaded;
  return load_cursors();
}

// Rows that SQLite reads well and that are not what was written. A gap that goes becomes a hole, and is stated anew from the
// counts of its stream; the records of a stream that nobody can name are lost, and the operator hears of it.
Status Spool::drop_damaged() {
  std::string gone;
  std::vector<std::string> streams;
  auto rows =
      db_->prepare("SELECT id,tenant,incarnation,boot,base,next,sampled,sampled_before_base,crc FROM stream ORDER BY id");
  if (!rows) return fail(rows.error());
  auto more = rows->step();
  for (; more && *more; more = rows->step())
    if (!intact_stream(*rows)) streams.push_back(std::to_string(rows->integer(0)));
  if (!more) return fail(more.error());
  auto gaps = db_->prepare("SELECT stream,from_seq,to_seq,samples,reason,t0,t1,counts,crc FROM gap");
  if (!gaps) return fail(gaps.error());
  for (more = gaps->step(); more && *more; more = gaps->step())
    if (gaps->integer(8) != row_crc({gaps->integer(0), gaps->integer(1), gaps->integer(2), gaps->integer(3),
                                     gaps->integer(4), gaps->integer(5), gaps->integer(6)},
                                    {}, gaps->blob(7)))
      gone += "DELETE FROM gap WHERE stream=" + std::to_string(gaps->integer(0)) +
              " AND from_seq=" + std::to_string(gaps->integer(1)) + ";";
  if (!more) return fail(more.error());
  for (const auto& id : streams) {
    const auto lost = db_->scalar("SELECT count(*) FROM record WHERE stream=" + id);
    if (!lost) return fail(lost.error());
    for (const char* table : {"record WHERE stream=", "gap WHERE stream=", "cursor WHERE stream=", "stream WHERE id="})
      gone += "DELETE FROM " + std::string(table) + id + ";";
    notices_.push_back({Errc::corrupt,
                        "a row of the spool '" + options_.path + "' that names a stream is damaged; " +
                            std::to_string(*lost) + " records of it are lost and cannot be counted",
                        "Check the disk."});
  }
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  if (auto done = db_->run(gone); !done) return done;
  const auto strays = drop_strays(*db_);
  if (!strays) return fail(strays.error());
  if (*strays > 0)
    notices_.push_back({Errc::corrupt,
                        std::to_string(*strays) + " records of the spool '" + options_.path +
                            "' stand under numbers that were never given out; they are damaged and become gaps",
                        "Check the disk."});
  return transaction->commit();
}

Status Spool::load_streams() {
  auto rows =
      db_->prepare("SELECT id,tenant,incarnation,boot,base,next,sampled,sampled_before_base,crc FROM stream ORDER BY id");
  if (!rows) return fail(rows.error());
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    Live live;
    live.id = rows->integer(0);
    next_stream_id_ = std::max(next_stream_id_, live.id + 1);
    if (!intact_stream(*rows)) continue;
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
    live.dirty = false;
    streams_.emplace(live.id, std::move(live));
  }
  if (!more) return fail(more.error());
  const auto boot = db_->scalar("SELECT value FROM meta WHERE key='boot'");
  if (!boot) return fail(boot.error());
  boot_ = std::max(boot_, static_cast<std::uint64_t>(*boot));
  return {};
}

Status Spool::load_series() {
  // Series numbers are kept only as long as records use them: label churn over months must not pile up. Where they cannot
  // be cleared they are read, and cleared at another start.
  const auto records = db_->scalar("SELECT count(*) FROM (SELECT 1 FROM record LIMIT 1)");
  if (!records) return fail(records.error());
  if (*records == 0)
    if (auto cleared = db_->run("DELETE FROM series"); !cleared && cleared.error().code != Errc::full) return cleared;
  auto series = db_->prepare("SELECT id,labels,crc FROM series");
  if (!series) return fail(series.error());
  auto more = series->step();
  for (; more && *more; more = series->step()) {
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
  return {};
}

Status Spool::load_cursors() {
  auto cursors = db_->prepare("SELECT collector,stream,durable,crc FROM cursor");
  if (!cursors) return fail(cursors.error());
  auto more = cursors->step();
  for (; more && *more; more = cursors->step()) {
    // A damaged one counts as never acknowledged: the collector's next WELCOME says it again.
    if (cursors->integer(3) != row_crc({cursors->integer(1), cursors->integer(2)}, cursors->text(0))) continue;
    const auto at = cursors_.find(std::string(cursors->text(0)));
    if (at != cursors_.end()) at->second[cursors->integer(1)] = Sequence{static_cast<std::uint64_t>(cursors->integer(2))};
  }
  if (!more) return fail(more.error());
  return {};
}

Status Spool::begin_life() {
  ++boot_;
  start_new_streams();
  if (!db_) return {};
  auto put = db_->prepare("INSERT OR REPLACE INTO meta VALUES('boot',?)");
  if (!put) return fail(put.error());
  return put->bind(1, static_cast<std::int64_t>(boot_)).run();
}

Status Spool::reopen() {
  if (auto opened = open_or_salvage(Settle::yes); !opened) return opened;
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

void Spool::open_tail() {
  auto tail = TailLog::open(options_.vfs, options_.path + ".tail");
  if (tail) tail_.emplace(std::move(*tail));
}

void Spool::recover_tail() {
  if (!tail_) return;
  for (const auto& run : tail_->runs()) recover_run(run);
}

void Spool::recover_run(const TailLog::Run& run) {
  auto id = find(run.stream.tenant, run.stream.incarnation);
  if (id == 0) {
    if (run.first != Sequence{1}) return;  // all of it was acknowledged, and the stream is gone
    Live fresh;
    fresh.id = id = next_stream_id_++;
    fresh.info.tenant = run.stream.tenant;
    fresh.info.incarnation = run.stream.incarnation;
    fresh.info.boot = run.stream.boot;
    streams_.emplace(id, std::move(fresh));
  }
  boot_ = std::max(boot_, run.stream.boot);
  auto& live = *stream(id);
  auto& info = live.info;
  Gap gap{info.next, info.next, 0, GapReason::crash, run.t_min, run.t_max};
  wire::Buffer counts;
  wire::ByteWriter w(counts);
  // Records of which even the note is lost: their number is known, their samples are not.
  for (; info.next < run.first; info.next = next(info.next)) w.varint(0);
  for (auto at = info.next.get() - run.first.get(); at < run.counts.size(); ++at) {
    gap.to = info.next;
    gap.samples += run.counts[at];
    w.varint(run.counts[at]);
    info.next = next(info.next);
  }
  if (counts.empty()) return;
  info.sampled += gap.samples;
  live.dirty = true;
  stats_.dropped_samples[gap.reason] += gap.samples;
  unsaved_gaps_.push_back({id, gap, std::move(counts)});
}

}  // namespace ward::agent
