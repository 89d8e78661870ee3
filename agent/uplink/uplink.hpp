#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/spool/spool.hpp"
#include "common/async/task_group.hpp"
#include "common/async/timers.hpp"
#include "common/base/world.hpp"
#include "common/net/connection.hpp"
#include "common/telemetry/log.hpp"
#include "common/telemetry/metrics.hpp"
#include "common/wire/agent_session.hpp"

namespace ward::agent {

struct CollectorAddress {
  net::Endpoint endpoint;
  std::string server_name;  ///< "" = the endpoint's host
  friend bool operator==(const CollectorAddress&, const CollectorAddress&) = default;
};

/// Keeps one session open to each configured collector and feeds it from the spool. The collectors are independent: one
/// that is away does not slow the other. No decisions about data live here; they are in wire::AgentSession and Spool.
/// Thread: the io thread. Await stop() before the destructor.
class Uplink {
 public:
  struct Context {
    Spool& spool;
    const Clock& clock;
    Random& random;
    async::Timers& timers;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    AgentId agent;
    std::uint64_t config_hash = 0;
    std::vector<wire::MetaEntry> metrics_meta;
  };
  Uplink(async::asio::any_io_executor executor, Context context, std::vector<CollectorAddress> collectors,
         net::TlsContext tls);
  ~Uplink();

  void start();
  /// Records arrived in the spool.
  void wake();
  /// All metrics the agent may send from now on; open sessions hear of those that are new, later ones of all.
  void describe(std::vector<wire::MetaEntry> metrics);
  /// New certificates: used by connections from now on.
  void use_context(net::TlsContext tls) { tls_ = std::move(tls); }
  /// Waits until every open session has nothing unacknowledged left, or the limit passes; for SIGTERM.
  async::Task<void> drain(milliseconds limit);
  async::Task<void> stop();
  [[nodiscard]] std::size_t connected() const;
  [[nodiscard]] std::size_t collectors() const { return links_.size(); }

 private:
  struct Link;
  async::Task<void> keep_connected(Link& link);
  async::Task<Status> connect_once(Link& link);
  async::Task<void> converse(Link& link);
  async::Task<void> read_loop(Link& link);
  async::Task<void> write_loop(Link& link);
  async::Task<void> tick_loop(Link& link);
  void opened(Link& link);
  void renew(Link& link);
  void end(Link& link, Error reason);

  async::asio::any_io_executor executor_;
  Context context_;
  net::TlsContext tls_;
  std::vector<std::unique_ptr<Link>> links_;
  async::TaskGroup tasks_;
};

}  // namespace ward::agent
