#pragma once
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/event/metadata.hpp"
#include "collector/ingest/catalogue.hpp"
#include "collector/ingest/commit_loop.hpp"
#include "collector/ingest/ingest_session.hpp"
#include "collector/ingest/journal.hpp"
#include "collector/ingest/local_streams.hpp"
#include "collector/ingest/refusal_log.hpp"
#include "collector/ingest/refused_by_metric.hpp"
#include "common/async/task_group.hpp"
#include "common/base/world.hpp"
#include "common/net/listener.hpp"
#include "common/telemetry/log.hpp"
#include "common/telemetry/metrics.hpp"

namespace ward::collector {

/// One agent as the collector sees it, for /api/ward/v1/agents and the ward_agent_* series.
struct AgentStatus {
  AgentId agent;
  std::vector<TenantId> tenants;
  bool connected = false;
  std::string remote;
  std::string software;
  Time last_seen;
  std::uint64_t records = 0;
  std::uint64_t samples = 0;
  std::uint64_t gap_samples = 0;
  friend bool operator==(const AgentStatus&, const AgentStatus&) = default;
};

/// Accepts agents, checks who they are, runs one session each and acknowledges what was committed. Thread: io thread.
/// Await stop() before the destructor.
class StreamServer final : private IngestSession::Host {
 public:
  struct Options {
    net::ListenerOptions listener;
    std::uint64_t credit = 4 << 20;  ///< bytes of records under way per session
  };
  struct Context {
    async::asio::any_io_executor executor;
    const Clock& clock;
    telemetry::Logger& log;
    telemetry::Registry& metrics;
    async::BlockingPool& pool;
    Journal& journal;
    Catalogue& catalogue;
    SampleSink& sink;
    /// Data became durable: evaluation may look.
    std::function<void()> arrived;
    /// Asked on the pool before each commit (CommitLoop::Callbacks); may be empty.
    std::function<Status()> may_write;
    RecordTap* tap = nullptr;  ///< of the recorder; may be null
  };
  StreamServer(Options options, Context context);
  ~StreamServer() override;

  Status start();
  [[nodiscard]] std::uint16_t port() const { return listener_.port(); }
  void use_context(net::TlsContext tls) { listener_.use_context(std::move(tls)); }
  async::Task<void> stop();

  /// Agents seen since start (and those the journal knows), by name.
  [[nodiscard]] std::vector<AgentStatus> agents() const;
  /// At start: agents with streams in the journal count as last seen now, so that one that never returns is noticed.
  void expect(const std::vector<StreamState>& streams);
  /// Streams silent for longer than this leave the journal's lists, and agents without a stream left leave agents(). Only
  /// time counts in which a collector ran. Call it every half hour or so.
  void forget_silent(milliseconds after);
  /// Retention may have given places under the series caps back: sessions with refused series end, where there is room for
  /// those now, so that their agents come again and name them anew.
  void offer_room();
  CommitLoop& commits() { return commits_; }
  /// At start, before the loop runs: streams of these tenants for what comes in by another door. They are no agent's.
  Status open_local(std::span<const TenantId> tenants);
  [[nodiscard]] LocalStreams& local() { return local_; }
  /// Counts series that a cap refused, and their samples, and tells of them once an hour.
  struct RefusedSeries {
    const TenantId& tenant;
    const AgentId& agent;
    std::string_view metric;  ///< theirs
    std::uint64_t series = 0, samples = 0;
  };
  void count_refused(const RefusedSeries& refused);
  /// Series refused since start.
  [[nodiscard]] const std::map<TenantId, RefusedByMetric>& refused() const { return refused_; }
  /// What agents said of their metrics since start.
  [[nodiscard]] const MetricMetadata& metadata() const { return metadata_; }
  [[nodiscard]] MetricMetadata& metadata() { return metadata_; }
  /// Set while the journal's disk takes nothing: agents are connected and without credit, nothing is acknowledged.
  [[nodiscard]] const std::optional<Error>& disk_full() const { return disk_full_; }

 private:
  struct Link;
  void open_streams(IngestSession& session) override;
  void submit(JournalEntry entry) override;
  SeriesId resolve(const TenantId& tenant, const AgentId& agent, const Labels& labels) override;
  void duplicate(StreamRow stream, Sequence seq, std::uint32_t digest, const AgentId& agent) override;
  // When it started, to the millisecond: another one than that of the process before, which is all it has to be.
  std::uint64_t life() const override { return life_; }
  void describe(const TenantId& tenant, const wire::MetaEntry& metric) override {
    metadata_.put(tenant, metric.name, {metric.type, metric.help, metric.unit});
  }
  void welcome(const std::shared_ptr<Link>& link, Result<std::vector<StreamState>> opened);

  void accept(std::unique_ptr<net::Connection> connection);
  void on_committed(const std::vector<Committed>& committed);
  void on_lost(const Error& error);
  void on_full(const Error& error);
  void on_room();
  void set_credit(std::uint64_t credit);
  void refuse(const net::Verdict& verdict, const std::string& remote);
  async::Task<void> serve(std::shared_ptr<Link> link);
  async::Task<void> write_loop(std::shared_ptr<Link> link);
  async::Task<void> watch(std::shared_ptr<Link> link);
  void farewell(const Link& link);
  void remember(const Link& link);
  void tell_refused(const TenantId& tenant, const AgentId& agent, std::string_view metric);
  void retire(const std::set<AgentId>& with_streams, milliseconds after);
  /// The time by which silence is judged: it goes on from the newest life the journal knows, by the steady clock. Neither
  /// time in which no collector listened nor a wall clock that is set is an agent's silence.
  [[nodiscard]] Time listened() const;

  struct Known {
    AgentStatus status;
    Time heard;  ///< by listened(), in this life or, as the journal says, in an earlier one
  };
  Options options_;
  Context context_;
  Recorder recorder_;
  CommitLoop commits_;
  LocalStreams local_;
  std::list<std::shared_ptr<Link>> links_;
  std::map<StreamRow, std::weak_ptr<Link>> by_stream_;  // who is told what a commit made durable
  std::map<AgentId, Known> agents_;
  std::map<std::pair<TenantId, AgentId>, MonoTime> told_refused_;  // when its refused series were last logged
  std::optional<Error> disk_full_;
  std::map<TenantId, RefusedByMetric> refused_;
  RefusalLog refusals_;
  MetricMetadata metadata_;
  Time listened_before_ = context_.clock.wall();
  MonoTime listens_since_ = context_.clock.mono();
  std::uint64_t life_ = static_cast<std::uint64_t>(to_ms(context_.clock.wall()));
  net::Listener listener_;
  async::TaskGroup tasks_;
};

}  // namespace ward::collector
