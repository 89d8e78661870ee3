#include "collector/ingest/stream_server.hpp"

#include <algorithm>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <utility>

#include "common/async/within.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kReadBuffer = 64 << 10;
constexpr std::chrono::hours kTellRefusedEvery{1};
constexpr milliseconds kGather{5};

Labels reason_label(std::string_view reason) { return Labels{{"reason", std::string(reason)}}; }

}  // namespace

/// A session and its socket.
struct StreamServer::Link {
  Link(StreamServer& server, std::unique_ptr<net::Connection> c)
      : connection(std::move(c)),
        session(server, connection->peer(), server.context_.clock.mono()),
        wake(server.context_.executor, async::asio::steady_timer::time_point::max()) {}
  /// The writer closes the socket, after it told the peer why.
  void end(const Error& why) {
    session.end(why);
    wake.cancel();
  }
  /// Wakes the writer when there is something to write or nothing more to do.
  void flush() {
    if (session.has_output() || session.ended()) wake.cancel();
  }
  std::unique_ptr<net::Connection> connection;
  IngestSession session;
  async::asio::steady_timer wake;
};

StreamServer::StreamServer(Options options, Context context)
    : options_(std::move(options)),
      context_(std::move(context)),
      recorder_(context_.journal, context_.catalogue, context_.sink, context_.tap),
      commits_(context_.executor, context_.pool, recorder_,
               {[this](const std::vector<Committed>& committed) { on_committed(committed); },
                [this](const Error& error) { on_lost(error); }, [this](const Error& error) { on_full(error); },
                [this] { on_room(); }, context_.may_write},
               CommitLoop::Pace{.gather = kGather}),
      local_(context_.executor, commits_),
      listener_(
          context_.executor, options_.listener,
          [this](std::unique_ptr<net::Connection> connection) { accept(std::move(connection)); },
          [this](const net::Verdict& verdict, const std::string& remote) { refuse(verdict, remote); }),
      tasks_(context_.executor) {}

StreamServer::~StreamServer() = default;

Status StreamServer::start() { return listener_.start(); }

void StreamServer::accept(std::unique_ptr<net::Connection> connection) {
  auto link = std::make_shared<Link>(*this, std::move(connection));
  links_.push_back(link);
  tasks_.spawn("session", serve(link));
  tasks_.spawn("session writer", write_loop(link));
  tasks_.spawn("session watch", watch(link));
}

async::Task<void> StreamServer::serve(std::shared_ptr<Link> link) {
  std::vector<std::uint8_t> buffer(kReadBuffer);
  try {
    while (!link->session.ended()) {
      const auto n = co_await link->connection->read(buffer);
      if (n == 0) {
        Error closed{Errc::unavailable, "the agent closed the connection", ""};
        link->end(closed);
        break;
      }
      link->session.on_bytes({buffer.data(), n}, context_.clock.mono(), context_.clock.wall());
      remember(*link);
      link->flush();
    }
  } catch (const boost::system::system_error& e) {
    link->end(net::transport_error(e.code(), link->connection->remote()));
  }
  Error stopping{Errc::cancelled, "the collector stops", ""};
  link->end(stopping);
  farewell(*link);
  links_.remove(link);
  for (const auto& stream : link->session.streams())
    if (const auto at = by_stream_.find(stream.row); at != by_stream_.end() && at->second.lock() == link)
      by_stream_.erase(at);
  // Once all it sent is committed or dropped. While the disk is full it had no credit, so little waits here.
  if (const auto named = link->session.series(); !named.empty())
    commits_.exclusive([] {}, [this, ids = std::vector(named.begin(), named.end())] { context_.catalogue.release(ids); });
}

async::Task<void> StreamServer::write_loop(std::shared_ptr<Link> link) {
  try {
    while (!link->session.ended()) {
      if (!link->session.has_output()) {
        boost::system::error_code woken;
        link->wake.expires_at(async::asio::steady_timer::time_point::max());
        co_await link->wake.async_wait(async::asio::redirect_error(async::asio::use_awaitable, woken));
        continue;
      }
      const auto bytes = link->session.take_output();
      co_await link->connection->write(bytes);
    }
    const auto last_words = link->session.take_output();
    if (!last_words.empty()) co_await link->connection->write(last_words);
  } catch (const boost::system::system_error& e) {
    link->end(net::transport_error(e.code(), link->connection->remote()));
  }
  link->connection->close();
}

