#include "collector/api/query_gate.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <list>
#include <string>

namespace ward::collector::api {
namespace {

// Memory comes back on other threads, and clients leave, without a word to those in line.
constexpr milliseconds kLookAgain{50};

struct Waiter {
  async::asio::steady_timer wake;
  bool admitted = false;
};

}  // namespace

struct QueryGate::State {
  State(Limits given, telemetry::Registry& metrics)
      : limits(given),
        memory(std::make_shared<promql::SharedMemory>(given.bytes)),
        in_flight(metrics.gauge("ward_query_in_flight", "Queries of users that run.")),
        in_line(metrics.gauge("ward_query_waiting", "Queries of users that wait for their turn.")),
        bytes(metrics.gauge("ward_query_memory_bytes", "Memory of queries that run and of answers being written.")),
        no_place(refused(metrics, "places")),
        no_memory(refused(metrics, "memory")),
        cancelled(metrics.counter("ward_query_cancelled_total", "Queries ended because their client had left.")) {}

  static telemetry::Counter& refused(telemetry::Registry& metrics, const std::string& reason) {
    return metrics.counter("ward_query_refused_total", "Queries refused because there was no room for them.",
                           {{"reason", reason}});
  }

  [[nodiscard]] bool room() const { return running < limits.running && memory->used() < memory->max(); }
  void count_memory() { bytes.set(static_cast<double>(memory->used())); }
  void count() {
    in_flight.set(static_cast<double>(running));
    in_line.set(static_cast<double>(line.size()));
    count_memory();
  }
  /// First come, first served.
  void admit() {
    while (!line.empty() && room()) {
      line.front()->admitted = true;
      line.front()->wake.cancel();
      line.pop_front();
      ++running;
    }
    count();
  }
  void leave() {
    --running;
    admit();
  }
  [[nodiscard]] Error refusal() const {
    const bool places = running >= limits.running;
    (places ? no_place : no_memory).add();
    return {
        Errc::unavailable,
        places ? "too many queries at once: " + std::to_string(running) + " run and " + std::to_string(line.size()) + " wait"
               : "queries and the answers being written hold all " + std::to_string(memory->max() >> 20) + " MiB they may",
        "Ask again in a moment, or ask for less at once."};
  }

  const Limits limits;
  const std::shared_ptr<promql::SharedMemory> memory;
  telemetry::Gauge& in_flight;
  telemetry::Gauge& in_line;
  telemetry::Gauge& bytes;
  telemetry::Counter& no_place;
  telemetry::Counter& no_memory;
  telemetry::Counter& cancelled;
  std::size_t running = 0;
  std::list<Waiter*> line;
};

QueryGate::Place::~Place() {
  if (state_) state_->leave();
}

QueryGate::QueryGate(Limits limits, telemetry::Registry& metrics) : state_(std::make_shared<State>(limits, metrics)) {
  state_->count();
}

const QueryGate::Limits& QueryGate::limits() const { return state_->limits; }

std::shared_ptr<promql::MemoryLease> QueryGate::lease() {
  // The gauge follows as leases end, which may be long after the query did.
  struct Counted {
    explicit Counted(std::shared_ptr<State> of) : state(std::move(of)), lease(std::in_place, state->memory) {}
    ~Counted() {
      lease.reset();
      state->count_memory();
    }
    std::shared_ptr<State> state;
    std::optional<promql::MemoryLease> lease;
  };
  auto counted = std::make_shared<Counted>(state_);
  return {counted, &*counted->lease};
}

void QueryGate::ended(const Error& error) {
  if (error.code == Errc::cancelled) state_->cancelled.add();
  if (error.code == Errc::unavailable) state_->no_memory.add();
}

async::Task<Result<QueryGate::Place>> QueryGate::enter(Gone gone) {
  auto state = state_;
  const auto executor = co_await async::asio::this_coro::executor;
  if (state->line.empty() && state->room()) {
    ++state->running;
    state->count();
    co_return Place(state);
  }
  if (state->line.size() >= state->limits.waiting) co_return fail(state->refusal());
  Waiter waiter{async::asio::steady_timer(executor)};
  state->line.push_back(&waiter);
  struct InLine {
    State& state;
    Waiter& waiter;
    bool told = false;
    ~InLine() {
      if (!waiter.admitted) state.line.remove(&waiter);
      state.count();
      if (waiter.admitted && !told) state.leave();
    }
  };
  InLine in_line{*state, waiter};
  state->count();
  for (auto left = state->limits.wait; !waiter.admitted && left > milliseconds{0}; left -= kLookAgain) {
    waiter.wake.expires_after(std::min(left, kLookAgain));
    boost::system::error_code woken;
    co_await waiter.wake.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
    if (gone && *gone && !waiter.admitted) {
      state->cancelled.add();
      co_return fail(Errc::cancelled, "the client left before its query ran", "Ask again.");
    }
    state->admit();
  }
  if (!waiter.admitted) co_return fail(state->refusal());
  in_line.told = true;
  co_return Place(state);
}

}  // namespace ward::collector::api
