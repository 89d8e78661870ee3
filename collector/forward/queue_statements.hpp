#pragma once
#include <memory>
#include <utility>

#include "collector/forward/queue.hpp"

namespace ward::collector {

struct ForwardQueue::Statements {
  sqlite::Statement put_record, read_records, put_series, find_series, read_series, drop_series, put_target, put_mark;

  static Result<std::unique_ptr<Statements>> prepare(sqlite::Database& db) {
    auto out = std::make_unique<Statements>();
    const std::pair<sqlite::Statement*, const char*> all[] = {
        {&out->put_record, "INSERT INTO record(id,samples,t_max,payload,crc) VALUES(?,?,?,?,?)"},
        {&out->read_records, "SELECT id,samples,t_max,payload,crc FROM record WHERE id>? AND id<=? ORDER BY id"},
        {&out->put_series, "INSERT INTO series(id,hash,labels,crc) VALUES(?,?,?,?)"},
        {&out->find_series, "SELECT id,labels,crc FROM series WHERE hash=?"},
        {&out->read_series, "SELECT labels,crc FROM series WHERE id=?"},
        {&out->drop_series, "DELETE FROM series WHERE id=?"},
        {&out->put_target, "INSERT OR REPLACE INTO target(name,done,handed,next,sent) VALUES(?,?,?,?,?)"},
        {&out->put_mark,
         "INSERT OR REPLACE INTO mark(id,next_series,next_row,confirmed,group_first,group_stream,group_seq) "
         "VALUES(1,?,?,?,?,?,?)"},
    };
    for (const auto& [statement, sql] : all) {
      auto prepared = db.prepare(sql);
      if (!prepared) return fail(prepared.error());
      *statement = std::move(*prepared);
    }
    return out;
  }
};

}  // namespace ward::collector