async::Task<void> StreamServer::watch(std::shared_ptr<Link> link) {
  try {
    while (!link->session.ended()) {
      co_await async::sleep_for(std::chrono::seconds{1});
      link->session.tick(context_.clock.mono());
    }
  } catch (const boost::system::system_error&) {
    Error stopping{Errc::cancelled, "the collector stops", ""};
    link->end(stopping);
  }
  link->flush();
}

void StreamServer::open_streams(IngestSession& session) {
  const auto opening =
      *std::find_if(links_.begin(), links_.end(), [&](const auto& link) { return &link->session == &session; });
  // One session an agent, the newest wins: an old one may be half-open, and two would race for the stream's mark.
  for (const auto& other : std::vector(links_.begin(), links_.end()))
    if (other != opening && other->session.identity().agent == session.identity().agent)
      other->end(Error{Errc::cancelled, "the agent connected again", ""});
  auto keys = std::make_shared<std::vector<StreamKey>>();
  auto boots = std::make_shared<std::vector<std::uint64_t>>();
  for (const auto& stream : session.greeting().streams) {
    keys->push_back({stream.tenant, session.identity().agent, stream.incarnation});
    boots->push_back(stream.boot);
  }
  auto opened = std::make_shared<Result<std::vector<StreamState>>>();
  auto* recorder = &recorder_;
  commits_.look([recorder, keys, boots, opened] { *opened = recorder->open_streams(*keys, *boots); },
                [this, opening, opened] { welcome(opening, std::move(*opened)); });
}

void StreamServer::welcome(const std::shared_ptr<Link>& link, Result<std::vector<StreamState>> opened) {
  if (link->session.ended()) return;
  if (!opened) {
    link->end(opened.error());
    return link->flush();
  }
  // What older sessions of this agent sent and a full disk refused is sent again: the mark below says so.
  if (commits_.is_full()) commits_.forget(*opened);
  context_.log.info("An agent is connected", {{"agent", link->session.identity().agent.get()},
                                              {"remote", link->connection->remote()},
                                              {"streams", opened->size()}});
  for (const auto& stream : *opened) by_stream_.insert_or_assign(stream.row, link);
  link->session.welcome(std::move(*opened), disk_full_ ? 0 : options_.credit, context_.clock.wall());
  remember(*link);
  link->flush();
}

void StreamServer::submit(JournalEntry entry) {
  if (const auto* received = std::get_if<ReceivedRecord>(&entry); received != nullptr && received->refused > 0)
    if (const auto at = by_stream_.find(received->stream); at != by_stream_.end())
      if (const auto link = at->second.lock())
        for (const auto& stream : link->session.streams())
          if (stream.row == received->stream) count_refused({stream.key.tenant, stream.key.agent, {}, 0, received->refused});
  commits_.submit(std::move(entry));
}

SeriesId StreamServer::resolve(const TenantId& tenant, const AgentId& agent, const Labels& labels) {
  const auto id = context_.catalogue.resolve(tenant, agent, labels);
  if (id == wire::kRefusedSeries) count_refused({tenant, agent, labels.name(), 1, 0});
  return id;
}

void StreamServer::count_refused(const RefusedSeries& refused) {
  const Labels tenant{{"tenant", refused.tenant.get()}};
  if (refused.samples > 0)
    context_.metrics
        .counter("ward_ingest_refused_samples_total", "Samples of series above a cap; counted, not stored.", tenant)
        .add(static_cast<double>(refused.samples));
  if (refused.series == 0) return;
  const auto counted = refused_[refused.tenant].add(refused.metric, refused.series);
  context_.metrics
      .counter("ward_ingest_refused_series_total", "New series refused above the cap of their agent or tenant.",
               tenant.with("metric", counted))
      .add(static_cast<double>(refused.series));
  tell_refused(refused.tenant, refused.agent, refused.metric);
}

Status StreamServer::open_local(std::span<const TenantId> tenants) {
  std::vector<StreamKey> keys;
  for (const auto& tenant : tenants) keys.push_back(LocalStreams::key(tenant));
  const auto opened = recorder_.open_streams(keys, std::vector<std::uint64_t>(keys.size()));
  if (!opened) return fail(opened.error());
  local_.open(*opened);
  return {};
}

