// The agent, wired: schedule -> spool -> uplink. Every dependency is made here and handed on.
#include "agent/app.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>
#include <filesystem>
#include <map>
#include <optional>
#include <set>

#include "agent/config.hpp"
#include "agent/schedule/scheduler.hpp"
#include "agent/spool/spool.hpp"
#include "agent/uplink/uplink.hpp"
#include "common/async/held_signal.hpp"
#include "common/async/task_group.hpp"
#include "common/async/within.hpp"
#include "common/http/client.hpp"
#include "common/http/server.hpp"
#include "common/telemetry/metrics.hpp"
#include "probes/host/real_host.hpp"

namespace ward::agent {
namespace {

constexpr std::chrono::seconds kOwnSeriesEvery{15};

Result<net::TlsContext> make_tls(const AgentConfig& config) {
  if (config.insecure && config.tls.certificate.empty()) return net::TlsContext{};
  return net::make_client_context(config.tls);
}

Status prepare_data_dir(const std::string& path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (!error) std::filesystem::permissions(path, std::filesystem::perms::owner_all, error);
  if (error)
    return fail(Errc::unavailable, "data_dir '" + path + "' cannot be used: " + error.message(),
                "Create it writable for this user.");
  return {};
}

std::vector<wire::MetaEntry> describe(const std::vector<Target>& targets) {
  std::vector<wire::MetaEntry> out;
  std::set<std::string_view> told;  // once a name, however many kinds of probe emit it
  for (const auto& target : targets)
    for (const auto& metric : target.kind->metrics)
      if (told.insert(metric.name).second)
        out.push_back({std::string(metric.name), metric.type, std::string(metric.unit), std::string(metric.help)});
  return out;
}

/// Metrics that probes learnt of as they ran, by name. Bounded: their names come from targets.
class Learnt {
 public:
  /// False when nothing is new.
  bool add(std::vector<exposition::Description> descriptions) {
    bool news = false;
    for (auto& about : descriptions) {
      if (by_name_.size() >= kMost && !by_name_.contains(about.name)) continue;
      wire::MetaEntry entry{about.name, about.type, std::move(about.unit), std::move(about.help)};
      auto& known = by_name_[about.name];
      news = news || known != entry;
      known = std::move(entry);
    }
    return news;
  }
  /// `told` and behind them what it does not name.
  [[nodiscard]] std::vector<wire::MetaEntry> behind(std::vector<wire::MetaEntry> told) const {
    std::set<std::string> names;
    for (const auto& entry : told) names.insert(entry.name);
    for (const auto& [name, entry] : by_name_)
      if (!names.contains(name)) told.push_back(entry);
    return told;
  }

 private:
  static constexpr std::size_t kMost = 2'048;
  std::map<std::string, wire::MetaEntry> by_name_;
};

/// What the parts share, in the order they may be destroyed in reverse.
struct World {
  explicit World(const AgentConfig& config)
      : clock(real_clock()),
        random(real_random()),
        timers(async::real_timers()),
        sink(telemetry::make_stderr_sink()),
        log(config.log, *clock, *sink),
        http(http::make_curl_client(io.get_executor())),
        host(*clock, *random, pool, *http, probes::RealHost::Options{config.host_root}) {}
  std::unique_ptr<Clock> clock;
  std::unique_ptr<Random> random;
  std::unique_ptr<async::Timers> timers;
  std::unique_ptr<telemetry::LogSink> sink;
  telemetry::Logger log;
  telemetry::Registry metrics;
  async::asio::io_context io{1};
  std::unique_ptr<http::Client> http;
  async::BlockingPool pool;
  probes::RealHost host;
};

class App {
 public:
  App(std::string path, AgentConfig config, net::TlsContext tls, std::unique_ptr<Spool> spool, World& world)
      : path_(std::move(path)),
        config_(std::move(config)),
        world_(world),
        spool_(std::move(spool)),
        signals_(world.io, SIGTERM, SIGINT, SIGHUP),
        spooled_(world.metrics.gauge("ward_agent_spool_records", "Records in the spool file.")),
        spool_bytes_(world.metrics.gauge("ward_agent_spool_bytes", "Size of the spool file.")),
        spool_failing_(world.metrics.gauge("ward_agent_spool_failing", "1 while the spool's disk takes no data.")),
        samples_(world.metrics.counter("ward_agent_samples_total", "Samples taken, all targets.")),
        tasks_(world.io.get_executor()) {
    known_metrics_ = describe(config_.targets);
    make_uplink(std::move(tls));
    make_scheduler(std::exchange(config_.targets, {}));
  }

