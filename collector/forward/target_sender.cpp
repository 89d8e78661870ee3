#include "collector/forward/target_sender.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "collector/forward/split.hpp"
#include "common/async/backoff.hpp"
#include "common/async/blocking_to_end.hpp"
#include "common/async/within.hpp"
#include "common/remote_write/encode.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;

constexpr auto kTellEvery = 1min;
constexpr auto kMetadataEvery = 1min;
constexpr auto kQueueRetry = 1s;
// The client keeps the time limit itself; this one only stands behind it.
constexpr auto kGrace = 2s;
constexpr auto kForEver = std::chrono::hours{24};
constexpr std::uint64_t kMaxAnswer = 4 << 10;
// Of one request that is refused, and of all.
constexpr int kMaxParts = 256;
constexpr int kMaxPartsAMinute = 2'000;

}  // namespace

/// A block on its way.
struct TargetSender::Round {
  Round(const async::asio::any_io_executor& executor, std::shared_ptr<SendBlock> b)
      : block(std::move(b)), open(block->shards.size()), ended(executor) {}
  std::shared_ptr<SendBlock> block;
  std::size_t open;  // shards
  async::Wakeup ended;
};

TargetSender::TargetSender(ForwardTarget target, std::size_t index, Context context)
    : target_(std::move(target)),
      index_(index),
      context_(std::move(context)),
      metrics_(context_.metrics, target_.name),
      builder_(target_, index_, context_.queue, context_.metadata),
      arrived_(context_.executor),
      group_(context_.executor, context_.on_failure) {
  metrics_.shards.set(static_cast<double>(target_.queue.shards));
}

void TargetSender::start() {
  metrics_.highest_sent.set(to_seconds(context_.queue.sent(index_)));
  show();
  group_.spawn("remote write to " + target_.name, send_loop());
  if (target_.metadata && target_.message == remote_write::Message::v1)
    group_.spawn("metadata to " + target_.name, metadata_loop());
}

void TargetSender::wake() {
  show();
  arrived_.wake();
}

void TargetSender::show() {
  const auto waiting = context_.queue.backlog(index_);
  metrics_.pending.set(static_cast<double>(waiting.samples + on_the_way_));
  metrics_.queue_bytes.set(static_cast<double>(waiting.bytes));
  metrics_.highest.set(to_seconds(context_.queue.newest()));
}

async::Task<void> TargetSender::send_loop() {
  for (;;) {
    auto waiting = wait_for_work();
    co_await std::move(waiting);
    auto taking = next_block();
    auto block = co_await std::move(taking);
    pending_since_.reset();
    if (!block) continue;
    for (const auto& [reason, samples] : block->dropped) metrics_.dropped(reason, samples);
    auto sending = send_block(block);
    co_await std::move(sending);
    auto finish = [this, block] { return context_.queue.done(index_, block->rows); };
    auto finishing = async::run_blocking_to_end(context_.pool, std::move(finish));
    // The queue tells of its errors itself; what it could not write down is sent again after a restart.
    (void)co_await std::move(finishing);
    if (block->rows.newest > Time{})
      metrics_.highest_sent.set(std::max(metrics_.highest_sent.value(), to_seconds(block->rows.newest)));
    show();
  }
}

/// Until requests can be filled, or what there is has waited long enough.
async::Task<void> TargetSender::wait_for_work() {
  while (!std::exchange(first_, false)) {
    const auto waiting = context_.queue.backlog(index_).samples;
    if (waiting >= target_.queue.shards * target_.queue.max_samples_per_send) co_return;
    auto longest = target_.queue.batch_send_deadline;
    if (waiting > 0) {
      const auto now = context_.clock.mono();
      if (!pending_since_) pending_since_ = now;
      longest -= std::chrono::duration_cast<milliseconds>(now - *pending_since_);
      if (longest <= milliseconds{0}) co_return;
    }
    auto wake = woken();
    auto either = async::within(context_.timers, longest, std::move(wake));
    (void)co_await std::move(either);
  }
}

async::Task<bool> TargetSender::woken() {
  co_await arrived_.wait(kForEver);
  co_return true;
}

/// Null when there is none.
async::Task<std::shared_ptr<SendBlock>> TargetSender::next_block() {
  auto build = [this, now = context_.clock.wall()] { return builder_.next(now); };
  auto building = async::run_blocking_to_end(context_.pool, std::move(build));
  auto built = co_await std::move(building);
  if (built) co_return std::move(*built);
  first_ = true;  // what was taken before the error is still to be sent
  co_await context_.timers.sleep_for(kQueueRetry);
  co_return nullptr;
}

