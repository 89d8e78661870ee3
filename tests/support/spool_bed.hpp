#pragma once
#include <algorithm>
#include <memory>
#include <stdexcept>
#include <string>
#include <variant>
#include <vector>

#include "agent/spool/spool.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::test {

inline constexpr Time kSpoolEpoch = from_ms(1'764'000'000'000);

/// `samples` values of the series m{i="0"}, m{i="1"}, ...
inline Batch batch_of(std::size_t samples, DataClass data_class = DataClass::raw, int second = 0,
                      const std::string& tenant = "clinic-a") {
  Batch batch;
  batch.tenant = TenantId{tenant};
  batch.data_class = data_class;
  batch.time = kSpoolEpoch + std::chrono::seconds{second};
  for (std::size_t i = 0; i < samples; ++i)
    batch.values.push_back({Labels{{"__name__", "m"}, {"i", std::to_string(i)}}, static_cast<double>(i) + second});
  return batch;
}

/// An agent's spool on a simulated disk, with the ways in which its process and its machine may end.
class SpoolBed {
 public:
  explicit SpoolBed(std::vector<std::string> collectors = {"c1"}, std::uint64_t seed = 1)
      : disk("bed-" + std::to_string(seed) + "-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)), seed),
        random(seed) {
    options.path = "spool.db";
    options.vfs = disk.vfs();
    options.collectors = std::move(collectors);
    options.tenants = {TenantId{"clinic-a"}};
  }

  agent::Spool& start() {
    disk.bury();
    auto opened = agent::Spool::open(options, random);
    if (!opened) throw std::runtime_error(opened.error().what);
    spool = std::move(*opened);
    return *spool;
  }
  void kill() {
    disk.kill_writers();
    spool.reset();
  }
  agent::Spool& restart() {
    kill();
    return start();
  }
  void lose_power() {
    kill();
    disk.power_loss();
  }

  /// The stream as a collector's HELLO names it; the live one, or the only other one.
  wire::HelloStream stream(bool live = true, const std::string& collector = "c1") {
    for (const auto& s : spool->source(collector).streams())
      if (s.live == live) return s;
    throw std::runtime_error("no such stream");
  }
  bool has_old_stream(const std::string& collector = "c1") {
    const auto streams = spool->source(collector).streams();
    return std::any_of(streams.begin(), streams.end(), [](const auto& s) { return !s.live; });
  }
  /// What a collector that holds everything below `from` would be sent.
  std::vector<wire::RecordSource::Item> items(const wire::HelloStream& stream, std::uint64_t from = 1,
                                              const std::string& collector = "c1") {
    std::vector<wire::RecordSource::Item> out;
    auto at = std::max(Sequence{from}, stream.base);
    while (true) {
      auto item = spool->source(collector).read(stream, at);
      if (!item) throw std::runtime_error(item.error().what);
      if (!*item) return out;
      const auto* gap = std::get_if<Gap>(&**item);
      at = next(gap != nullptr ? gap->to : std::get<wire::Record>(**item).seq);
      out.push_back(std::move(**item));
    }
  }
  void acknowledge(const wire::HelloStream& stream, std::uint64_t through, const std::string& collector = "c1") {
    if (auto done = spool->source(collector).on_durable(stream, Sequence{through}); !done)
      throw std::runtime_error(done.error().what);
  }

  sim::Disk disk;
  SeededRandom random;
  agent::SpoolOptions options;
  std::unique_ptr<agent::Spool> spool;
};

/// Records and gaps as short words: "1:5" is record 1 with 5 samples, "2-4:30 spool_full" a gap.
inline std::string words(const std::vector<wire::RecordSource::Item>& items) {
  std::string out;
  for (const auto& item : items) {
    if (!out.empty()) out += ", ";
    if (const auto* gap = std::get_if<Gap>(&item))
      out += std::to_string(gap->from.get()) + "-" + std::to_string(gap->to.get()) + ":" + std::to_string(gap->samples) +
             " " + std::string(to_string(gap->reason));
    else
      out += std::to_string(std::get<wire::Record>(item).seq.get()) + ":" +
             std::to_string(std::get<wire::Record>(item).samples.size());
  }
  return out;
}

/// Samples accounted for by what a collector would be sent, base included; equals `sampled` of the stream at any time.
inline std::uint64_t accounted(const wire::HelloStream& stream, const std::vector<wire::RecordSource::Item>& items) {
  auto sum = stream.sampled_before_base;
  for (const auto& item : items) {
    const auto* gap = std::get_if<Gap>(&item);
    sum += gap != nullptr ? gap->samples : std::get<wire::Record>(item).samples.size();
  }
  return sum;
}

}  // namespace ward::test
