#include "agent/uplink/uplink.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

#include "agent/uplink/outage.hpp"
#include "common/async/backoff.hpp"
#include "common/net/refusal.hpp"

namespace ward::agent {
namespace {

constexpr std::size_t kReadBuffer = 16 << 10;

}  // namespace

struct Uplink::Link {
  Link(CollectorAddress where, const async::asio::any_io_executor& executor, const Context& context,
       wire::RecordSource& from)
      : address(std::move(where)),
        name(net::to_string(address.endpoint)),
        source(from),
        backoff(async::Backoff::Options{}, context.random),
        wake(executor, async::asio::steady_timer::time_point::max()),
        outage(context.clock.mono()),
        up(context.metrics.gauge("ward_agent_uplink_connected", "1 while a session with this collector is open.",
                                 Labels{{"collector", name}})),
        sessions(
            context.metrics.counter("ward_agent_uplink_sessions_total", "Sessions opened.", Labels{{"collector", name}})),
        bytes_out(context.metrics.counter("ward_agent_uplink_sent_bytes_total",
                                          "Bytes on the socket to this collector, TLS included.",
                                          Labels{{"collector", name}})),
        samples_out(context.metrics.counter("ward_agent_uplink_sent_samples_total", "Samples sent, repeats included.",
                                            Labels{{"collector", name}})) {}
  CollectorAddress address;
  std::string name;
  wire::RecordSource& source;
  async::Backoff backoff;
  async::asio::steady_timer wake;  // cancelled when the writer has something to do
  std::unique_ptr<net::Connection> connection;
  std::unique_ptr<wire::AgentSession> session;
  std::optional<Error> ended;
  async::TaskGroup* loops = nullptr;  // of the running session
  Outage outage;
  std::vector<wire::HelloStream> named;  // in the running session's HELLO
  std::optional<Errc> told;              // why this collector is away, as far as the log knows
  std::uint64_t described_to = 0;        // the collector's life that has heard context_.metrics_meta
  bool renew = false;                    // end the session to name new streams
  std::uint64_t bytes_seen = 0, samples_seen = 0;
  telemetry::Gauge& up;
  telemetry::Counter& sessions;
  telemetry::Counter& bytes_out;
  telemetry::Counter& samples_out;
};

Uplink::Uplink(async::asio::any_io_executor executor, Context context, std::vector<CollectorAddress> collectors,
               net::TlsContext tls)
    : executor_(std::move(executor)),
      context_(std::move(context)),
      tls_(std::move(tls)),
      tasks_(executor_, [this](const std::string& name, const std::exception_ptr& error) {
        std::string what = "unknown exception";
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& e) {
          what = e.what();
        } catch (...) {  // keeps "unknown exception"
        }
        context_.log.error("An uplink's task ended unexpectedly; restart the agent and report this",
                           {{"collector", name}, {"error", what}});
      }) {
  for (auto& collector : collectors) {
    auto& source = context_.spool.source(net::to_string(collector.endpoint));
    links_.push_back(std::make_unique<Link>(std::move(collector), executor_, context_, source));
  }
}

Uplink::~Uplink() = default;

void Uplink::start() {
  for (auto& link : links_) tasks_.spawn(link->name, keep_connected(*link));
}

void Uplink::wake() {
  for (auto& link : links_) {
    if (!link->session) continue;
    if (auto pumped = link->session->pump(); !pumped)
      end(*link, pumped.error());
    else if (link->session->has_output())
      link->wake.cancel();
  }
}

void Uplink::describe(std::vector<wire::MetaEntry> metrics) {
  auto& known = context_.metrics_meta;
  std::vector<wire::MetaEntry> news;
  for (const auto& metric : metrics)
    if (std::find(known.begin(), known.end(), metric) == known.end()) news.push_back(metric);
  known = std::move(metrics);
  if (news.empty()) return;
  for (auto& link : links_) {
    link->described_to = 0;
    if (!link->session) continue;
    link->session->describe_metrics(news);
    if (link->session->has_output()) link->wake.cancel();
  }
}

void Uplink::end(Link& link, Error reason) {
  if (!link.ended) link.ended = std::move(reason);
  if (link.connection) link.connection->close();
  link.wake.cancel();
  if (link.loops != nullptr) link.loops->cancel();
}

async::Task<void> Uplink::keep_connected(Link& link) {
  while (true) {
    auto result = co_await connect_once(link);
    link.outage.ended(context_.clock.mono());
    if (link.renew) {
      link.renew = false;
      continue;
    }
    // Once an outage, but a new kind of reason is news: a collector that was down and now shows a bad certificate. Nothing
    // is wrong with a session that only wants a fresh one after it.
    if (!result && result.error().code == Errc::cancelled) {
      context_.log.debug("A session ended to begin anew", {{"collector", link.name}, {"why", result.error().what}});
    } else if (!result && link.told != result.error().code) {
      link.told = result.error().code;
      context_.log.warn("A collector is away; samples wait in the spool",
                        {{"collector", link.name}, {"error", result.error().what}, {"fix", result.error().fix}});
    }
    const auto wait = link.backoff.next();
    co_await context_.timers.sleep_for(wait);
  }
}

void Uplink::opened(Link& link) {
  link.up.set(1);
  link.sessions.add();
  link.backoff.reset();
  link.told.reset();
  context_.log.info("A session with a collector is open", {{"collector", link.name}});
  // Not before WELCOME: a collector that accepts connections and cannot serve yet would get new streams at each attempt.
  if (!link.outage.opened(context_.clock.mono(), context_.spool.live_backlog(link.name))) return;
  context_.spool.start_new_streams();
  context_.log.info("Live data gets a new stream; the backlog drains beside it", {{"collector", link.name}});
  for (auto& each : links_)
    if (each->session) renew(*each);
}

