#include "collector/forwarding.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <utility>

#include "collector/data_files.hpp"
#include "collector/pipeline.hpp"

namespace ward::collector {
namespace {

ForwardQueue::Options queue_options(const CollectorConfig& config) {
  ForwardQueue::Options out;
  out.path = config.data_dir + "/" + DataFiles::kForward;
  for (const auto& target : config.remote_write) out.targets.push_back({target.name, target.queue.max_size});
  return out;
}

}  // namespace

std::unique_ptr<Forwarding> Forwarding::make(const CollectorConfig& config, Context context) {
  if (config.remote_write.empty()) return nullptr;
  return std::unique_ptr<Forwarding>(new Forwarding(config, context));
}

Forwarding::Forwarding(const CollectorConfig& config, Context context)
    : data_dir_(config.data_dir),
      max_sample_age_(config.max_sample_age),
      targets_(config.remote_write),
      context_(context),
      timers_(async::real_timers()),
      queue_(queue_options(config), queue_context()),
      self_(std::make_shared<Forwarding*>(this)) {}

ForwardQueue::Context Forwarding::queue_context() {
  return {context_.clock,
          context_.metrics,
          [this](SeriesId id) { return context_.catalogue.labels(id); },
          [this](SeriesId id, const Sample& sample) { return is_new(id, sample); },
          [this] {
            async::asio::post(context_.executor, [weak = std::weak_ptr(self_)] {
              if (const auto self = weak.lock()) (*self)->wake();
            });
          },
          [this](const Error& error) {
            context_.log.error("The remote write queue takes nothing; what comes meanwhile is stored here and not sent on",
                               {{"error", error.what}, {"fix", error.fix}});
          },
          [this](const Error& error) {
            return set_aside(data_dir_, {error, DataFiles::kForward}, context_.clock.wall(), context_.log);
          }};
}

/// As the head will judge a moment later. What is late is looked up, which few samples are.
bool Forwarding::is_new(SeriesId id, const Sample& sample) const {
  const auto last = context_.head.last_sample(SeriesRef{id + 1});
  if (!last || sample.t > last->t) return true;
  if (sample.t == last->t || (max_sample_age_.count() > 0 && last->t - sample.t > max_sample_age_)) return false;
  const auto labels = context_.catalogue.labels(id);
  std::vector<Matcher> matchers;
  for (const auto& [name, value] : labels) {
    auto matcher = Matcher::make(Matcher::Op::equal, name, value);
    if (matcher) matchers.push_back(std::move(*matcher));
  }
  const auto found = context_.head.select(matchers, sample.t, sample.t);
  return !found || std::none_of(found->begin(), found->end(), [&](const SeriesData& s) { return s.labels == labels; });
}

void Forwarding::start(const MetricMetadata& metadata) {
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    senders_.push_back(std::make_unique<TargetSender>(
        targets_[i], i,
        TargetSender::Context{
            context_.executor, context_.client, context_.clock, *timers_, context_.random, context_.log, context_.metrics,
            context_.pool, queue_, metadata,
            logs_failure(context_.log, "Remote write ended unexpectedly; restart the collector and report this")}));
    senders_.back()->start();
  }
}

void Forwarding::wake() {
  for (auto& sender : senders_) sender->wake();
}

async::Task<void> Forwarding::stop() {
  for (auto& sender : senders_) {
    auto stopping = sender->stop();
    co_await std::move(stopping);
  }
}

async::Task<void> stop(Forwarding* forwarding) {
  if (forwarding == nullptr) co_return;
  auto stopping = forwarding->stop();
  co_await std::move(stopping);
}

}  // namespace ward::collector
