#pragma once
#include <atomic>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "collector/ingest/journal.hpp"
#include "common/sqlite/database.hpp"
#include "common/wire/record.hpp"

namespace ward::collector {

/// The journal in one SQLite file (docs/format/store.md): WAL, synchronous=FULL, so that a returned commit() is on disk.
/// After an I/O error the file is closed at once: nobody can write to it before it was opened and settled again.
class SqliteJournal final : public Journal {
 public:
  struct Options {
    std::string path;
    std::string vfs;              ///< "" = the real file system
    std::uint64_t max_bytes = 0;  ///< 0 = as the disk allows
    int checkpoint_pages = 1000;  ///< of log before it is copied into the file
  };
  static Result<std::unique_ptr<SqliteJournal>> open(Options options);
  ~SqliteJournal() override;

  Result<std::vector<StreamState>> open_streams(std::span<const StreamKey> keys,
                                                std::span<const std::uint64_t> boots) override;
  Status commit(std::span<const NewSeries> series, std::span<const JournalEntry> entries) override;
  Status reopen() override;
  Status probe() override;
  Result<ReplayedSeries> replay_series(const KnownSeries& take) override;
  Result<ReplayedRecords> replay_records(Position after, std::size_t enough,
                                         const std::function<void(std::vector<wire::IdSample>)>& take) override;
  Result<std::int64_t> identity() override;
  Result<std::int64_t> batch() override;
  Status settle_chunks(const ChunkBatch& batch) override;
  Status drop_before(Time time) override;
  Status drop_series(std::span<const SeriesId> series) override;
  Status forget_streams(const Silence& silence) override;
  Result<std::vector<StreamState>> streams() override;
  Result<bool> contradicts(StreamRow stream, Sequence seq, std::uint32_t digest) override;
  [[nodiscard]] std::uint64_t rows_since_chunks() const override { return rows_since_chunks_; }  ///< any thread

 private:
  struct Statements;
  explicit SqliteJournal(Options options);
  using States = std::map<StreamRow, StreamState>;
  /// `after`: what the entries make of the streams they touch.
  Status write(std::span<const NewSeries> series, std::span<const JournalEntry> entries, States& after);
  Status write_record(const ReceivedRecord& received);
  Status write_events(const ReceivedRecord& received);
  Status write_gap(const ReceivedGap& received);
  Status write_mark(const StreamState& state);
  Status write_silence(const Silence& silence, std::span<const StreamRow> heard, std::span<const StreamRow> silent);
  Result<StreamState*> recall(const StreamKey& key);
  void know(StreamState state);
  Status write_new_stream(const StreamState& state);
  Status open_file();
  Status drop_slice(std::span<const SeriesId> series);
  Status write_series(std::span<const NewSeries> series);
  Status write_settled(const ChunkBatch& batch);
  [[nodiscard]] Status has_room_under_cap();
  Status write_mark_of_life();
  Status load_streams();
  Status ensure_open();
  [[nodiscard]] Status closed() const;
  Status note(Status status);

  Options options_;
  std::optional<sqlite::Database> db_;
  std::unique_ptr<Statements> statements_;
  States streams_;  // without the forgotten ones
  std::map<StreamKey, StreamRow> rows_;
  std::set<StreamRow> rowless_;  // known to sessions, not yet to the file
  std::set<StreamRow> stirred_;  // lived since the last forget_streams()
  StreamRow highest_row_{0};     // numbers are not given twice: gaps and events may outlive their stream
  wire::RecordCodec codec_;
  std::atomic<std::uint64_t> rows_since_chunks_ = 0;
};

}  // namespace ward::collector
