#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "collector/forward/answer.hpp"
#include "collector/forward/block.hpp"
#include "common/async/blocking.hpp"
#include "common/async/task_group.hpp"
#include "common/async/timers.hpp"
#include "common/async/wakeup.hpp"
#include "common/telemetry/log.hpp"

namespace ward::collector {

/// Sends what the queue has to one target: a block at a time, its shards side by side, each request until it is taken or
/// refused for good. The position moves when the whole block is answered. Thread: the executor's. References must outlive
/// it; await stop() before its end.
class TargetSender {
 public:
  struct Context {
    async::asio::any_io_executor executor;
    http::Client& client;
    const Clock& clock;
    async::Timers& timers;
    Random& random;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    async::BlockingPool& pool;
    ForwardQueue& queue;
    const MetricMetadata& metadata;
    async::TaskGroup::OnFailure on_failure;  ///< a loop that broke; may be empty
  };
  /// `index`: of the target in the queue.
  TargetSender(ForwardTarget target, std::size_t index, Context context);

  void start();
  /// Something came into the queue.
  void wake();
  /// Breaks off what is on its way; it is sent again after the next start.
  async::Task<void> stop() { return group_.stop(); }

 private:
  struct Round;
  async::Task<void> send_loop();
  async::Task<void> wait_for_work();
  async::Task<bool> woken();
  async::Task<std::shared_ptr<SendBlock>> next_block();
  async::Task<void> send_block(std::shared_ptr<SendBlock> block);
  async::Task<void> send_shard(std::shared_ptr<Round> round, std::size_t shard);
  async::Task<void> send_batch(std::shared_ptr<const SendBatch> batch, bool repeated);
  async::Task<std::optional<ForwardVerdict>> deliver(std::shared_ptr<const SendBatch> batch, bool repeated);
  [[nodiscard]] bool may_split(const ForwardVerdict& verdict);
  async::Task<tl::expected<http::Response, http::Failure>> post(std::string body, remote_write::Message message);
  async::Task<void> metadata_loop();
  async::Task<void> tell_metadata();

  [[nodiscard]] http::Request request_for(std::string body, remote_write::Message message) const;
  void on_taken(const SendBatch& batch, const ForwardVerdict& verdict);
  void on_refused(const SendBatch& batch, const ForwardVerdict& verdict);
  void show();
  void tell_trouble(std::string_view why);
  void tell_refusal(std::string_view why);

  const ForwardTarget target_;
  const std::size_t index_;
  const Context context_;
  ForwardMetrics metrics_;
  BlockBuilder builder_;
  std::uint64_t on_the_way_ = 0;  // samples of the block that are not answered
  bool first_ = true;             // a block may be under way since before the start
  std::optional<MonoTime> pending_since_;
  std::optional<MonoTime> told_trouble_;  // while it takes nothing
  std::optional<MonoTime> told_refusal_;
  std::uint64_t refused_untold_ = 0;
  MonoTime parts_since_{};  // the minute in which parts_ were sent
  int parts_ = 0;
  async::Wakeup arrived_;
  async::TaskGroup group_;
};

}  // namespace ward::collector
