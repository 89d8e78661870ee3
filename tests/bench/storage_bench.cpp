// What the collector's store takes on disk and in memory: the store itself (journal, head, days), without agents and HTTP.
// Run by storage.sh and restart.sh.
//   ward_measure_storage --disk FOLDER SERIES HOURS STEP_S     files everything by day; bytes a sample
//   ward_measure_storage --openmetrics SERIES HOURS STEP_S     the same samples as OpenMetrics text, for promtool
//   ward_measure_storage --memory FOLDER SERIES                bytes a series with two hours of 15 s samples, ten series a
//   pod ward_measure_storage --memory-strangers FOLDER SERIES      the same, each of a pod of its own ward_measure_storage
//   --journal FOLDER SERIES               two hours of 15 s samples that end now, in the journal only
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <functional>
#include <malloc.h>
#include <memory>
#include <string>

#include "collector/sample_store.hpp"
#include "tests/bench/estate_data.hpp"

namespace ward::bench {
namespace {

using namespace collector;

constexpr Time kStart = from_ms(1'795'363'200'000);
constexpr std::size_t kRecord = 1'000;  // samples of one record: a scrape, or a request of remote write

[[noreturn]] void give_up(const std::string& why) {
  std::fprintf(stderr, "ward_measure_storage: %s\n", why.c_str());
  std::exit(1);
}

template <class T>
T must(Result<T> result) {
  if (!result) give_up(describe(result.error()));
  return std::move(*result);
}
void must(const Status& status) {
  if (!status) give_up(describe(status.error()));
}

std::size_t number(const char* text) {
  std::size_t out = 0;
  if (std::from_chars(text, text + std::strlen(text), out).ec != std::errc{}) give_up(std::string(text) + " is no number");
  return out;
}

std::size_t status_kb(const char* key) {
  std::ifstream in("/proc/self/status");
  for (std::string line; std::getline(in, line);)
    if (line.starts_with(key)) return number(line.c_str() + line.find_first_of("0123456789"));
  return 0;
}

double cpu_s() {
  timespec t{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
  return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_nsec) / 1e9;
}

/// The store of a collector, and the series of an estate in it.
struct Bed {
  explicit Bed(EstateData& of) : data(of), ids(of.series().size()), round(ids.size()), samples(ids.size()) {}
  void open(const std::string& folder) {
    config.caps = {10'000'000, 10'000'000};
    auto journal = must(SqliteJournal::open({folder + "/journal.db", "", 0}));
    auto days = std::make_unique<Days>(DayFiles::Options{folder + "/days", "", 40}, must(journal->identity()),
                                       must(journal->batch()), must(DayFiles::list(folder + "/days")));
    store = std::make_unique<Store>(config, metrics, std::move(journal), std::move(days));
    (void)must(store->replay(kStart));
    const StreamKey key{TenantId{"clinic"}, AgentId{"node-1"}, {}};
    const std::uint64_t boot = 1;
    stream = must(store->journal->open_streams(std::span{&key, 1}, std::span{&boot, 1})).at(0).row;
    for (std::size_t n = 0; n < ids.size(); ++n) ids[n] = store->catalogue.resolve_own(data.series()[n]);
    const auto series = store->catalogue.take_new();
    must(store->journal->commit(series, {}));
    for (const auto& fresh : series) store->sink.define(fresh.id, fresh.labels);
  }
  /// One sample of each series, into memory.
  void append_round() {
    next();
    for (std::size_t n = 0; n < samples.size(); n += kRecord)
      store->sink.append(std::span{samples}.subspan(n, std::min(kRecord, samples.size() - n)));
  }
  /// The same into the journal alone.
  void journal_round() {
    next();
    std::vector<JournalEntry> entries;
    for (std::size_t n = 0; n < samples.size(); n += kRecord) {
      ReceivedRecord received;
      received.stream = stream;
      received.record.seq = Sequence{++seq};
      const auto end = samples.begin() + static_cast<std::ptrdiff_t>(std::min(n + kRecord, samples.size()));
      received.record.samples.assign(samples.begin() + static_cast<std::ptrdiff_t>(n), end);
      received.record.t_min = received.record.t_max = received.record.samples.front().t;
      for (const auto& sample : received.record.samples) {
        received.record.t_min = std::min(received.record.t_min, sample.t);
        received.record.t_max = std::max(received.record.t_max, sample.t);
      }
      entries.emplace_back(std::move(received));
    }
    must(store->journal->commit({}, entries));
  }
  void next() {
    data.next_round(round);
    samples.clear();
    for (std::size_t n = 0; n < round.size(); ++n) samples.push_back({ids[n], round[n].t, round[n].v});
  }

