// The uplink over real sockets on loopback, in virtual time: what it does when the collector behaves and when it does not.
#include "agent/uplink/uplink.hpp"

#include <gmock/gmock.h>

#include "agent/uplink/outage.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/manual_timers.hpp"
#include "tests/support/spool_bed.hpp"
#include "tests/unit/agent/uplink/collector_peer.hpp"

namespace ward::agent {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::batch_of;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::SizeIs;

struct Lines final : telemetry::LogSink {
  std::string text;
  void write(std::string_view line) override { text += line; }
  [[nodiscard]] int count(std::string_view what) const {
    int n = 0;
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 1)) ++n;
    return n;
  }
};

class UplinkTo : public testing::Test {
 protected:
  void listen(net::TlsContext tls = nullptr) {
    peer_ = std::make_unique<CollectorPeer>(io_, clock_, std::move(tls));
    bed_ = std::make_unique<test::SpoolBed>(std::vector{net::to_string(peer_->endpoint())});
    bed_->start();
  }
  void start(net::TlsContext tls = nullptr) {
    Uplink::Context context{*bed_->spool,      clock_, random_,
                            timers_,           log_,   metrics_,
                            AgentId{"node-1"}, 77,     {{"up", MetricType::gauge, "", "Up."}}};
    const CollectorAddress address{peer_->endpoint(), ""};
    uplink_ = std::make_unique<Uplink>(io_.get_executor(), std::move(context), std::vector{address}, std::move(tls));
    uplink_->start();
  }
  void append(int batches) {
    for (int i = 0; i < batches; ++i) bed_->spool->append(batch_of(2, DataClass::raw, second_++));
    if (uplink_) uplink_->wake();
  }
  /// Virtual time passes until it is so; sockets get what real time they need.
  bool comes(const std::function<bool()>& so, seconds limit = seconds{5}) {
    const auto end = clock_.mono() + limit;
    while (!so() && clock_.mono() < end) {
      for (int i = 0; i < 3 && !so(); ++i) run_sockets();
      if (!so()) timers_.pass(milliseconds{100});
    }
    return so();
  }
  void pass(seconds time) {
    const auto end = clock_.mono() + time;
    while (clock_.mono() < end) {
      run_sockets();
      timers_.pass(milliseconds{500});
    }
    run_sockets();
  }
  [[nodiscard]] bool is_up() const { return uplink_->connected() == 1; }
  [[nodiscard]] std::uint64_t backlog() const { return bed_->spool->live_backlog(net::to_string(peer_->endpoint())); }

  void TearDown() override {
    if (!uplink_) return;
    bool stopped = false;
    boost::asio::co_spawn(io_, uplink_->stop(), [&](const std::exception_ptr&) { stopped = true; });
    EXPECT_TRUE(comes([&] { return stopped; })) << "stop() ends every wait";
    bool closed = false;
    boost::asio::co_spawn(io_, peer_->stop(), [&](const std::exception_ptr&) { closed = true; });
    EXPECT_TRUE(comes([&] { return closed && peer_->idle(); }));
  }

  boost::asio::io_context io_{1};
  test::ManualClock clock_;
  test::ManualTimers timers_{clock_, io_};
  test::SeededRandom random_;
  Lines lines_;
  telemetry::Logger log_{telemetry::LogSettings{}, clock_, lines_};
  telemetry::Registry metrics_;
  std::unique_ptr<test::SpoolBed> bed_;
  std::unique_ptr<CollectorPeer> peer_;
  std::unique_ptr<Uplink> uplink_;
  int second_ = 0;

 private:
  void run_sockets() {
    io_.restart();
    if (io_.poll() == 0) io_.run_one_for(milliseconds{1});
  }
};

TEST_F(UplinkTo, ACollectorThatTakesEverythingIsGreetedFedAndAcknowledgesToTheSpool) {
  listen();
  append(3);
  start();
  ASSERT_TRUE(comes([&] { return peer_->taken.size() == 3 && backlog() == 0; }));
  EXPECT_TRUE(is_up());
  EXPECT_EQ(peer_->hellos.at(0).agent, AgentId{"node-1"});
  EXPECT_EQ(peer_->hellos.at(0).config_hash, 77U);
  append(1);
  ASSERT_TRUE(comes([&] { return backlog() == 0; }));
  EXPECT_THAT(peer_->sequences(), ElementsAre(1, 2, 3, 4));
  EXPECT_THAT(lines_.text, HasSubstr("A session with a collector is open"));
}