void StreamServer::tell_refused(const TenantId& tenant, const AgentId& agent, std::string_view metric) {
  const auto now = context_.clock.mono();
  const auto [at, first] = told_refused_.emplace(std::pair{tenant, agent}, now);
  if (!first && now - at->second < kTellRefusedEvery) return;
  at->second = now;
  context_.log.warn("New series are refused: their agent or tenant has as many as it may",
                    {{"agent", agent.get()},
                     {"tenant", tenant.get()},
                     {"metric", metric},
                     {"fix",
                      "Look for a label with ever new values in this metric; or raise ingest.max_series_per_agent or "
                      "ingest.max_series_per_tenant."}});
}

void StreamServer::offer_room() {
  for (const auto& link : std::vector(links_.begin(), links_.end())) {
    const auto& refused = link->session.refused();
    const bool room = std::any_of(refused.begin(), refused.end(), [&](const auto& of_tenant) {
      return context_.catalogue.has_room(of_tenant.first, link->session.identity().agent, of_tenant.second);
    });
    if (room)
      link->end(Error{Errc::cancelled, "there is room for series that were refused; the agent names them again", ""});
  }
}

void StreamServer::duplicate(StreamRow stream, Sequence seq, std::uint32_t digest, const AgentId& agent) {
  context_.metrics.counter("ward_ingest_duplicate_records_total", "Records received again after a reconnect; not stored.")
      .add();
  auto differs = std::make_shared<bool>(false);
  auto* journal = &context_.journal;
  commits_.exclusive(
      [=] { *differs = journal->contradicts(stream, seq, digest).value_or(false); },
      [this, differs, seq, agent] {
        if (!*differs) return;
        context_.metrics
            .counter("ward_ingest_contradictions_total", "Records resent with another content under the same number.")
            .add();
        context_.log.error("An agent sent another content under a number that is stored; its spool may have been copied",
                           {{"agent", agent.get()}, {"seq", seq.get()}});
      });
}

void StreamServer::on_committed(const std::vector<Committed>& committed) {
  for (const auto& each : committed) {
    local_.on_committed(each);
    const auto at = by_stream_.find(each.stream);
    const auto link = at != by_stream_.end() ? at->second.lock() : nullptr;
    if (!link) continue;
    link->session.on_committed(std::span{&each, 1});
    link->flush();
  }
  if (std::any_of(committed.begin(), committed.end(), [](const Committed& each) { return each.arrived; }))
    context_.arrived();
}

void StreamServer::on_lost(const Error& error) {
  context_.log.error("The journal lost a commit; agents will send again", {{"error", error.what}, {"fix", error.fix}});
  for (const auto& link : std::vector(links_.begin(), links_.end())) link->end(error);
  local_.end_waits(error);
}

void StreamServer::on_full(const Error& error) {
  disk_full_ = error;
  context_.log.error("The journal's disk is full; agents keep their samples until there is space",
                     {{"error", error.what}, {"fix", error.fix}});
  set_credit(0);
  local_.end_waits(error);
}

void StreamServer::on_room() {
  disk_full_.reset();
  context_.log.info("The journal's disk takes data again");
  set_credit(options_.credit);
}

void StreamServer::set_credit(std::uint64_t credit) {
  for (const auto& link : links_) {
    link->session.set_credit(credit);
    link->flush();
  }
}

void StreamServer::refuse(const net::Verdict& verdict, const std::string& remote) {
  context_.metrics
      .counter("ward_ingest_refused_connections_total", "Connections that were not let in.",
               reason_label(net::to_string(verdict.reason)))
      .add();
  const auto left_out = refusals_.tell(verdict.reason, remote, context_.clock.mono());
  const auto why = net::refusal_error(verdict, remote);
  if (left_out)
    context_.log.warn("A connection to the stream port was refused", {{"remote", remote},
                                                                      {"reason", net::to_string(verdict.reason)},
                                                                      {"why", why.what},
                                                                      {"fix", why.fix},
                                                                      {"before", *left_out}});
  else
    context_.log.debug("A connection was refused", {{"remote", remote}, {"reason", net::to_string(verdict.reason)}});
}

