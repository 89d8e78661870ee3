#pragma once
#include <functional>
#include <string>

#include "collector/notify/heartbeat.hpp"
#include "collector/notify/http_target.hpp"
#include "common/async/task_group.hpp"
#include "common/base/world.hpp"
#include "common/http/client.hpp"

namespace ward::collector {

/// Posts the heartbeat to its receiver, an outside watchdog, at every interval. Thread: the executor's. References must
/// outlive it; await stop() before its end.
class HeartbeatSender {
 public:
  /// Called before each beat: reports what has made progress to the heartbeat and says what it carries.
  using Observe = std::function<Heartbeat::Figures(Heartbeat&)>;
  /// Hears of each beat that was withheld or did not get out.
  using OnMissed = std::function<void(const Error&)>;

  HeartbeatSender(async::asio::any_io_executor executor, http::Client& client, const Clock& clock, Heartbeat& heartbeat,
                  HttpTarget watchdog, Observe observe, OnMissed on_missed);

  void start() { group_.spawn("heartbeat", loop()); }
  async::Task<void> stop() { return group_.stop(); }

 private:
  async::Task<void> loop();
  async::Task<Status> post(std::string body);

  http::Client& client_;
  const Clock& clock_;
  Heartbeat& heartbeat_;
  HttpTarget watchdog_;
  Observe observe_;
  OnMissed on_missed_;
  async::TaskGroup group_;
};

}  // namespace ward::collector
