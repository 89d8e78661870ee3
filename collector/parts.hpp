#pragma once
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "collector/alerting/promql_expression.hpp"
#include "collector/api/view.hpp"
#include "collector/config.hpp"
#include "collector/head_sink.hpp"
#include "collector/ingest/stream_server.hpp"
#include "collector/notify/heartbeat_sender.hpp"
#include "collector/notify/sender.hpp"
#include "collector/pipeline.hpp"
#include "collector/promql/engine.hpp"
#include "collector/store/sqlite/journal.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "collector/store/volume/reserved_state.hpp"
#include "collector/tsdb/head.hpp"

namespace ward::collector {

/// Memory of samples and what feeds it: the journal on disk, the head in memory, the catalogue of series.
struct Store {
  Store(const CollectorConfig& config, telemetry::Registry& metrics, std::unique_ptr<SqliteJournal> opened);
  /// Reads chunks and journal back into the head. Returns damaged rows that were left out.
  Result<std::uint64_t> replay();
  /// Closes chunks and takes the rows they cover off the journal; on an error they wait for the next time. It makes room in
  /// the journal or changes nothing there. On the pool, beside no commit.
  Status store_chunks();
  /// Retention, in head and journal. Makes room too.
  Status drop_before(Time time);
  /// Both, what is old first: on a journal at its cap that may be all the room there is. Then the rows of series that
  /// nothing names any more. `horizon`: nullopt keeps everything.
  Status tidy(std::optional<Time> horizon);
  /// What chunks hold that the journal has not taken yet.
  [[nodiscard]] std::size_t waiting_bytes() const;

  std::unique_ptr<SqliteJournal> journal;
  Head head;
  Catalogue catalogue;
  HeadSink sink;

 private:
  Status drop_series();
  std::vector<ChunkRow> waiting_;
  std::optional<std::uint64_t> refused_at_;  // rows of the journal when it had no room for waiting_: it covers all of them
  std::vector<SeriesId> just_stored_;        // by the last store_chunks(), rising
};

/// The API's view of the running collector: reads, never decides.
class AppView final : public api::View {
 public:
  struct Sources {
    const Clock& clock;
    telemetry::Registry& metrics;
    const Head& head;
    const promql::Engine& engine;
    async::BlockingPool& queries;
    const StreamServer& server;
    const Pipeline& pipeline;
    const Outbox& outbox;
    const DataVolume& volume;
    const std::string& data_dir;
  };
  explicit AppView(Sources sources)
      : sources_(sources), started_(sources.clock.wall()), gate_(api::QueryGate::Limits{}, sources.metrics) {}

  [[nodiscard]] const Clock& clock() const override { return sources_.clock; }
  [[nodiscard]] const Queryable& store() const override { return sources_.head; }
  [[nodiscard]] const promql::Engine& engine() const override { return sources_.engine; }
  [[nodiscard]] async::BlockingPool& queries() override { return sources_.queries; }
  [[nodiscard]] api::QueryGate& gate() override { return gate_; }
  [[nodiscard]] const MetricMetadata& metadata() const override { return sources_.server.metadata(); }
  [[nodiscard]] std::vector<AlertEvent> alerts() const override;
  [[nodiscard]] std::vector<Incident> incidents() const override { return sources_.pipeline.open_incidents(); }
  [[nodiscard]] std::vector<api::AgentView> agents() const override;
  [[nodiscard]] std::vector<api::RuleGroupView> rule_groups() const override;
  [[nodiscard]] api::StatusView status() const override;
  [[nodiscard]] std::vector<api::Readiness> readiness() const override;
  [[nodiscard]] std::string metrics() override;
  /// What the collector stores about itself: its metrics, and per agent ward_agent_up and ward_agent_last_seen_seconds.
  [[nodiscard]] std::vector<SeriesValue> own_series();

 private:
  void refresh_gauges();
  Sources sources_;
  Time started_;
  api::QueryGate gate_;
};

}  // namespace ward::collector
