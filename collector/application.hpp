#pragma once
#include <atomic>
#include <boost/asio/signal_set.hpp>
#include <memory>
#include <string>
#include <vector>

#include "collector/archive.hpp"
#include "collector/data_files.hpp"
#include "collector/forwarding.hpp"
#include "collector/housekeeping.hpp"
#include "collector/parts.hpp"
#include "collector/reloader.hpp"
#include "collector/remote_write/receiver.hpp"
#include "collector/routing_desk.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/service_levels.hpp"
#include "collector/turn.hpp"
#include "collector/world.hpp"
#include "common/async/task_group.hpp"
#include "common/http/server.hpp"

namespace ward::collector {

Result<net::TlsContext> make_tls(const CollectorConfig& config);

/// One life of the collector: its parts, wired. ingest -> journal and head -> alerting -> incident -> routing -> outbox ->
/// notify. Thread: the io thread.
class Application {
 public:
  Application(std::string path, CollectorConfig config, net::TlsContext tls, DataFiles files, World& world, Turn turn);
  /// A job outlives the request it answers: what still runs on the pools uses the members, so it ends first.
  ~Application();
  Application(const Application&) = delete;
  Application& operator=(const Application&) = delete;

  /// Opens everything and begins to work when the loop runs.
  Status start();

  /// Why it ended, when nobody asked for that.
  [[nodiscard]] const Status& outcome() const { return outcome_; }
  /// It ended because it leads now, or leads no more: the next life is to begin.
  [[nodiscard]] bool takes_turn() const { return takes_turn_; }
  /// After the loop has ended.
  void save() { house_.save(); }

 private:
  async::Task<http::ServerResponse> answer(http::ServerRequest request);
  static async::Task<http::ServerResponse> not_yet();
  static async::Task<http::ServerResponse> no_receiver();

  /// The alerts that found no rule.
  std::vector<AlertState> restore(const RulebookLoad& load);
  RulebookLoad read_rules();
  std::unique_ptr<http::Server> make_api();
  /// Until the head has what the journal has.
  async::Task<void> replay();

  /// What needs no samples.
  void run_parts();
  /// What evaluates or files samples.
  void run_rest();
  void ingested();
  Heartbeat::Figures observe(Heartbeat& heartbeat);
  async::Task<void> write_own_series();
  [[nodiscard]] std::vector<AlertEvent> other_alerts() const;
  async::Task<void> expire_foreign();
  async::Task<void> prune_state();
  async::Task<void> handle_signals();
  void end();
  async::Task<void> shut_down();

  std::string path_;
  CollectorConfig config_;
  World& world_;
  const Turn turn_;
  std::unique_ptr<DataVolume> volume_;
  Store store_;
  SqliteStateStore state_;
  ReservedStateStore reserved_;
  std::atomic<bool> stopping_{false};  // no query is waited for any more
  promql::Engine engine_;
  PromqlCompiler compiler_;
  std::unique_ptr<SqliteLedgerStore> ledgers_;
  ServiceLevels levels_;
  RuleEngine rules_;
  ForeignAlerts foreign_;
  ForeignAlerts::Counts foreign_told_;
  Engine incidents_;
  Router router_;
  Outbox outbox_;
  StateWriter writer_;
  TurnKeeper keeper_;
  Sender sender_;
  std::unique_ptr<Forwarding> forwarding_;  // null without targets
  StreamServer server_;
  Housekeeping house_;
  Heartbeat heartbeat_;
  std::unique_ptr<Pipeline> pipeline_;
  std::unique_ptr<Reloader> reloader_;
  std::unique_ptr<RoutingDesk> desk_;
  StateArchive archive_;
  std::unique_ptr<AppView> view_;
  std::unique_ptr<RemoteWriteReceiver> receiver_;
  std::unique_ptr<http::Server> api_;
  std::unique_ptr<HeartbeatSender> beat_;
  async::asio::signal_set signals_;
  LoadedState loaded_;
  MonoTime last_ingest_{};
  std::uint64_t damaged_rows_ = 0;
  bool ending_ = false;
  bool takes_turn_ = false;
  Status outcome_;
  async::TaskGroup tasks_;
};

}  // namespace ward::collector
