#pragma once
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "agent/spool/tail_log.hpp"
#include "common/base/result.hpp"
#include "common/base/world.hpp"
#include "common/model/batch.hpp"
#include "common/sqlite/database.hpp"
#include "common/wire/agent_session.hpp"
#include "common/wire/record.hpp"

namespace ward::agent {

struct SpoolOptions {
  std::string path;                           ///< the SQLite file; its folder must exist
  std::string vfs;                            ///< "" = the real file system (the simulator has its own)
  std::uint64_t max_bytes = 1ULL << 30;       ///< hard cap of the file; at the cap the drop policy runs
  int checkpoint_pages = 256;                 ///< of log before it is copied into the file: bounds the log on disk
  std::uint64_t max_unsaved_bytes = 4 << 20;  ///< records kept in memory while the disk takes none
  std::vector<std::string> collectors;        ///< trimming waits for all of them
  std::vector<TenantId> tenants;              ///< one live stream each; what the file holds of others is dropped
};

/// What the spool knows about one stream, also as /metrics shows it. Exact at any time:
/// sampled = samples trimmed as acknowledged + spooled + in gaps.
struct SpoolStream {
  TenantId tenant;
  Incarnation incarnation;
  std::uint64_t boot = 0;
  Sequence base{1};
  Sequence next{1};
  std::uint64_t sampled = 0;              ///< samples of all records below next
  std::uint64_t sampled_before_base = 0;  ///< of those, in records below base
  bool live = false;
  friend bool operator==(const SpoolStream&, const SpoolStream&) = default;
};

struct SpoolStats {
  std::uint64_t records = 0;          ///< on disk now
  std::uint64_t unsaved_records = 0;  ///< in memory because the disk takes none
  std::uint64_t file_bytes = 0;
  std::map<GapReason, std::uint64_t> dropped_samples;  ///< since start, by reason
  std::uint64_t removed_tenant_samples = 0;            ///< dropped since start: their tenant is not configured any more
  std::uint64_t write_failures = 0;
};

/// The agent's durable queue (facts: reliability 3.2): a record is in the page cache when append() returns, so that
/// kill -9 loses nothing, and on disk at the next sync(), page-class data at once. Records leave when every configured
/// collector has acknowledged them, or by the drop policy, which leaves an exact gap. One thread.
class Spool {
 public:
  /// Opens or creates; a damaged file is salvaged into a new one and kept aside, one of another release is kept aside. On a
  /// full disk it starts all the same and keeps in memory what comes. Starts new live streams: each life of an agent has
  /// its own incarnation. What a former life numbered and could not store becomes a gap.
  static Result<std::unique_ptr<Spool>> open(SpoolOptions options, Random& random);
  ~Spool();

  /// Takes a batch; never fails: what the disk refuses waits in memory, what memory cannot hold becomes a gap.
  void append(const Batch& batch);
  /// Forces what was appended to disk, trims what all collectors hold. Call about once a second.
  void maintain();
  /// Ends the live streams and starts new ones, so that live data is not stuck behind their backlog.
  void start_new_streams();

  /// The face for one collector's sessions; lives as long as the spool. `collector` is one of the options'.
  wire::RecordSource& source(const std::string& collector);
  /// Records of live streams that this collector has not acknowledged.
  [[nodiscard]] std::uint64_t live_backlog(const std::string& collector) const;

  [[nodiscard]] std::vector<SpoolStream> streams() const;
  [[nodiscard]] std::vector<Gap> gaps(const TenantId& tenant, const Incarnation& incarnation) const;
  [[nodiscard]] std::uint64_t spooled_samples(const TenantId& tenant, const Incarnation& incarnation) const;
  [[nodiscard]] SpoolStats stats() const;
  /// Set when the last write failed; what /healthz shows.
  [[nodiscard]] const std::optional<Error>& trouble() const { return trouble_; }
  /// What the operator must hear of files that were set aside and data that was given up, since the last call.
  [[nodiscard]] std::vector<Error> take_notices() { return std::exchange(notices_, {}); }

