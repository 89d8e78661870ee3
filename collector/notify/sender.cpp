#include "collector/notify/sender.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "collector/event/json.hpp"
#include "collector/notify/channel.hpp"
#include "common/async/within.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;

// Longest sleep of the sending loop: the heartbeat watches that it turns.
constexpr auto kIdle = 5s;
constexpr auto kCommitRetry = 1s;
// The client keeps the time limit itself; this one only stands behind it.
constexpr auto kGrace = 2s;

using Kind = SendOutcome::Kind;

SendOutcome judge_failure(const http::Failure& failure) {
  switch (failure.kind) {
    // Waiting mends none of these, somebody must: the fallback hears of it at once.
    case http::FailureKind::bad_url:
    case http::FailureKind::tls_untrusted:
    case http::FailureKind::tls_expired:
    case http::FailureKind::tls_name_mismatch:
    case http::FailureKind::too_many_redirects:
      return {.kind = Kind::refused, .retry_after = {}, .error = failure.error.what};
    case http::FailureKind::dns_nxdomain:
    case http::FailureKind::dns_timeout:
    case http::FailureKind::dns_failed:
    case http::FailureKind::connect_refused:
    case http::FailureKind::connect_timeout:
    case http::FailureKind::connect_failed:
    case http::FailureKind::tls_protocol:
    case http::FailureKind::timeout:
    case http::FailureKind::protocol:
    case http::FailureKind::cancelled: break;
  }
  return {.kind = Kind::retry, .retry_after = {}, .error = failure.error.what};
}

}  // namespace

Sender::Sender(async::asio::any_io_executor executor, http::Client& client, const Clock& clock, Outbox& outbox,
               std::vector<Receiver> receivers, CommitState commit, SenderOptions options,
               async::TaskGroup::OnFailure on_failure)
    : client_(client),
      clock_(clock),
      outbox_(outbox),
      commit_(std::move(commit)),
      options_(std::move(options)),
      sends_(executor),
      saves_(executor),
      group_(executor, std::move(on_failure)) {
  for (auto& r : receivers) {
    auto name = r.name;
    receivers_.emplace(std::move(name), std::move(r));
  }
}

void Sender::start() {
  group_.spawn("outbox sends", send_loop());
  group_.spawn("outbox saves", save_loop());
}

async::Task<void> Sender::send_loop() {
  for (;;) {
    const auto now = clock_.mono();
    last_round_ = now;
    for (auto& delivery : outbox_.due(now)) {
      const auto name = "send to " + delivery.receiver;
      group_.spawn(name, attempt(std::move(delivery)));
    }
    auto longest = std::chrono::duration_cast<milliseconds>(kIdle);
    if (const auto next = outbox_.next_wake(now))
      longest = std::clamp(std::chrono::ceil<milliseconds>(*next - now), milliseconds{1}, longest);
    co_await sends_.wait(longest);
  }
}

// One commit at a time, in order: a later state of a row can never be overwritten by an earlier one that had to wait.
async::Task<void> Sender::save_loop() {
  for (;;) {
    while (!is_empty(unsaved_)) {
      append(in_commit_, std::exchange(unsaved_, StateChange{}));
      StateChange copy = in_commit_;
      auto committing = commit_(std::move(copy));
      const Status done = co_await std::move(committing);
      if (done) {
        outbox_.accept(in_commit_.deliveries);
        in_commit_ = StateChange{};
        sends_.wake();
        continue;
      }
      ++failed_commits_;
      append(in_commit_, std::exchange(unsaved_, StateChange{}));
      unsaved_ = std::exchange(in_commit_, StateChange{});
      co_await async::sleep_for(kCommitRetry);
    }
    co_await saves_.wait(kIdle);
  }
}

async::Task<void> Sender::stop() {
  co_await group_.stop();
  // Storing a row's state twice does no harm, and a result that is lost would be sent a second time.
  append(in_commit_, std::exchange(unsaved_, StateChange{}));
  if (is_empty(in_commit_)) co_return;
  auto committing = commit_(std::exchange(in_commit_, StateChange{}));
  const Status done = co_await std::move(committing);
  if (!done) ++failed_commits_;
}

async::Task<void> Sender::attempt(Delivery delivery) {
  const auto key = delivery.key;
  Refusal refusal{.receiver = delivery.receiver, .incident = delivery.incident, .why = ""};
  SendOutcome outcome;
  // Whatever happens, the outbox must hear of it: a row that stays out is a page that is never sent.
  try {
    outcome = co_await send(std::move(delivery));
  } catch (const std::exception&) {
    outcome.kind = Kind::retry;
    outcome.error = "the attempt was broken off";
  }
  auto change = outbox_.on_result(key, outcome, clock_.mono(), clock_.wall());
  if (outcome.kind == Kind::refused && options_.refused) {
    refusal.why = outcome.error;
    refusal.nobody_left = change.updates.front().state == DeliveryState::pending;
    options_.refused(refusal);
  }
  StateChange state;
  state.deliveries = std::move(change.added);
  state.delivery_updates = std::move(change.updates);
  append(unsaved_, std::move(state));
  saves_.wake();
  sends_.wake();
}

Result<http::Request> Sender::request_for(const Delivery& delivery) const {
  const auto at = receivers_.find(delivery.receiver);
  if (at == receivers_.end())
    return fail(Errc::not_found, "receiver '" + delivery.receiver + "' is not configured", "Add it under receivers.");
  const auto& receiver = at->second;
  const auto* channel = find_channel(receiver.channel);
  if (channel == nullptr)
    return fail(Errc::not_found, "receiver '" + receiver.name + "' has the unknown channel '" + receiver.channel + "'",
                "Use a channel this release knows.");
  auto notice = notice_from_json(delivery.body);
  if (!notice) return fail(notice.error());
  Message message;
  message.receiver = receiver.name;
  message.at = delivery.created_at;
  message.page = page_text(*notice, message.at, options_.page);
  message.notice = std::move(*notice);
  message.options = options_.page;
  auto outgoing = channel->encode(message);

  http::Request request;
  request.method = "POST";
  request.url = receiver.url;
  request.headers = std::move(outgoing.headers);
  request.headers.emplace_back("Content-Type", outgoing.content_type);
  request.headers.emplace_back("Idempotency-Key", delivery.key);
  if (!receiver.token.empty()) request.headers.emplace_back("Authorization", "Bearer " + receiver.token.reveal());
  request.body = std::move(outgoing.body);
  request.timeout = options_.timeout;
  request.max_body_bytes = options_.max_answer_bytes;
  request.max_redirects = 0;
  request.proxy = receiver.proxy;
  request.tls.ca_file = receiver.ca_file;
  return request;
}

async::Task<SendOutcome> Sender::send(Delivery delivery) {
  auto request = request_for(delivery);
  SendOutcome outcome;
  if (!request) {
    outcome.kind = Kind::refused;
    outcome.error = describe(request.error());
    co_return outcome;
  }
  auto sending = client_.send(std::move(*request));
  const auto answer = co_await async::within(options_.timeout + kGrace, std::move(sending));
  if (!answer) {
    outcome.kind = Kind::retry;
    outcome.error = "the receiver did not answer in time";
    co_return outcome;
  }
  if (!*answer) co_return judge_failure(answer->error());
  const auto& response = **answer;
  co_return judge_status(response.status, response.header("retry-after"));
}

}  // namespace ward::collector
