#pragma once
#include <vector>

#include "collector/ingest/stream_server.hpp"
#include "collector/sample_store.hpp"
#include "collector/store/volume/volume.hpp"
#include "common/async/task.hpp"
#include "common/async/wakeup.hpp"
#include "common/base/world.hpp"
#include "common/telemetry/log.hpp"

namespace ward::collector {

/// What the store needs from time to time: chunks are filed by day, what is old goes, days of another journal are taken
/// over. All of it runs on the pool, beside no commit. Thread: the io thread.
class Housekeeping {
 public:
  struct Context {
    async::asio::any_io_executor executor;
    const Clock& clock;
    telemetry::Logger& log;
    Store& store;
    DataVolume& volume;
    StreamServer& server;
  };
  explicit Housekeeping(Context context) : context_(context), part_read_(context.executor) {}

  /// Reads what the journal has of samples into the head, beside running sessions. How many rows were damaged.
  async::Task<Result<std::uint64_t>> replay();
  /// Never ends by itself.
  async::Task<void> run();
  /// Journals the collector's own samples (results of rules, its metrics), which no agent would send again. Never ends by
  /// itself; the server's stream own_tenant() must be open.
  async::Task<void> keep_own();
  static const TenantId& own_tenant();
  /// Days that another journal wrote, after this one was set aside or the folder moved: their samples come back one by one,
  /// the newest first.
  async::Task<void> adopt(std::vector<Day> foreign);
  /// After the loop has ended and with it every commit: a start then reads days instead of the journal.
  void save();

 private:
  void tidy(bool store);
  void tell_unstored(const Error& error);
  Context context_;
  async::Wakeup part_read_;
  bool failed_ = false;  ///< the last time chunks were to be stored
};

}  // namespace ward::collector