async::Task<void> TargetSender::send_block(std::shared_ptr<SendBlock> block) {
  on_the_way_ = block->to_send;
  show();
  const auto round = std::make_shared<Round>(context_.executor, std::move(block));
  for (std::size_t shard = 0; shard < round->block->shards.size(); ++shard) {
    const auto name = "shard of remote write to " + target_.name;
    group_.spawn(name, send_shard(round, shard));
  }
  while (round->open > 0) co_await round->ended.wait(kForEver);
  on_the_way_ = 0;
}

async::Task<void> TargetSender::send_shard(std::shared_ptr<Round> round, std::size_t shard) {
  for (const auto& batch : round->block->shards[shard]) {
    auto sending = send_batch(std::shared_ptr<const SendBatch>(round, &batch), round->block->rows.repeated);
    co_await std::move(sending);
    on_the_way_ -= std::min(on_the_way_, batch.samples);
    show();
  }
  if (--round->open == 0) round->ended.wake();
}

/// What is refused as a whole is sent again in halves, so that one sample does not cost those beside it.
async::Task<void> TargetSender::send_batch(std::shared_ptr<const SendBatch> batch, bool repeated) {
  std::vector<std::shared_ptr<const SendBatch>> parts{std::move(batch)};  // the last is next
  int spent = 0;
  bool useful = false;
  while (!parts.empty()) {
    const auto part = std::move(parts.back());
    parts.pop_back();
    auto delivering = deliver(part, repeated && spent == 0);
    const auto verdict = co_await std::move(delivering);
    if (!verdict) continue;
    if (verdict->kind == ForwardVerdict::Kind::taken) {
      useful = true;
      on_taken(*part, *verdict);
      continue;
    }
    if (may_split(*verdict) && spent < kMaxParts) {
      if (auto halves = split(*part); !halves.empty()) {
        spent += 2;
        parts_ += 2;
        parts.insert(parts.end(), std::make_move_iterator(halves.rbegin()), std::make_move_iterator(halves.rend()));
        continue;
      }
    }
    on_refused(*part, *verdict);
  }
  // A receiver that refuses whatever it is sent is not asked so often.
  if (spent > 0 && !useful) parts_ = kMaxPartsAMinute;
}

bool TargetSender::may_split(const ForwardVerdict& verdict) {
  const auto now = context_.clock.mono();
  if (now - parts_since_ >= 1min) {
    parts_since_ = now;
    parts_ = 0;
  }
  // 2.0 receivers take what is good of a request, and a repeated one is there or not as a whole.
  return target_.message == remote_write::Message::v1 && verdict.conflict && !verdict.unsure && parts_ < kMaxPartsAMinute;
}

/// Until it is taken or refused for good; nullopt when it became too old meanwhile.
async::Task<std::optional<ForwardVerdict>> TargetSender::deliver(std::shared_ptr<const SendBatch> batch, bool repeated) {
  const async::Backoff::Options waits{target_.queue.min_backoff, target_.queue.max_backoff};
  async::Backoff backoff(waits, context_.random);
  for (bool unsure = repeated;;) {
    const auto& age = target_.queue.max_age;
    if (age.count() > 0 && batch->newest < context_.clock.wall() - age) {
      metrics_.dropped(ForwardDrop::too_old, batch->samples);
      co_return std::nullopt;
    }
    const auto begun = context_.clock.mono();
    auto posting = post(batch->body, target_.message);
    const auto answer = co_await std::move(posting);
    metrics_.duration.observe(to_seconds(context_.clock.mono() - begun));
    auto verdict = judge(answer, target_.message, batch->samples, context_.clock.wall());
    verdict.unsure = unsure = unsure || verdict.unsure;
    if (verdict.kind != ForwardVerdict::Kind::again) co_return verdict;
    metrics_.retried.add(static_cast<double>(batch->samples));
    tell_trouble(verdict.why);
    co_await context_.timers.sleep_for(std::max(backoff.next(), verdict.wait));
  }
}

async::Task<tl::expected<http::Response, http::Failure>> TargetSender::post(std::string body,
                                                                            remote_write::Message message) {
  auto request = request_for(std::move(body), message);
  auto sending = context_.client.send(std::move(request));
  auto answer = co_await async::within(context_.timers, target_.remote_timeout + kGrace, std::move(sending));
  if (answer) co_return std::move(*answer);
  http::Failure late;
  late.kind = http::FailureKind::timeout;
  late.error = Error{Errc::timed_out, "it did not answer in time", ""};
  co_return tl::unexpected<http::Failure>(std::move(late));
}

