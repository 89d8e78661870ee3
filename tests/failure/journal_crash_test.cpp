// Rows 3, 5 and 7 of the fault table for the collector's journal: a day of commits, ended or disturbed at each of its
// writes, syncs and growths. What was acknowledged is there once and reached the head; the rest is sent again and is there
// once too.
#include <gtest/gtest.h>
#include <map>

#include "collector/ingest/recorder.hpp"
#include "collector/sample_store.hpp"
#include "tests/sim/disk.hpp"
#include "tests/support/replay.hpp"

namespace ward::collector {
namespace {

constexpr std::uint64_t kRecords = 24;

/// A collector's process over a simulated disk, fed by an agent that sends again what is not acknowledged.
class Collector {
 public:
  explicit Collector(std::uint64_t seed)
      : disk("journal-" + std::to_string(seed) + "-" + std::to_string(reinterpret_cast<std::uintptr_t>(this)), seed) {
    key_ = {TenantId{"clinic-a"}, AgentId{"node-1"}, {}};
  }

  bool start() {
    disk.bury();
    SqliteJournal::Options options;
    options.path = "journal.db";
    options.vfs = disk.vfs();
    options.checkpoint_pages = 8;
    auto journal = SqliteJournal::open(options);
    if (!journal) return false;
    const auto identity = (*journal)->identity();
    const auto batch = (*journal)->batch();
    if (!identity || !batch) return false;
    std::vector<Day> known;
    for (const auto day : {Day{0}, Day{1}})
      if (disk.size("days/" + DayFiles::name(day)) > 0) known.push_back(day);
    auto days = std::make_unique<Days>(DayFiles::Options{"days", disk.vfs(), 2}, *identity, *batch, known);
    store = std::make_unique<Store>(config_, metrics_, std::move(*journal), std::move(days));
    // Every second life reads what is filed from disk, the others keep it in memory too.
    const auto damaged = store->replay(++lives_ % 2 == 0 ? from_ms(0) : from_ms(1'764'000'000'000));
    EXPECT_TRUE(!damaged || *damaged == 0);
    recorder = std::make_unique<Recorder>(*store->journal, store->catalogue, store->sink);
    return damaged.has_value();
  }
  void kill() {
    disk.kill_writers();
    recorder.reset();
    store.reset();
  }
  /// How often each value is there: value i belongs to record i.
  std::map<double, int> stored() {
    std::map<double, int> out;
    const auto count = [&out](double v) { ++out[v]; };
    EXPECT_TRUE(store->days->each_chunk_since(Time{}, [&](const SealedChunk& chunk) {
      const auto samples = decode_chunk(chunk.bytes).value();
      for (const auto& sample : samples) count(sample.v);
    }));
    EXPECT_TRUE(
        test::replay(*store->journal, {[](SeriesId, const Labels&) {}}, [&](const std::vector<wire::IdSample>& samples) {
          for (const auto& sample : samples) count(sample.v);
        }));
    return out;
  }
  /// And as queries see them.
  std::map<double, int> seen() {
    std::map<double, int> out;
    const Matcher matchers[] = {*Matcher::make(Matcher::Op::regex, std::string(kNameLabel), "m.+")};
    const auto found = store->history.select(matchers, Time{}, from_ms(2 * kDayMs));
    EXPECT_TRUE(found);
    for (const auto& series : *found)
      for (const auto& sample : series.samples) ++out[sample.v];
    return out;
  }
  /// Sends everything from the mark on, in groups of three; stops when the process is dead or the disk takes nothing.
  void receive() {
    while (store && !disk.crashed()) {
      const std::vector<std::uint64_t> boots{1};
      const auto opened = recorder->open_streams(std::span{&key_, 1}, boots);
      if (!opened) return;
      const auto& state = opened->front();
      EXPECT_GE(state.durable.get(), acked) << "the mark went back behind an acknowledgement";
      if (state.durable.get() == kRecords || !send_group(state)) return;
    }
  }

  sim::Disk disk;
  std::unique_ptr<Store> store;
  std::unique_ptr<Recorder> recorder;
  std::uint64_t acked = 0;

