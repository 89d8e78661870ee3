#include "collector/store/sqlite/day_file.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <map>
#include <utility>

#include "collector/ingest/series_row.hpp"
#include "collector/store/sqlite/journal_row.hpp"
#include "collector/tsdb/chunk.hpp"
#include "common/sqlite/schema.hpp"

namespace ward::collector {
namespace {

// One entry per schema version, never edited once released.
constexpr std::array<std::string_view, 1> kSteps{R"(
CREATE TABLE owner(journal INTEGER NOT NULL, batch INTEGER NOT NULL);
INSERT INTO owner VALUES(0, 0);
CREATE TABLE series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE block(
  id INTEGER PRIMARY KEY AUTOINCREMENT, batch INTEGER NOT NULL, tenant TEXT NOT NULL, first INTEGER NOT NULL, last INTEGER NOT NULL,
  t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, chunks INTEGER NOT NULL, samples INTEGER NOT NULL, crc INTEGER NOT NULL,
  data BLOB NOT NULL);
)"};

constexpr std::uint64_t kCache = 256 << 10;  // blocks are read once and kept by the query

std::int64_t crc_of(const DayBlock& block, std::int64_t batch, sqlite::Bytes data) {
  wire::Buffer head;
  wire::ByteWriter w(head);
  w.u64(static_cast<std::uint64_t>(batch));
  w.u32(block.first.get());
  w.u32(block.last.get());
  w.u64(static_cast<std::uint64_t>(to_ms(block.t_min)));
  w.u64(static_cast<std::uint64_t>(to_ms(block.t_max)));
  w.text(block.tenant);
  return crc32c(data, crc32c(head));
}

}  // namespace

Result<DayFile> DayFile::open(const std::string& path, const std::string& vfs, Access access) {
  sqlite::OpenOptions options;
  options.path = path;
  options.vfs = vfs;
  options.exclusive = !vfs.empty();  // tools may look into the real one
  options.cache_bytes = kCache;
  options.shrinks = true;
  auto db = sqlite::Database::open(options);
  if (!db) return fail(db.error());
  if (access == Access::write) {
    auto made = sqlite::migrate(*db, {.steps = kSteps,
                                      .what = "the stored day",
                                      .when_newer = "move the file out of the folder: its samples are not seen then"});
    if (!made) return fail(made.error());
    if (auto settled = db->settle(); !settled) return fail(settled.error());
  }
  const auto version = db->scalar("PRAGMA user_version");
  if (!version) return fail(version.error());
  if (*version != static_cast<std::int64_t>(kSteps.size()))
    return fail(Errc::corrupt, "the stored day '" + path + "' has schema " + std::to_string(*version),
                "Read it with the release of Ward that wrote it.");
  DayFile file(std::move(*db));
  if (auto prepared = file.prepare(); !prepared) return fail(prepared.error());
  return file;
}

Status DayFile::prepare() {
  const std::pair<sqlite::Statement*, std::string_view> all[] = {
      {&put_block_,
       "INSERT INTO block(batch,tenant,first,last,t_min,t_max,chunks,samples,crc,data) VALUES(?,?,?,?,?,?,?,?,?,?)"},
      // A number may have been another series' in an attempt that was never settled.
      {&put_series_,
       "INSERT INTO series(id,labels,crc) VALUES(?,?,?) ON CONFLICT(id) DO UPDATE SET "
       "labels=excluded.labels,crc=excluded.crc"},
      {&get_data_, "SELECT crc,data,batch FROM block WHERE id=?"}};
  for (const auto& [statement, sql] : all) {
    auto prepared = db_.prepare(sql);
    if (!prepared) return fail(prepared.error());
    *statement = std::move(*prepared);
  }
  return {};
}

Result<std::int64_t> DayFile::journal() { return db_.scalar("SELECT journal FROM owner"); }

Result<std::int64_t> DayFile::last_batch() { return db_.scalar("SELECT batch FROM owner"); }

Status DayFile::write(std::int64_t batch, std::span<DayBlock> blocks, std::span<const NewSeries> series) {
  auto transaction = sqlite::Transaction::begin(db_);
  if (!transaction) return fail(transaction.error());
  if (auto put = put_series(series); !put) return put;
  for (auto& block : blocks)
    if (auto put = put_block(batch, block); !put) return put;
  if (auto put = db_.run("UPDATE owner SET batch=" + std::to_string(batch)); !put) return put;
  return transaction->commit();
}

Status DayFile::put_series(std::span<const NewSeries> series) {
  for (const auto& [id, labels, day] : series) {
    const auto row = series_row(labels);
    auto put = put_series_.bind(1, std::int64_t{id}).bind(2, sqlite::Bytes{row}).bind(3, row_crc(row, id)).run();
    if (!put) return put;
  }
  return {};
}

Status DayFile::put_block(std::int64_t batch, DayBlock& block) {
  auto put = put_block_.bind(1, batch)
                 .bind(2, std::string_view{block.tenant})
                 .bind(3, std::int64_t{block.first.get()})
                 .bind(4, std::int64_t{block.last.get()})
                 .bind(5, to_ms(block.t_min))
                 .bind(6, to_ms(block.t_max))
                 .bind(7, std::int64_t{block.chunks})
                 .bind(8, static_cast<std::int64_t>(block.samples))
                 .bind(9, crc_of(block, batch, block.data))
                 .bind(10, sqlite::Bytes{block.data})
                 .run();
  if (put) block.id = db_.last_insert_id();
  return put;
}

Status DayFile::drop_from(std::int64_t batch) {
  auto transaction = sqlite::Transaction::begin(db_);
  if (!transaction) return fail(transaction.error());
  auto gone = db_.run("DELETE FROM block WHERE batch>=" + std::to_string(batch) + "; UPDATE owner SET batch=min(batch," +
                      std::to_string(batch - 1) + ")");
  if (!gone) return gone;
  return transaction->commit();
}

Status DayFile::drop_tenants(const std::function<bool(const std::string&)>& expired) {
  auto tenants = db_.prepare("SELECT DISTINCT tenant FROM block");
  if (!tenants) return fail(tenants.error());
  std::vector<std::string> gone;
  auto more = tenants->step();
  for (; more && *more; more = tenants->step())
    if (std::string tenant{tenants->text(0)}; expired(tenant)) gone.push_back(std::move(tenant));
  if (!more) return fail(more.error());
  if (gone.empty()) return {};
  auto drop = db_.prepare("DELETE FROM block WHERE tenant=?");
  if (!drop) return fail(drop.error());
  for (const auto& tenant : gone)
    if (auto dropped = drop->bind(1, std::string_view{tenant}).run(); !dropped) return dropped;
  return db_.run("PRAGMA incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE)");
}

Result<std::vector<DayFile::Entry>> DayFile::entries(std::int64_t settled) {
  auto rows = db_.prepare(
      "SELECT id,batch,tenant,first,last,t_min,t_max,chunks,samples FROM block WHERE batch<=? ORDER BY "
      "tenant,batch,first,id");
  if (!rows) return fail(rows.error());
  rows->bind(1, settled);
  std::vector<Entry> out;
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    auto& [block, batch] = out.emplace_back();
    block.id = rows->integer(0);
    batch = rows->integer(1);
    block.tenant = rows->text(2);
    block.first = SeriesRef{static_cast<std::uint32_t>(rows->integer(3))};
    block.last = SeriesRef{static_cast<std::uint32_t>(rows->integer(4))};
    block.t_min = from_ms(rows->integer(5));
    block.t_max = from_ms(rows->integer(6));
    block.chunks = static_cast<std::uint32_t>(rows->integer(7));
    block.samples = static_cast<std::uint64_t>(rows->integer(8));
  }
  if (!more) return fail(more.error());
  return out;
}

