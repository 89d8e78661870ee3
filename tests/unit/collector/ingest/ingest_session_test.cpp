// Who may speak for whom, and how frames become entries and commits become acknowledgements.
#include "collector/ingest/ingest_session.hpp"

#include <gmock/gmock.h>

namespace ward::collector {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr MonoTime kStart{std::chrono::hours{1}};
constexpr Time kWall = from_ms(1'764'000'000'000);

class Session : public testing::Test, public IngestSession::Host {
 protected:
  void open_streams(IngestSession& session) override {
    EXPECT_EQ(&session, &*session_);
    ++opened_;
  }
  void submit(JournalEntry entry) override { entries_.push_back(std::move(entry)); }
  SeriesId resolve(const TenantId& tenant, const AgentId& agent, const Labels& labels) override {
    asked_.push_back(tenant.get() + "/" + agent.get() + " " + std::string(labels.name()));
    return labels.name() == "refused" ? wire::kRefusedSeries : static_cast<SeriesId>(asked_.size() - 1);
  }
  void duplicate(StreamRow stream, Sequence seq, std::uint32_t, const AgentId&) override {
    duplicates_.push_back({stream, seq});
  }

  void describe(const TenantId& tenant, const wire::MetaEntry& metric) override {
    described_.push_back(tenant.get() + " " + metric.name);
  }

  void connect(std::optional<PeerIdentity> peer) {
    peer_ = std::move(peer);
    session_.emplace(*this, peer_ ? &*peer_ : nullptr, kStart);
  }
  static PeerIdentity certificate(const std::string& agent, std::vector<std::string> tenants) {
    PeerIdentity out{AgentId{agent}, {}};
    for (auto& tenant : tenants) out.tenants.emplace_back(std::move(tenant));
    return out;
  }
  static wire::Hello greeting(const std::string& agent, const std::vector<std::string>& tenants) {
    wire::Hello hello;
    hello.agent = AgentId{agent};
    for (const auto& tenant : tenants) {
      wire::HelloStream stream;
      stream.tenant = TenantId{tenant};
      stream.base = Sequence{1};
      stream.next = Sequence{100};
      stream.live = true;
      hello.streams.push_back(stream);
    }
    return hello;
  }
  void hear(const wire::Frame& frame) {
    wire::Buffer bytes;
    wire::write_frame(frame, bytes);
    session_->on_bytes(bytes, kStart, kWall);
  }
  /// An open session of agent node-1 with one stream of clinic-a, row 7, at `durable`.
  void open(std::uint64_t durable = 0, std::uint64_t credit = 1'000) {
    connect(certificate("node-1", {"clinic-a"}));
    hear(greeting("node-1", {"clinic-a"}));
    StreamState state;
    state.row = StreamRow{7};
    state.key.tenant = TenantId{"clinic-a"};
    state.durable = Sequence{durable};
    session_->welcome({state}, credit, kWall);
    (void)said();
  }
  std::vector<wire::Frame> said() {
    wire::FrameReader reader(wire::kMaxFrameBytes);
    reader.push(session_->take_output());
    std::vector<wire::Frame> out;
    while (true) {
      auto frame = reader.next().value();
      if (!frame) return out;
      out.push_back(std::move(*frame));
    }
  }
  std::string goaway() {
    for (const auto& frame : said())
      if (const auto* leave = std::get_if<wire::Goaway>(&frame)) return leave->reason;
    return "";
  }
  void send(std::uint64_t seq, std::uint32_t id) {
    wire::Data data;
    data.seq = Sequence{seq};
    data.count = 1;
    data.base = kWall;
    const std::vector<wire::IdSample> samples{{id, kWall, 2.5}};
    data.digest = wire::digest(samples);
    encoder_.encode(samples, data.base, data.coded);
    hear(data);
  }

