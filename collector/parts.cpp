#include "collector/parts.hpp"

#include <algorithm>
#include <cmath>

#include "collector/data_files.hpp"

namespace ward::collector {
namespace {

HeadOptions head_options(const CollectorConfig& config) {
  HeadOptions options;
  options.max_sample_age = config.max_sample_age;
  return options;
}

api::RuleView view_of(const Rule& rule, const RuleHealth& health) {
  const auto as_written = [](const std::vector<std::pair<std::string, Template>>& pairs) {
    std::vector<Label> texts;
    for (const auto& [name, text] : pairs) texts.emplace_back(name, text.text());
    return Labels(std::move(texts));
  };
  api::RuleView view;
  view.alerting = rule.kind == Rule::Kind::alert;
  view.name = rule.name;
  view.query = rule.expr;
  view.hold = rule.hold;
  view.keep_firing = rule.keep_firing;
  view.labels = as_written(rule.labels);
  view.annotations = as_written(rule.annotations);
  view.last_error = health.last_error;
  view.last_duration = health.last_duration;
  view.last_evaluation = health.last_evaluation;
  return view;
}

}  // namespace

Store::Store(const CollectorConfig& config, telemetry::Registry& metrics, std::unique_ptr<SqliteJournal> opened)
    : journal(std::move(opened)), head(head_options(config)), catalogue(config.caps), sink(head, catalogue, metrics) {}

Result<std::uint64_t> Store::replay() {
  std::uint64_t damaged = 0;
  Journal::Replay into;
  into.series = [&](SeriesId id, Labels labels) {
    sink.define(id, labels);
    catalogue.load(id, std::move(labels));
  };
  into.chunk = [&](ChunkRow row) {
    const SealedChunk chunk{SeriesRef{row.series + 1}, row.t_min, row.t_max, row.count, std::move(row.bytes)};
    if (!head.load_chunk(chunk)) ++damaged;
  };
  into.samples = [&](std::vector<wire::IdSample> samples) { sink.append(samples); };
  into.highest = [&](SeriesId id) { catalogue.reserve(id); };
  const auto rows = journal->replay(into);
  if (!rows) return fail(rows.error());
  (void)sink.take_arrived();
  return *rows + damaged;
}

Status Store::store_chunks() {
  // At its cap the journal takes no records, but the collector's own samples go on. Chunks of those would make each attempt
  // larger than the one before, for the same rows that it frees.
  if (refused_at_ != journal->rows_since_chunks())
    for (auto& chunk : head.seal_unpersisted())
      waiting_.push_back({chunk.series.get() - 1, chunk.t_min, chunk.t_max, chunk.count, std::move(chunk.bytes)});
  refused_at_.reset();
  if (waiting_.empty()) return {};
  // Own series come with no commit of an agent: without their rows the chunks would have no labels after a restart, or those
  // of whoever got the free number next.
  auto series = catalogue.take_new();
  if (auto stored = journal->store_chunks(series, waiting_); !stored) {
    // Written twice is written once, so that it does not matter whether it happened all the same.
    catalogue.put_back(std::move(series));
    if (stored.error().code == Errc::full) refused_at_ = journal->rows_since_chunks();
    return stored;
  }
  // Those of agents whose samples wait for their commit: the head has to know them too.
  for (const auto& [id, labels] : series) sink.define(id, labels);
  just_stored_.clear();
  for (const auto& chunk : waiting_) just_stored_.push_back(chunk.series);
  std::sort(just_stored_.begin(), just_stored_.end());
  waiting_.clear();
  return {};
}

std::size_t Store::waiting_bytes() const {
  std::size_t out = 0;
  for (const auto& chunk : waiting_) out += chunk.bytes.size();
  return out;
}

Status Store::drop_before(Time time) {
  std::vector<SeriesId> quiet;
  for (const auto ref : head.drop_before(time)) quiet.push_back(ref.get() - 1);
  catalogue.retire(quiet);
  for (auto& chunk : waiting_)
    if (chunk.t_max < time) chunk.give_up();
  return journal->drop_before(time);
}

Status Store::tidy(std::optional<Time> horizon) {
  const auto dropped = horizon ? drop_before(*horizon) : Status{};
  auto stored = store_chunks();
  if (!dropped) return dropped;
  return stored && horizon ? drop_series() : stored;
}

// The head has nothing of these, so after a drop_before() no chunk has; records are opaque, so there must be none. A chunk
// that waited for a full disk may be older than the horizon and stored all the same.
Status Store::drop_series() {
  if (journal->rows_since_chunks() > 0) return {};
  auto unused = catalogue.unused();
  std::erase_if(unused, [this](SeriesId id) { return std::binary_search(just_stored_.begin(), just_stored_.end(), id); });
  if (unused.empty()) return {};
  auto dropped = journal->drop_series(unused);
  if (dropped) catalogue.erase(unused);
  return dropped;
}

std::vector<AlertEvent> AppView::alerts() const { return *sources_.pipeline.alerts(); }

std::vector<api::AgentView> AppView::agents() const {
  std::vector<api::AgentView> out;
  for (const auto& agent : sources_.server.agents()) {
    api::AgentView view;
    view.agent = agent.agent.get();
    for (const auto& tenant : agent.tenants) view.tenants.push_back(tenant.get());
    view.connected = agent.connected;
    view.remote = agent.remote;
    view.last_seen = agent.last_seen;
    view.records = agent.records;
    view.samples = agent.samples;
    view.lost_samples = agent.gap_samples;
    out.push_back(std::move(view));
  }
  return out;
}

std::vector<api::RuleGroupView> AppView::rule_groups() const {
  const auto snapshot = sources_.pipeline.rules();
  const auto alerts = sources_.pipeline.alerts();
  std::vector<api::RuleGroupView> out;
  for (std::size_t g = 0; g < snapshot->rules->groups.size(); ++g) {
    const auto& group = snapshot->rules->groups[g];
    auto& view = out.emplace_back(api::RuleGroupView{group.name, group.file, group.interval, group.limit, {}});
    for (std::size_t r = 0; r < group.rules.size(); ++r) {
      view.rules.push_back(view_of(group.rules[r], snapshot->health[g][r]));
      std::copy_if(alerts->begin(), alerts->end(), std::back_inserter(view.rules.back().alerts),
                   [&](const AlertEvent& alert) { return alert.generator == group.rules[r].generator; });
    }
  }
  return out;
}

api::StatusView AppView::status() const {
  api::StatusView out;
  out.started = started_;
  for (const auto& agent : sources_.server.agents()) {
    ++out.agents_known;
    out.agents_connected += agent.connected ? 1 : 0;
  }
  const auto head = sources_.head.stats();
  out.series = head.series;
  out.samples_stored = head.samples;
  const auto snapshot = sources_.pipeline.rules();
  for (const auto& group : snapshot->rules->groups) out.rules += group.rules.size();
  const auto alerts = sources_.pipeline.alerts();
  for (const auto& alert : *alerts) out.alerts_firing += alert.phase == AlertPhase::firing ? 1 : 0;
  out.incidents_open = sources_.pipeline.open_incidents().size();
  out.deliveries_pending = sources_.outbox.pending();
  out.last_evaluation = sources_.pipeline.last_tick();
  return out;
}

std::vector<api::Readiness> AppView::readiness() const {
  const auto now = sources_.clock.mono();
  const auto& trouble = sources_.pipeline.trouble();
  const bool evaluates =
      sources_.pipeline.last_progress() != MonoTime{} && now - sources_.pipeline.last_progress() < std::chrono::seconds{30};
  const auto& full = sources_.server.disk_full();
  return {{"ingest", !full, full ? "the journal's disk is full: " + describe(sources_.volume.explain(*full)) : ""},
          {"evaluation", evaluates, evaluates ? "" : "no evaluation in the last 30 s"},
          {"alert state", !trouble, trouble ? describe(*trouble) : ""}};
}

void AppView::refresh_gauges() {
  const auto now = status();
  const auto set = [&](std::string_view name, std::string_view help, double value) {
    sources_.metrics.gauge(name, help).set(value);
  };
  set("ward_tsdb_series", "Series in the head.", static_cast<double>(now.series));
  set("ward_tsdb_samples", "Samples in the head.", static_cast<double>(now.samples_stored));
  set("ward_ingest_agents_connected", "Agents with an open session.", static_cast<double>(now.agents_connected));
  set("ward_alerting_alerts_firing", "Alerts that fire.", static_cast<double>(now.alerts_firing));
  set("ward_incident_open", "Open incidents.", static_cast<double>(now.incidents_open));
  set("ward_notify_outbox_pending", "Messages committed and not delivered yet.",
      static_cast<double>(now.deliveries_pending));
  set("ward_ingest_disk_full", "1 while the journal's disk takes no data.", sources_.server.disk_full() ? 1 : 0);
  set("ward_store_reserve_held", "1 while the reserve on data_dir's volume is held; 0: it was given up to store pages.",
      sources_.volume.held() ? 1 : 0);
  if (const auto space = sources_.volume.space()) {
    set("ward_store_volume_free_bytes", "Bytes free on the volume of data_dir.", static_cast<double>(space->free));
    set("ward_store_volume_size_bytes", "Size of the volume of data_dir.", static_cast<double>(space->size));
  }
  set("ward_store_damaged_files", "Damaged files set aside in data_dir and not yet taken away.",
      static_cast<double>(damaged_files(sources_.data_dir)));
  const auto& sent = sources_.outbox.stats();
  set("ward_notify_delivered", "Messages delivered since start.", static_cast<double>(sent.delivered));
  set("ward_notify_undeliverable", "Pages that no receiver has taken yet; the last one is asked again.",
      static_cast<double>(sent.undeliverable));
  double missed = 0;
  const auto snapshot = sources_.pipeline.rules();
  for (const auto of_group : snapshot->missed) missed += static_cast<double>(of_group);
  set("ward_alerting_iterations_missed", "Group ticks that passed while evaluation was busy.", missed);
}

std::string AppView::metrics() {
  refresh_gauges();
  return sources_.metrics.exposition();
}

std::vector<SeriesValue> AppView::own_series() {
  refresh_gauges();
  std::vector<SeriesValue> out;
  for (auto& [labels, value] : sources_.metrics.snapshot()) {
    auto own = labels.with("job", "ward-collector");
    own.set("instance", "collector");
    out.push_back({std::move(own), value});
  }
  const auto now = sources_.clock.wall();
  for (const auto& agent : sources_.server.agents())
    for (const auto& tenant : agent.tenants) {
      const Labels who{{"agent", agent.agent.get()}, {"tenant", tenant.get()}, {"job", "ward-collector"}};
      out.push_back({who.with(kNameLabel, "ward_agent_up"), agent.connected ? 1.0 : 0.0});
      out.push_back(
          {who.with(kNameLabel, "ward_agent_last_seen_seconds"), std::max(0.0, to_seconds(now - agent.last_seen))});
    }
  return out;
}

}  // namespace ward::collector