TEST_F(UplinkTo, ACollectorWhoseCreditIsUsedUpGetsNothingMoreUntilItAcknowledges) {
  listen();
  append(3);
  peer_->credit = 1;
  peer_->commits = false;
  start();
  ASSERT_TRUE(comes([&] { return !peer_->taken.empty(); }));
  pass(seconds{20});
  EXPECT_THAT(peer_->sequences(), ElementsAre(1)) << "the first overshoots, then nothing";
  EXPECT_TRUE(is_up()) << "PINGs go on";
  EXPECT_EQ(backlog(), 3U);
  peer_->commits = true;  // with the next PING
  ASSERT_TRUE(comes([&] { return backlog() == 0; }, seconds{20}));
  EXPECT_THAT(peer_->sequences(), ElementsAre(1, 2, 3));
}

TEST_F(UplinkTo, ACutConnectionIsMadeAgainAndGoesOnBehindTheMark) {
  listen();
  append(2);
  start();
  ASSERT_TRUE(comes([&] { return backlog() == 0; }));
  peer_->cut();
  ASSERT_TRUE(comes([&] { return !is_up(); }));
  append(1);
  ASSERT_TRUE(comes([&] { return peer_->taken.size() == 3; }));
  EXPECT_THAT(peer_->sequences(), ElementsAre(1, 2, 3));
  EXPECT_EQ(peer_->connections, 2);
  EXPECT_EQ(lines_.count("A collector is away"), 1);
}

TEST_F(UplinkTo, WhatWasUnderWayWhenTheConnectionBrokeIsSentAgain) {
  listen();
  append(2);
  peer_->commits = false;
  start();
  ASSERT_TRUE(comes([&] { return peer_->taken.size() == 2; }));
  peer_->cut();
  ASSERT_TRUE(comes([&] { return peer_->taken.size() == 4; }));
  EXPECT_THAT(peer_->sequences(), ElementsAre(1, 2, 1, 2));
  EXPECT_EQ(backlog(), 2U);
}

TEST_F(UplinkTo, ACollectorThatSlamsTheDoorIsAskedLessAndLessOftenAndLoggedOnce) {
  listen();
  peer_->slams = true;
  start();
  pass(seconds{30});
  const auto early = peer_->connections;
  pass(seconds{120});
  const auto late = peer_->connections - early;
  EXPECT_GE(early, 5);
  EXPECT_GE(late, 1);
  EXPECT_LT(late * 30, early * 120 / 2) << "attempts a second fell to less than a half";
  EXPECT_EQ(lines_.count("A collector is away"), 1) << lines_.text;
  peer_->slams = false;
  EXPECT_TRUE(comes([&] { return is_up(); }, seconds{61}));
}

TEST_F(UplinkTo, AfterALongOutageLiveDataHasAStreamBesideTheBacklog) {
  listen();
  append(1);
  start();
  ASSERT_TRUE(comes([&] { return backlog() == 0; }));
  peer_->slams = true;
  peer_->cut();
  append(static_cast<int>(Outage::kLongBacklog));
  pass(Outage::kLong + seconds{5});
  ASSERT_FALSE(is_up());
  peer_->slams = false;
  peer_->credit = 1;  // half of it is nothing: the backlog waits
  const auto named = [&] { return peer_->hellos.back().streams; };
  ASSERT_TRUE(comes([&] { return named().size() == 2; }, seconds{61}));
  EXPECT_FALSE(named()[0].live);
  EXPECT_TRUE(named()[1].live);
  EXPECT_EQ(peer_->hellos.at(0).streams.at(0).incarnation, named()[0].incarnation);
  const CollectorPeer::Taken first_of_new{named()[1].incarnation, 1};
  append(1);
  ASSERT_TRUE(
      comes([&] { return std::find(peer_->taken.begin(), peer_->taken.end(), first_of_new) != peer_->taken.end(); }));
  EXPECT_THAT(peer_->taken, SizeIs(2)) << "it did not wait for the backlog";
  peer_->credit = 1 << 20;
  peer_->cut();
  EXPECT_TRUE(comes([&] { return peer_->taken.size() == 2 + Outage::kLongBacklog; }, seconds{10}));
}

TEST_F(UplinkTo, WhatIsNotWardIsNamedAndTriedAgain) {
  listen();
  append(1);
  peer_->says = "HTTP/1.1 400 Bad Request\r\n\r\n";
  start();
  ASSERT_TRUE(comes([&] { return lines_.count("A collector is away") == 1; }));
  EXPECT_THAT(lines_.text, HasSubstr("announced a frame of"));
  EXPECT_THAT(lines_.text, HasSubstr("Check that a Ward program is at the other end"));
  pass(seconds{10});
  EXPECT_GE(peer_->connections, 3);
  peer_->says.reset();
  EXPECT_TRUE(comes([&] { return backlog() == 0; }, seconds{61}));
}

TEST_F(UplinkTo, ACollectorThatSaysNothingIsGivenUpAfterSixSeconds) {
  listen();
  peer_->welcomes = false;
  start();
  ASSERT_TRUE(comes([&] { return !peer_->hellos.empty(); }));
  pass(seconds{5});
  EXPECT_THAT(lines_.text, Not(HasSubstr("silent")));
  ASSERT_TRUE(comes([&] { return lines_.count("has been silent for 6000 ms") == 1; }, seconds{3}));
  peer_->welcomes = true;
  EXPECT_TRUE(comes([&] { return is_up(); }));
}

