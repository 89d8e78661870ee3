// What queries cost on 25,000 counters and 6,000 histogram buckets with an hour of 15 s samples: the engine on the head, in
// one thread, no HTTP. Run by query.sh.
//   ward_measure_query [ROUNDS]            p50, p99 and CPU of each query of the set, one JSON object a line
//   ward_measure_query --queries          the set, one JSON object a line: name, query, start, end, step
//   ward_measure_query --openmetrics      the same samples as OpenMetrics text, for promtool
#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <string>
#include <vector>

#include "collector/promql/engine.hpp"
#include "collector/tsdb/head.hpp"
#include "tests/bench/estate_data.hpp"

namespace ward::bench {
namespace {

constexpr std::size_t kCounters = 25'000;
constexpr std::size_t kHistograms = 500;
constexpr std::size_t kRounds = 240;                 // an hour
constexpr Time kStart = from_ms(1'795'363'200'000);  // a whole two hours since the epoch: one block of Prometheus
constexpr Time kNow = kStart + EstateData::kInterval * static_cast<std::int64_t>(kRounds - 1);

struct Query {
  const char* name;
  const char* text;
  milliseconds range;  ///< zero: instant
};
constexpr milliseconds kHalfHour{1'800'000};
constexpr Query kQueries[] = {
    {"one_series", R"(rate(http_requests_total{pod="odoo-777"}[5m]))", milliseconds{0}},
    {"sum_by_rate", "sum by (tenant) (rate(http_requests_total[5m]))", milliseconds{0}},
    {"histogram_quantile", "histogram_quantile(0.99, sum by (le, service) (rate(http_request_duration_seconds_bucket[5m])))",
     milliseconds{0}},
    {"topk", "topk(10, rate(http_requests_total[5m]))", milliseconds{0}},
    {"regex", R"(sum by (service) (rate(http_requests_total{instance=~"10\\.0\\.0\\.[1-3].*",pod!~".*7"}[5m])))",
     milliseconds{0}},
    {"range_sum_by_rate", "sum by (tenant) (rate(http_requests_total[5m]))", kHalfHour},
    {"range_one_service", R"(sum by (tenant) (rate(http_requests_total{service="service-7"}[5m])))", kHalfHour},
};

double cpu_ms() {
  timespec t{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) * 1e3 + static_cast<double>(t.tv_nsec) / 1e6;
}

struct Loaded {
  collector::Head head{{milliseconds{0}}};
  std::vector<collector::SeriesRef> refs;
};

void fill(Loaded& into, EstateData& data, std::size_t rounds) {
  for (const auto& labels : data.series()) into.refs.push_back(into.head.get_or_create(labels));
  std::vector<Sample> samples;
  std::vector<collector::RefSample> batch(into.refs.size());
  for (std::size_t round = 0; round < rounds; ++round) {
    data.next_round(samples);
    for (std::size_t n = 0; n < samples.size(); ++n) batch[n] = {into.refs[n], samples[n]};
    into.head.append(batch);
  }
}

std::string number(double v) {
  char text[40];
  return {text, std::to_chars(text, text + sizeof(text), v).ptr};
}

int write_openmetrics() {
  EstateData data(kCounters, kHistograms, kStart);
  std::vector<std::vector<Sample>> rounds(kRounds);
  for (auto& round : rounds) data.next_round(round);
  std::printf("# TYPE http_requests counter\n");
  for (std::size_t n = 0; n < data.series().size(); ++n) {
    if (n == kCounters) std::printf("# TYPE http_request_duration_seconds histogram\n");
    const auto text = openmetrics_series(data.series()[n]) + ' ';
    for (const auto& round : rounds)
      std::printf("%s%s %lld.%03lld\n", text.c_str(), number(round[n].v).c_str(),
                  static_cast<long long>(to_ms(round[n].t) / 1000), static_cast<long long>(to_ms(round[n].t) % 1000));
  }
  std::printf("# EOF\n");
  return 0;
}

int write_queries() {
  for (const auto& query : kQueries) {
    std::string text;
    for (const char* c = query.text; *c != '\0'; ++c) {
      if (*c == '"' || *c == '\\') text += '\\';
      text += *c;
    }
    std::printf("{\"name\":\"%s\",\"query\":\"%s\",\"start\":%lld,\"end\":%lld,\"step\":60}\n", query.name, text.c_str(),
                static_cast<long long>(to_ms(kNow - query.range) / 1000), static_cast<long long>(to_ms(kNow) / 1000));
  }
  return 0;
}

std::size_t run(const promql::Engine& engine, const collector::Head& head, const promql::Expr& expr, const Query& query) {
  if (query.range.count() == 0) {
    const auto value = engine.instant(expr, head, kNow);
    return value ? std::get<promql::Vector>(*value).size() : 0;
  }
  const auto value = engine.range(expr, head, {kNow - query.range, kNow, milliseconds{60'000}});
  return value ? value->size() : 0;
}

void print_row(const Query& query, std::size_t rows, std::vector<double>& wall, double cpu) {
  std::sort(wall.begin(), wall.end());
  std::printf("{\"query\":\"%s\",\"rows\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"cpu_ms\":%.3f}\n", query.name, rows,
              wall[wall.size() / 2], wall[wall.size() * 99 / 100], cpu / static_cast<double>(wall.size()));
  std::fflush(stdout);
}

int measure_queries(std::size_t rounds) {
  EstateData data(kCounters, kHistograms, kStart);
  Loaded loaded;
  fill(loaded, data, kRounds);
  const auto clock = real_clock();
  const promql::Engine engine{*clock};
  for (const auto& query : kQueries) {
    const auto expr = promql::parse(query.text);
    if (!expr) {
      std::fprintf(stderr, "%s: %s\n", query.name, expr.error().what.c_str());
      return 1;
    }
    auto rows = run(engine, loaded.head, *expr, query);
    std::vector<double> wall;
    const double cpu_before = cpu_ms();
    for (std::size_t i = 0; i < rounds; ++i) {
      const auto before = clock->mono();
      rows = run(engine, loaded.head, *expr, query);
      wall.push_back(std::chrono::duration<double, std::milli>(clock->mono() - before).count());
    }
    print_row(query, rows, wall, cpu_ms() - cpu_before);
  }
  return 0;
}

}  // namespace
}  // namespace ward::bench

int main(int argc, char** argv) {
  const std::string first = argc > 1 ? argv[1] : "30";
  if (first == "--queries") return ward::bench::write_queries();
  if (first == "--openmetrics") return ward::bench::write_openmetrics();
  return ward::bench::measure_queries(std::stoul(first));
}
