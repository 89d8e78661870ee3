#include "collector/application.hpp"

#include <boost/asio/co_spawn.hpp>
#include <csignal>

#include "collector/alerting/alert_rows.hpp"
#include "collector/api/endpoint.hpp"
#include "common/async/within.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::seconds kOwnSeriesEvery{5};
constexpr std::chrono::minutes kPruneEvery{30};

Outbox::Options outbox_options(const CollectorConfig& config) {
  Outbox::Options options;
  options.second_channel_after = config.second_channel_after;
  for (const auto& receiver : config.receivers)
    if (const auto every = receiver.channel->refresh(); every.count() > 0) options.refresh[receiver.name] = every;
  return options;
}

StreamServer::Options server_options(const CollectorConfig& config, net::TlsContext tls) {
  StreamServer::Options options;
  options.listener.address = config.stream_address;
  options.listener.tls = std::move(tls);
  return options;
}

promql::EngineOptions engine_options(const CollectorConfig& config, const std::atomic<bool>& stopping) {
  promql::EngineOptions options;
  options.limits = config.query_limits;
  options.lookback = config.lookback_delta;
  options.subquery_step = config.evaluation_interval;
  options.stopping = &stopping;
  return options;
}

SenderOptions sender_options(const CollectorConfig& config, telemetry::Logger& log, const Leadership* leadership) {
  SenderOptions options;
  if (leadership != nullptr) options.may_send = [leadership] { return leadership->may_act(); };
  options.page.external_url = config.external_url;
  options.page.runbook_base = config.runbook_base;
  options.refused = [&log](const Refusal& refusal) {
    log.error(refusal.nobody_left ? "A receiver refuses a page and nobody else takes it; it is asked again"
                                  : "A receiver refuses a page; the next one takes it",
              {{"receiver", refusal.receiver}, {"incident", refusal.incident}, {"why", refusal.why}});
  };
  options.partly = [&log](const Refusal& refusal) {
    log.warn("A page was delivered, but not to everybody of its receiver",
             {{"receiver", refusal.receiver}, {"incident", refusal.incident}, {"why", refusal.why}});
  };
  options.doubled = [&log](const DeliveryRow& row) {
    log.warn("A page is not delivered in time; a second receiver gets it too",
             {{"receiver", row.instead_of}, {"second", row.delivery.receiver}, {"incident", row.delivery.incident}});
  };
  return options;
}

RuleContext rule_context(const ExpressionCompiler& compiler, const CollectorConfig& config) {
  auto context = make_rule_context(compiler, config.external_labels, config.external_url);
  context.keep_silent = config.keep_silent;
  return context;
}

}  // namespace

Result<net::TlsContext> make_tls(const CollectorConfig& config) {
  if (config.insecure && config.tls.certificate.empty()) return net::TlsContext{};
  return net::make_server_context(config.tls);
}