void StreamServer::farewell(const Link& link) {
  const auto& why = *link.session.ended();
  const auto& agent = link.session.identity().agent;
  const auto known = agents_.find(agent);
  if (known != agents_.end() && known->second.status.remote == link.connection->remote())
    known->second.status.connected = false;
  if (why.code == Errc::unavailable || why.code == Errc::cancelled)
    context_.log.debug("A session ended", {{"agent", agent.get()}, {"why", why.what}});
  else
    context_.log.warn("A session was ended",
                      {{"agent", agent.get()}, {"remote", link.connection->remote()}, {"why", why.what}, {"fix", why.fix}});
  context_.metrics.counter("ward_ingest_sessions_ended_total", "Sessions that ended.", reason_label(to_string(why.code)))
      .add();
}

void StreamServer::remember(const Link& link) {
  const auto& session = link.session;
  if (session.identity().agent.get().empty() || session.ended()) return;
  auto& [status, heard] = agents_[session.identity().agent];
  status.agent = session.identity().agent;
  status.tenants = session.identity().tenants;
  status.connected = true;
  status.remote = link.connection->remote();
  status.software = session.greeting().software;
  status.last_seen = context_.clock.wall();
  heard = listened();
  status.records = session.counts().records;
  status.samples = session.counts().samples;
  status.gap_samples = session.counts().gap_samples;
}

Time StreamServer::listened() const {
  return listened_before_ + std::chrono::duration_cast<milliseconds>(context_.clock.mono() - listens_since_);
}

void StreamServer::expect(const std::vector<StreamState>& streams) {
  Time newest;
  for (const auto& stream : streams) newest = std::max(newest, stream.seen);
  if (newest != Time{}) {
    listened_before_ = newest;
    listens_since_ = context_.clock.mono();
  }
  for (const auto& stream : streams) {
    if (stream.key.agent == LocalStreams::agent()) continue;
    auto& [status, heard] = agents_[stream.key.agent];
    status.agent = stream.key.agent;
    if (std::find(status.tenants.begin(), status.tenants.end(), stream.key.tenant) == status.tenants.end())
      status.tenants.push_back(stream.key.tenant);
    status.last_seen = context_.clock.wall();
    heard = std::max(heard, stream.seen == Time{} ? listened() : stream.seen);
  }
}

void StreamServer::forget_silent(milliseconds after) {
  Silence silence{listened(), after, local_.rows()};
  for (const auto& [row, link] : by_stream_) silence.in_use.push_back(row);
  auto left = std::make_shared<Result<std::vector<StreamState>>>();
  auto* journal = &context_.journal;
  commits_.exclusive(
      [journal, silence, left] {
        if (auto forgotten = journal->forget_streams(silence); forgotten)
          *left = journal->streams();
        else
          *left = fail(forgotten.error());
      },
      [this, left, after] {
        if (!*left)
          return context_.log.warn("Silent streams could not be forgotten; they stay until the next attempt",
                                   {{"error", left->error().what}, {"fix", left->error().fix}});
        std::set<AgentId> with_streams;
        for (const auto& stream : **left) with_streams.insert(stream.key.agent);
        retire(with_streams, after);
      });
}

void StreamServer::retire(const std::set<AgentId>& with_streams, milliseconds after) {
  const auto now = listened();
  std::erase_if(agents_, [&](const auto& each) {
    const auto& [agent, known] = each;
    if (known.status.connected || with_streams.contains(agent) || now - known.heard <= after) return false;
    context_.log.info("An agent is forgotten; its silence is no alert any more",
                      {{"agent", agent.get()}, {"silent_hours", (now - known.heard) / std::chrono::hours{1}}});
    return true;
  });
}

std::vector<AgentStatus> StreamServer::agents() const {
  std::vector<AgentStatus> out;
  for (const auto& [id, known] : agents_) out.push_back(known.status);
  return out;
}

async::Task<void> StreamServer::stop() {
  co_await listener_.stop();
  Error stopping{Errc::cancelled, "the collector stops", ""};
  for (const auto& link : std::vector(links_.begin(), links_.end())) link->end(stopping);
  co_await tasks_.stop();
  co_await commits_.stop();
  local_.close(stopping);
}

}  // namespace ward::collector
