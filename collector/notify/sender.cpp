#include "collector/notify/sender.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>
#include <variant>

#include "collector/event/json.hpp"
#include "common/async/within.hpp"
#include "common/base/failpoint.hpp"
#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;

// Longest sleep of the sending loop: the heartbeat watches that it turns.
constexpr auto kIdle = 5s;
// While another one may be sending instead.
constexpr auto kAskAgain = 100ms;
// The client keeps the time limit itself; this one only stands behind it.
constexpr auto kGrace = 2s;

using Kind = SendOutcome::Kind;

async::Task<Reply> within_limit(std::chrono::milliseconds limit, async::Task<Reply> sending) {
  auto answer = co_await async::within(limit + kGrace, std::move(sending));
  if (answer) co_return std::move(*answer);
  http::Failure failure;
  failure.kind = http::FailureKind::timeout;
  failure.error = {Errc::timed_out, "the receiver did not answer in time", "Look into the load of the receiver."};
  co_return tl::unexpected(std::move(failure));
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
    if (options_.may_send && !options_.may_send()) {
      co_await sends_.wait(kAskAgain);
      continue;
    }
    last_round_ = now;
    if (auto doubled = outbox_.overdue(now, clock_.wall()); !doubled.empty()) {
      if (options_.doubled)
        for (const auto& row : doubled) options_.doubled(row);
      StateChange state;
      state.deliveries = std::move(doubled);
      append(unsaved_, std::move(state));
      saves_.wake();
    }
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
        if (!in_commit_.delivery_updates.empty()) failpoint("result_recorded");
        outbox_.accept(in_commit_.deliveries);
        in_commit_ = StateChange{};
        sends_.wake();
        continue;
      }
      ++failed_commits_;
      append(in_commit_, std::exchange(unsaved_, StateChange{}));
      unsaved_ = std::exchange(in_commit_, StateChange{});
      co_await async::sleep_for(options_.commit_retry);
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
  if (planted(Planted::record_before_reply)) {
    StateChange early;
    early.delivery_updates = outbox_.on_result(key, outcome, clock_.mono(), clock_.wall()).updates;
    append(unsaved_, std::move(early));
    saves_.wake();
    auto sending = send(std::move(delivery));
    (void)co_await std::move(sending);
    co_return sends_.wake();
  }
  // Whatever happens, the outbox must hear of it: a row that stays out is a page that is never sent.
  try {
    outcome = co_await send(std::move(delivery));
  } catch (const std::exception&) {
    outcome.kind = Kind::retry;
    outcome.error = "the attempt was broken off";
  }
  failpoint("reply_received");
  auto change = outbox_.on_result(key, outcome, clock_.mono(), clock_.wall());
  // Of a repetition that was refused nothing changes; the outbox counts it.
  if (outcome.kind == Kind::refused && options_.refused && !change.updates.empty()) {
    refusal.why = outcome.error;
    refusal.nobody_left = change.updates.front().state == DeliveryState::pending;
    options_.refused(refusal);
  }
  if (outcome.kind == Kind::delivered && !outcome.error.empty() && options_.partly) {
    refusal.why = outcome.error;
    options_.partly(refusal);
  }
  StateChange state;
  state.deliveries = std::move(change.added);
  state.delivery_updates = std::move(change.updates);
  append(unsaved_, std::move(state));
  saves_.wake();
  sends_.wake();
}

Result<Sender::Outgoing> Sender::outgoing(const Delivery& delivery) const {
  const auto at = receivers_.find(delivery.receiver);
  if (at == receivers_.end())
    return fail(Errc::not_found, "receiver '" + delivery.receiver + "' is not configured", "Add it under receivers.");
  auto notice = notice_from_json(delivery.body);
  if (!notice) return fail(notice.error());
  auto attempt = outbox_.attempt_of(delivery.key);
  Message message;
  message.receiver = at->first;
  message.key = delivery.key;
  message.at = delivery.created_at;
  message.now = clock_.wall();
  message.page = page_text(*notice, message.at, options_.page);
  message.notice = std::move(*notice);
  message.options = options_.page;
  message.remembered = std::move(attempt.remembered);
  message.attempt = attempt.number;
  return Outgoing{at->second.channel, std::move(message)};
}

async::Task<SendOutcome> Sender::send(Delivery delivery) {
  auto made = outgoing(delivery);
  SendOutcome outcome;
  if (!made) {
    outcome.kind = Kind::refused;
    outcome.error = describe(made.error());
    co_return outcome;
  }
  std::vector<Reply> replies;
  while (replies.size() <= Channel::kMaxRequests) {
    auto step = made->channel->next(made->message, replies);
    if (auto* done = std::get_if<SendOutcome>(&step)) co_return std::move(*done);
    auto* mail = std::get_if<http::Mail>(&step);
    auto exchange = mail != nullptr ? hand_in(std::move(*mail)) : ask(std::move(std::get<http::Request>(step)));
    Reply reply = co_await std::move(exchange);
    replies.push_back(std::move(reply));
  }
  outcome.kind = Kind::retry;
  outcome.error = "the exchange with the receiver came to no end";
  co_return outcome;
}

async::Task<Reply> Sender::ask(http::Request request) {
  request.timeout = options_.timeout;
  request.max_body_bytes = options_.max_answer_bytes;
  request.max_redirects = 0;
  auto sending = client_.send(std::move(request));
  auto limited = within_limit(options_.timeout, std::move(sending));
  Reply reply = co_await std::move(limited);
  co_return reply;
}

async::Task<Reply> Sender::hand_in(http::Mail mail) {
  mail.timeout = options_.mail_timeout;
  auto sending = client_.deliver(std::move(mail));
  auto limited = within_limit(options_.mail_timeout, std::move(sending));
  Reply reply = co_await std::move(limited);
  co_return reply;
}

}  // namespace ward::collector