Application::Application(std::string path, CollectorConfig config, net::TlsContext tls, DataFiles files, World& world,
                         Turn turn)
    : path_(std::move(path)),
      config_(std::move(config)),
      world_(world),
      turn_(turn),
      volume_(std::move(files.volume)),
      store_(config_, world.metrics, std::move(files.journal), std::move(files.days)),
      state_(std::move(files.state)),
      reserved_(state_, *volume_),
      engine_(*world.clock, engine_options(config_, stopping_)),
      compiler_(engine_, store_.history),
      ledgers_(std::move(files.ledgers)),
      levels_({world.io.get_executor(), *world.clock, world.log, world.metrics, *world.pool, store_.sink, store_.catalogue,
               store_.history, engine_, *ledgers_, *volume_, config_.evaluation_interval, config_.retention.slos}),
      rules_(rule_context(compiler_, config_), *world.clock, store_.sink),
      incidents_(ServiceMap{}, config_.correlation, files.loaded.incidents),
      router_(config_.routing, {files.loaded.notified, files.loaded.escalations, files.loaded.silences},
              [this](const std::string& service, const std::string& on) { return incidents_.map().needs(service, on); }),
      outbox_(outbox_options(config_), *world.random),
      writer_(world.io.get_executor(), *world.pool, reserved_),
      keeper_({turn, world.log, world.metrics, state_, writer_,
               [this] {
                 takes_turn_ = true;
                 end();
               }}),
      sender_(
          world.io.get_executor(), *world.http, *world.clock, outbox_, config_.receivers,
          [this](StateChange change) { return writer_.commit(std::move(change)); },
          sender_options(config_, world.log, turn.leadership),
          logs_failure(world.log, "Sending ended unexpectedly; restart the collector and report this")),
      forwarding_(Forwarding::make(config_, {world.io.get_executor(), *world.http, *world.clock, *world.random, world.log,
                                             world.metrics, *world.pool, store_.catalogue, store_.head})),
      server_(server_options(config_, std::move(tls)),
              {world.io.get_executor(), *world.clock, world.log, world.metrics, *world.pool, *store_.journal,
               store_.catalogue, store_.sink, [this] { ingested(); }, [this] { return volume_->may_write(); },
               forwarding_ ? &forwarding_->tap() : nullptr}),
      house_({world.io.get_executor(), *world.clock, world.log, store_, *volume_, server_}),
      heartbeat_(config_.heartbeat),
      archive_(writer_, state_),
      signals_(world.io, SIGTERM, SIGINT, SIGHUP),
      loaded_(std::move(files.loaded)),
      tasks_(world.io.get_executor()) {
  if (turn_.leadership != nullptr) state_.follow_with(*turn_.leadership);
}

Application::~Application() {
  stopping_ = true;
  world_.queries.reset();
  world_.pool.reset();
}

/// A turn is nobody's wish to take new rules: when those on the disk are refused, those of the last life go on.
RulebookLoad Application::read_rules() {
  const auto options = rulebook_options(config_);
  auto load = load_rulebook(config_.rule_patterns, compiler_, options);
  if (turn_.rules == nullptr) return load;
  if (!load.book && !turn_.rules->empty()) {
    const auto refused = load.to_error();
    world_.log.error("The rule files are refused; those of before the turn stay",
                     {{"error", refused.what}, {"fix", refused.fix}});
    load = parse_rulebook(*turn_.rules, compiler_, options, read_rule_file);
    load.texts = *turn_.rules;
  }
  if (load.book) *turn_.rules = load.texts;
  return load;
}