 private:
  bool send_group(const StreamState& state) {
    std::vector<JournalEntry> entries;
    for (auto seq = state.durable.get() + 1; seq <= std::min(kRecords, state.durable.get() + 3); ++seq) {
      if (seq == 7) {
        entries.emplace_back(ReceivedGap{state.row, {Sequence{7}, Sequence{7}, 70, GapReason::spool_full, {}, {}}});
        continue;
      }
      ReceivedRecord received;
      received.stream = state.row;
      received.record.seq = Sequence{seq};
      const auto id = store->catalogue.resolve(key_.tenant, key_.agent, Labels{{"__name__", "m" + std::to_string(seq % 5)}});
      // Two days, so that a batch has two files to write.
      const auto at = from_ms((seq % 2 == 0 ? kDayMs : 0) + static_cast<std::int64_t>(seq));
      received.record.samples.push_back({id, at, static_cast<double>(seq)});
      entries.emplace_back(std::move(received));
    }
    const auto done = recorder->commit(entries);
    if (disk.crashed()) return false;
    if (!done) return done.error().code != Errc::full;  // the agent greets again
    for (const auto& committed : *done) acked = std::max(acked, committed.durable.get());
    if (acked == 12 || acked == 21) (void)store->store_chunks();
    if (acked == 15) forget_stream();
    return true;
  }
  // The agent was away for so long that it is forgotten; when it greets again it goes on where it ended.
  void forget_stream() {
    const auto now = from_ms(1'764'000'000'000);
    const std::chrono::hours day{24};
    const auto seen = store->journal->forget_streams({now, 7 * day, {}});
    const auto forgotten = store->journal->forget_streams({now + 8 * day, 7 * day, {}});
    if (seen && forgotten) {
      EXPECT_TRUE(store->journal->streams().value().empty());
    }
  }
  StreamKey key_;
  CollectorConfig config_;
  telemetry::Registry metrics_;
  int lives_ = 0;
};

void check_complete(Collector& collector, const std::string& where) {
  SCOPED_TRACE(where);
  const auto streams = collector.store->journal->streams().value();
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].durable.get(), kRecords);
  EXPECT_EQ(streams[0].stored, kRecords - 1);
  EXPECT_EQ(streams[0].lost, 70U);
  auto stored = collector.stored();
  auto seen = collector.seen();
  for (std::uint64_t seq = 1; seq <= kRecords; ++seq) {
    EXPECT_EQ(stored[static_cast<double>(seq)], seq == 7 ? 0 : 1) << "record " << seq;
    EXPECT_EQ(seen[static_cast<double>(seq)], seq == 7 ? 0 : 1) << "record " << seq;
  }
}

/// What was acknowledged before must be in what the new process read.
void check_acknowledged(Collector& collector, const std::string& where) {
  SCOPED_TRACE(where);
  auto stored = collector.stored();
  auto seen = collector.seen();
  for (std::uint64_t seq = 1; seq <= collector.acked; ++seq) {
    if (seq == 7) continue;
    EXPECT_EQ(stored[static_cast<double>(seq)], 1) << "record " << seq;
    EXPECT_EQ(seen[static_cast<double>(seq)], 1) << "record " << seq;
  }
}

enum class End { kill, power_loss };

class JournalFault : public testing::TestWithParam<End> {
 protected:
  static void end_of_life(Collector& collector) {
    collector.kill();
    if (GetParam() == End::power_loss) collector.disk.power_loss();
  }
  static void finish(Collector& collector, const std::string& where) {
    end_of_life(collector);
    ASSERT_TRUE(collector.start()) << where;
    check_acknowledged(collector, where);
    collector.receive();
    check_complete(collector, where);
    end_of_life(collector);
    ASSERT_TRUE(collector.start()) << where;
    check_complete(collector, where + ", read again");
  }
};

TEST_P(JournalFault, EndedAtEachWriteAndSync) {
  std::uint64_t n = 1;
  for (bool crashed = true; crashed; ++n) {
    Collector collector(n);
    collector.disk.crash_after(n);
    if (collector.start()) collector.receive();
    crashed = collector.disk.crashed();
    finish(collector, "at operation " + std::to_string(n));
  }
  EXPECT_GT(n, 60U);
}

TEST_P(JournalFault, EndedAgainAtEachWriteOfTheRecovery) {
  for (std::uint64_t n = 5; n < 90; n += 9) {
    std::uint64_t m = 1;
    for (bool crashed = true; crashed; ++m) {
      Collector collector(n);
      collector.disk.crash_after(n);
      if (collector.start()) collector.receive();
      end_of_life(collector);
      collector.disk.crash_after(m);
      (void)collector.start();
      crashed = collector.disk.crashed();
      finish(collector, "at " + std::to_string(n) + ", then at " + std::to_string(m));
    }
  }
}

TEST_P(JournalFault, ASyncFailsAtEachPlace) {
  std::uint64_t n = 1;
  for (bool failed = true; failed; ++n) {
    Collector collector(n);
    collector.disk.fail_sync_after(n);
    if (collector.start()) collector.receive();
    failed = collector.disk.sync_failed();
    collector.disk.fail_sync_after(0);
    finish(collector, "sync " + std::to_string(n));
  }
  EXPECT_GT(n, 8U);
}

TEST_P(JournalFault, TheDiskFillsUpAtEachPlaceAndHasRoomAgain) {
  std::uint64_t n = 1;
  for (bool full = true; full; ++n) {
    Collector collector(n);
    collector.disk.fill_after(n);
    if (collector.start()) collector.receive();
    full = collector.disk.full();
    const auto before = collector.acked;
    if (collector.store) {
      collector.receive();  // tried again while it is full: nothing is acknowledged that is not stored
      collector.disk.set_full(false);
      EXPECT_TRUE(collector.recorder->probe());
      check_acknowledged(collector, "growth " + std::to_string(n));
      collector.receive();
      check_complete(collector, "growth " + std::to_string(n));
    }
    EXPECT_GE(collector.acked, before);
    collector.disk.set_full(false);
    finish(collector, "growth " + std::to_string(n));
  }
  EXPECT_GT(n, 15U);
}

INSTANTIATE_TEST_SUITE_P(All, JournalFault, testing::Values(End::kill, End::power_loss),
                         [](const auto& end) { return end.param == End::kill ? "Kill" : "PowerLoss"; });

}  // namespace
}  // namespace ward::collector
