#pragma once
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "collector/slo/ledger_store.hpp"
#include "common/base/thread_annotations.hpp"
#include "common/sqlite/database.hpp"

namespace ward::collector {

/// SLO ledgers in one SQLite file of their own (slo.db), every save one synced transaction. Not in the journal's file: a
/// save comes once a minute and may wait for a slow disk without holding up acknowledgements, and a damaged one costs only
/// what can be counted anew. After an I/O error the file is closed and opened again before anything else is done with it.
/// Thread: any; calls exclude each other.
class SqliteLedgerStore final : public slo::LedgerStore {
 public:
  /// Opens or creates the file and brings an older schema up to date. Errc::denied for a newer one.
  static Result<std::unique_ptr<SqliteLedgerStore>> open(sqlite::OpenOptions options);

  Result<slo::StoredSlos> load(const std::vector<std::string>& identities) override;
  Result<wire::Buffer> block(const slo::LedgerKey& key, slo::BlockNumber number) override;
  Status save(const slo::LedgerChange& change) override;
  Status prune(Time before) override;

 private:
  explicit SqliteLedgerStore(sqlite::OpenOptions options) : options_(std::move(options)) {}
  Status ensure_open();
  Status note(Status status);
  Status read_ledgers(const std::string& identity, slo::StoredSlos& into);
  Status read_state(slo::StoredSlos& into);
  Status write(const slo::LedgerChange& change);
  Status write_blocks(const slo::LedgerChange& change);
  Status write_state(const slo::LedgerChange& change);
  Status delete_older(Time before);

  std::mutex mutex_;
  const sqlite::OpenOptions options_;
  std::optional<sqlite::Database> db_ WARD_GUARDED_BY(mutex_);
  std::optional<sqlite::Statement> read_block_ WARD_GUARDED_BY(mutex_);  // of db_; a thousand ledgers enter a block at once
};

}  // namespace ward::collector