  Status start() {
    if (!config_.http_address.empty()) {
      http::ServerOptions options;
      options.address = config_.http_address;
      options.on_error = [this](std::string_view what) {
        world_.log.error("An HTTP request was answered with 500; report this", {{"error", std::string(what)}});
      };
      server_ = http::make_server(world_.io.get_executor(), options,
                                  [this](http::ServerRequest request) { return answer(std::move(request)); });
      if (auto started = server_->start(); !started) return started;
    }
    tell_notices();
    uplink_->start();
    scheduler_->start();
    tasks_.spawn("maintenance", maintain());
    tasks_.spawn("signals", handle_signals());
    world_.log.info(
        "The agent runs",
        {{"agent", config_.agent.get()}, {"targets", scheduler_->targets()}, {"collectors", uplink_->collectors()}});
    return {};
  }

 private:
  void make_uplink(net::TlsContext tls) {
    Uplink::Context context{*spool_,        *world_.clock, *world_.random, *world_.timers, world_.log,
                            world_.metrics, config_.agent, config_.hash,   known_metrics_};
    uplink_ = std::make_unique<Uplink>(world_.io.get_executor(), std::move(context), config_.collectors, std::move(tls));
  }

  void make_scheduler(std::vector<Target> targets) {
    Scheduler::Context context{world_.host,    *world_.timers,      world_.log,
                               world_.metrics, config_.agent.get(), [this](Batch batch) { take(batch); }};
    context.learnt = [this](std::vector<exposition::Description> descriptions) {
      if (learnt_.add(std::move(descriptions))) uplink_->describe(learnt_.behind(known_metrics_));
    };
    scheduler_ = std::make_unique<Scheduler>(world_.io.get_executor(), std::move(context), std::move(targets));
  }

  void take(const Batch& batch) {
    samples_.add(static_cast<double>(batch.values.size()));
    spool_->append(batch);
    uplink_->wake();
  }

  async::Task<void> maintain() {
    while (true) {
      co_await async::sleep_for(std::chrono::seconds{1});
      spool_->maintain();
      uplink_->wake();
      tell_notices();
      const bool failing = spool_->trouble().has_value();
      if (failing && !spool_failed_)
        world_.log.error("The spool's disk takes no data; samples wait in memory",
                         {{"error", spool_->trouble()->what}, {"fix", spool_->trouble()->fix}});
      if (!failing && spool_failed_) world_.log.info("The spool's disk takes data again");
      spool_failed_ = failing;
      spool_failing_.set(failing ? 1 : 0);
      if (world_.clock->mono() - own_series_at_ >= kOwnSeriesEvery) take_own_series();
    }
  }

  void tell_notices() {
    for (const auto& notice : spool_->take_notices())
      world_.log.error("The spool gave up data or set its file aside", {{"why", notice.what}, {"fix", notice.fix}});
  }

  /// The agent's own metrics travel like any target's: rules watch overruns and drops.
  void take_own_series() {
    own_series_at_ = world_.clock->mono();
    refresh_metrics();
    Batch batch;
    batch.tenant = config_.tenant;
    batch.data_class = DataClass::sli;
    batch.time = world_.clock->wall();
    for (auto& [labels, value] : world_.metrics.snapshot()) {
      auto own = labels.with("job", "ward-agent");
      own.set("instance", config_.agent.get());
      batch.values.push_back({std::move(own), value});
    }
    take(batch);
  }

  async::Task<void> handle_signals() {
    while (true) {
      const int signal = co_await signals_.async_wait(async::asio::use_awaitable);
      if (signal == SIGHUP) {
        co_await reload();
        continue;
      }
      world_.log.info("The agent stops", {{"signal", signal}});
      async::asio::co_spawn(world_.io, shut_down(), [this](const std::exception_ptr&) { world_.io.stop(); });
      co_return;
    }
  }