Status Application::start() {
  auto rules = read_rules();
  if (!rules.book) return fail(rules.to_error());
  tell_warnings(rules, world_.log);
  store_.sink.follow(levels_);
  if (auto begun = levels_.begin(rules.book); !begun) {
    // Rules go on without: a file of ledgers that cannot be read must not keep everything else from being watched.
    world_.log.error(
        "SLOs are not judged; it is tried again with each tick",
        {{"file", DataFiles::kLedgers},
         {"error", begun.error().what},
         {"fix", begun.error().fix + " Or stop the collector and move the file away: SLOs are then counted anew."}});
    levels_.use_book(rules.book);
  }
  const auto damaged = store_.begin(world_.clock->wall());
  if (!damaged) return fail(damaged.error());
  damaged_rows_ = *damaged;
  if (turn_.leadership != nullptr && turn_.leads)
    if (auto given = keeper_.give_image(); !given)
      world_.log.warn("The shared state did not take the state file; it is tried again", {{"error", given.error().what}});
  auto ruleless = restore(rules);
  pipeline_ = std::make_unique<Pipeline>(
      Pipeline::Context{world_.io.get_executor(), *world_.clock, world_.log, world_.metrics, *world_.pool, store_.sink,
                        rules_, incidents_, router_, outbox_, writer_, [this] { sender_.wake(); }, std::move(loaded_.alerts),
                        std::move(ruleless), rules.coverage, &compiler_, rules.book, [this] { return other_alerts(); }});
  loaded_ = LoadedState{};
  std::set<std::string> receivers;
  for (const auto& receiver : config_.receivers) receivers.insert(receiver.name);
  reloader_ =
      std::make_unique<Reloader>(Reloader::Context{*world_.clock, world_.log, world_.metrics, *world_.pool, path_, config_,
                                                   compiler_, server_, *pipeline_, levels_, make_tls, turn_.rules});
  desk_ = std::make_unique<RoutingDesk>(
      RoutingDesk::Context{*world_.clock, *pipeline_, writer_, state_, foreign_, *reloader_, std::move(receivers)});
  view_ = std::make_unique<AppView>(AppView::Sources{*world_.clock, world_.metrics, store_, engine_, *world_.queries,
                                                     server_, *pipeline_, outbox_, *volume_, config_, *desk_, archive_,
                                                     levels_, turn_.leads ? nullptr : turn_.leadership});
  if (forwarding_) {
    const auto journaled = store_.journal->streams();
    if (!journaled) return fail(journaled.error());
    if (auto opened = forwarding_->open(*journaled); !opened) return opened;
  }
  auto local = config_.remote_write_receiver ? config_.remote_write_receiver->tenants() : std::vector<TenantId>{};
  local.push_back(Housekeeping::own_tenant());
  if (auto opened = server_.open_local(local); !opened) return opened;
  if (config_.remote_write_receiver) {
    receiver_ = std::make_unique<RemoteWriteReceiver>(
        *config_.remote_write_receiver,
        RemoteWriteReceiver::Context{*world_.clock, world_.log, world_.metrics, *world_.pool, store_.catalogue, server_,
                                     [this](SeriesId id) { return store_.head.last_sample(SeriesRef{id + 1}); }});
  }
  api_ = make_api();
  if (auto started = api_->start(); !started) return started;
  if (auto started = server_.start(); !started) {
    async::asio::co_spawn(world_.io, api_->stop(), [](const std::exception_ptr&) {});
    world_.io.run();
    return started;
  }
  run_parts();
  tasks_.spawn("replay", replay());
  world_.log.info("The collector takes samples and reads its journal",
                  {{"stream", config_.stream_address}, {"records", store_.journal->rows_since_chunks()}});
  return {};
}

std::unique_ptr<http::Server> Application::make_api() {
  http::ServerOptions options;
  options.address = config_.http_address;
  options.body_limit = [this, usual = options.max_body_bytes](const http::ServerRequest& head) {
    return receiver_ ? receiver_->body_limit(head).value_or(usual) : usual;
  };
  options.on_error = [this](std::string_view what) {
    world_.log.error("An HTTP request was answered with 500; report this", {{"error", std::string(what)}});
  };
  return http::make_server(world_.io.get_executor(), options,
                           [this](http::ServerRequest request) { return answer(std::move(request)); });
}

async::Task<http::ServerResponse> Application::answer(http::ServerRequest request) {
  // What half of the samples say would be wrong, and remote write is judged by the newest sample of each series.
  if (store_.replaying() && request.path.starts_with("/api/v1/")) return not_yet();
  if (request.path == RemoteWriteReceiver::kPath) return receiver_ ? receiver_->answer(std::move(request)) : no_receiver();
  if (keeper_.sends_away(request)) return keeper_.elsewhere();
  return api::answer(*view_, std::move(request));
}

async::Task<http::ServerResponse> Application::not_yet() {
  auto response =
      api::prometheus_error(503, "unavailable", "The collector has just started and reads its journal: ask again.");
  response.headers.emplace_back("retry-after", "1");
  co_return response;
}

async::Task<http::ServerResponse> Application::no_receiver() {
  co_return api::problem(404, "Not found",
                         "Remote write is not received here: set remote_write_receiver.receive in collector.yaml.");
}

