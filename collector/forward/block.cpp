#include "collector/forward/block.hpp"

#include <algorithm>
#include <iterator>
#include <unordered_set>
#include <utility>

#include "common/remote_write/encode.hpp"

namespace ward::collector {
namespace {

/// Requests of a shard in a block: while one is on its way the next is ready.
constexpr std::size_t kBatchesInBlock = 4;
/// How far behind the newest of its block a sample goes in a request of its own. A receiver may take what is an hour old,
/// and refuses a whole request for one that is older: an agent that was cut off for long must not cost those that were not.
constexpr std::chrono::minutes kLate{30};
/// Label sets kept for the next block, some 500 bytes each; beyond it they are read anew.
constexpr std::size_t kMaxKnown = 100'000;

}  // namespace

Result<std::shared_ptr<SendBlock>> BlockBuilder::next(Time now) {
  auto taken = queue_.take(index_, target_.queue.max_samples_per_send * target_.queue.shards * kBatchesInBlock);
  if (!taken) return fail(taken.error());
  if (!*taken) return std::shared_ptr<SendBlock>{};
  auto out = std::make_shared<SendBlock>();
  out->rows = std::move(**taken);
  if (auto learned = learn(out->rows); !learned) return fail(learned.error());

  // A request is cut before the age is looked at, which changes with time.
  std::vector<Lane> lanes(2 * target_.queue.shards);
  out->shards.resize(target_.queue.shards);
  const auto oldest = target_.queue.max_age.count() > 0 ? now - target_.queue.max_age : Time::min();
  const auto finish = [this](Lane& lane) {
    lane.counted = 0;
    if (!lane.picked.empty()) lane.batches.push_back(make_batch(std::exchange(lane.picked, {})));
  };
  for (auto& row : out->rows.rows) {
    if (!row.content) {
      out->dropped[ForwardDrop::damaged] += row.samples;
      continue;
    }
    for (const auto& sample : *row.content) {
      const auto& series = known_.at(sample.id);
      if (series.fate != Known::Fate::sent) {
        ++out->dropped[series.fate == Known::Fate::damaged ? ForwardDrop::damaged : ForwardDrop::relabelled];
        continue;
      }
      const bool late = sample.t < out->rows.newest - kLate;
      auto& lane = lanes[2 * series.shard + (late ? 0 : 1)];
      ++lane.counted;
      if (sample.t < oldest)
        ++out->dropped[ForwardDrop::too_old];
      else
        lane.picked.push_back({&series, {sample.t, sample.v}}), ++out->to_send;
      if (lane.counted == target_.queue.max_samples_per_send) finish(lane);
    }
    row.content.reset();
  }
  for (std::size_t i = 0; i < lanes.size(); ++i) {
    finish(lanes[i]);
    auto& shard = out->shards[i / 2];
    std::move(lanes[i].batches.begin(), lanes[i].batches.end(), std::back_inserter(shard));
  }
  return out;
}

Status BlockBuilder::learn(const ForwardQueue::Block& block) {
  if (known_.size() > kMaxKnown) known_.clear();
  std::unordered_set<QueueSeries> seen;
  std::vector<QueueSeries> unknown;
  for (const auto& row : block.rows)
    if (row.content)
      for (const auto& sample : *row.content)
        if (!known_.contains(sample.id) && seen.insert(sample.id).second) unknown.push_back(sample.id);
  if (unknown.empty()) return {};
  const auto labels = queue_.labels(unknown);
  if (!labels) return fail(labels.error());
  for (std::size_t i = 0; i < unknown.size(); ++i)
    known_.emplace(unknown[i], (*labels)[i] ? known_of(*(*labels)[i]) : Known{});
  return {};
}

BlockBuilder::Known BlockBuilder::known_of(const Labels& labels) const {
  Known out;
  auto sent = labels;
  out.fate = relabel(target_.write_relabel, sent) && !sent.name().empty() ? Known::Fate::sent : Known::Fate::relabelled;
  if (out.fate != Known::Fate::sent) return out;
  out.shard = static_cast<std::size_t>(sent.hash() % target_.queue.shards);
  out.tenant = TenantId{std::string(labels.get("tenant"))};
  out.metric = labels.name();
  out.labels = std::make_shared<const Labels>(std::move(sent));
  return out;
}

SendBatch BlockBuilder::make_batch(std::vector<Picked> picked) const {
  SendBatch out;
  out.samples = picked.size();
  out.newest = picked.front().sample.t;
  // By the labels that are sent: relabelling may have made one series of two.
  std::map<const Labels*, std::size_t, decltype([](const Labels* a, const Labels* b) { return *a < *b; })> at;
  std::vector<remote_write::OutgoingSeries> series;
  std::vector<MetricDescription> described;
  described.reserve(picked.size());  // the series point into it
  const bool tells = target_.metadata && target_.message == remote_write::Message::v2;
  for (const auto& [known, sample] : picked) {
    const auto [found, fresh] = at.emplace(known->labels.get(), series.size());
    if (fresh) {
      auto& added = series.emplace_back();
      added.labels = known->labels.get();
      if (auto told = tells ? metadata_.find(known->tenant, known->metric) : std::nullopt) {
        const auto& kept = described.emplace_back(std::move(*told));
        added.metadata = {{}, kept.type, kept.help, kept.unit};
      }
    }
    series[found->second].samples.push_back(sample);
    out.newest = std::max(out.newest, sample.t);
  }
  for (auto& one : series)
    std::stable_sort(one.samples.begin(), one.samples.end(), [](const Sample& a, const Sample& b) { return a.t < b.t; });
  out.body = remote_write::pack(remote_write::encode(target_.message, series));
  return out;
}

}  // namespace ward::collector