void Uplink::renew(Link& link) {
  link.renew = true;
  Error renewal{Errc::cancelled, "the session is renewed to name other streams", ""};
  end(link, std::move(renewal));
}

async::Task<Status> Uplink::connect_once(Link& link) {
  net::ConnectOptions options;
  options.to = link.address.endpoint;
  options.tls = tls_;
  options.server_name = link.address.server_name;
  auto connection = co_await net::connect(std::move(options));
  if (!connection) co_return fail(connection.error());
  link.connection = std::move(*connection);
  link.named = link.source.streams();
  wire::AgentSession::Options session;
  session.agent = context_.agent;
  session.config_hash = context_.config_hash;
  session.metrics = context_.metrics_meta;
  session.described_to = link.described_to;
  link.session = std::make_unique<wire::AgentSession>(std::move(session), link.source, context_.clock.mono());
  link.ended.reset();
  link.bytes_seen = link.samples_seen = 0;
  std::exception_ptr cancelled;
  try {
    co_await converse(link);
  } catch (...) {
    cancelled = std::current_exception();
  }
  link.up.set(0);
  // A session that was not welcomed learnt nothing; one that was knows whether all of META arrived.
  if (link.session->open()) link.described_to = link.session->described_to();
  link.session.reset();
  link.connection.reset();
  if (cancelled) std::rethrow_exception(cancelled);
  auto ended = link.ended ? *link.ended : Error{Errc::unavailable, "the connection ended", ""};
  co_return fail(std::move(ended));
}

async::Task<void> Uplink::converse(Link& link) {
  async::TaskGroup loops(executor_);
  link.loops = &loops;
  loops.spawn("read", read_loop(link));
  loops.spawn("write", write_loop(link));
  loops.spawn("tick", tick_loop(link));
  std::exception_ptr cancelled;
  try {
    co_await loops.join();
    const auto state = co_await async::asio::this_coro::cancellation_state;
    if (state.cancelled() != async::asio::cancellation_type::none)
      throw boost::system::system_error(async::asio::error::operation_aborted);
  } catch (...) {
    cancelled = std::current_exception();
  }
  link.loops = nullptr;
  if (!cancelled) co_return;
  co_await async::asio::this_coro::reset_cancellation_state(async::asio::disable_cancellation());
  Error stopping{Errc::cancelled, "the agent stops", ""};
  end(link, std::move(stopping));
  co_await loops.stop();
  std::rethrow_exception(cancelled);
}

async::Task<void> Uplink::read_loop(Link& link) {
  std::vector<std::uint8_t> buffer(kReadBuffer);
  try {
    while (!link.ended) {
      const auto n = co_await link.connection->read(buffer);
      if (n == 0) {
        Error closed{Errc::unavailable, "the collector closed the connection", "Look at the collector's log."};
        end(link, std::move(closed));
        break;
      }
      const bool was_open = link.session->open();
      const auto taken = link.session->on_bytes({buffer.data(), n}, context_.clock.mono(), context_.clock.wall());
      if (!taken) {
        end(link, taken.error());
        break;
      }
      if (!was_open && link.session->open()) opened(link);
      if (link.session->goaway()) {
        Error leaving{Errc::unavailable, "the collector asked to reconnect: " + *link.session->goaway(), ""};
        end(link, std::move(leaving));
        break;
      }
      if (link.session->has_output()) link.wake.cancel();
    }
  } catch (const boost::system::system_error& e) {
    if (!link.ended) end(link, net::transport_error(e.code(), link.name));
  }
}

async::Task<void> Uplink::write_loop(Link& link) {
  try {
    while (!link.ended) {
      if (!link.session->has_output()) {
        boost::system::error_code woken;
        link.wake.expires_at(async::asio::steady_timer::time_point::max());
        co_await link.wake.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
        const auto state = co_await async::asio::this_coro::cancellation_state;
        if (state.cancelled() != async::asio::cancellation_type::none) co_return;
        continue;
      }
      const auto bytes = link.session->take_output();
      co_await link.connection->write(bytes);
      const auto& stats = link.session->stats();
      link.samples_out.add(static_cast<double>(stats.samples - link.samples_seen));
      link.samples_seen = stats.samples;
      const auto sent = link.connection->bytes_out();
      link.bytes_out.add(static_cast<double>(sent - link.bytes_seen));
      link.bytes_seen = sent;
      if (auto pumped = link.session->pump(); !pumped) end(link, pumped.error());
    }
  } catch (const boost::system::system_error& e) {
    if (!link.ended) end(link, net::transport_error(e.code(), link.name));
  }
}

async::Task<void> Uplink::tick_loop(Link& link) {
  while (!link.ended) {
    co_await context_.timers.sleep_for(std::chrono::seconds{1});
    if (link.ended) break;
    if (auto fine = link.session->tick(context_.clock.mono(), context_.clock.wall()); !fine)
      end(link, fine.error());
    else if (link.session->open() && turn_is_over(link.named, link.source.streams()))
      renew(link);
    else if (link.session->has_output())
      link.wake.cancel();
  }
}

async::Task<void> Uplink::drain(milliseconds limit) {
  const auto until = context_.clock.mono() + limit;
  wake();
  while (context_.clock.mono() < until) {
    bool waiting = false;
    for (const auto& link : links_) waiting = waiting || (link->session && context_.spool.live_backlog(link->name) > 0);
    if (!waiting) co_return;
    co_await context_.timers.sleep_for(std::chrono::milliseconds{20});
  }
}

async::Task<void> Uplink::stop() { return tasks_.stop(); }

std::size_t Uplink::connected() const {
  std::size_t n = 0;
  for (const auto& link : links_) n += link->session && link->session->open() ? 1 : 0;
  return n;
}

}  // namespace ward::agent
