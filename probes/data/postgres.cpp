// Probe postgres: liveness, sessions and blocking, throughput, WAL, replication and statements of one PostgreSQL server.
// Source: the statistics views of PostgreSQL 12 to 17 as a member of pg_monitor, in one read-only statement a run; never a
//   query text, never a user's table except the one-row heartbeat table.
// Emits: the pg_* names of postgres_exporter and the ward_pg_* metrics of postgres_metrics.cpp.
// Errors: connect_refused, timeout, loading, connect_failed (pg_up 0); probe_refused, auth, tls_*, dns_* (no pg_up: the
//   server may be well); permission, unsupported (a part is left out and named in ward_probe_part_missing).
#include <algorithm>
#include <map>
#include <nlohmann/json.hpp>
#include <utility>

#include "common/base/duration.hpp"
#include "probes/data/cost_brake.hpp"
#include "probes/data/postgres_link.hpp"
#include "probes/data/postgres_metrics.hpp"
#include "probes/data/postgres_options.hpp"
#include "probes/data/postgres_readers.hpp"
#include "probes/data/postgres_sql.hpp"

namespace ward::probes {
namespace data {
namespace {

constexpr std::chrono::minutes kRetryLostPart{10};
constexpr std::chrono::minutes kMinute{1};
constexpr std::chrono::minutes kSizesEvery{10};

/// A question of its own besides the core batch, with the last answer's readings kept between its turns.
struct SlowPart {
  std::string_view name;
  bool wanted = true;
  Cadence cadence;
  Json answer;
};

struct LostPart {
  FailureReason reason;
  MonoTime until;
};

class PostgresProbe final : public Probe {
 public:
  explicit PostgresProbe(PostgresOptions options);
  async::Task<ProbeOutput> collect(Host& host) override;
  [[nodiscard]] Readings on_deadline() const override { return {{"pg_up", {}, 0}}; }

 private:
  /// What one run gathers.
  struct Run {
    explicit Run(DropCounts& drops) : set(drops) {}
    ReadingSet set;
    Events events;
    std::optional<ProbeFailure> failure;
    std::set<std::string> missing_columns;
    bool partial = false;
  };

  async::Task<bool> ensure_connected(Host* host, Run* run);
  async::Task<PostgresResult<Json>> core(Host* host, Run* run);
  async::Task<PostgresResult<Json>> part_by_part(Host* host, std::vector<Part> parts);
  async::Task<void> slow_part(Host* host, SlowPart* part, std::string sql, Run* run);
  async::Task<void> heartbeat(Host* host, bool replica, Run* run);
  async::Task<void> write_heartbeat(Host* host, Run* run);
  void read_core(const Json& batch, const Clock& clock, Run& run);
  void timed(std::string_view collector, bool ok, std::chrono::nanoseconds took, Run& run) const;
  static void fail_run(const PostgresFailure& failure, Run& run);
  ProbeOutput finish(Run& run);

