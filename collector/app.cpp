#include "collector/app.hpp"

#include <csignal>
#include <set>

#include "collector/application.hpp"
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

/// One attempt to start, and then until the end. `reloads` are held until the collector can take one.
tl::expected<void, StartFailure> run_once(const std::string& config_path, CollectorConfig config, net::TlsContext tls,
                                          World& world, std::optional<async::HeldSignal>& reloads) {
  auto files = open_data_files(config, world.clock->wall(), world.log);
  if (!files) return tl::unexpected<StartFailure>{files.error()};
  Application app(config_path, std::move(config), std::move(tls), std::move(*files), world);
  if (auto started = app.start(); !started)
    return tl::unexpected<StartFailure>{StartFailure{started.error(), DataFiles::kJournal}};
  reloads.reset();
  world.io.run();
  if (!app.outcome()) reloads.emplace(SIGHUP);  // while the application still takes it
  if (!app.outcome()) return tl::unexpected<StartFailure>{StartFailure{app.outcome().error(), DataFiles::kJournal}};
  app.save();
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
  std::optional<async::HeldSignal> reloads(SIGHUP);
  auto config = load_collector_config(config_path);
  if (!config) return fail(config.error());
  auto tls = make_tls(*config);
  if (!tls) return fail(tls.error());
  if (auto prepared = prepare_data_dir(config->data_dir); !prepared) return prepared;
  for (std::set<std::string> aside;;) {
    World world(*config);
    const auto ran = run_once(config_path, *config, *tls, world, reloads);
    if (ran) return {};
    // What is damaged again as soon as it is new would be so for ever.
    if (ran.error().error.code != Errc::corrupt || !aside.insert(ran.error().file).second) return fail(ran.error().error);
    if (auto moved = set_aside(config->data_dir, ran.error(), world.clock->wall(), world.log); !moved) return moved;
  }
}

}  // namespace ward::collector
