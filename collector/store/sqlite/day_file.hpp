#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collector/ingest/journal.hpp"
#include "collector/store/sqlite/day_block.hpp"
#include "common/sqlite/database.hpp"

namespace ward::collector {

/// One day's chunks in one SQLite file (docs/format/store.md, "The days"), with the labels of their series, so that it can
/// be read alone. Blocks carry the number of the batch that wrote them: they count once the journal has settled it.
/// Thread: one at a time.
class DayFile {
 public:
  enum class Access { write, read };  ///< read: nothing is made or brought up; for tools, beside a running collector too
  static Result<DayFile> open(const std::string& path, const std::string& vfs, Access access = Access::write);

  /// The journal whose series numbers and batches it uses; 0 in a new file.
  Result<std::int64_t> journal();
  /// The last batch that wrote here; 0: none.
  Result<std::int64_t> last_batch();
  /// Makes it that journal's: new series numbers for old ones. Chunks that name none of them and what is damaged are given
  /// up and counted.
  Status adopt(std::int64_t journal, const std::function<std::optional<SeriesId>(SeriesId)>& renumbered,
               std::uint64_t& damaged);

  /// Blocks and labels in one transaction. Known labels may come again.
  Status write(std::int64_t batch, std::span<DayBlock> blocks, std::span<const NewSeries> series);
  /// What an attempt under this number or a later one left, that was never settled.
  Status drop_from(std::int64_t batch);
  Status drop_tenants(const std::function<bool(const std::string&)>& expired);

  /// Blocks of settled batches without their data, by tenant, batch and series.
  struct Entry {
    DayBlock block;
    std::int64_t batch = 0;
  };
  Result<std::vector<Entry>> entries(std::int64_t settled);
  /// The data of a block; nullopt when they are not what was written. Errors: not_found (retention took it).
  Result<std::optional<wire::Buffer>> data(const DayBlock& block);
  /// Damaged rows are left out and counted.
  Status each_series(const std::function<void(SeriesId, Labels)>& take, std::uint64_t& damaged);
  /// SQLite's own verdict; empty: whole.
  Result<std::string> integrity() { return db_.integrity_check(); }

 private:
  explicit DayFile(sqlite::Database db) : db_(std::move(db)) {}
  Status prepare();
  Status put_series(std::span<const NewSeries> series);
  Status put_block(std::int64_t batch, DayBlock& block);
  Status renumber_blocks(const std::function<std::optional<SeriesId>(SeriesId)>& renumbered, std::uint64_t& damaged);

  sqlite::Database db_;
  sqlite::Statement put_block_, put_series_, get_data_;
};

}  // namespace ward::collector