Result<std::optional<wire::Buffer>> DayFile::data(const DayBlock& block) {
  get_data_.bind(1, block.id);
  const auto row = get_data_.step();
  std::optional<wire::Buffer> out;
  if (row && *row) {
    const auto bytes = get_data_.blob(1);
    if (get_data_.integer(0) == crc_of(block, get_data_.integer(2), bytes)) out.emplace(bytes.begin(), bytes.end());
  }
  get_data_.reset();
  if (!row) return fail(row.error());
  if (!*row) return fail(Errc::not_found, "the block is gone", "");
  return out;
}

Status DayFile::each_series(const std::function<void(SeriesId, Labels)>& take, std::uint64_t& damaged) {
  auto rows = db_.prepare("SELECT id,labels,crc FROM series ORDER BY id");
  if (!rows) return fail(rows.error());
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    const auto id = static_cast<SeriesId>(rows->integer(0));
    auto labels = read_series_row(rows->blob(1));
    if (labels && rows->integer(2) == row_crc(rows->blob(1), id))
      take(id, std::move(*labels));
    else
      ++damaged;
  }
  return more ? Status{} : fail(more.error());
}

Status DayFile::adopt(std::int64_t journal, const std::function<std::optional<SeriesId>(SeriesId)>& renumbered,
                      std::uint64_t& damaged) {
  std::vector<NewSeries> series;
  auto read = each_series(
      [&](SeriesId id, Labels labels) {
        if (const auto now = renumbered(id)) series.push_back({*now, std::move(labels)});
      },
      damaged);
  if (!read) return read;
  auto transaction = sqlite::Transaction::begin(db_);
  if (!transaction) return fail(transaction.error());
  if (auto done = db_.run("DELETE FROM series"); !done) return done;
  if (auto put = put_series(series); !put) return put;
  if (auto done = renumber_blocks(renumbered, damaged); !done) return done;
  if (auto done = db_.run("UPDATE owner SET batch=0,journal=" + std::to_string(journal)); !done) return done;
  return transaction->commit();
}

Status DayFile::renumber_blocks(const std::function<std::optional<SeriesId>(SeriesId)>& renumbered, std::uint64_t& damaged) {
  const auto all = entries(std::numeric_limits<std::int64_t>::max());
  if (!all) return fail(all.error());
  for (const auto& [block, batch] : *all) {
    const auto bytes = data(block);
    if (!bytes) return fail(bytes.error());
    std::multimap<SeriesRef, BlockChunk> chunks;
    const bool whole = *bytes && read_block(**bytes, block.first, [&](const BlockChunk& chunk) {
      if (const auto id = renumbered(chunk.series.get() - 1))
        chunks.emplace(SeriesRef{*id + 1}, chunk);
      else
        ++damaged;
    });
    damaged += whole ? 0 : 1;
    DayBlockBuilder builder(block.tenant);
    for (const auto& [ref, chunk] : chunks)
      builder.add(ref, chunk.t_min, chunk.t_max, chunk_count(chunk.bytes), chunk.bytes);
    if (!builder.empty()) {
      auto moved = builder.take();
      if (auto put = put_block(0, moved); !put) return put;
    }
    if (auto gone = db_.run("DELETE FROM block WHERE id=" + std::to_string(block.id)); !gone) return gone;
  }
  return {};
}

}  // namespace ward::collector
