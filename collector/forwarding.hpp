#pragma once
#include <memory>
#include <string>
#include <vector>

#include "collector/config.hpp"
#include "collector/forward/target_sender.hpp"
#include "collector/tsdb/head.hpp"

namespace ward::collector {

/// Remote write to others, wired: one queue, and a sender for each target of collector.yaml. Thread: the io thread. Await
/// stop() before its end.
class Forwarding {
 public:
  struct Context {
    async::asio::any_io_executor executor;
    http::Client& client;
    const Clock& clock;
    Random& random;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    async::BlockingPool& pool;
    const Catalogue& catalogue;
    const Head& head;
  };
  /// Null without targets: then there is no file and no cost.
  static std::unique_ptr<Forwarding> make(const CollectorConfig& config, Context context);

  [[nodiscard]] RecordTap& tap() { return queue_; }
  /// Before the first commit, with what the journal has. Errors: as ForwardQueue::start().
  Status open(std::vector<StreamState> journaled) { return queue_.start(std::move(journaled)); }
  /// Then it sends.
  void start(const MetricMetadata& metadata);
  async::Task<void> stop();

 private:
  Forwarding(const CollectorConfig& config, Context context);
  [[nodiscard]] ForwardQueue::Context queue_context();
  [[nodiscard]] bool is_new(SeriesId id, const Sample& sample) const;
  void wake();

  const std::string data_dir_;
  const milliseconds max_sample_age_;
  const std::vector<ForwardTarget> targets_;
  Context context_;
  std::unique_ptr<async::Timers> timers_;
  ForwardQueue queue_;
  // What comes from the pool may come after the end.
  std::shared_ptr<Forwarding*> self_;
  std::vector<std::unique_ptr<TargetSender>> senders_;
};

/// Forwarding::stop(), also without one.
async::Task<void> stop(Forwarding* forwarding);

}  // namespace ward::collector