http::Request TargetSender::request_for(std::string body, remote_write::Message message) const {
  http::Request request;
  request.method = "POST";
  request.url = target_.url;
  request.headers = target_.headers;
  request.headers.emplace_back("Content-Type", remote_write::content_type(message));
  request.headers.emplace_back("Content-Encoding", "snappy");
  request.headers.emplace_back("X-Prometheus-Remote-Write-Version", remote_write::version_header(message));
  request.headers.emplace_back("User-Agent", "ward-collector");
  http::authorize(request, target_.credentials);
  if (!target_.authorization_credentials.empty())
    request.headers.emplace_back("Authorization",
                                 target_.authorization_type + " " + target_.authorization_credentials.reveal());
  request.body = std::move(body);
  request.timeout = target_.remote_timeout;
  request.connect_timeout = std::min(request.connect_timeout, request.timeout);
  request.max_body_bytes = kMaxAnswer;
  request.max_redirects = 0;
  request.proxy = target_.proxy;
  request.tls = target_.tls;
  return request;
}

void TargetSender::on_taken(const SendBatch& batch, const ForwardVerdict& verdict) {
  metrics_.samples.add(static_cast<double>(verdict.written));
  metrics_.bytes.add(static_cast<double>(batch.body.size()));
  if (verdict.unwritten) {
    metrics_.failed(ForwardFailure::unwritten, batch.samples - verdict.written);
    refused_untold_ += batch.samples - verdict.written;
    tell_refusal(verdict.why);
  }
  if (!told_trouble_) return;
  told_trouble_.reset();
  context_.log.info("A remote write target takes samples again", {{"remote", target_.name}});
}

void TargetSender::on_refused(const SendBatch& batch, const ForwardVerdict& verdict) {
  const bool repeated = verdict.unsure && verdict.conflict;
  metrics_.samples.add(static_cast<double>(verdict.written));
  metrics_.failed(repeated ? ForwardFailure::repeated : ForwardFailure::refused, batch.samples - verdict.written);
  refused_untold_ += batch.samples - verdict.written;
  tell_refusal(repeated ? verdict.why + " to a request that it may have already" : verdict.why);
}

void TargetSender::tell_trouble(std::string_view why) {
  const auto now = context_.clock.mono();
  if (told_trouble_ && now - *told_trouble_ < kTellEvery) return;
  told_trouble_ = now;
  context_.log.warn("A remote write target takes no samples; they wait on the disk",
                    {{"remote", target_.name}, {"why", why}, {"waiting", context_.queue.backlog(index_).samples}});
}

void TargetSender::tell_refusal(std::string_view why) {
  const auto now = context_.clock.mono();
  if (told_refusal_ && now - *told_refusal_ < kTellEvery) return;
  told_refusal_ = now;
  context_.log.warn("A remote write target refused samples; they are not sent again",
                    {{"remote", target_.name}, {"why", why}, {"samples", std::exchange(refused_untold_, 0)}});
}

async::Task<void> TargetSender::metadata_loop() {
  for (;;) {
    co_await context_.timers.sleep_for(kMetadataEvery);
    auto telling = tell_metadata();
    co_await std::move(telling);
  }
}

// What is not taken is told again a minute later.
async::Task<void> TargetSender::tell_metadata() {
  struct Told {
    std::uint64_t entries = 0;
    std::string body;
  };
  auto encode = [this] {
    std::vector<Told> out;
    const auto entries = context_.metadata.read();
    for (std::size_t at = 0; at < entries.size(); at += target_.queue.max_samples_per_send) {
      std::vector<remote_write::Metadata> metadata;
      const auto end = std::min(entries.size(), at + target_.queue.max_samples_per_send);
      for (std::size_t i = at; i < end; ++i) {
        const auto& first = entries[i].descriptions.front();
        metadata.push_back({entries[i].metric, first.type, first.help, first.unit});
      }
      out.push_back({metadata.size(), remote_write::pack(remote_write::encode_metadata(metadata))});
    }
    return out;
  };
  auto encoding = async::run_blocking_to_end(context_.pool, std::move(encode));
  const auto bodies = co_await std::move(encoding);
  for (const auto& told : bodies) {
    auto posting = post(told.body, remote_write::Message::v1);
    const auto answer = co_await std::move(posting);
    const bool taken = answer && answer->status >= 200 && answer->status < 300;
    (taken ? metrics_.metadata : metrics_.metadata_failed).add(static_cast<double>(told.entries));
  }
}

}  // namespace ward::collector
