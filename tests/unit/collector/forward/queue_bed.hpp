#pragma once
#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "collector/forward/queue.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::collector::test {

inline Labels series_labels(SeriesId id) {
  return Labels{{"__name__", "m" + std::to_string(id)}, {"tenant", "t1"}, {"job", "node"}};
}

/// A queue on a simulated disk, with a journal that is only told of.
class QueueBed {
 public:
  explicit QueueBed(std::vector<ForwardQueue::Target> targets = {{"a"}}) : targets_(std::move(targets)) { open(); }

  void open(std::vector<StreamState> journaled) {
    queue.reset();
    disk.bury();
    ForwardQueue::Options options;
    options.path = "forward.db";
    options.vfs = disk.vfs();
    options.targets = targets_;
    ForwardQueue::Context context{clock,
                                  metrics,
                                  [](SeriesId id) { return series_labels(id); },
                                  [this](SeriesId, const Sample& sample) { return !known.contains(sample.t); },
                                  [this] { ++arrived; },
                                  [this](const Error& error) { told.push_back(error.what); },
                                  [this](const Error&) -> Status {
                                    ++set_aside;
                                    for (const auto* end : {"", "-wal"}) disk.remove(std::string("forward.db") + end);
                                    return {};
                                  }};
    queue = std::make_unique<ForwardQueue>(std::move(options), std::move(context));
    started = queue->start(std::move(journaled));
  }
  /// The journal has all that was offered.
  void open() {
    StreamState state;
    state.row = StreamRow{1};
    state.durable = Sequence{seq_};
    open({state});
  }
  /// kill -9, and the journal has what this number says.
  void crash(std::uint64_t journaled) {
    disk.kill_writers();
    StreamState state;
    state.row = StreamRow{1};
    state.durable = Sequence{journaled};
    open({state});
  }
  void use_targets(std::vector<ForwardQueue::Target> targets) { targets_ = std::move(targets); }

  /// A record of these series, all of one time; its number.
  JournalEntry record(std::vector<SeriesId> ids, double value = 1) {
    ReceivedRecord out;
    out.stream = StreamRow{1};
    out.record.seq = Sequence{++seq_};
    const auto at = from_ms(1'000'000 + static_cast<std::int64_t>(seq_) * 1'000);
    out.record.t_min = out.record.t_max = at;
    for (const auto id : ids) out.record.samples.push_back({id, at, value});
    return out;
  }
  void offer(std::vector<JournalEntry> entries) { queue->offer(entries); }
  void commit(std::vector<JournalEntry> entries) {
    queue->offer(entries);
    queue->confirm(entries);
  }
  [[nodiscard]] std::uint64_t seq() const { return seq_; }

  /// The times, in numbers of records, of what a target gets next; answers it. Damaged rows are 0.
  std::vector<std::uint64_t> take(std::size_t target = 0, std::uint64_t samples = 1'000'000) {
    std::vector<std::uint64_t> out;
    auto block = queue->take(target, samples).value();
    if (!block) return out;
    for (const auto& row : block->rows)
      out.push_back(row.content ? static_cast<std::uint64_t>(to_ms(row.content->front().t) - 1'000'000) / 1'000 : 0);
    if (!queue->done(target, *block)) told.emplace_back("done");
    return out;
  }
  double dropped(const std::string& remote, const std::string& reason) {
    return metrics
        .counter("ward_remote_storage_samples_dropped_total", "Samples not sent to a target of remote write, by reason.",
                 Labels{{"remote", remote}, {"reason", reason}})
        .value();
  }
  sqlite::Database raw() {
    queue.reset();
    sqlite::OpenOptions file;
    file.path = "forward.db";
    file.vfs = disk.vfs();
    return std::move(sqlite::Database::open(file).value());
  }

  sim::Disk disk{"forward-queue", 1};
  ward::test::ManualClock clock;
  telemetry::Registry metrics;
  std::set<Time> known;  ///< times of samples that the collector has
  int arrived = 0, set_aside = 0;
  std::vector<std::string> told;
  Status started;
  std::unique_ptr<ForwardQueue> queue;

 private:
  std::vector<ForwardQueue::Target> targets_;
  std::uint64_t seq_ = 0;
};

}  // namespace ward::collector::test
