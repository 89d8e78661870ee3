#include "agent/spool/statements.hpp"

#include <utility>

#include "common/base/crc32c.hpp"

namespace ward::agent {

Result<FileSchema> look_at_schema(sqlite::Database& db) {
  const auto version = db.scalar("PRAGMA user_version");
  if (!version) return fail(version.error());
  const auto tables = db.scalar("SELECT count(*) FROM sqlite_master WHERE name='stream'");
  if (!tables) return fail(tables.error());
  return FileSchema{*version, *tables == 0};
}

Status create_spool_schema(sqlite::Database& db) {
  if (auto made = db.run(kSpoolSchema); !made) return made;
  return db.run("PRAGMA user_version=" + std::to_string(kSpoolVersion));
}

std::int64_t row_crc(std::initializer_list<std::int64_t> numbers, std::string_view text, wire::ByteView bytes) {
  wire::Buffer row;
  wire::ByteWriter w(row);
  for (const auto number : numbers) w.u64(static_cast<std::uint64_t>(number));
  w.text(text);
  w.bytes(bytes);
  return crc32c(row);
}

Result<std::unique_ptr<Spool::Statements>> Spool::Statements::prepare(sqlite::Database& db) {
  auto out = std::make_unique<Statements>();
  const std::pair<sqlite::Statement*, std::string_view> all[] = {
      {&out->put_record, "INSERT OR REPLACE INTO record VALUES(?,?,?,?,?,?,?,?,?,?)"},
      {&out->get_record, "SELECT kind,class,count,t_min,t_max,digest,crc,payload FROM record WHERE stream=? AND seq=?"},
      {&out->put_stream, "INSERT OR REPLACE INTO stream VALUES(?,?,?,?,?,?,?,?,?)"},
      {&out->put_series, "INSERT OR REPLACE INTO series VALUES(?,?,?)"},
      {&out->put_gap, "INSERT OR REPLACE INTO gap VALUES(?,?,?,?,?,?,?,?,?)"},
      {&out->get_gap,
       "SELECT from_seq,to_seq,samples,reason,t0,t1,counts FROM gap WHERE stream=? AND from_seq<=? AND to_seq>=?"},
      {&out->put_cursor, "INSERT OR REPLACE INTO cursor VALUES(?,?,?,?)"},
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

}  // namespace ward::agent