 private:
  friend class SpoolSource;
  using StreamId = std::int64_t;
  struct Live {
    StreamId id = 0;
    SpoolStream info;
    bool dirty = true;  // its row on disk is older than this
  };
  struct Unsaved {
    StreamId stream = 0;
    wire::Record record;
    bool noted = false;  // in the tail log
  };
  struct Unforced {
    StreamId stream = 0;
    TailLog::Counted record;
  };
  struct UnsavedGap {
    StreamId stream = 0;
    Gap gap;
    wire::Buffer counts;
  };
  enum class Settle { yes, no };
  struct Statements;

  Spool(SpoolOptions options, Random& random);
  Status open_file(Settle settle);
  Status prepare_tables(sqlite::Database& db, Settle settle);
  Status open_or_salvage(Settle settle);
  Status set_aside(const Error& why);
  Status load_or_salvage(Settle settle);
  Status load();
  Status load_streams();
  Status load_series();
  Status load_cursors();
  Status drop_damaged();
  Status begin_life();
  Status reopen();
  void open_tail();
  void recover_tail();
  void recover_run(const TailLog::Run& run);
  void note_tail();
  bool note(StreamId id, const TailLog::Counted& record);

  Live* stream(StreamId id);
  StreamId find(const TenantId& tenant, const Incarnation& incarnation) const;
  std::uint32_t series_id(const Labels& labels);
  void seal(StreamId id, wire::Record record);
  bool flush(sqlite::Durability durability);
  Status write_unsaved();
  Status write_record(StreamId id, const wire::Record& record);
  Status write_stream(const Live& stream);
  Status write_gap(StreamId id, const Gap& gap, wire::ByteView counts = {});
  Status write_cursor(const std::string& collector, StreamId id, Sequence durable);
  void bound_memory();
  void note_failure(const Error& error);

  Result<std::optional<wire::RecordSource::Item>> read(StreamId id, Sequence from);
  Result<std::optional<wire::RecordSource::Item>> read_stored(StreamId id, Sequence from);
  Result<std::optional<wire::RecordSource::Item>> state_hole(StreamId id, Sequence from);
  Status replace_by_gap(StreamId id, Sequence seq, GapReason reason);

  Status trim();
  bool is_configured(const TenantId& tenant) const;
  Status drop_removed_tenants();
  Status trim_stream(Live& stream, Sequence through);
  Result<std::uint64_t> cut_gap(StreamId id, Sequence through);
  Status make_room();
  Status drop_where(const std::string& condition, std::int64_t limit);
  Sequence held_by_all(StreamId id) const;
  Sequence held_by_any(StreamId id) const;

  SpoolOptions options_;
  Random& random_;
  std::optional<sqlite::Database> db_;
  std::unique_ptr<Statements> statements_;
  std::uint64_t boot_ = 0;
  std::map<StreamId, Live> streams_;
  StreamId next_stream_id_ = 1;
  std::uint32_t next_series_id_ = 0;
  std::unordered_map<Labels, std::uint32_t> ids_by_labels_;
  std::unordered_map<std::uint32_t, const Labels*> labels_by_id_;
  std::vector<std::uint32_t> unsaved_series_;
  std::map<std::string, std::map<StreamId, Sequence>> cursors_;
  std::map<std::string, std::unique_ptr<wire::RecordSource>> sources_;
  std::deque<Unsaved> unsaved_;
  std::vector<UnsavedGap> unsaved_gaps_;
  std::vector<Unforced> unforced_;  // committed, and not yet forced to disk
  std::uint64_t unsaved_bytes_ = 0;
  bool unsynced_ = false;
  wire::RecordCodec codec_;
  SpoolStats stats_;
  std::optional<Error> trouble_;
  std::vector<Error> notices_;
  std::optional<TailLog> tail_;  // absent only while its own file cannot be made
};

}  // namespace ward::agent
