#include "collector/app.hpp"

#include <algorithm>
#include <csignal>
#include <filesystem>
#include <set>

#include "collector/application.hpp"
#include "collector/store/postgres/pg_shared_state.hpp"
#include "collector/store/sqlite/state_schema.hpp"
#include "common/async/held_signal.hpp"

namespace ward::collector {

World::World(const CollectorConfig& config)
    : clock(real_clock()),
      random(real_random()),
      sink(telemetry::make_stderr_sink()),
      log(config.log, *clock, *sink),
      http(http::make_curl_client(io.get_executor())),
      queries(std::make_unique<async::BlockingPool>(
          async::BlockingPool::Options{config.query_gate.running, std::chrono::seconds{30}})) {}

namespace {

enum class Ended { asked, takes_turn };

/// Signals that wait until a life can take them.
struct HeldSignals {
  std::optional<async::HeldSignal> reload, stop, interrupt;
  /// Between two lives a stop must not be lost, nor end the process half way.
  void hold_all() {
    reload.emplace(SIGHUP);
    stop.emplace(SIGTERM);
    interrupt.emplace(SIGINT);
  }
  void let_go() {
    reload.reset();
    stop.reset();
    interrupt.reset();
  }
};

/// One attempt to start, and then until the end. `held` is let go when the collector takes signals.
tl::expected<Ended, StartFailure> run_once(const std::string& config_path, CollectorConfig config, net::TlsContext tls,
                                           World& world, Turn turn, HeldSignals& held) {
  auto files = open_data_files(config, world.clock->wall(), world.log);
  if (!files) return tl::unexpected<StartFailure>{files.error()};
  if (!turn.leads) files->loaded = LoadedState{};  // of its last turn; what is open now only the leader knows
  Application app(config_path, std::move(config), std::move(tls), std::move(*files), world, turn);
  if (auto started = app.start(); !started)
    return tl::unexpected<StartFailure>{StartFailure{started.error(), DataFiles::kJournal}};
  held.let_go();
  world.io.run();
  // While the application still takes them.
  if (app.takes_turn()) held.hold_all();
  if (!app.outcome()) held.reload.emplace(SIGHUP);
  if (!app.outcome()) return tl::unexpected<StartFailure>{StartFailure{app.outcome().error(), DataFiles::kJournal}};
  app.save();
  return app.takes_turn() ? Ended::takes_turn : Ended::asked;
}

/// So short that a claim that was not answered, and its repetition, leave time for the next one within the lease.
milliseconds patience_of(milliseconds lease) { return std::clamp(lease / 8, milliseconds{250}, milliseconds{2'000}); }

std::unique_ptr<SharedState> connection_to_shared_state(const CollectorConfig& config) {
  return std::make_unique<PgSharedState>(PgSharedStateOptions{.connection = config.shared_state->connection,
                                                              .password = config.shared_state->password,
                                                              .name = config.shared_state->pair,
                                                              .holder = config.shared_state->collector,
                                                              .address = config.external_url,
                                                              .timeout = patience_of(config.shared_state->lease)});
}

/// Null for a collector that stands alone.
std::unique_ptr<Leadership> make_leadership(const CollectorConfig& config, const Clock& clock) {
  if (!config.shared_state) return nullptr;
  Leadership::Options options{.lease = config.shared_state->lease,
                              .state_file = (std::filesystem::path(config.data_dir) / DataFiles::kState).string(),
                              .schema = newest_state_schema()};
  return std::make_unique<Leadership>(std::move(options), clock, connection_to_shared_state(config),
                                      connection_to_shared_state(config));
}

/// Before each life: whether it is a leader's, which begins with the state of whoever led before.
bool take_turn(Leadership& leadership, telemetry::Logger& log) {
  leadership.pulse();
  const auto view = leadership.view();
  if (view.role == Role::lost) leadership.begin_again();
  if (view.role != Role::leading) return false;
  const auto taken = leadership.take_over();
  if (taken) return true;
  if (taken.error().code == Errc::corrupt) {
    log.error("What the last leader left cannot be read; this collector goes on with what it knew itself",
              {{"error", taken.error().what}, {"fix", taken.error().fix}});
    return true;
  }
  log.error("This collector could lead, but not go on where the last leader ended; it stands by and tries again",
            {{"error", taken.error().what}, {"fix", taken.error().fix}});
  return false;
}

/// What a new life goes by: the file may have changed since the last one, and what is wrong in it must not end the service.
/// Where the state is and who shares it stay as they were at the start of the process.
Status read_again(const std::string& path, CollectorConfig& config, net::TlsContext& tls) {
  auto now = load_collector_config(path);
  if (!now) return fail(now.error());
  auto context = make_tls(*now);
  if (!context) return fail(context.error());
  now->data_dir = config.data_dir;
  now->shared_state = config.shared_state;
  config = std::move(*now);
  tls = std::move(*context);
  return {};
}

}  // namespace

Result<std::vector<std::string>> check(const std::string& config_path) {
  const auto config = load_collector_config(config_path);
  if (!config) return fail(config.error());
  if (const auto tls = make_tls(*config); !tls) return fail(tls.error());
  const auto clock = real_clock();
  const promql::Engine engine(*clock);
  const Head nothing;
  const PromqlCompiler compiler(engine, nothing);
  const auto rules = load_rulebook(config->rule_patterns, compiler, rulebook_options(*config));
  if (!rules.book) return fail(rules.to_error());
  std::vector<std::string> warnings;
  for (const auto& warning : rules.warnings) warnings.push_back(to_string(warning));
  return warnings;
}

Status run(const std::string& config_path) {
  HeldSignals held;
  held.reload.emplace(SIGHUP);
  auto config = load_collector_config(config_path);
  if (!config) return fail(config.error());
  auto tls = make_tls(*config);
  if (!tls) return fail(tls.error());
  if (auto prepared = prepare_data_dir(config->data_dir); !prepared) return prepared;
  const auto clock = real_clock();
  std::vector<RuleText> rules;  // those of the last life
  const auto leadership = make_leadership(*config, *clock);
  if (leadership) leadership->start();
  for (std::set<std::string> aside;;) {
    World world(*config);
    const Turn turn{leadership.get(), !leadership || take_turn(*leadership, world.log), &rules};
    const auto ran = run_once(config_path, *config, *tls, world, turn, held);
    if (ran && *ran == Ended::asked) return {};
    if (ran) {
      if (auto read = read_again(config_path, *config, *tls); !read)
        world.log.error("The new configuration is refused; the old one stays",
                        {{"error", read.error().what}, {"fix", read.error().fix}});
      continue;
    }
    // What is damaged again as soon as it is new would be so for ever.
    if (ran.error().error.code != Errc::corrupt || !aside.insert(ran.error().file).second) return fail(ran.error().error);
    if (auto moved = set_aside(config->data_dir, ran.error(), world.clock->wall(), world.log); !moved) return moved;
  }
}

}  // namespace ward::collector
