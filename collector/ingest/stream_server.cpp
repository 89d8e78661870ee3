#include "collector/ingest/stream_server.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <utility>

#include "collector/ingest/session.hpp"
#include "common/async/within.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kReadBuffer = 64 << 10;

Labels reason_label(std::string_view reason) { return Labels{{"reason", std::string(reason)}}; }

}  // namespace

StreamServer::StreamServer(Options options, Context context)
    : options_(std::move(options)),
      context_(std::move(context)),
      recorder_(context_.journal, context_.catalogue, context_.sink),
      commits_(context_.executor, context_.pool, recorder_,
               {[this](const std::vector<Committed>& committed) { on_committed(committed); },
                [this](const Error& error) { on_lost(error); }, [this](bool full) { on_full(full); }}),
      listener_(context_.executor, options_.listener,
                [this](std::unique_ptr<net::Connection> connection) { accept(std::move(connection)); },
                [this](net::Refusal reason, const std::string& remote) {
                  context_.metrics
                      .counter("ward_ingest_refused_connections_total", "Connections that were not let in.",
                               reason_label(net::to_string(reason)))
                      .add();
                  context_.log.debug("A connection was refused", {{"remote", remote}, {"reason", net::to_string(reason)}});
                }),
      tasks_(context_.executor) {}

StreamServer::~StreamServer() = default;

Status StreamServer::start() { return listener_.start(); }

void StreamServer::accept(std::unique_ptr<net::Connection> connection) {
  auto session = std::make_shared<Session>(*this, std::move(connection));
  sessions_.push_back(session);
  tasks_.spawn("session", serve(session));
  tasks_.spawn("session writer", write_loop(session));
  tasks_.spawn("session watch", watch(session));
}

async::Task<void> StreamServer::serve(std::shared_ptr<Session> session) {
  std::vector<std::uint8_t> buffer(kReadBuffer);
  try {
    while (!session->ended) {
      const auto n = co_await session->connection->read(buffer);
      if (n == 0) {
        Error closed{Errc::unavailable, "the agent closed the connection", ""};
        session->end(closed);
        break;
      }
      if (session->ended) break;
      const auto taken = session->machine.on_bytes({buffer.data(), n}, context_.clock.mono(), context_.clock.wall());
      if (!taken) session->end(taken.error());
      remember(*session, true);
      session->flush();
    }
  } catch (const boost::system::system_error& e) {
    session->end(net::transport_error(e.code(), session->connection->remote()));
  }
  session->end(Error{Errc::cancelled, "the collector stops", ""});
  remember(*session, false);
  const auto& why = *session->ended;
  const bool expected = why.code == Errc::unavailable || why.code == Errc::cancelled;
  if (expected)
    context_.log.debug("A session ended", {{"agent", session->identity.agent.get()}, {"why", why.what}});
  else
    context_.log.warn("A session was ended", {{"agent", session->identity.agent.get()},
                                              {"remote", session->connection->remote()},
                                              {"why", why.what},
                                              {"fix", why.fix}});
  context_.metrics.counter("ward_ingest_sessions_ended_total", "Sessions that ended.", reason_label(to_string(why.code))).add();
  sessions_.remove(session);
}

async::Task<void> StreamServer::write_loop(std::shared_ptr<Session> session) {
  try {
    while (!session->ended) {
      if (!session->machine.has_output()) {
        boost::system::error_code woken;
        session->wake.expires_at(async::asio::steady_timer::time_point::max());
        co_await session->wake.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
        continue;
      }
      const auto bytes = session->machine.take_output();
      co_await session->connection->write(bytes);
    }
  } catch (const boost::system::system_error& e) {
    session->end(net::transport_error(e.code(), session->connection->remote()));
  }
}

async::Task<void> StreamServer::watch(std::shared_ptr<Session> session) {
  try {
    while (!session->ended) {
      co_await async::sleep_for(std::chrono::seconds{1});
      if (auto fine = session->machine.tick(context_.clock.mono()); !fine) session->end(fine.error());
    }
  } catch (const boost::system::system_error&) {
    session->end(Error{Errc::cancelled, "the collector stops", ""});
  }
}

