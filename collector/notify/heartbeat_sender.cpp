#include "collector/notify/heartbeat_sender.hpp"

#include <algorithm>
#include <utility>

#include "common/async/within.hpp"

namespace ward::collector {

HeartbeatSender::HeartbeatSender(async::asio::any_io_executor executor, http::Client& client, const Clock& clock,
                                 Heartbeat& heartbeat, HttpTarget watchdog, Observe observe, OnMissed on_missed)
    : client_(client),
      clock_(clock),
      heartbeat_(heartbeat),
      watchdog_(std::move(watchdog)),
      observe_(std::move(observe)),
      on_missed_(std::move(on_missed)),
      group_(std::move(executor)) {}

async::Task<void> HeartbeatSender::loop() {
  for (;;) {
    const auto began = clock_.mono();
    const auto figures = observe_(heartbeat_);
    auto body = heartbeat_.beat(began, figures);
    if (body) {
      const Status sent = co_await post(std::move(*body));
      if (!sent) {
        heartbeat_.not_delivered();
        on_missed_(sent.error());
      }
    } else {
      on_missed_(body.error());
    }
    const auto spent = clock_.mono() - began;
    const std::chrono::nanoseconds rest = heartbeat_.options().interval - spent;
    co_await async::sleep_for(std::max<std::chrono::nanoseconds>(rest, std::chrono::seconds{1}));
  }
}

async::Task<Status> HeartbeatSender::post(std::string body) {
  http::Request request;
  request.method = "POST";
  request.url = watchdog_.url;
  request.headers.emplace_back("Content-Type", "application/json");
  if (!watchdog_.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + watchdog_.token.reveal());
  request.body = std::move(body);
  request.proxy = watchdog_.proxy;
  request.tls.ca_file = watchdog_.ca_file;
  auto sending = client_.send(std::move(request));
  const auto answer = co_await std::move(sending);
  if (!answer) co_return fail(answer.error().error);
  if (answer->status >= 200 && answer->status < 300) co_return Status{};
  co_return fail(Errc::unavailable, "the heartbeat's receiver answered HTTP " + std::to_string(answer->status),
                 "Check the URL and token of the heartbeat.");
}

}  // namespace ward::collector
