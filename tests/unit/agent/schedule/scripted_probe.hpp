#pragma once
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "agent/schedule/target.hpp"
#include "common/async/timers.hpp"

namespace ward::agent {

/// What the next runs of a ScriptedProbe do, and what they have done. Shared with the test.
struct Script {
  milliseconds takes{0};
  bool hangs = false;             ///< runs until it is cancelled
  bool swallows_cancels = false;  ///< and then reports a refused connection, as a careless probe may
  std::function<void()> before;   ///< may throw
  probes::ProbeOutput output;
  Readings at_deadline;
  std::vector<MonoTime> started;
  int running = 0;
  int most_at_once = 0;
};

inline probes::ProbeFailure failure(probes::FailureReason reason, std::string what = "no answer") {
  return {reason, Error{Errc::unavailable, std::move(what), "Look at it."}};
}

class ScriptedProbe final : public probes::Probe {
 public:
  ScriptedProbe(std::shared_ptr<Script> script, async::Timers& timers) : script_(std::move(script)), timers_(timers) {}

  async::Task<probes::ProbeOutput> collect(probes::Host& host) override {
    const Running running(*script_);
    script_->started.push_back(host.clock().mono());
    if (script_->before) script_->before();
    if (script_->takes.count() > 0) co_await timers_.sleep_for(script_->takes);
    if (script_->hangs) {
      async::asio::steady_timer never(co_await async::asio::this_coro::executor,
                                      async::asio::steady_timer::time_point::max());
      boost::system::error_code ended;
      co_await never.async_wait(async::asio::redirect_error(async::asio::use_awaitable, ended));
      if (!script_->swallows_cancels) throw boost::system::system_error(ended);
      probes::ProbeOutput refused;
      refused.readings.push_back({"x_up", {}, 0});
      refused.failure = failure(probes::FailureReason::connect_refused);
      co_return refused;
    }
    co_return script_->output;
  }
  [[nodiscard]] Readings on_deadline() const override { return script_->at_deadline; }

 private:
  struct Running {
    explicit Running(Script& s) : script(s) { script.most_at_once = std::max(script.most_at_once, ++script.running); }
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;
    ~Running() { --script.running; }
    Script& script;
  };
  std::shared_ptr<Script> script_;
  async::Timers& timers_;
};

}  // namespace ward::agent
