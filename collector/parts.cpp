#include "collector/parts.hpp"

#include <algorithm>
#include <cmath>

#include "collector/data_files.hpp"
#include "collector/rulebook/tested.hpp"

namespace ward::collector {
namespace {

api::RuleView view_of(const Rule& rule, const RuleHealth& health) {
  const auto as_written = [](const std::vector<std::pair<std::string, Template>>& pairs) {
    std::vector<Label> texts;
    texts.reserve(pairs.size());
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
  for (const auto& exception : rule.exceptions)
    if (!exception.enabled) view.off_for.push_back(exception.tenant);
  return view;
}

}  // namespace

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

std::vector<api::RefusedView> AppView::refused_series() const {
  std::vector<api::RefusedView> out;
  for (const auto& [tenant, refused] : sources_.server.refused())
    for (const auto& [metric, series] : refused.by_metric()) out.push_back({tenant.get(), metric, series});
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

review::Surroundings AppView::surroundings() const {
  const auto book = sources_.pipeline.book();
  if (!book) return {};
  return {
      .needs = [book](const std::string& service, const std::string& other) { return book->services.needs(service, other); },
      .zone_of =
          [book](const std::string& tenant) {
            const auto* known = book->services.tenant(tenant);
            return known == nullptr ? std::string{} : known->tz;
          },
      .owner_of =
          [book](const std::string& service) {
            const auto* known = book->services.find(service);
            return known == nullptr ? std::string{} : known->owner;
          },
      .tested = [book] { return tested_alerts(*book->rules, &read_rule_file); }};
}

api::StatusView AppView::status() const {
  api::StatusView out;
  out.started = started_;
  for (const auto& agent : sources_.server.agents()) {
    ++out.agents_known;
    out.agents_connected += agent.connected ? 1 : 0;
  }
  const auto head = sources_.store.head.stats();
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

api::Readiness AppView::evaluation() const {
  if (sources_.stands_by_for != nullptr) {
    const auto view = sources_.stands_by_for->view();
    return {"evaluation", true, "stands by" + (view.leader.empty() ? "" : "; '" + view.leader + "' leads")};
  }
  const auto last = sources_.pipeline.last_progress();
  const bool evaluates = last != MonoTime{} && sources_.clock.mono() - last < std::chrono::seconds{30};
  return {"evaluation", evaluates, evaluates ? "" : waiting_for()};
}

std::vector<api::Readiness> AppView::readiness() const {
  const auto& trouble = sources_.pipeline.trouble();
  const auto& full = sources_.server.disk_full();
  return {{"ingest", !full, full ? "the journal's disk is full: " + describe(sources_.volume.explain(*full)) : ""},
          evaluation(),
          {"alert state", !trouble, trouble ? describe(*trouble) : ""},
          {"stored days", true, damage()}};  // what is damaged keeps nothing from going on
}

std::string AppView::waiting_for() const {
  const auto& store = sources_.store;
  if (!store.replaying())
    return sources_.pipeline.last_progress() == MonoTime{} ? "the first evaluation is under way"
                                                           : "no evaluation in the last 30 s";
  return "the journal is being read, " + std::to_string(store.replayed_rows()) + " of about " +
         std::to_string(store.journal->rows_since_chunks()) + " records; agents' samples are taken meanwhile";
}

std::string AppView::damage() const {
  std::string out;
  const auto add = [&out](const std::string& what) { out += (out.empty() ? "damaged: " : "; ") + what; };
  for (const auto& file : damaged_files(sources_.config.data_dir)) add(file + " was set aside");
  for (const auto& [file, what] : sources_.store.days->stats().damage)
    add(std::string(DataFiles::kDays) + "/" + file + ": " + what);
  return out.empty() ? out : out + ". 'wardctl tsdb verify' looks closer; restore the file from a backup, or take it away";
}

/// What of the open incidents somebody has in hand, and what is kept from being told.
void AppView::refresh_routing() {
  const auto& router = sources_.pipeline.router();
  double acknowledged = 0;
  std::map<MuteKind, double> muted{{MuteKind::inhibited, 0}, {MuteKind::silenced, 0}, {MuteKind::maintenance, 0}};
  for (const auto& incident : sources_.pipeline.open_incidents()) {
    const auto* record = router.escalation(incident.id);
    if (record == nullptr) continue;
    if (record->ack) ++acknowledged;
    if (record->mute != MuteKind::none) ++muted[record->mute];
  }
  auto& metrics = sources_.metrics;
  metrics.gauge("ward_incident_acknowledged", "Open incidents that somebody has taken on.").set(acknowledged);
  for (const auto& [kind, count] : muted)
    metrics
        .gauge("ward_incident_muted", "Open incidents nobody is told of now, and why.",
               {{"by", std::string(to_string(kind))}})
        .set(count);
  double active = 0;
  for (const auto& silence : router.silences().list())
    if (state_of(silence, sources_.clock.wall()) == SilenceState::active) ++active;
  metrics.gauge("ward_routing_silences", "Active silences.").set(active);
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
  refresh_routing();
  set("ward_notify_outbox_pending", "Messages committed and not delivered yet.",
      static_cast<double>(now.deliveries_pending));
  set("ward_ingest_disk_full", "1 while the journal's disk takes no data.", sources_.server.disk_full() ? 1 : 0);
  set("ward_store_reserve_held", "1 while the reserve on data_dir's volume is held; 0: it was given up to store pages.",
      sources_.volume.held() ? 1 : 0);
  if (const auto space = sources_.volume.space()) {
    set("ward_store_volume_free_bytes", "Bytes free on the volume of data_dir.", static_cast<double>(space->free));
    set("ward_store_volume_size_bytes", "Size of the volume of data_dir.", static_cast<double>(space->size));
  }
  const auto days = sources_.store.days->stats();
  set("ward_tsdb_quiet_series", "Series of which only the labels are in memory; their samples are on disk.",
      static_cast<double>(sources_.store.head.stats().quiet));
  set("ward_tsdb_days", "Days with stored samples, one file each.", static_cast<double>(days.files));
  set("ward_tsdb_stored_bytes", "Size of all stored days.", static_cast<double>(days.bytes));
  if (days.first)
    set("ward_tsdb_oldest_day_timestamp_seconds", "Start of the oldest stored day.",
        to_seconds(from_ms(days.first->get() * kDayMs)));
  set("ward_tsdb_damaged_blocks", "Damaged blocks of stored days that were met since start.",
      static_cast<double>(days.damaged_blocks));
  for (const auto& [file, what] : days.damage) told_days_.insert(file);
  for (const auto& file : told_days_)
    sources_.metrics
        .gauge("ward_store_damaged_day", "1: this file of a stored day is damaged or missing; 0: it was.", {{"file", file}})
        .set(days.damage.contains(file) ? 1 : 0);
  set("ward_store_damaged_files", "Damaged files below data_dir: set aside, or stored days that cannot be read whole.",
      static_cast<double>(damaged_files(sources_.config.data_dir).size() + days.damage.size()));
  const auto& metadata = sources_.server.metadata();
  set("ward_ingest_metadata", "Types and texts of metrics that are kept, by tenant.", static_cast<double>(metadata.size()));
  set("ward_ingest_metadata_refused", "Of those, told since start and not kept: beyond a limit, or of no metric's name.",
      static_cast<double>(metadata.refused()));
  const auto& sent = sources_.outbox.stats();
  set("ward_notify_delivered", "Messages delivered since start.", static_cast<double>(sent.delivered));
  set("ward_notify_doubled",
      "Pages that went to a second receiver too since start, because the first had not taken them in time.",
      static_cast<double>(sent.doubled));
  set("ward_notify_unrefreshed", "Repetitions that a receiver of open incidents did not take since start.",
      static_cast<double>(sent.unrefreshed));
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