  async::Task<void> reload() {
    auto config = load_agent_config(path_);
    auto tls = config ? make_tls(*config) : Result<net::TlsContext>{};
    if (!config || !tls) {
      const auto& error = !config ? config.error() : tls.error();
      world_.log.error("The new configuration is refused; the old one stays", {{"error", error.what}, {"fix", error.fix}});
      co_return;
    }
    if (const auto keys = needs_restart(config_, *config); !keys.empty()) {
      world_.log.error("The new configuration is refused; the old one stays",
                       {{"error", "these keys cannot change while the agent runs: " + keys}, {"fix", "Restart the agent."}});
      co_return;
    }
    uplink_->use_context(*tls);
    world_.log.set_level(config->log.level);
    known_metrics_ = describe(config->targets);
    uplink_->describe(learnt_.behind(known_metrics_));
    auto targets = std::exchange(config->targets, {});
    config_ = std::move(*config);
    co_await scheduler_->replace(std::move(targets));
    world_.log.info("The new configuration is in force", {{"targets", scheduler_->targets()}});
  }

  async::Task<void> shut_down() {
    co_await scheduler_->stop();
    spool_->maintain();
    co_await uplink_->drain(milliseconds{3'000});
    co_await uplink_->stop();
    if (server_) co_await server_->stop();
    co_await tasks_.stop();
    spool_->maintain();
  }

  async::Task<http::ServerResponse> answer(http::ServerRequest request) {
    http::ServerResponse response;
    response.content_type = "text/plain; charset=utf-8";
    if (request.path == "/metrics") {
      refresh_metrics();
      response.content_type = telemetry::kExpositionContentType;
      response.body = world_.metrics.exposition();
    } else if (request.path == "/healthz") {
      const auto& trouble = spool_->trouble();
      response.status = trouble ? 503 : 200;
      response.body = trouble ? describe_error(*trouble) : "ok\n";
    } else {
      response.status = 404;
      response.body = "There are /metrics and /healthz here.\n";
    }
    co_return response;
  }
  static std::string describe_error(const Error& error) { return ward::describe(error) + "\n"; }

  void refresh_metrics() {
    const auto stats = spool_->stats();
    spooled_.set(static_cast<double>(stats.records));
    spool_bytes_.set(static_cast<double>(stats.file_bytes));
    for (const auto& [reason, samples] : stats.dropped_samples) set_dropped(to_string(reason), samples);
    if (stats.removed_tenant_samples > 0) set_dropped("tenant_removed", stats.removed_tenant_samples);
  }

  void set_dropped(std::string_view reason, std::uint64_t samples) {
    auto& counter = world_.metrics.counter("ward_agent_dropped_samples_total",
                                           "Samples lost; a gap says so, but for those of a removed tenant.",
                                           Labels{{"reason", std::string(reason)}});
    counter.add(static_cast<double>(samples) - counter.value());
  }

  std::string path_;
  AgentConfig config_;
  World& world_;
  std::unique_ptr<Spool> spool_;
  std::vector<wire::MetaEntry> known_metrics_;  // of the targets' probes
  Learnt learnt_;
  std::unique_ptr<Uplink> uplink_;
  std::unique_ptr<Scheduler> scheduler_;
  std::unique_ptr<http::Server> server_;
  async::asio::signal_set signals_;
  telemetry::Gauge& spooled_;
  telemetry::Gauge& spool_bytes_;
  telemetry::Gauge& spool_failing_;
  telemetry::Counter& samples_;
  bool spool_failed_ = false;
  MonoTime own_series_at_{};
  async::TaskGroup tasks_;
};

}  // namespace

Status check(const std::string& config_path) {
  const auto config = load_agent_config(config_path);
  if (!config) return fail(config.error());
  if (const auto tls = make_tls(*config); !tls) return fail(tls.error());
  return {};
}

Status run(const std::string& config_path) {
  std::optional<async::HeldSignal> reloads(SIGHUP);
  auto config = load_agent_config(config_path);
  if (!config) return fail(config.error());
  auto tls = make_tls(*config);
  if (!tls) return fail(tls.error());
  if (auto prepared = prepare_data_dir(config->data_dir); !prepared) return prepared;
  World world(*config);
  SpoolOptions options;
  options.path = config->data_dir + "/spool.db";
  options.max_bytes = config->spool_max_bytes;
  options.tenants = config->tenants;
  for (const auto& collector : config->collectors) options.collectors.push_back(net::to_string(collector.endpoint));
  auto spool = Spool::open(std::move(options), *world.random);
  if (!spool) return fail(spool.error());
  App app(config_path, std::move(*config), std::move(*tls), std::move(*spool), world);
  if (auto started = app.start(); !started) return started;
  reloads.reset();
  world.io.run();
  return {};
}

}  // namespace ward::agent