TEST_F(UplinkTo, ACollectorThatLeavesIsLeftAndFoundAgain) {
  listen();
  append(1);
  wire::Buffer goaway;
  wire::write_frame(wire::Goaway{"restart"}, goaway);
  peer_->says = std::string(goaway.begin(), goaway.end());
  start();
  ASSERT_TRUE(comes([&] { return lines_.count("asked to reconnect: restart") == 1; }));
  peer_->says.reset();
  EXPECT_TRUE(comes([&] { return backlog() == 0; }));
}

TEST_F(UplinkTo, ACertificateTheCollectorRefusesIsNamedAndANewOneIsTakenAtTheNextAttempt) {
  test::TestCa ca;
  test::TestCa other("other-ca");
  listen(net::make_server_context(ca.issue(test::collector_certificate())).value());
  append(1);
  auto foreign = other.issue(test::agent_certificate());
  foreign.ca = ca.ca_file();
  start(net::make_client_context(foreign).value());
  ASSERT_TRUE(comes([&] { return lines_.count("it is not signed by the expected CA") == 1; }, seconds{61})) << lines_.text;
  EXPECT_THAT(peer_->hellos, IsEmpty());
  uplink_->use_context(net::make_client_context(ca.issue(test::agent_certificate())).value());
  EXPECT_TRUE(comes([&] { return backlog() == 0; }, seconds{61}));
}

TEST_F(UplinkTo, ACollectorOfAnotherAuthorityHearsNothing) {
  test::TestCa ca;
  test::TestCa other("other-ca");
  listen(net::make_server_context(other.issue(test::collector_certificate())).value());
  append(1);
  start(net::make_client_context(ca.issue(test::agent_certificate())).value());
  ASSERT_TRUE(comes([&] { return lines_.count("it is not signed by the expected CA") == 1; }, seconds{61})) << lines_.text;
  pass(seconds{20});
  EXPECT_THAT(peer_->hellos, IsEmpty());
  EXPECT_EQ(backlog(), 1U);
}

TEST_F(UplinkTo, MetricsThatAReloadAddsAreDescribedInTheOpenSessionAndToTheNextCollector) {
  listen();
  start();
  ASSERT_TRUE(comes([&] { return peer_->described.size() == 1; }));
  uplink_->describe({{"up", MetricType::gauge, "", "Up."}, {"redis_up", MetricType::gauge, "", "Redis answers."}});
  ASSERT_TRUE(comes([&] { return peer_->described.size() == 2; }));
  EXPECT_THAT(peer_->described, ElementsAre("up", "redis_up"));
  EXPECT_EQ(peer_->connections, 1);
  peer_->described.clear();
  peer_->life = 8;
  peer_->cut();
  ASSERT_TRUE(comes([&] { return peer_->described.size() == 2; }));
  EXPECT_THAT(peer_->described, ElementsAre("up", "redis_up"));
}

TEST_F(UplinkTo, ACollectorThatLivesOnIsNotToldOfMetricsAgainOnceItHeardOfThem) {
  listen();
  start();
  ASSERT_TRUE(comes([&] { return peer_->described.size() == 1; }));
  peer_->cut();  // before a PONG: nobody knows whether it heard
  ASSERT_TRUE(comes([&] { return peer_->described.size() == 2; }));
  pass(seconds{5});
  peer_->cut();
  ASSERT_TRUE(comes([&] { return peer_->connections == 3 && is_up(); }));
  uplink_->describe({{"up", MetricType::gauge, "", "Up."}, {"redis_up", MetricType::gauge, "", "Redis answers."}});
  ASSERT_TRUE(comes([&] { return peer_->described.size() == 3; }));
  EXPECT_THAT(peer_->described, ElementsAre("up", "up", "redis_up"));
}

TEST_F(UplinkTo, DrainWaitsForTheLastAcknowledgementOrItsLimit) {
  listen();
  peer_->commits = false;
  append(1);
  start();
  ASSERT_TRUE(comes([&] { return peer_->taken.size() == 1; }));
  bool drained = false;
  boost::asio::co_spawn(io_, uplink_->drain(seconds{3}), [&](const std::exception_ptr&) { drained = true; });
  EXPECT_FALSE(comes([&] { return drained; }, seconds{2}));
  EXPECT_TRUE(comes([&] { return drained; }, seconds{2}));
  peer_->commits = true;
  drained = false;
  boost::asio::co_spawn(io_, uplink_->drain(seconds{30}), [&](const std::exception_ptr&) { drained = true; });
  EXPECT_TRUE(comes([&] { return drained; }, seconds{5}));
  EXPECT_EQ(backlog(), 0U);
}

}  // namespace
}  // namespace ward::agent