void StreamServer::open_streams(Session& opening) {
  const auto found = std::find_if(sessions_.begin(), sessions_.end(), [&](const auto& s) { return s.get() == &opening; });
  const auto session = *found;
  // One session an agent, the newest wins: an old one may be half-open, and two would race for the stream's mark.
  for (const auto& other : std::vector(sessions_.begin(), sessions_.end())) {
    if (other == session || other->identity.agent != session->identity.agent) continue;
    other->end(Error{Errc::cancelled, "the agent connected again", ""});
  }
  auto keys = std::make_shared<std::vector<StreamKey>>();
  auto boots = std::make_shared<std::vector<std::uint64_t>>();
  for (const auto& stream : session->machine.hello().streams) {
    keys->push_back({stream.tenant, session->identity.agent, stream.incarnation});
    boots->push_back(stream.boot);
  }
  auto opened = std::make_shared<Result<std::vector<StreamState>>>();
  auto* journal = &context_.journal;
  commits_.exclusive([journal, keys, boots, opened] { *opened = journal->open_streams(*keys, *boots); },
                     [this, session, opened] {
                       if (session->ended) return;
                       if (!*opened) return session->end(opened->error());
                       session->streams = std::move(**opened);
                       std::vector<wire::Mark> marks;
                       for (const auto& stream : session->streams) marks.push_back(stream.mark());
                       session->machine.welcome(std::move(marks), disk_full_ ? 0 : options_.credit, context_.clock.wall());
                       context_.log.info("An agent is connected", {{"agent", session->identity.agent.get()},
                                                                   {"remote", session->connection->remote()},
                                                                   {"streams", session->streams.size()}});
                       remember(*session, true);
                       session->flush();
                     });
}

void StreamServer::on_committed(const std::vector<Committed>& committed) {
  for (const auto& session : sessions_) {
    if (session->ended || !session->machine.open()) continue;
    for (const auto& [row, durable] : committed)
      for (std::size_t i = 0; i < session->streams.size(); ++i)
        if (session->streams[i].row == row && durable > session->streams[i].durable) {
          session->streams[i].durable = durable;
          session->machine.committed(static_cast<wire::StreamIndex>(i), durable);
        }
    session->flush();
  }
  context_.arrived();
}

void StreamServer::on_lost(const Error& error) {
  context_.log.error("The journal lost a commit; agents will send again", {{"error", error.what}, {"fix", error.fix}});
  for (const auto& session : std::vector(sessions_.begin(), sessions_.end())) session->end(error);
}

void StreamServer::on_full(bool full) {
  disk_full_ = full;
  if (full)
    context_.log.error("The journal's disk is full; agents keep their samples until there is space", {{"credit", 0}});
  else
    context_.log.info("The journal's disk takes data again");
  for (const auto& session : sessions_) {
    if (!session->machine.open()) continue;
    session->machine.set_credit(full ? 0 : options_.credit);
    session->flush();
  }
}

void StreamServer::remember(const Session& session, bool connected) {
  if (session.identity.agent.get().empty()) return;
  auto& status = agents_[session.identity.agent];
  // A session that ends must not hide the newer one that replaced it.
  if (!connected && session.ended && session.ended->code == Errc::cancelled && status.connected &&
      status.remote != session.connection->remote())
    return;
  status.agent = session.identity.agent;
  status.tenants = session.identity.tenants;
  status.connected = connected && !session.ended;
  status.remote = session.connection->remote();
  status.software = session.machine.hello().software;
  if (connected) status.last_seen = context_.clock.wall();
  status.records = session.records;
  status.samples = session.samples;
  status.gap_samples = session.gap_samples;
}

void StreamServer::expect(const std::vector<StreamState>& streams) {
  for (const auto& stream : streams) {
    auto& status = agents_[stream.key.agent];
    status.agent = stream.key.agent;
    if (std::find(status.tenants.begin(), status.tenants.end(), stream.key.tenant) == status.tenants.end())
      status.tenants.push_back(stream.key.tenant);
    status.last_seen = context_.clock.wall();
  }
}

std::vector<AgentStatus> StreamServer::agents() const {
  std::vector<AgentStatus> out;
  for (const auto& [id, status] : agents_) out.push_back(status);
  return out;
}

async::Task<void> StreamServer::stop() {
  co_await listener_.stop();
  for (const auto& session : std::vector(sessions_.begin(), sessions_.end())) {
    Error stopping{Errc::cancelled, "the collector stops", ""};
    session->end(stopping);
  }
  co_await tasks_.stop();
  commits_.close();
}

}  // namespace ward::collector