  EstateData& data;
  CollectorConfig config;
  telemetry::Registry metrics;
  std::unique_ptr<Store> store;
  StreamRow stream{};
  std::vector<SeriesId> ids;
  std::vector<Sample> round;
  std::vector<wire::IdSample> samples;
  std::uint64_t seq = 0;
};

EstateData estate(std::size_t series, std::size_t step_s, Time start = kStart, bool strangers = false) {
  return {series, 0, start, strangers ? EstateData::Kind::strangers : EstateData::Kind::mixed, std::chrono::seconds{step_s}};
}

int disk(const std::string& folder, std::size_t series, std::size_t hours, std::size_t step_s) {
  auto data = estate(series, step_s);
  Bed bed(data);
  bed.open(folder);
  const auto rounds = hours * 3'600 / step_s;
  const auto two_hours = 2 * 3'600 / step_s;
  const auto before = cpu_s();
  double filing = 0;
  for (std::size_t n = 1; n <= rounds; ++n) {
    bed.append_round();
    if (n % two_hours != 0 && n != rounds) continue;
    const auto filed = cpu_s();
    must(bed.store->tidy(bed.round.back().t));
    must(bed.store->store_chunks());
    filing += cpu_s() - filed;
  }
  const auto samples = rounds * series;
  const auto total = cpu_s() - before;
  bed.store.reset();  // the logs are copied into the files
  std::uint64_t bytes = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder + "/days")) bytes += file.file_size();
  std::printf(R"({"samples":%zu,"bytes":%llu,"bytes_per_sample":%.3f,"filing_ns_per_sample":%.1f,"all_ns_per_sample":%.1f,)"
              R"("peak_rss_mib":%zu})"
              "\n",
              samples, static_cast<unsigned long long>(bytes), static_cast<double>(bytes) / static_cast<double>(samples),
              filing * 1e9 / static_cast<double>(samples), total * 1e9 / static_cast<double>(samples),
              status_kb("VmHWM") / 1024);
  return 0;
}

int openmetrics(std::size_t series, std::size_t hours, std::size_t step_s) {
  auto data = estate(series, step_s);
  std::vector<Sample> round;
  std::vector<std::string> lines(series);
  std::vector<std::string> names;
  for (const auto& labels : data.series()) names.push_back(openmetrics_series(labels));
  for (std::size_t n = 0; n < hours * 3'600 / step_s; ++n) {
    data.next_round(round);
    for (std::size_t s = 0; s < round.size(); ++s) {
      char text[96];
      std::snprintf(text, sizeof text, " %.17g %.3f\n", round[s].v, to_seconds(round[s].t));
      lines[s] += names[s] + text;
    }
  }
  std::puts("# TYPE http_requests counter");
  for (const auto& text : lines) std::fputs(text.c_str(), stdout);
  std::puts("# EOF");
  return 0;
}

int memory(const std::string& folder, std::size_t series, bool strangers) {
  // What makes the data is no part of what is measured.
  auto data = estate(series, 15, kStart, strangers);
  Bed bed(data);
  const auto at_start = status_kb("VmRSS");
  bed.open(folder);
  for (int n = 0; n < 480; ++n) bed.append_round();
  const auto samples = bed.store->head.stats();
  ::malloc_trim(0);
  const auto full = status_kb("VmRSS");
  const auto peak = status_kb("VmHWM");
  must(bed.store->store_chunks());
  std::printf(
      R"({"series":%zu,"samples":%zu,"chunk_bytes_per_series":%.0f,"rss_bytes_per_series":%.0f,"rss_mib":%zu,"peak_mib":%zu,)"
      R"("peak_with_filing_mib":%zu})"
      "\n",
      series, samples.samples, static_cast<double>(samples.bytes) / static_cast<double>(series),
      static_cast<double>(full - at_start) * 1024 / static_cast<double>(series), full / 1024, peak / 1024,
      status_kb("VmHWM") / 1024);
  return 0;
}

int journal(const std::string& folder, std::size_t series) {
  const auto now = std::chrono::floor<milliseconds>(std::chrono::system_clock::now());
  auto data = estate(series, 15, now - std::chrono::hours{2});
  Bed bed(data);
  bed.open(folder);
  for (int n = 0; n < 480; ++n) bed.journal_round();
  std::printf(R"({"samples":%zu,"rows":%llu})"
              "\n",
              series * 480, static_cast<unsigned long long>(bed.store->journal->rows_since_chunks()));
  std::fflush(stdout);
  std::_Exit(0);  // as kill -9 leaves it: the log is not copied into the file
}

int run(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  if (what == "--disk" && argc == 6) return disk(argv[2], number(argv[3]), number(argv[4]), number(argv[5]));
  if (what == "--openmetrics" && argc == 5) return openmetrics(number(argv[2]), number(argv[3]), number(argv[4]));
  if (what == "--memory" && argc == 4) return memory(argv[2], number(argv[3]), false);
  if (what == "--memory-strangers" && argc == 4) return memory(argv[2], number(argv[3]), true);
  if (what == "--journal" && argc == 4) return journal(argv[2], number(argv[3]));
  give_up("see the head of storage_bench.cpp");
}

}  // namespace
}  // namespace ward::bench

int main(int argc, char** argv) { return ward::bench::run(argc, argv); }
