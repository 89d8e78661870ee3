#pragma once
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "collector/event/metadata.hpp"
#include "collector/forward/options.hpp"
#include "collector/forward/queue.hpp"

namespace ward::collector {

/// One request.
struct SendBatch {
  std::string body;  ///< packed
  std::uint64_t samples = 0;
  Time newest;
};

/// What a block of the queue became for one target.
struct SendBlock {
  ForwardQueue::Block rows;                    ///< without their content
  std::vector<std::vector<SendBatch>> shards;  ///< of each the requests in their order
  std::uint64_t to_send = 0;                   ///< samples in all requests
  std::map<ForwardDrop, std::uint64_t> dropped;
};

/// Turns blocks into requests: relabelling, shards by the hash of the labels, so that each series keeps its order, and
/// requests of bounded size; what is late goes before the rest in requests of its own. A block of the same rows always makes
/// the same requests (but for what has become too old since): a receiver that takes or refuses a request as a whole, as
/// Prometheus does for 1.0, then gets each sample once, also when a kill lost the answers. One thread at a time.
class BlockBuilder {
 public:
  BlockBuilder(const ForwardTarget& target, std::size_t index, ForwardQueue& queue, const MetricMetadata& metadata)
      : target_(target), index_(index), queue_(queue), metadata_(metadata) {}

  /// The next block; null when nothing waits. Errors: of the queue.
  Result<std::shared_ptr<SendBlock>> next(Time now);

 private:
  struct Known {
    enum class Fate { sent, relabelled, damaged };
    Fate fate = Fate::damaged;
    std::shared_ptr<const Labels> labels;  // as they are sent
    std::size_t shard = 0;
    TenantId tenant;  // with the metric's own name: what the metadata goes by
    std::string metric;
  };
  struct Picked {
    const Known* series = nullptr;
    Sample sample;
  };
  /// Requests in the making, of a shard: what is late, then the rest.
  struct Lane {
    std::vector<Picked> picked;
    std::size_t counted = 0;  // of the request, with what was too old
    std::vector<SendBatch> batches;
  };
  Status learn(const ForwardQueue::Block& block);
  [[nodiscard]] Known known_of(const Labels& labels) const;
  SendBatch make_batch(std::vector<Picked> picked) const;

  const ForwardTarget& target_;
  const std::size_t index_;
  ForwardQueue& queue_;
  const MetricMetadata& metadata_;
  std::unordered_map<QueueSeries, Known> known_;
};

}  // namespace ward::collector
