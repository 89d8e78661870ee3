// 10,000 alerts of 500 services that begin to fire in one second: from alerting's events to rows that may be sent, with the
// commit to the state store between. `tree`: one cause beneath all; `islands`: as many causes as services; `place`: no
// edges, but one node under all.
#include <benchmark/benchmark.h>
#include <filesystem>

#include "collector/incident/engine.hpp"
#include "collector/notify/outbox.hpp"
#include "collector/routing/router.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "common/base/world.hpp"

namespace ward::collector {
namespace {

constexpr int kServices = 500;
constexpr int kAlertsEach = 20;
constexpr Time kNow = from_ms(1'790'000'000'000);

enum Shape : int { tree, islands, place };

ServiceMap map_of(Shape shape) {
  std::vector<Service> services;
  for (int n = 0; n < kServices; ++n) {
    Service service{.name = "s" + std::to_string(n), .owner = "application", .depends_on = {}, .scope = {}};
    if (shape == tree && n > 0)
      service.depends_on.push_back({.to = "s" + std::to_string((n - 1) / 4), .mode = DependencyMode::hard, .on = {}});
    services.push_back(std::move(service));
  }
  return *ServiceMap::make(std::move(services));
}

std::vector<AlertEvent> storm(Shape shape) {
  std::vector<AlertEvent> out;
  for (int n = 0; n < kServices * kAlertsEach; ++n) {
    const auto service = "s" + std::to_string(n / kAlertsEach);
    AlertEvent a;
    a.labels = Labels{{"alertname", "Alert" + std::to_string(n % kAlertsEach)},
                      {"service", service},
                      {"class", "urgent"},
                      {"owner", "application"},
                      {"tenant", "clinic-" + std::to_string(n % 7)},
                      {"instance", "pod-" + std::to_string(n)}};
    if (shape == tree) a.labels.erase("tenant");
    if (shape == place) a.labels.set("node", n == 0 ? "n1" : "n2");
    a.annotations = Labels{{"summary", "something of " + service + " is broken"}, {"runbook_url", "runbooks/x.md#y"}};
    a.phase = AlertPhase::firing;
    a.active_at = a.fired_at = kNow;
    a.interval = milliseconds{5'000};
    out.push_back(std::move(a));
  }
  return out;
}

RoutingTable table() {
  RoutingTable out;
  for (const auto* owner : {"application", "platform"}) out.owners[owner] = {.receiver = owner, .fallback = ""};
  out.fallback_receiver = "platform";
  return out;
}

void run(benchmark::State& state) {
  const auto shape = static_cast<Shape>(state.range(0));
  const auto alerts = storm(shape);
  const auto file = std::filesystem::temp_directory_path() / ("ward-storm-" + std::to_string(::getpid()) + ".db");
  const auto random = real_random();
  std::size_t incidents = 0, messages = 0;
  for (auto _ : state) {
    state.PauseTiming();
    std::filesystem::remove(file);
    sqlite::OpenOptions options;
    options.path = file.string();
    auto store = *SqliteStateStore::open(options);
    Engine engine(map_of(shape), {});
    Router router(table());
    Outbox outbox({}, *random);
    state.ResumeTiming();
    auto folded = engine.fold(alerts, kNow);
    const auto open = engine.open();
    auto routed = router.route(folded.notices, open, kNow);
    StateChange change;
    change.incidents = std::move(folded.incidents);
    change.watched = std::move(folded.watched);
    change.notified = std::move(routed.notified);
    change.decisions = std::move(folded.decisions);
    change.deliveries = outbox.plan(routed.deliveries, kNow);
    if (!store.commit(change)) state.SkipWithError("the state was not stored");
    outbox.accept(change.deliveries);
    incidents = open.size();
    messages = change.deliveries.size();
  }
  std::filesystem::remove(file);
  state.counters["incidents"] = static_cast<double>(incidents);
  state.counters["messages"] = static_cast<double>(messages);
}
BENCHMARK(run)->Name("storm/tree")->Arg(tree)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(run)->Name("storm/islands")->Arg(islands)->Unit(benchmark::kMillisecond)->Iterations(3);
BENCHMARK(run)->Name("storm/place")->Arg(place)->Unit(benchmark::kMillisecond)->Iterations(3);

}  // namespace
}  // namespace ward::collector

BENCHMARK_MAIN();
