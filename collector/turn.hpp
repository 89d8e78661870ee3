#pragma once
#include <functional>
#include <vector>

#include "collector/alerting/rule_file.hpp"
#include "collector/leadership/leadership.hpp"
#include "collector/state_writer.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "common/async/task.hpp"
#include "common/http/server.hpp"
#include "common/telemetry/log.hpp"
#include "common/telemetry/metrics.hpp"

namespace ward::collector {

/// Whether a life of the collector is a leader's, and who knows how long. `leadership` is null for a collector that stands
/// alone; it outlives the life.
struct Turn {
  Leadership* leadership = nullptr;
  bool leads = true;
  /// The rule files that are in force, which the next life goes by when those on the disk are refused; null: not kept.
  std::vector<RuleText>* rules = nullptr;
};

/// What a life owes the other collector: it notices when its turn is over, hands in its state file, and sends away whoever
/// needs the leader. Thread: the io thread.
class TurnKeeper {
 public:
  struct Context {
    Turn turn;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    SqliteStateStore& state;
    StateWriter& writer;
    std::function<void()> over;  ///< another one leads, or this one does now: the next life is to begin
  };
  explicit TurnKeeper(Context context) : context_(std::move(context)) {}

  /// Only for a collector that does not stand alone.
  async::Task<void> watch();
  /// Gives the shared state the whole file. Before a leader begins to work; blocks.
  Status give_image();
  /// The same when it is wanted: after a time without the shared state, and now and then. Only for the leader.
  async::Task<void> hand_in();

  /// What only the leader knows, or may do: incidents, and all that people and other servers say of them.
  [[nodiscard]] bool sends_away(const http::ServerRequest& request) const;
  [[nodiscard]] async::Task<http::ServerResponse> elsewhere() const;

 private:
  void tell(const Leadership::View& before, const Leadership::View& now) const;

  Context context_;
};

}  // namespace ward::collector