std::vector<AlertState> Application::restore(const RulebookLoad& load) {
  const auto now = world_.clock->wall();
  (void)rules_.reload(load.book->rules, now);
  incidents_.use(load.book->services, load.book->correlation);
  router_.use(load.book->routing);
  outbox_.use_fallbacks(load.book->routing.fallbacks(), load.book->routing.fallback_receiver);
  std::vector<AlertState> states;
  for (const auto& row : loaded_.alerts)
    if (auto state = from_row(row)) states.push_back(std::move(*state));
  auto ruleless = rules_.restore(states, now);
  foreign_.restore(incidents_.live(), now);
  if (load.coverage == RuleCoverage::partial && !ruleless.empty())
    world_.log.warn(
        "Alerts have no rule, and a pattern under rules has no file: they stay until the rules are complete",
        {{"alerts", ruleless.size()}, {"fix", "Bring the rule files back, or remove the pattern; then send SIGHUP."}});
  outbox_.accept(loaded_.deliveries);
  server_.expect(store_.journal->streams().value_or(std::vector<StreamState>{}));
  return ruleless;
}

async::Task<void> Application::replay() {
  auto reading = house_.replay();
  const auto damaged = co_await std::move(reading);
  if (ending_) co_return;
  if (!damaged) {
    outcome_ = fail(damaged.error());
    end();
    co_return;
  }
  damaged_rows_ += *damaged;
  if (damaged_rows_ > 0) world_.log.error("Stored rows could not be read and were left out", {{"rows", damaged_rows_}});
  run_rest();
  world_.log.info("The collector runs", {{"stream", config_.stream_address},
                                         {"http", config_.http_address},
                                         {"rule_groups", rules_.rules().groups.size()},
                                         {"series", store_.head.stats().series}});
}

void Application::run_parts() {
  if (turn_.leads) {
    sender_.start();
    sender_.wake();
  }
  if (turn_.leadership != nullptr) {
    tasks_.spawn("leadership", keeper_.watch());
    if (turn_.leads) tasks_.spawn("shared state", keeper_.hand_in());
  }
  if (forwarding_) forwarding_->start(server_.metadata());
  if (config_.watchdog && turn_.leads) {
    beat_ = std::make_unique<HeartbeatSender>(
        world_.io.get_executor(), *world_.http, *world_.clock, heartbeat_, *config_.watchdog,
        [this](Heartbeat& heartbeat) { return observe(heartbeat); },
        [this](const Error& error) {
          world_.log.error("The dead man's heartbeat was not sent", {{"error", error.what}, {"fix", error.fix}});
        });
    beat_->start();
  }
  tasks_.spawn("old state", prune_state());
  tasks_.spawn("signals", handle_signals());
  if (config_.rules_poll.count() > 0) tasks_.spawn("rule files", reloader_->watch());
}

void Application::run_rest() {
  // One that stands by counts its SLOs too, so that it has their history when it leads.
  levels_.start([this](std::vector<AlertEvent> alerts) {
    if (turn_.leads) pipeline_->hear(std::move(alerts));
  });
  if (turn_.leads) {
    pipeline_->start();
    pipeline_->arrived();  // the first evaluation at once
    tasks_.spawn("posted alerts", expire_foreign());
  }
  tasks_.spawn("own series", write_own_series());
  tasks_.spawn("house", house_.run());
  tasks_.spawn("own samples", house_.keep_own());
  if (!store_.foreign_days().empty()) tasks_.spawn("days of another journal", house_.adopt(store_.foreign_days()));
}

void Application::ingested() {
  last_ingest_ = world_.clock->mono();
  pipeline_->arrived();
}

