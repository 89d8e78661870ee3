#pragma once
#include <cstdint>
#include <map>
#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "probes/data/postgres_views.hpp"
#include "probes/data/reading_set.hpp"

namespace ward::probes::data {

/// From the server's text to readings; no I/O. Each reader takes one key of the core batch, a null key yields nothing.
using Json = nlohmann::json;

/// Errc::corrupt when the text is not JSON; bytes that are not UTF-8 (SQL_ASCII databases) become '?' first.
Result<Json> parse_answer(std::string_view text);
Result<ServerFacts> read_identity(std::string_view text);

void read_server(const Json& batch, const ServerFacts& facts, ReadingSet& out);
void read_settings(const Json& settings, ReadingSet& out);
/// pg_stat_activity_* and pg_locks_count; `databases` are the names that get zeros where nothing is active.
void read_activity(const Json& activity, const std::vector<std::string>& databases, ReadingSet& out);
void read_locks(const Json& locks, const std::vector<std::string>& databases, ReadingSet& out);
/// The connectable and other databases of the batch, in its order; at most 100.
std::vector<std::string> database_names(const Json& databases);
void read_databases(const Json& databases, ReadingSet& out);
void read_wraparound(const Json& wraparound, ReadingSet& out);
void read_xmin(const Json& oldest_xmin, ReadingSet& out);
void read_archiver(const Json& batch, ReadingSet& out);
/// pg_stat_bgwriter_*, pg_stat_checkpointer_*, and on 17+ the old names from the new view (facts: postgres-redis 1.5).
void read_checkpoints(const Json& batch, ReadingSet& out);
/// Both ends of replication; `expected` are standby names that must be connected.
void read_replication(const Json& batch, const std::vector<std::string>& expected, ReadingSet& out);
void read_wal(const Json& wal, ReadingSet& out);
void read_database_sizes(const Json& sizes, ReadingSet& out);

/// Which tables the table part reports: the top 20 by dead rows, and for one hour whoever was among them.
class TopTables {
 public:
  void read(const Json& tables, MonoTime now, ReadingSet& out);
  [[nodiscard]] std::vector<std::uint32_t> members() const;

 private:
  std::map<std::uint32_t, MonoTime> members_;  ///< relation oid to the last time it was in the top
};

/// Blocked sessions as a tree: who waits, and who stands at the root. Remembers roots, so that each is told once.
class BlockTracker {
 public:
  explicit BlockTracker(milliseconds tell_after) : tell_after_(tell_after) {}
  /// Event lock_blocked{datname,blocker,blocker_state,age_seconds,blocked,waiting} for a new root whose victims wait long.
  void read(const Json& blocked, const std::vector<std::string>& databases, Time now, ReadingSet& out, Events& events);

 private:
  milliseconds tell_after_;
  std::set<std::int64_t> told_;  ///< pids of roots; they never leave the probe
};

/// Monotone totals over pg_stat_statements, whose own rows come and go, and the histogram of facts: postgres-redis 1.7.
class StatementTotals {
 public:
  void read(const Json& answer);
  void emit(ReadingSet& out) const;

 private:
  static constexpr std::size_t kBuckets = 10;
  struct Seen {
    double calls = 0, ms = 0, rows = 0, read_ms = 0, write_ms = 0;
  };
  struct Histogram {
    std::array<double, kBuckets> counts{};
    double sum_seconds = 0;
    double calls = 0;
  };
  using Key = std::pair<std::string, std::string>;  ///< datname, user
  std::map<std::tuple<std::string, std::string, std::string>, Seen> last_;
  std::map<Key, Seen> totals_;
  std::map<std::string, Histogram> histograms_;
  std::optional<double> deallocs_;
  bool primed_ = false;
};

}  // namespace ward::probes::data
