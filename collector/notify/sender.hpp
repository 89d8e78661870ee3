#pragma once
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "collector/notify/outbox.hpp"
#include "collector/notify/page.hpp"
#include "collector/notify/receiver.hpp"
#include "common/async/task_group.hpp"
#include "common/async/wakeup.hpp"
#include "common/base/world.hpp"
#include "common/http/client.hpp"

namespace ward::collector {

/// Makes a change durable; on an error nothing of it is, and the sender tries again together with what came since.
using CommitState = std::function<async::Task<Status>(StateChange)>;

/// A receiver that refused a message for good.
struct Refusal {
  std::string receiver;
  std::string incident;
  std::string why;           ///< for people; no body, no credential
  bool nobody_left = false;  ///< no other receiver takes over; this one is asked again
};

struct SenderOptions {
  std::chrono::milliseconds timeout{10'000};
  std::chrono::milliseconds mail_timeout{30'000};  ///< many mail servers let strangers wait before they greet
  std::uint64_t max_answer_bytes = 64 << 10;
  std::chrono::milliseconds commit_retry{1'000};  ///< after a commit that failed
  PageOptions page;
  std::function<bool()> may_send{};                   ///< false: nothing new goes out now; empty: always
  std::function<void(const Refusal&)> refused{};      ///< told of every refusal; may be empty
  std::function<void(const Refusal&)> partly{};       ///< told of what was delivered, but not to everybody; may be empty
  std::function<void(const DeliveryRow&)> doubled{};  ///< told of pages that go to a second receiver; may be empty
};

/// Drives an outbox over its receivers' channels: sends what is due, one message at a time per receiver, tells the outbox
/// what came of it and has that stored. Redirects are not followed, so a token never travels on. Decides nothing itself.
/// Thread: the executor's. References must outlive it; await stop() before its end. `on_failure` hears of a loop that broke:
/// its pages stay in the outbox until the next start.
class Sender {
 public:
  Sender(async::asio::any_io_executor executor, http::Client& client, const Clock& clock, Outbox& outbox,
         std::vector<Receiver> receivers, CommitState commit, SenderOptions options,
         async::TaskGroup::OnFailure on_failure = {});

  void start();
  /// Call after Outbox::accept().
  void wake() { sends_.wake(); }
  /// Breaks off what is on its way (it goes out again after the next start) and stores once more what is known.
  async::Task<void> stop();

  /// When the sending loop last ran, for the heartbeat.
  [[nodiscard]] MonoTime last_round() const { return last_round_; }
  [[nodiscard]] std::uint64_t failed_commits() const { return failed_commits_; }

 private:
  async::Task<void> send_loop();
  async::Task<void> save_loop();
  async::Task<void> attempt(Delivery delivery);
  async::Task<SendOutcome> send(Delivery delivery);
  async::Task<Reply> ask(http::Request request);
  async::Task<Reply> hand_in(http::Mail mail);
  struct Outgoing {
    std::shared_ptr<const Channel> channel;
    Message message;
  };
  [[nodiscard]] Result<Outgoing> outgoing(const Delivery& delivery) const;

  http::Client& client_;
  const Clock& clock_;
  Outbox& outbox_;
  std::map<std::string, Receiver> receivers_;
  CommitState commit_;
  SenderOptions options_;
  StateChange unsaved_;  ///< results since the commit under way began
  StateChange in_commit_;
  MonoTime last_round_{};
  std::uint64_t failed_commits_ = 0;
  async::Wakeup sends_;
  async::Wakeup saves_;
  async::TaskGroup group_;
};

}  // namespace ward::collector