Heartbeat::Figures Application::observe(Heartbeat& heartbeat) {
  const auto now = world_.clock->mono();
  if (pipeline_->last_progress() != MonoTime{}) heartbeat.progress(Heartbeat::Stage::evaluation, pipeline_->last_progress());
  // No data to commit is not a dead ingest: agents may all be quiet, which a rule tells. Under load something always
  // waits; then what counts is that commits get done.
  if (server_.commits().idle() && !server_.disk_full()) last_ingest_ = now;
  if (last_ingest_ != MonoTime{}) heartbeat.progress(Heartbeat::Stage::ingest, last_ingest_);
  heartbeat.progress(Heartbeat::Stage::outbox, sender_.last_round());
  Heartbeat::Figures figures;
  figures.last_tick = pipeline_->last_tick();
  if (const auto oldest = outbox_.oldest_pending()) figures.outbox_oldest_age = world_.clock->wall() - *oldest;
  figures.stored_samples = store_.head.stats().samples;
  return figures;
}

/// Alerts that no rule here makes.
std::vector<AlertEvent> Application::other_alerts() const {
  auto out = levels_.alerts();
  for (auto& alert : foreign_.current()) out.push_back(std::move(alert));
  return out;
}

async::Task<void> Application::expire_foreign() {
  while (true) {
    pipeline_->hear(foreign_.expire(world_.clock->wall()));
    const auto counts = foreign_.counts();
    auto& metrics = world_.metrics;
    metrics.gauge("ward_posted_alerts", "Alerts of other Prometheus servers that fire.")
        .set(static_cast<double>(foreign_.size()));
    const auto grown = [&](const char* name, const char* help, std::uint64_t now, std::uint64_t before) {
      metrics.counter(name, help).add(static_cast<double>(now - before));
    };
    grown("ward_posted_alerts_received_total", "Alerts that were posted, repetitions and ends with them.", counts.received,
          foreign_told_.received);
    grown("ward_posted_alerts_refused_total", "Posted alerts that were refused.", counts.refused, foreign_told_.refused);
    grown("ward_posted_alerts_expired_total", "Posted alerts that ended because nobody repeated them.", counts.expired,
          foreign_told_.expired);
    foreign_told_ = counts;
    co_await async::sleep_for(kOwnSeriesEvery);
  }
}

async::Task<void> Application::write_own_series() {
  while (true) {
    co_await async::sleep_for(kOwnSeriesEvery);
    const auto series = view_->own_series();
    store_.sink.write(world_.clock->wall(), series);
    pipeline_->arrived();
  }
}

async::Task<void> Application::prune_state() {
  while (true) {
    co_await async::sleep_for(kPruneEvery);
    if (config_.forget_after.count() > 0) server_.forget_silent(config_.forget_after);
    const auto before = world_.clock->wall() - kKeepResolved;
    std::function<Status()> job = [this, before] {
      auto may = volume_->may_write();
      return may ? state_.prune(before) : may;
    };
    const auto pruned = co_await writer_.alone(std::move(job));
    if (!pruned)
      world_.log.error("Old incidents could not be deleted; they stay until the next attempt",
                       {{"error", pruned.error().what}, {"fix", pruned.error().fix}});
  }
}

async::Task<void> Application::handle_signals() {
  while (true) {
    const int signal = co_await signals_.async_wait(async::asio::use_awaitable);
    if (signal == SIGHUP) {
      auto reloading = reloader_->reload("SIGHUP", "asked by signal");
      (void)co_await std::move(reloading);
      continue;
    }
    world_.log.info("The collector stops", {{"signal", signal}});
    takes_turn_ = false;
    end();
    co_return;
  }
}

void Application::end() {
  if (std::exchange(ending_, true)) return;
  async::asio::co_spawn(world_.io, shut_down(), [this](const std::exception_ptr&) { world_.io.stop(); });
}

async::Task<void> Application::shut_down() {
  if (beat_) co_await beat_->stop();
  co_await server_.stop();
  co_await levels_.stop();
  auto evaluation = pipeline_->stop();
  stopping_ = true;  // after the pipeline is told to end: what a query broken off here would say is not told
  co_await std::move(evaluation);
  co_await sender_.stop();
  co_await collector::stop(forwarding_.get());
  co_await api_->stop();
  co_await tasks_.stop();
}

}  // namespace ward::collector
