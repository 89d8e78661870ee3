// What SLOs cost: ledgers of 30 days in the engine with its store on disk, one error counter and one request counter each,
// a sample a minute. Run by slo.sh.
//   ward_measure_slo SLOS DIR              one JSON object: CPU of a tick, of a save, of a sample; memory and disk of a
//   ledger ward_measure_slo --openmetrics SLOS    the same counters as OpenMetrics text, ending now, for promtool
//   ward_measure_slo --rules SLOS          the recording rules that answer the same, for Prometheus
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <filesystem>
#include <string>
#include <vector>

#include "collector/slo/engine.hpp"
#include "collector/store/sqlite/ledger_store.hpp"

namespace ward::bench {
namespace {

using namespace std::chrono_literals;
using namespace collector;

constexpr int kMinutes = 30 * 1'440;
constexpr int kTicks = 240;

double cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

/// The same traffic for every program: some 600 requests a minute that vary, a bad one among a few thousand.
struct Traffic {
  std::uint64_t state;
  double total = 0;
  double bad = 0;
  void next() {
    state = state * 6364136223846793005ULL + 1442695040888963407ULL;
    const auto events = 500 + (state >> 33) % 200;
    total += static_cast<double>(events);
    if ((state >> 20) % 4 == 0) bad += static_cast<double>((state >> 40) % 3);
  }
};
Labels series_of(int slo, bool bad) {
  return Labels{
      {"__name__", "http_requests_total"}, {"code", bad ? "500" : "200"}, {"service", "service-" + std::to_string(slo)}};
}

enum class Windows { usual, short_ones, long_ones };

/// Eight windows: the workbook's 5 m to 30 d, all up to an hour, or all about a month.
slo::SloSpec spec_of(int n, Windows windows) {
  slo::SloSpec spec;
  spec.name = "slo-" + std::to_string(n);
  spec.service = "service-" + std::to_string(n);
  const auto source = [&](slo::SliRole role, const char* code) {
    slo::SliSource out{.role = role, .query = spec.service + code, .matchers = {}, .counter = true};
    for (const auto& [name, value] : {std::pair{"__name__", std::string("http_requests_total")}, {"service", spec.service}})
      out.matchers.push_back(*Matcher::make(Matcher::Op::equal, name, value));
    if (*code != 0) out.matchers.push_back(*Matcher::make(Matcher::Op::regex, "code", code));
    return out;
  };
  spec.indicator.sources = {source(slo::SliRole::bad, "5.."), source(slo::SliRole::total, "")};
  spec.target = 0.999;
  const auto add = [&](milliseconds lng, milliseconds shrt, double factor) {
    spec.burn.push_back({lng, shrt, factor, AlertClass::urgent, {}});
  };
  switch (windows) {
    case Windows::usual:
      add(1h, 5min, 14.4);
      add(6h, 30min, 6);
      add(24h, 2h, 3);
      add(72h, 6h, 1);
      break;
    case Windows::short_ones:
      for (int i = 0; i < 4; ++i) add(std::chrono::minutes{40 + i * 5}, std::chrono::minutes{5 + i}, 14.4);
      spec.period = {.count = 1, .unit = slo::PeriodUnit::hour};
      break;
    case Windows::long_ones:
      for (int i = 0; i < 4; ++i) add(std::chrono::days{29 - i}, std::chrono::days{25 - i}, 14.4);
      break;
  }
  return spec;
}

struct Run {
  std::vector<double> ticks;
  std::vector<double> saves;
  double sample_ns = 0;
  double stranger_ns = 0;
  std::size_t series = 0;
  std::size_t most_ledger_bytes = 0;
  double disk_bytes = 0;
  double load_s = 0;
};

Run run(int slos, Windows windows, const std::string& folder) {
  std::filesystem::create_directories(folder);
  sqlite::OpenOptions options;
  options.path = folder + "/slo.db";
  auto store = SqliteLedgerStore::open(options);
  if (!store) std::abort();
  slo::SloEngine::Context context;
  context.store = store->get();
  slo::SloSet set;
  for (int n = 0; n < slos; ++n) set.slos.push_back(spec_of(n, windows));
  slo::SloEngine engine(context);
  Time now =
      std::chrono::floor<std::chrono::minutes>(std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()));
  now -= std::chrono::minutes{kMinutes};
  if (!engine.reload(set, now)) std::abort();
  std::vector<Traffic> traffic;
  for (int n = 0; n < slos; ++n) {
    traffic.push_back({static_cast<std::uint64_t>(n) + 1});
    engine.define(static_cast<std::uint32_t>(n * 2), series_of(n, false));
    engine.define(static_cast<std::uint32_t>(n * 2 + 1), series_of(n, true));
  }
  std::vector<wire::IdSample> batch(static_cast<std::size_t>(slos) * 2);
  const auto minute = [&] {
    now += 1min;
    for (int n = 0; n < slos; ++n) {
      auto& t = traffic[static_cast<std::size_t>(n)];
      t.next();
      batch[static_cast<std::size_t>(n) * 2] = {static_cast<std::uint32_t>(n * 2), now, t.total - t.bad};
      batch[static_cast<std::size_t>(n) * 2 + 1] = {static_cast<std::uint32_t>(n * 2 + 1), now, t.bad};
    }
    engine.append(batch);
  };
  Run out;
  const auto before = cpu_s();
  for (int i = 0; i < kMinutes; ++i) {
    minute();
    if (i % 180 == 0 && !engine.save()) std::abort();
  }
  out.sample_ns = (cpu_s() - before) / kMinutes / static_cast<double>(batch.size()) * 1e9;
  engine.tick(now);
  for (int i = 0; i < kTicks; ++i) {
    minute();
    const auto start = cpu_s();
    const auto tick = engine.tick(now);
    const auto mid = cpu_s();
    if (!engine.save()) std::abort();
    out.ticks.push_back(mid - start);
    out.saves.push_back(cpu_s() - mid);
    out.series = tick.series.size();
    const auto size = engine.size();
    out.most_ledger_bytes = std::max(out.most_ledger_bytes, size.ledger_bytes / size.ledgers);
  }
  std::vector<wire::IdSample> strangers(100'000, {1'000'000, now, 1});
  const auto start = cpu_s();
  for (int i = 0; i < 100; ++i) engine.append(strangers);
  out.stranger_ns = (cpu_s() - start) / 1e7 * 1e9;
  for (const auto& file : std::filesystem::directory_iterator(folder))
    out.disk_bytes += static_cast<double>(file.file_size());
  slo::SloEngine second(context);
  const auto loading = cpu_s();
  if (!second.reload(set, now)) std::abort();
  out.load_s = cpu_s() - loading;
  return out;
}

double mean(const std::vector<double>& v) {
  double sum = 0;
  for (const auto x : v) sum += x;
  return sum / static_cast<double>(v.size());
}
double worst(const std::vector<double>& v) { return *std::max_element(v.begin(), v.end()); }

int measure(int slos, const std::string& folder) {
  const auto usual = run(slos, Windows::usual, folder + "/usual");
  const auto shorts = run(slos, Windows::short_ones, folder + "/short");
  const auto longs = run(slos, Windows::long_ones, folder + "/long");
  std::printf(
      "{\"slos\": %d, \"windows\": 8, \"series\": %zu, \"tick_s\": %.6f, \"worst_tick_s\": %.6f, \"tick_up_to_1h_s\": %.6f, "
      "\"tick_about_30d_s\": %.6f, \"save_s\": %.6f, \"sample_ns\": %.1f, \"stranger_ns\": %.2f, \"ledger_bytes\": %zu, "
      "\"ledger_bytes_about_30d\": %zu, \"disk_bytes\": %.0f, \"load_s\": %.3f}\n",
      slos, usual.series, mean(usual.ticks), worst(usual.ticks), mean(shorts.ticks), mean(longs.ticks), mean(usual.saves),
      usual.sample_ns, usual.stranger_ns, usual.most_ledger_bytes, longs.most_ledger_bytes, usual.disk_bytes / slos,
      usual.load_s);
  return 0;
}

int write_openmetrics(int slos) {
  const auto now = std::chrono::floor<std::chrono::minutes>(std::chrono::system_clock::now()).time_since_epoch();
  const auto start = std::chrono::duration_cast<std::chrono::seconds>(now).count() - kMinutes * 60;
  std::printf("# TYPE http_requests counter\n");
  for (int n = 0; n < slos; ++n) {
    for (const bool bad : {false, true}) {
      Traffic t{static_cast<std::uint64_t>(n) + 1};
      for (int i = 0; i < kMinutes; ++i) {
        t.next();
        std::printf("http_requests_total{code=\"%s\",service=\"service-%d\"} %.0f %ld\n", bad ? "500" : "200", n,
                    bad ? t.bad : t.total - t.bad, start + i * 60);
      }
    }
  }
  std::printf("# EOF\n");
  return 0;
}

int write_rules(int slos) {
  std::printf("groups:\n- name: slo\n  interval: 15s\n  rules:\n");
  for (int n = 0; n < slos; ++n)
    for (const auto* window : {"5m", "30m", "1h", "2h", "6h", "1d", "3d", "30d"})
      std::printf(
          "  - {record: 'slo:sli_error:ratio_rate%s', labels: {slo: slo-%d}, expr: "
          "'sum(rate(http_requests_total{service=\"service-%d\",code=~\"5..\"}"
          "[%s])) / sum(rate(http_requests_total{service=\"service-%d\"}[%s]))'}\n",
          window, n, n, window, n, window);
  return 0;
}

}  // namespace
}  // namespace ward::bench

int main(int argc, char** argv) {
  const std::string mode = argc > 1 ? argv[1] : "";
  if (argc == 3 && mode == "--openmetrics") return ward::bench::write_openmetrics(std::atoi(argv[2]));
  if (argc == 3 && mode == "--rules") return ward::bench::write_rules(std::atoi(argv[2]));
  if (argc == 3) return ward::bench::measure(std::atoi(argv[1]), argv[2]);
  std::fprintf(stderr, "usage: ward_measure_slo SLOS DIR | --openmetrics SLOS | --rules SLOS\n");
  return 2;
}
