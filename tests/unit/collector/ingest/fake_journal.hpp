#pragma once
#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "collector/ingest/recorder.hpp"

namespace ward::collector {

/// What was asked, in order. Thread: any, so that a test may look while a job runs.
class Calls {
 public:
  void add(std::string call) {
    const std::scoped_lock lock(mutex_);
    calls_.push_back(std::move(call));
  }
  [[nodiscard]] std::vector<std::string> all() const {
    const std::scoped_lock lock(mutex_);
    return calls_;
  }
  [[nodiscard]] std::size_t size() const { return all().size(); }
  [[nodiscard]] std::string last() const { return size() == 0 ? "" : all().back(); }

 private:
  mutable std::mutex mutex_;
  std::vector<std::string> calls_;
};

/// A journal in memory that fails when it is told to. `happened` decides whether a failed commit is there all the same.
class FakeJournal final : public Journal {
 public:
  enum class Fault { none, full, broken_before, broken_after };
  std::atomic<Fault> fault = Fault::none;
  std::map<StreamRow, StreamState> held;
  Calls calls;  ///< "series 2", "commit 3", "reopen", "probe", in order
  std::map<StreamRow, std::vector<std::uint64_t>> stored;

  Result<std::vector<StreamState>> open_streams(std::span<const StreamKey> keys, std::span<const std::uint64_t>) override {
    std::vector<StreamState> out;
    for (const auto& key : keys) {
      auto at = std::find_if(held.begin(), held.end(), [&](const auto& s) { return s.second.key == key; });
      if (at == held.end()) {
        StreamState state;
        state.row = StreamRow{static_cast<std::int64_t>(held.size()) + 1};
        state.key = key;
        at = held.emplace(state.row, state).first;
      }
      out.push_back(at->second);
    }
    return out;
  }
  Status commit(std::span<const NewSeries> series, std::span<const JournalEntry> entries) override {
    if (!series.empty()) calls.add("series " + std::to_string(series.size()));
    calls.add("commit " + std::to_string(entries.size()));
    if (fault == Fault::full) return fail(Errc::full, "no space left on device", "Free space.");
    if (fault != Fault::broken_before)
      for (const auto& entry : entries) take(entry);
    if (fault != Fault::none) return fail(Errc::unavailable, "disk I/O error", "Check the disk.");
    return {};
  }
  Status reopen() override {
    calls.add("reopen");
    fault = Fault::none;
    return {};
  }
  Status probe() override {
    calls.add("probe");
    if (fault == Fault::full) return fail(Errc::full, "no space left on device", "Free space.");
    return {};
  }
  Result<ReplayedSeries> replay_series(const KnownSeries&) override { return ReplayedSeries{}; }
  Result<ReplayedRecords> replay_records(Position, std::size_t,
                                         const std::function<void(std::vector<wire::IdSample>)>&) override {
    return ReplayedRecords{.end = true};
  }
  Result<std::int64_t> identity() override { return 1; }
  Result<std::int64_t> batch() override { return 0; }
  Status settle_chunks(const ChunkBatch&) override { return {}; }
  /// Makes room: what is old takes all of it.
  Status drop_before(Time) override {
    calls.add("drop_before");
    if (fault == Fault::full) fault = Fault::none;
    return {};
  }
  Status drop_series(std::span<const SeriesId>) override { return {}; }
  /// Forgets everything that is not in use.
  Status forget_streams(const Silence& silence) override {
    if (fault == Fault::broken_before) return fail(Errc::unavailable, "disk I/O error", "Check the disk.");
    std::erase_if(held, [&](const auto& s) {
      return std::find(silence.in_use.begin(), silence.in_use.end(), s.first) == silence.in_use.end();
    });
    return {};
  }
  Result<std::vector<StreamState>> streams() override {
    std::vector<StreamState> out;
    for (const auto& [row, state] : held) out.push_back(state);
    return out;
  }
  Result<bool> contradicts(StreamRow, Sequence, std::uint32_t digest) override { return digest == 666; }
  [[nodiscard]] std::uint64_t rows_since_chunks() const override { return 0; }

 private:
  void take(const JournalEntry& entry) {
    if (const auto* record = std::get_if<ReceivedRecord>(&entry)) {
      stored[record->stream].push_back(record->record.seq.get());
      held[record->stream].row = record->stream;
      held[record->stream].durable = record->record.seq;
    } else {
      const auto& gap = std::get<ReceivedGap>(entry);
      held[gap.stream].row = gap.stream;
      held[gap.stream].durable = gap.gap.to;
    }
  }
};

class FakeSink final : public SampleSink {
 public:
  std::vector<std::string> got;  ///< "define 0", "sample 0 1.5"
  void define(SeriesId id, const Labels&) override { got.push_back("define " + std::to_string(id)); }
  void append(std::span<const wire::IdSample> samples) override {
    for (const auto& s : samples) got.push_back("sample " + std::to_string(s.id));
  }
};

inline JournalEntry received(std::int64_t row, std::uint64_t seq, std::vector<std::uint32_t> ids = {}) {
  ReceivedRecord out;
  out.stream = StreamRow{row};
  out.record.seq = Sequence{seq};
  for (const auto id : ids) out.record.samples.push_back({id, from_ms(1), 1.0});
  return out;
}
inline JournalEntry received_gap(std::int64_t row, std::uint64_t from, std::uint64_t to) {
  return ReceivedGap{StreamRow{row}, Gap{Sequence{from}, Sequence{to}, 5, GapReason::spool_full, {}, {}}};
}

}  // namespace ward::collector
