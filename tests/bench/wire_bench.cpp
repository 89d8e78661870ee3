// What a sample costs on the wire and in CPU: real sessions of agent and collector, back to back, over ten minutes of one
// agent's series (tests/data/wire/series.txt, changed round by round). Exit code 1 when a sample takes more bytes than the
// budget.
#include <benchmark/benchmark.h>
#include <cmath>
#include <cstdio>
#include <fstream>
#include <map>
#include <random>
#include <string>

#include "common/wire/agent_session.hpp"
#include "common/wire/collector_session.hpp"

namespace ward::wire {
namespace {

constexpr double kBudget = 3.5;  // bytes a sample, series definitions and frames included
constexpr int kRounds = 60;
constexpr milliseconds kInterval{10'000};

/// A series and how it moves: by `step` +- half of it each round, on the grid of `decimals`.
struct Moving {
  Labels labels;
  double value = 0;
  double step = 0;
  int decimals = -1;  ///< -1: no decimal grid
  bool counter = false;
};

struct Probe {
  std::vector<Moving> series;
};

Labels parse_series(const std::string& text) {
  const auto brace = text.find('{');
  Labels labels;
  labels.set(kNameLabel, text.substr(0, brace));
  for (auto at = brace + 1; brace != std::string::npos && at < text.size() && text[at] != '}';) {
    const auto equals = text.find("=\"", at);
    const auto end = text.find('"', equals + 2);
    labels.set(text.substr(at, equals - at), text.substr(equals + 2, end - equals - 2));
    at = text.compare(end + 1, 2, ", ") == 0 ? end + 3 : end + 1;
  }
  return labels;
}

int decimals_of(double value, double step) {
  for (int digits = 0; digits <= 9; ++digits) {
    const double grid = std::pow(10.0, digits);
    if (std::round(value * grid) / grid == value && std::round(step * grid) / grid == step) return digits;
  }
  return -1;
}

/// The recording was made on databases nobody used: every third of their idle counters is given a rate, so that the
/// figure is not that of a quiet night.
void wake_idle_counters(std::vector<Probe>& probes) {
  int idle = 0;
  for (auto& probe : probes)
    for (auto& m : probe.series)
      if (m.counter && m.step == 0 && ++idle % 3 == 0) m.step = std::pow(10.0, idle % 4);
}

std::vector<Probe> read_recording() {
  const std::string path = std::string(WARD_SOURCE_DIR) + "/tests/data/wire/series.txt";
  std::ifstream in(path);
  std::vector<Probe> probes;
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("# probe")) probes.emplace_back();
    if (line.empty() || line.front() == '#') continue;
    const auto change_at = line.rfind(' ');
    const auto value_at = line.rfind(' ', change_at - 1);
    Moving m;
    m.labels = parse_series(line.substr(0, value_at));
    m.value = std::stod(line.substr(value_at + 1));
    m.step = std::stod(line.substr(change_at + 1));
    m.decimals = decimals_of(m.value, m.step);
    const auto name = m.labels.name();
    m.counter =
        name.ends_with("_total") || name.starts_with("pg_stat_database_") || name.starts_with("pg_stat_user_tables_");
    probes.back().series.push_back(std::move(m));
  }
  wake_idle_counters(probes);
  return probes;
}

void move_on(Moving& m, std::mt19937_64& random) {
  if (m.step == 0) return;
  std::uniform_real_distribution<double> jitter(0.5, 1.5);
  const double sign = m.counter || random() % 2 == 0 ? 1 : -1;
  const double moved = m.value + sign * jitter(random) * m.step;
  const double grid = std::pow(10.0, m.decimals);
  m.value = m.decimals < 0 ? moved : std::round(moved * grid) / grid;
  if (!m.counter && m.value < 0) m.value = -m.value;
}

/// The spool's place: one live stream whose records all wait in memory.
class Recorded final : public RecordSource {
 public:
  explicit Recorded(std::vector<Probe> probes) {
    std::mt19937_64 random(20'261'122);
    Time at = from_ms(1'795'380'000'000);
    for (int round = 0; round < kRounds; ++round, at += kInterval) {
      std::uint32_t id = 0;
      for (auto& probe : probes) {
        Record record;
        record.seq = Sequence{records_.size() + 1};
        record.t_min = record.t_max = at + milliseconds{static_cast<std::int64_t>(random() % 7)};
        for (auto& m : probe.series) {
          if (round == 0) labels_.push_back(m.labels);
          record.samples.push_back({id++, record.t_min, m.value});
          move_on(m, random);
        }
        record.digest = digest(record.samples);
        samples_ += record.samples.size();
        records_.push_back(std::move(record));
      }
    }
  }
  [[nodiscard]] std::vector<HelloStream> streams() const override {
    HelloStream stream;
    stream.tenant = TenantId{"clinic-a"};
    stream.base = Sequence{1};
    stream.next = Sequence{records_.size() + 1};
    stream.live = true;
    return {stream};
  }
  Result<std::optional<Item>> read(const HelloStream&, Sequence from) override {
    if (from.get() > records_.size()) return std::optional<Item>{};
    return std::optional<Item>{records_[from.get() - 1]};
  }
  [[nodiscard]] const Labels& series(std::uint32_t id) const override { return labels_.at(id); }
  Status on_durable(const HelloStream&, Sequence) override { return {}; }
  Status reject(const HelloStream&, Sequence) override { return {}; }
  [[nodiscard]] std::size_t samples() const { return samples_; }
  [[nodiscard]] std::size_t series_count() const { return labels_.size(); }

