// The stream port over real sockets on loopback: who gets in, one session an agent, and a full disk.
#include "collector/ingest/stream_server.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include "tests/support/certificates.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/collector/ingest/fake_journal.hpp"
#include "tests/unit/common/wire/session_fakes.hpp"

namespace ward::collector {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using Fault = FakeJournal::Fault;

struct Lines final : telemetry::LogSink {
  std::string text;
  void write(std::string_view line) override { text += line; }
};

/// One agent's connection, driven by hand.
struct Agent {
  std::unique_ptr<net::Connection> connection;
  wire::FakeSource source;
  std::unique_ptr<wire::AgentSession> session;
  std::optional<std::string> ended;
  bool done = false;  ///< its reader has left
};

async::Task<void> converse(Agent* agent, net::ConnectOptions options, std::string name, const Clock* clock) {
  auto connection = co_await net::connect(std::move(options));
  if (!connection) {
    agent->ended = describe(connection.error());
    agent->done = true;
    co_return;
  }
  agent->connection = std::move(*connection);
  wire::AgentSession::Options session;
  session.agent = AgentId{std::move(name)};
  agent->session = std::make_unique<wire::AgentSession>(std::move(session), agent->source, clock->mono());
  std::vector<std::uint8_t> buffer(4'096);
  try {
    while (true) {
      const auto out = agent->session->take_output();
      if (!out.empty()) co_await agent->connection->write(out);
      const auto n = co_await agent->connection->read(buffer);
      if (n == 0) break;
      const auto taken = agent->session->on_bytes({buffer.data(), n}, clock->mono(), clock->wall());
      if (!taken) agent->ended = describe(taken.error());
      if (agent->session->goaway()) agent->ended = agent->session->goaway();
    }
  } catch (const boost::system::system_error& e) {
    if (!agent->ended) agent->ended = describe(net::transport_error(e.code(), "the collector"));
  }
  if (!agent->ended) agent->ended = "closed";
  agent->done = true;
}

async::Task<void> send(Agent* agent, wire::Buffer bytes) { co_await agent->connection->write(bytes); }
async::Task<void> say(Agent* agent) { return send(agent, agent->session->take_output()); }

class StreamPort : public testing::Test {
 protected:
  void listen(bool tls = false) {
    StreamServer::Options options;
    if (tls) options.listener.tls = net::make_server_context(ca_.issue(test::collector_certificate())).value();
    StreamServer::Context context{
        io_.get_executor(), clock_, log_, metrics_, pool_, journal_, capped_ ? *capped_ : catalogue_, sink_, [] {}, {}};
    server_ = std::make_unique<StreamServer>(std::move(options), std::move(context));
    ASSERT_TRUE(server_->start());
  }
  /// Connects an agent with one live stream of clinic-a and `records` waiting records.
  Agent& connect(const std::string& name, std::uint64_t records = 0, std::uint8_t incarnation = 1,
                 const net::TlsFiles* files = nullptr) {
    auto& agent = *agents_.emplace_back(std::make_unique<Agent>());
    auto stream = wire::stream("clinic-a", 1, records + 1);
    stream.incarnation.bytes[0] = incarnation;
    std::vector<wire::RecordSource::Item> items;
    for (std::uint64_t i = 1; i <= records; ++i) items.emplace_back(wire::samples(i, {0}));
    agent.source.add(stream, std::move(items));
    net::ConnectOptions options;
    options.to = {"127.0.0.1", server_->port()};
    if (files != nullptr) options.tls = net::make_client_context(*files).value();
    boost::asio::co_spawn(io_, converse(&agent, std::move(options), name, &clock_), [](const std::exception_ptr&) {});
    return agent;
  }
  bool eventually(const std::function<bool()>& until, int attempts = 5'000) {
    io_.restart();
    for (int i = 0; i < attempts && !until(); ++i) io_.run_one_for(milliseconds{1});
    return until();
  }
  bool opens(Agent& agent) {
    return eventually([&] { return agent.session && agent.session->open(); });
  }
  void TearDown() override {
    for (auto& agent : agents_)
      if (agent->connection) agent->connection->close();
    bool stopped = false;
    boost::asio::co_spawn(io_, server_->stop(), [&](const std::exception_ptr&) { stopped = true; });
    EXPECT_TRUE(eventually(
        [&] { return stopped && std::all_of(agents_.begin(), agents_.end(), [](const auto& a) { return a->done; }); }));
  }

  boost::asio::io_context io_;
  test::ManualClock clock_;
  Lines lines_;
  telemetry::Logger log_{telemetry::LogSettings{}, clock_, lines_};
  telemetry::Registry metrics_;
  FakeJournal journal_;
  Catalogue catalogue_{{}};
  std::optional<Catalogue> capped_;  ///< in its place
  FakeSink sink_;
  async::BlockingPool pool_{async::BlockingPool::Options{1, std::chrono::seconds{1}}};
  test::TestCa ca_;
  std::unique_ptr<StreamServer> server_;
  std::vector<std::unique_ptr<Agent>> agents_;
};

TEST_F(StreamPort, TakesRecordsAndAcknowledgesThem) {
  listen();
  auto& agent = connect("node-1", 3);
  ASSERT_TRUE(eventually([&] { return !agent.source.durable.empty() && agent.source.durable.back().second == 3; }));
  EXPECT_THAT(journal_.stored[StreamRow{1}], ElementsAre(1, 2, 3));
  ASSERT_EQ(server_->agents().size(), 1U);
  EXPECT_TRUE(server_->agents()[0].connected);
}

TEST_F(StreamPort, KeepsWhatAgentsSayOfTheirMetrics) {
  listen();
  auto& agent = connect("node-1");
  ASSERT_TRUE(opens(agent));
  agent.session->describe_metrics({{"up", MetricType::gauge, "", "Up."}});
  boost::asio::co_spawn(io_, say(&agent), [](const std::exception_ptr&) {});
  ASSERT_TRUE(eventually([&] { return server_->metadata().size() == 1; }));
  EXPECT_EQ(server_->metadata().read("up").at(0).descriptions.at(0), (MetricDescription{MetricType::gauge, "Up.", ""}));
}

TEST_F(StreamPort, AnAgentThatNamesMoreSeriesThanASessionMayIsToldCountedAndLogged) {
  listen();
  auto& agent = connect("node-1");
  ASSERT_TRUE(opens(agent));
  wire::Series series;
  for (std::uint32_t i = 0; i < wire::kMaxSeriesEntries; ++i) series.entries.push_back({i, Labels{{"__name__", "up"}}});
  wire::Buffer flood;
  for (std::size_t named = 0; named <= wire::kMaxSessionSeries; named += wire::kMaxSeriesEntries)
    wire::write_frame(series, flood);
  boost::asio::co_spawn(io_, send(&agent, std::move(flood)), [](const std::exception_ptr&) {});
  ASSERT_TRUE(eventually([&] { return agent.done; }));
  EXPECT_THAT(agent.ended.value_or(""), HasSubstr("more than 131072 series in one session"));
  EXPECT_EQ(metrics_.counter("ward_ingest_sessions_ended_total", "", Labels{{"reason", "full"}}).value(), 1);
  EXPECT_THAT(lines_.text, HasSubstr("A session was ended"));
}

TEST_F(StreamPort, TheNewestSessionOfAnAgentEndsTheOlder) {
  listen();
  auto& old = connect("node-1");
  ASSERT_TRUE(opens(old));
  auto& other = connect("node-2", 0, 2);
  ASSERT_TRUE(opens(other));
  auto& fresh = connect("node-1");
  ASSERT_TRUE(opens(fresh));
  ASSERT_TRUE(eventually([&] { return old.done; }));
  EXPECT_FALSE(fresh.done);
  EXPECT_FALSE(other.done);
}

TEST_F(StreamPort, AFullDiskWelcomesWithoutCreditAndTakesEverythingOnceLater) {
  listen();
  journal_.fault = Fault::full;
  auto& first = connect("node-1", 2);
  ASSERT_TRUE(opens(first));
  ASSERT_TRUE(eventually([&] { return server_->disk_full().has_value(); }));
  // The agent comes again, as after a network fault, with more records; and one comes that was never seen.
  auto& again = connect("node-1", 5);
  ASSERT_TRUE(opens(again));
  auto& fresh = connect("node-2", 1, 2);
  ASSERT_TRUE(opens(fresh));
  EXPECT_EQ(again.session->stats().records, 0U);
  EXPECT_EQ(fresh.session->stats().records, 0U);
  EXPECT_THAT(again.source.durable, ElementsAre(testing::Pair(0, 0)));  // WELCOME's mark, no acknowledgement

  journal_.fault = Fault::none;
  ASSERT_TRUE(
      eventually([&] { return again.source.durable.back().second == 5 && fresh.source.durable.back().second == 1; }));
  EXPECT_FALSE(server_->disk_full());
  EXPECT_THAT(journal_.stored[StreamRow{1}], ElementsAre(1, 2, 3, 4, 5));
  EXPECT_THAT(lines_.text, HasSubstr("The journal's disk is full"));
}

TEST_F(StreamPort, RefusedSeriesAreCountedAndToldOnceAndOfferedRoomWhenThereIsSome) {
  capped_.emplace(Catalogue::Caps{2, 2});
  listen();
  const auto other = capped_->resolve(TenantId{"clinic-a"}, AgentId{"other"}, Labels{{"__name__", "pod"}, {"n", "1"}});
  const auto second = capped_->resolve(TenantId{"clinic-a"}, AgentId{"other"}, Labels{{"__name__", "pod"}, {"n", "2"}});
  auto& agent = connect("node-1", 3);
  ASSERT_TRUE(eventually([&] { return !agent.source.durable.empty() && agent.source.durable.back().second == 3; }));
  const Labels tenant{{"tenant", "clinic-a"}};
  const auto refused = server_->refused().at(TenantId{"clinic-a"}).by_metric();
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(metrics_.counter("ward_ingest_refused_series_total", "", tenant.with("metric", refused.begin()->first)).value(),
            1);
  EXPECT_EQ(metrics_.counter("ward_ingest_refused_samples_total", "", tenant).value(), 3);
  EXPECT_THAT(lines_.text, HasSubstr("New series are refused"));
  EXPECT_THAT(lines_.text, HasSubstr("node-1"));
  server_->offer_room();
  EXPECT_FALSE(eventually([&] { return agent.done; }, 50)) << "there is no room yet";
  capped_->retire(std::vector{other, second});
  server_->offer_room();
  EXPECT_TRUE(eventually([&] { return agent.done; }));
}

TEST_F(StreamPort, SeriesOfAnEndedSessionMayBeForgotten) {
  listen();
  auto& agent = connect("node-1", 2);
  ASSERT_TRUE(eventually([&] { return !agent.source.durable.empty() && agent.source.durable.back().second == 2; }));
  catalogue_.retire(std::vector<SeriesId>{0});
  catalogue_.retire({});
  EXPECT_THAT(catalogue_.unused(), IsEmpty()) << "its session may send a sample of it";
  agent.connection->close();
  EXPECT_TRUE(eventually([&] { return !catalogue_.unused().empty(); }));
}

TEST_F(StreamPort, AnAgentThatIsGoneIsForgottenAndAConnectedOneIsNot) {
  listen();
  StreamState former;
  former.row = StreamRow{7};
  former.key = {TenantId{"clinic-a"}, AgentId{"taken-away"}, {}};
  former.seen = clock_.wall() - std::chrono::hours{24 * 8};
  auto lately = former;
  lately.key.agent = AgentId{"stays"};
  lately.seen = clock_.wall();
  server_->expect({former, lately});
  auto& gone = connect("gone", 1, 2);
  ASSERT_TRUE(opens(gone));
  auto& stays = connect("stays", 1, 3);
  ASSERT_TRUE(opens(stays));
  gone.connection->close();
  ASSERT_TRUE(eventually([&] { return gone.done && server_->commits().idle(); }));
  const auto names = [&] {
    std::vector<std::string> out;
    for (const auto& agent : server_->agents()) out.push_back(agent.agent.get());
    return out;
  };
  const auto forget = [&] {
    server_->forget_silent(std::chrono::hours{24 * 7});
    ASSERT_TRUE(eventually([&] { return server_->commits().idle(); }));
  };
  ASSERT_THAT(names(), ElementsAre("gone", "stays", "taken-away"));
  forget();
  EXPECT_THAT(names(), ElementsAre("gone", "stays")) << "heard of a week ago, in an earlier life of the collector";
  clock_.advance(std::chrono::hours{24 * 7} + milliseconds{1});
  forget();
  EXPECT_THAT(names(), ElementsAre("stays"));
}

struct SilentAgents : StreamPort {
  /// What the journal kept of an earlier life of the collector: two agents that were there until it ended.
  void listen_after(milliseconds off) {
    for (int n = 1; n <= 2; ++n) {
      auto& state = former_.emplace_back();
      state.row = StreamRow{n};
      state.key = {TenantId{"clinic-a"}, AgentId{"node-" + std::to_string(n)}, {}};
      state.seen = clock_.wall();
    }
    clock_.advance(off);
    listen();
    server_->expect(former_);
  }
  std::size_t left_after(milliseconds listening) {
    clock_.advance(listening);
    server_->forget_silent(kAfter);
    EXPECT_TRUE(eventually([&] { return server_->commits().idle(); }));
    return server_->agents().size();
  }
  static constexpr std::chrono::hours kAfter{24 * 7};
  std::vector<StreamState> former_;
};

TEST_F(SilentAgents, TheTimeTheCollectorWasOffIsNotTheirs) {
  listen_after(2 * kAfter);
  EXPECT_EQ(left_after(std::chrono::minutes{30}), 2U);
  EXPECT_EQ(left_after(kAfter - std::chrono::hours{1}), 2U);
  EXPECT_EQ(left_after(std::chrono::hours{1}), 0U) << "silent while it listened";
}

TEST_F(SilentAgents, AClockThatIsSetAheadIsNotTheirs) {
  listen_after(std::chrono::hours{1});
  clock_.set_wall(clock_.wall() + 100 * kAfter);
  EXPECT_EQ(left_after(std::chrono::minutes{30}), 2U);
  EXPECT_EQ(left_after(kAfter), 0U);
}

TEST_F(StreamPort, AnAgentWithAStreamInTheJournalIsNotForgotten) {
  listen();
  auto& agent = connect("node-1", 1);
  ASSERT_TRUE(eventually([&] { return !agent.source.durable.empty() && agent.source.durable.back().second == 1; }));
  agent.connection->close();
  ASSERT_TRUE(eventually([&] { return agent.done; }));
  clock_.set_wall(clock_.wall() + std::chrono::hours{24 * 30});
  journal_.fault = Fault::broken_before;  // nothing is forgotten: it is asked again next time
  server_->forget_silent(std::chrono::hours{24 * 7});
  ASSERT_TRUE(eventually([&] { return server_->commits().idle(); }));
  EXPECT_EQ(server_->agents().size(), 1U);
  EXPECT_THAT(lines_.text, HasSubstr("could not be forgotten"));
}

TEST_F(StreamPort, ACertificateOfAnotherAuthorityIsLoggedOnceWithAddressAndReasonAndCounted) {
  listen(true);
  test::TestCa other("other-ca");
  auto files = other.issue(test::agent_certificate());
  files.ca = ca_.ca_file();
  for (int i = 0; i < 3; ++i) {
    auto& agent = connect("node-1", 0, 1, &files);
    ASSERT_TRUE(eventually([&] { return agent.done; }));
  }
  const auto refused = [&] {
    return metrics_.counter("ward_ingest_refused_connections_total", "", Labels{{"reason", "untrusted"}}).value();
  };
  ASSERT_TRUE(eventually([&] { return refused() == 3; }));
  const auto first = lines_.text.find("A connection to the stream port was refused");
  ASSERT_NE(first, std::string::npos) << lines_.text;
  EXPECT_EQ(lines_.text.find("A connection to the stream port was refused", first + 1), std::string::npos);
  EXPECT_THAT(lines_.text, HasSubstr("127.0.0.1:"));
  EXPECT_THAT(lines_.text, HasSubstr("untrusted"));
  EXPECT_THAT(lines_.text, HasSubstr("not signed by the expected CA"));
}

TEST_F(StreamPort, AHealthCheckThatOnlyConnectsIsNotLogged) {
  listen(true);
  boost::asio::ip::tcp::socket probe(io_);
  probe.connect({boost::asio::ip::make_address("127.0.0.1"), server_->port()});
  probe.close();
  const auto refused = [&] {
    return metrics_.counter("ward_ingest_refused_connections_total", "", Labels{{"reason", "closed"}}).value();
  };
  ASSERT_TRUE(eventually([&] { return refused() == 1; }));
  EXPECT_THAT(lines_.text, Not(HasSubstr("refused")));
}

TEST_F(StreamPort, ATenantTheCertificateDoesNotNameIsToldToBothEnds) {
  listen(true);
  const auto files = ca_.issue(test::agent_certificate("clinic-b", "node-1"));
  auto& agent = connect("node-1", 0, 1, &files);
  ASSERT_TRUE(eventually([&] { return agent.done; }));
  EXPECT_THAT(agent.ended.value_or(""), HasSubstr("clinic-a"));
  EXPECT_THAT(lines_.text, HasSubstr("may not speak for tenant 'clinic-a'"));
}

}  // namespace
}  // namespace ward::collector
