#pragma once
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "collector/ingest/catalogue.hpp"
#include "collector/ingest/commit_loop.hpp"

namespace ward::collector {

/// What a door of the collector's own (remote write) has received for one tenant.
struct LocalBatch {
  std::vector<wire::Record> records;  ///< samples carry SeriesIds; the numbers are given by LocalStreams
  Leases::Lease lease;                ///< under which the ids were got
  std::uint64_t refused = 0;          ///< samples of series above a cap
  bool known = false;                 ///< the head has the samples already
};

/// One stream in the journal for each tenant that writes by a door of the collector's own, so that its samples take the way
/// of all others: numbered, committed in groups, acknowledged after. Nobody sends a lost record of such a stream again by
/// its number; the client repeats the request under new ones, and the head knows a repeated sample. Why so:
/// docs/decisions/0007-remote-write.md. Thread: the io thread.
class LocalStreams {
 public:
  /// No agent can have this name (check_name), so none speaks for these streams, and nobody waits for it.
  static const AgentId& agent();
  /// Their keys; open() wants the states of these.
  static StreamKey key(const TenantId& tenant) { return {tenant, agent(), Incarnation{}}; }

  LocalStreams(async::asio::any_io_executor executor, CommitLoop& commits)
      : executor_(std::move(executor)), commits_(commits) {}

  /// Before the first write(), with the journal's marks: numbers go on behind them.
  void open(std::span<const StreamState> states);
  /// Returns when all of it is on disk. Errors: full (the disk takes nothing), unavailable (the commit was lost, or the
  /// collector stops): it is open whether it is stored, the client sends it again. The tenant must be open.
  async::Task<Status> write(TenantId tenant, LocalBatch batch);

  void on_committed(const Committed& committed);
  /// Everybody who waits is told so. What a full disk refused may be committed later all the same.
  void end_waits(const Error& why);
  /// From now on write() fails.
  void close(const Error& why);
  /// Of open streams, for the journal to keep.
  [[nodiscard]] std::vector<StreamRow> rows() const;
  [[nodiscard]] std::size_t waiting() const;

 private:
  struct Wait {
    Wait(const async::asio::any_io_executor& executor, Sequence of)
        : last(of), ready(executor, async::asio::steady_timer::time_point::max()) {}
    Sequence last;
    async::asio::steady_timer ready;
    std::optional<Status> outcome;
  };
  struct Stream {
    StreamRow row;
    Sequence newest;
    std::deque<std::shared_ptr<Wait>> waits;  // by number, rising
  };
  void end(Leases::Lease lease, bool committed);

  async::asio::any_io_executor executor_;
  CommitLoop& commits_;
  std::map<TenantId, Stream> streams_;
  std::optional<Error> closed_;
};

}  // namespace ward::collector