  std::optional<PeerIdentity> peer_;
  std::optional<IngestSession> session_;
  wire::SampleEncoder encoder_;
  int opened_ = 0;
  std::vector<JournalEntry> entries_;
  std::vector<std::string> asked_;
  std::vector<std::pair<StreamRow, Sequence>> duplicates_;
  std::vector<std::string> described_;
};

TEST_F(Session, LetsACertifiedAgentOpenItsStreams) {
  connect(certificate("node-1", {"clinic-a", "clinic-b"}));
  hear(greeting("node-1", {"clinic-b"}));
  EXPECT_EQ(opened_, 1);
  EXPECT_FALSE(session_->ended());
}

struct BadGreeting {
  const char* name;
  PeerIdentity peer;
  wire::Hello hello;
  const char* what;
};

class Refused : public Session, public testing::WithParamInterface<int> {
 protected:
  static std::vector<BadGreeting> cases() {
    auto old = greeting("node-1", {"clinic-a"});
    old.version = 99;
    return {
        {"another agent's name", certificate("node-1", {"clinic-a"}), greeting("node-2", {"clinic-a"}), "'node-2'"},
        {"another tenant", certificate("node-1", {"clinic-a"}), greeting("node-1", {"clinic-b"}), "clinic-b"},
        {"one tenant too many", certificate("node-1", {"clinic-a"}), greeting("node-1", {"clinic-a", "clinic-b"}),
         "clinic-b"},
        {"no certified tenant", certificate("node-1", {}), greeting("node-1", {"clinic-a"}), "clinic-a"},
        {"a name that is a path", certificate("../etc", {"clinic-a"}), greeting("../etc", {"clinic-a"}), "../etc"},
        {"another version", certificate("node-1", {"clinic-a"}), old, "version 99"},
    };
  }
};

TEST_P(Refused, IsToldToBothEndsAndOpensNothing) {
  const auto bad = cases()[static_cast<std::size_t>(GetParam())];
  connect(bad.peer);
  hear(bad.hello);
  ASSERT_TRUE(session_->ended()) << bad.name;
  EXPECT_EQ(opened_, 0) << bad.name;
  EXPECT_THAT(session_->ended()->what, HasSubstr(bad.what)) << bad.name;
  EXPECT_FALSE(session_->ended()->fix.empty()) << bad.name;
  EXPECT_THAT(goaway(), HasSubstr(bad.what)) << bad.name;
}

INSTANTIATE_TEST_SUITE_P(Greetings, Refused, testing::Range(0, 6));

TEST_F(Session, WithoutACertificateTheNamesAreTakenOnTrustButMustBeNames) {
  connect(std::nullopt);
  hear(greeting("node-1", {"clinic-a"}));
  EXPECT_EQ(opened_, 1);
  EXPECT_EQ(session_->identity().agent, AgentId{"node-1"});
  connect(std::nullopt);
  hear(greeting("node-1", {"Clinic A"}));
  EXPECT_TRUE(session_->ended());
}

TEST_F(Session, TakesNothingBetweenGreetingAndWelcome) {
  connect(certificate("node-1", {"clinic-a"}));
  hear(greeting("node-1", {"clinic-a"}));
  hear(wire::GapFrame{0, {Sequence{1}, Sequence{2}, 3, GapReason::trimmed, kWall, kWall}});
  EXPECT_TRUE(session_->ended());
  EXPECT_THAT(entries_, IsEmpty());
}

TEST_F(Session, ASecondGreetingEndsIt) {
  open();
  hear(greeting("node-1", {"clinic-a"}));
  EXPECT_TRUE(session_->ended());
}

TEST_F(Session, TurnsRecordsAndGapsIntoEntriesOfItsStream) {
  open();
  hear(wire::Series{0, {{0, Labels{{"__name__", "up"}}}}});
  send(1, 0);
  hear(wire::GapFrame{0, {Sequence{2}, Sequence{5}, 9, GapReason::spool_full, kWall, kWall}});
  ASSERT_THAT(entries_, SizeIs(2));
  const auto& record = std::get<ReceivedRecord>(entries_[0]);
  EXPECT_EQ(record.stream, StreamRow{7});
  EXPECT_EQ(record.record.samples.at(0).v, 2.5);
  EXPECT_EQ(std::get<ReceivedGap>(entries_[1]).gap.to, Sequence{5});
  EXPECT_THAT(asked_, testing::ElementsAre("clinic-a/node-1 up"));
  EXPECT_EQ(session_->counts().records, 1U);
  EXPECT_EQ(session_->counts().gap_samples, 9U);
}

TEST_F(Session, HandsOnWhatMetricsAreOnceForEachTenantOfItsStreams) {
  connect(certificate("node-1", {"clinic-a", "clinic-b", "clinic-c"}));
  hear(greeting("node-1", {"clinic-a", "clinic-b", "clinic-a"}));
  hear(wire::Meta{{{"up", MetricType::gauge, "", "Up."}}});
  EXPECT_THAT(described_, testing::ElementsAre("clinic-a up", "clinic-b up"));
}

TEST_F(Session, LeavesOutRefusedSeriesAndCountsTheirSamples) {
  open();
  hear(wire::Series{0, {{0, Labels{{"__name__", "refused"}}}}});
  send(1, 0);
  ASSERT_THAT(entries_, SizeIs(1));
  EXPECT_EQ(std::get<ReceivedRecord>(entries_[0]).refused, 1U);
  EXPECT_THAT(std::get<ReceivedRecord>(entries_[0]).record.samples, IsEmpty());
}

TEST_F(Session, ARecordTheJournalHoldsIsADuplicateAndNoEntry) {
  open(4);
  hear(wire::Series{0, {{0, Labels{{"__name__", "up"}}}}});
  send(4, 0);
  send(5, 0);
  EXPECT_THAT(duplicates_, testing::ElementsAre(std::pair{StreamRow{7}, Sequence{4}}));
  ASSERT_THAT(entries_, SizeIs(1));
  EXPECT_EQ(std::get<ReceivedRecord>(entries_[0]).record.seq, Sequence{5});
}

TEST_F(Session, AHoleEndsIt) {
  open(4);
  hear(wire::Series{0, {{0, Labels{{"__name__", "up"}}}}});
  send(6, 0);
  ASSERT_TRUE(session_->ended());
  EXPECT_THAT(goaway(), HasSubstr("without a GAP"));
}

TEST_F(Session, AcknowledgesWhatWasCommittedOfItsOwnStreamsOnce) {
  open();
  const std::vector<Committed> committed{{StreamRow{7}, Sequence{3}}, {StreamRow{8}, Sequence{9}}};
  session_->on_committed(committed);
  session_->on_committed(committed);
  const auto frames = said();
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_EQ(std::get<wire::Ack>(frames[0]).entries, (std::vector<wire::AckEntry>{{0, Sequence{3}}}));
}

TEST_F(Session, WelcomesWithoutCreditOnAFullDiskAndGivesItLater) {
  connect(certificate("node-1", {"clinic-a"}));
  hear(greeting("node-1", {"clinic-a"}));
  StreamState state;
  state.durable = Sequence{12};
  session_->welcome({state}, 0, kWall);
  auto frames = said();
  ASSERT_THAT(frames, SizeIs(1));
  EXPECT_EQ(std::get<wire::Welcome>(frames[0]).credit, 0U);
  EXPECT_EQ(std::get<wire::Welcome>(frames[0]).marks.at(0).durable, Sequence{12});
  session_->set_credit(500);
  EXPECT_EQ(std::get<wire::Credit>(said().at(0)).limit, 500U);
}

TEST_F(Session, SaysWhyWhenTheJournalCannotOpenItsStreams) {
  connect(certificate("node-1", {"clinic-a"}));
  hear(greeting("node-1", {"clinic-a"}));
  session_->end(Error{Errc::full, "no space left on device", "Free space on the volume of data_dir."});
  EXPECT_THAT(goaway(), HasSubstr("no space left on device"));
}

TEST_F(Session, DoesNothingMoreWhenItHasEnded) {
  open();
  session_->end(Error{Errc::cancelled, "the agent connected again", ""});
  hear(wire::GapFrame{0, {Sequence{1}, Sequence{2}, 3, GapReason::trimmed, kWall, kWall}});
  session_->on_committed(std::vector<Committed>{{StreamRow{7}, Sequence{3}}});
  session_->set_credit(5);
  EXPECT_THAT(entries_, IsEmpty());
  EXPECT_FALSE(session_->has_output());
}

}  // namespace
}  // namespace ward::collector
