#include "tests/sim/paging/receivers.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/system/system_error.hpp>

namespace ward::sim::paging {
namespace {

class PhoneChannel final : public collector::Channel {
 public:
  [[nodiscard]] collector::Step next(const collector::Message& message,
                                     std::span<const collector::Reply> replies) const override {
    if (!replies.empty()) return collector::judge(replies.back());
    http::Request request;
    request.method = "POST";
    request.url = message.receiver;
    request.headers.emplace_back("Idempotency-Key", message.key);
    return request;
  }
};

}  // namespace

async::Task<void> Waits::until(MonoTime due) {
  const auto executor = co_await async::asio::this_coro::executor;
  const auto at = waiting_.emplace(waiting_.end(), executor, due);
  boost::system::error_code woken;
  co_await at->timer.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
  const bool fired = at->fired;
  waiting_.erase(at);
  if (!fired) throw boost::system::system_error(async::asio::error::operation_aborted);
}

void Waits::pass(MonoTime now) {
  for (auto& waiter : waiting_) {
    if (waiter.fired || waiter.due > now) continue;
    waiter.fired = true;
    waiter.timer.cancel();
  }
}

Mood Receivers::mood(const std::string& receiver) const {
  const auto at = moods_.find(receiver);
  return at == moods_.end() ? Mood::well : at->second;
}

bool Receivers::all_well() const {
  return std::all_of(moods_.begin(), moods_.end(),
                     [](const auto& entry) { return entry.second == Mood::well || entry.second == Mood::slow; });
}

Receivers::Answer Receivers::ask(const std::string& receiver, Random& random) const {
  const auto soon = milliseconds{50 + random.below(400)};
  constexpr milliseconds kLimit{10'000};
  switch (mood(receiver)) {
    case Mood::well: return {.after = soon, .status = 202, .taken = true};
    case Mood::slow: return {.after = soon * 18, .status = 200, .taken = true};
    case Mood::absent: return {.after = soon};
    case Mood::silent: return {.after = kLimit};
    case Mood::forgetful: return {.after = kLimit, .taken = true};
    case Mood::failing: return {.after = soon, .status = 500};
    case Mood::failing_late: return {.after = soon * 4, .status = 503, .taken = true};
    case Mood::busy: return {.after = soon, .status = 429, .retry_after = 7};
    case Mood::refusing: return {.after = soon, .status = 403};
  }
  return {};
}

const std::vector<std::string>& receiver_names() {
  static const std::vector<std::string> names{"dba", "app", "ops1", "ops2", "boss"};
  return names;
}

std::vector<collector::Receiver> make_receivers() {
  std::vector<collector::Receiver> out;
  for (const auto& name : receiver_names())
    out.push_back({.name = name, .kind = "phone", .channel = std::make_shared<PhoneChannel>()});
  return out;
}

}  // namespace ward::sim::paging