  PostgresOptions options_;
  PostgresLink link_;
  std::optional<PostgresLink> writer_;
  std::optional<ServerFacts> facts_;
  CostBrake brake_;
  DropCounts drops_;
  TopTables tables_;
  BlockTracker blocks_;
  StatementTotals statements_;
  std::map<std::string, LostPart, std::less<>> lost_;
  SlowPart wal_{"wal", true, Cadence(kMinute), {}};
  SlowPart statement_part_{"statements", true, Cadence(kMinute), {}};
  SlowPart sizes_{"database_sizes", true, Cadence(kSizesEvery), {}};
};

PostgresTarget writer_target(const PostgresOptions& options) {
  auto target = options.target;
  target.user = options.heartbeat_user;
  target.password = options.heartbeat_password;
  return target;
}

PostgresProbe::PostgresProbe(PostgresOptions options)
    : options_(std::move(options)), link_(options_.target), blocks_(options_.lock_event_after) {
  if (!options_.heartbeat_user.empty()) writer_.emplace(writer_target(options_));
  wal_.wanted = options_.wal_size;
  statement_part_.wanted = options_.statements;
  sizes_.wanted = options_.database_sizes;
}

void PostgresProbe::fail_run(const PostgresFailure& failure, Run& run) {
  run.failure = ProbeFailure{failure.reason, failure.error};
  switch (failure.server) {
    case ServerState::down: run.set.add("pg_up", {}, 0); break;
    case ServerState::up: run.set.add("pg_up", {}, 1); break;
    case ServerState::unknown: break;
  }
}

void PostgresProbe::timed(std::string_view collector, bool ok, std::chrono::nanoseconds took, Run& run) const {
  const Labels labels{{"collector", std::string(collector)}};
  run.set.add("pg_scrape_collector_success", labels, ok ? 1 : 0);
  run.set.add("pg_scrape_collector_duration_seconds", labels, to_seconds(took));
  if (!ok) run.partial = true;
}

ProbeOutput PostgresProbe::finish(Run& run) {
  for (const auto& column : run.missing_columns) run.set.add("ward_probe_missing_column", {{"column", column}}, 1);
  for (const auto& [part, lost] : lost_)
    run.set.add("ward_probe_part_missing", {{"part", part}, {"reason", std::string(to_string(lost.reason))}}, 1);
  const bool throttled =
      brake_.throttled() || wal_.cadence.throttled() || statement_part_.cadence.throttled() || sizes_.cadence.throttled();
  run.set.add("ward_probe_throttled", {}, throttled ? 1 : 0);
  run.set.add("pg_exporter_last_scrape_error", {}, run.failure || run.partial || !lost_.empty() ? 1 : 0);
  ProbeOutput out;
  out.readings = run.set.take();
  out.events = std::move(run.events);
  out.failure = std::move(run.failure);
  return out;
}

async::Task<bool> PostgresProbe::ensure_connected(Host* host, Run* run) {
  // A run cut off at its deadline may leave a connection about which nothing is known yet.
  if (link_.connected() && facts_) co_return true;
  facts_.reset();
  lost_.clear();
  if (!link_.connected()) {
    const auto opened = co_await link_.connect(&host->blocking());
    if (!opened) {
      fail_run(opened.error(), *run);
      co_return false;
    }
  }
  auto identity = identity_sql();
  const auto answer = co_await link_.ask(&host->blocking(), std::move(identity), "identity");
  if (!answer) {
    fail_run(answer.error(), *run);
    co_return false;
  }
  auto facts = read_identity(*answer);
  run->failure.reset();
  if (!facts) {
    run->failure = ProbeFailure{FailureReason::protocol, facts.error()};
  } else if (facts->superuser && !options_.allow_superuser) {
    run->failure = ProbeFailure{
        FailureReason::permission,
        {Errc::denied, "Role " + options_.target.user + " at " + address_of(options_.target) + " is a superuser",
         "Use a role that is only a member of pg_monitor, or set 'allow_superuser: true' for this target."}};
  }
  if (run->failure) {
    run->set.add("pg_up", {}, 1);
    co_await link_.disconnect(&host->blocking());
    co_return false;
  }
  facts_ = std::move(*facts);
  co_return true;
}

async::Task<PostgresResult<Json>> PostgresProbe::part_by_part(Host* host, std::vector<Part> parts) {
  Json merged = Json::object();
  for (const auto& part : parts) {
    auto sql = batch_sql({&part, 1});
    auto answer = co_await link_.ask(&host->blocking(), std::move(sql), std::string(part.key));
    if (!answer) {
      if (answer.error().connection_lost) co_return tl::unexpected(std::move(answer.error()));
      lost_.insert_or_assign(std::string(part.key), LostPart{answer.error().reason, host->clock().mono() + kRetryLostPart});
    } else if (auto parsed = parse_answer(*answer)) {
      merged.update(*parsed);
    }
  }
  co_return merged;
}

async::Task<PostgresResult<Json>> PostgresProbe::core(Host* host, Run* run) {
  const auto now = host->clock().mono();
  std::erase_if(lost_, [&](const auto& lost) { return now >= lost.second.until; });
  const auto sticky = tables_.members();
  auto parts = core_parts(*facts_, sticky, run->missing_columns);
  std::erase_if(parts, [&](const Part& part) { return lost_.contains(part.key); });
  auto sql = batch_sql(parts);
  auto answer = co_await link_.ask(&host->blocking(), std::move(sql), "core batch");
  if (!answer) {
    // One view that is denied or absent must not cost the others; an overloaded server gets no second question.
    const bool one_part = answer.error().sqlstate.starts_with("42") || answer.error().sqlstate == "55P03";
    if (!one_part) co_return tl::unexpected(std::move(answer.error()));
    auto merged = co_await part_by_part(host, std::move(parts));
    co_return merged;
  }
  auto parsed = parse_answer(*answer);
  if (!parsed) {
    PostgresFailure failure;
    failure.reason = FailureReason::protocol;
    failure.server = ServerState::up;
    failure.error = parsed.error();
    co_return tl::unexpected(std::move(failure));
  }
  co_return std::move(*parsed);
}

void PostgresProbe::read_core(const Json& batch, const Clock& clock, Run& run) {
  auto& out = run.set;
  static const Json kNothing;
  const auto part = [&](const char* key) -> const Json& {
    const auto found = batch.find(key);
    return found == batch.end() ? kNothing : *found;
  };
  const auto databases = database_names(part("databases"));
  read_server(batch, *facts_, out);
  read_settings(part("settings"), out);
  blocks_.read(part("blocked"), databases, clock.wall(), out, run.events);
  read_replication(batch, options_.expected_standbys, out);
  read_xmin(part("oldest_xmin"), out);
  read_wraparound(part("wraparound"), out);
  read_archiver(batch, out);
  read_checkpoints(batch, out);
  read_databases(part("databases"), out);
  if (!lost_.contains("locks")) read_locks(part("locks"), databases, out);
  if (!lost_.contains("activity")) read_activity(part("activity"), databases, out);
  tables_.read(part("tables"), clock.mono(), out);
}

async::Task<void> PostgresProbe::slow_part(Host* host, SlowPart* part, std::string sql, Run* run) {
  const auto start = host->clock().mono();
  if (!part->wanted || !part->cadence.due(start) || !link_.connected()) co_return;
  const auto answer = co_await link_.ask(&host->blocking(), std::move(sql), std::string(part->name));
  const auto now = host->clock().mono();
  const auto parsed = answer ? parse_answer(*answer) : Result<Json>(fail(answer.error().error));
  timed(part->name, parsed.has_value(), now - start, *run);
  part->answer = parsed ? *parsed : Json();
  if (parsed)
    part->cadence.answered(now, host->random().unit());
  else
    part->cadence.failed(now, host->random().unit());
}

async::Task<void> PostgresProbe::write_heartbeat(Host* host, Run* run) {
  if (!writer_ || writer_->busy()) co_return;
  auto done = co_await writer_->connect(&host->blocking());
  if (done) {
    auto sql = heartbeat_write_sql(options_.heartbeat_table);
    done = co_await writer_->write(&host->blocking(), std::move(sql), "heartbeat write");
    co_await writer_->disconnect(&host->blocking());
  }
  run->set.add("ward_pg_heartbeat_written", {}, done ? 1 : 0);
  if (!done) run->partial = true;
}

async::Task<void> PostgresProbe::heartbeat(Host* host, bool replica, Run* run) {
  if (options_.heartbeat_table.empty() || !link_.connected()) co_return;
  if (!replica) co_await write_heartbeat(host, run);
  const auto start = host->clock().mono();
  auto sql = heartbeat_sql(options_.heartbeat_table);
  const auto answer = co_await link_.ask(&host->blocking(), std::move(sql), "heartbeat");
  timed("heartbeat", answer.has_value(), host->clock().mono() - start, *run);
  if (!answer) co_return;
  const auto parsed = parse_answer(*answer);
  if (parsed && parsed->is_number()) run->set.add("ward_pg_heartbeat_lag_seconds", {}, std::max(0.0, parsed->get<double>()));
}

async::Task<ProbeOutput> PostgresProbe::collect(Host& host) {
  Run run(drops_);
  if (link_.busy()) {
    link_.abort();
    auto failure = connect_timed_out(options_.target);
    failure.error.what = "PostgreSQL at " + address_of(options_.target) + " has not answered the previous run yet";
    fail_run(failure, run);
    co_return finish(run);
  }
  const bool kept = link_.connected();
  const bool connected = co_await ensure_connected(&host, &run);
  if (!connected) co_return finish(run);

  if (brake_.skip()) {
    const auto alive = co_await link_.ask(&host.blocking(), "SELECT '1'", "liveness");
    if (!alive)
      fail_run(alive.error(), run);
    else
      run.set.add("pg_up", {}, 1);
    co_return finish(run);
  }
  auto start = host.clock().mono();
  auto batch = co_await core(&host, &run);
  if (!batch && batch.error().connection_lost && kept) {
    // The kept connection may have died long ago, of a firewall or a restart: that says nothing about now.
    const bool again = co_await ensure_connected(&host, &run);
    if (!again) co_return finish(run);
    start = host.clock().mono();
    batch = co_await core(&host, &run);
  }
  const auto took = host.clock().mono() - start;
  brake_.spent(took, options_.interval);
  timed("core", batch.has_value(), took, run);
  if (!batch) {
    fail_run(batch.error(), run);
    co_return finish(run);
  }
  run.set.add("pg_up", {}, 1);
  read_core(*batch, host.clock(), run);
  const bool replica = batch->value("/server/rec"_json_pointer, false);
  co_await heartbeat(&host, replica, &run);
  co_await slow_part(&host, &wal_, wal_sql(), &run);
  if (!facts_->statements_schema.empty()) {
    statement_part_.answer = nullptr;
    co_await slow_part(&host, &statement_part_, statements_sql(*facts_), &run);
    if (!statement_part_.answer.is_null()) statements_.read(statement_part_.answer);
    statements_.emit(run.set);
  }
  co_await slow_part(&host, &sizes_, database_sizes_sql(), &run);
  read_wal(wal_.answer, run.set);
  read_database_sizes(sizes_.answer, run.set);
  co_return finish(run);
}

std::unique_ptr<Probe> make_postgres(config::Section& target) {
  auto options = read_postgres_options(target);
  if (!options) return nullptr;
  return std::make_unique<PostgresProbe>(std::move(*options));
}

}  // namespace
}  // namespace data

ProbeKind postgres_probe();
ProbeKind postgres_probe() {
  ProbeKind kind;
  kind.name = "postgres";
  kind.job = "postgres";
  kind.interval = data::kPostgresInterval;
  kind.deadline = std::chrono::seconds{8};
  kind.data_class = DataClass::sli;
  kind.metrics = data::postgres_metrics();
  kind.make = data::make_postgres;
  return kind;
}

}  // namespace ward::probes