 private:
  std::vector<Record> records_;
  std::vector<Labels> labels_;
  std::size_t samples_ = 0;
};

class CountingPort final : public SessionPort {
 public:
  Status hello(const Hello&) override { return {}; }
  std::uint32_t resolve(StreamIndex, const Labels&) override { return next_++; }
  void record(StreamIndex, Record record, std::uint64_t) override { samples += record.samples.size(); }
  void gap(StreamIndex, const Gap&) override {}
  void duplicate(StreamIndex, Sequence, std::uint32_t) override {}
  void meta(const Meta&) override {}
  std::size_t samples = 0;

 private:
  std::uint32_t next_ = 0;
};

AgentSession::Options agent_options() {
  AgentSession::Options options;
  options.agent = AgentId{"node-3"};
  options.output_target = 64 << 20;
  return options;
}

/// Everything the agent sends after HELLO; the collector's WELCOME allows all of it at once.
Buffer send_all(Recorded& source) {
  AgentSession agent(agent_options(), source, {});
  (void)agent.take_output();
  Welcome welcome;
  welcome.marks.emplace_back();
  welcome.credit = 1ULL << 40;
  Buffer bytes;
  write_frame(welcome, bytes);
  if (auto taken = agent.on_bytes(bytes, {}, {}); !taken) std::abort();
  return agent.take_output();
}

std::size_t receive_all(const Buffer& hello, const Buffer& stream) {
  CountingPort port;
  CollectorSession collector({}, port, {});
  if (auto greeted = collector.on_bytes(hello, {}, {}); !greeted) std::abort();
  collector.welcome(std::vector<Mark>(1), 1ULL << 40, {});
  constexpr std::size_t kPiece = 64 << 10;  // as a socket gives them
  for (std::size_t at = 0; at < stream.size(); at += kPiece)
    if (auto taken = collector.on_bytes(ByteView(stream).subspan(at, std::min(kPiece, stream.size() - at)), {}, {}); !taken)
      std::abort();
  return port.samples;
}

void encode(benchmark::State& state) {
  Recorded source(read_recording());
  for (auto _ : state) benchmark::DoNotOptimize(send_all(source));
  state.counters["per_sample"] = benchmark::Counter(
      static_cast<double>(source.samples()), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(encode)->Unit(benchmark::kMillisecond);

void decode(benchmark::State& state) {
  Recorded source(read_recording());
  const auto hello = AgentSession(agent_options(), source, {}).take_output();
  const auto stream = send_all(source);
  for (auto _ : state)
    if (receive_all(hello, stream) != source.samples()) state.SkipWithError("samples were lost");
  state.counters["per_sample"] = benchmark::Counter(
      static_cast<double>(source.samples()), benchmark::Counter::kIsIterationInvariantRate | benchmark::Counter::kInvert);
}
BENCHMARK(decode)->Unit(benchmark::kMillisecond);

/// Bytes by frame type, length fields included.
std::map<std::string, std::size_t> by_frame(const Buffer& stream) {
  FrameReader reader(kMaxFrameBytes);
  reader.push(stream);
  std::map<std::string, std::size_t> out;
  for (auto frame = reader.next(); frame && *frame; frame = reader.next())
    out[std::holds_alternative<Data>(**frame) ? "DATA" : "SERIES"] += reader.last_size();
  return out;
}

bool report_bytes() {
  Recorded source(read_recording());
  if (source.series_count() == 0) {
    std::printf("tests/data/wire/series.txt is missing or empty.\n");
    return false;
  }
  const auto stream = send_all(source);
  const auto samples = static_cast<double>(source.samples());
  const double figure = static_cast<double>(stream.size()) / samples;
  std::printf("%zu series, %d rounds each %lld s, %zu samples, %zu bytes\n", source.series_count(), kRounds,
              static_cast<long long>(kInterval.count() / 1000), source.samples(), stream.size());
  for (const auto& [name, bytes] : by_frame(stream))
    std::printf("  %-8s %8zu bytes  %6.3f B/sample\n", name.c_str(), bytes, static_cast<double>(bytes) / samples);
  std::printf("%-24s %8s %8s %8s\n", "", "figure", "budget", "ratio");
  std::printf("%-24s %8.3f %8.3f %8.3f  %s\n", "wire, B a sample", figure, kBudget, figure / kBudget,
              figure <= kBudget ? "ok" : "OVER");
  return figure <= kBudget;
}

}  // namespace
}  // namespace ward::wire

int main(int argc, char** argv) {
  benchmark::Initialize(&argc, argv);
  if (benchmark::ReportUnrecognizedArguments(argc, argv)) return 2;
  benchmark::RunSpecifiedBenchmarks();
  benchmark::Shutdown();
  return ward::wire::report_bytes() ? 0 : 1;
}
