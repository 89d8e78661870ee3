#include <algorithm>
#include <gmock/gmock.h>

#include "tests/support/manual_clock.hpp"
#include "tests/unit/common/wire/session_fakes.hpp"

namespace ward::wire {
namespace {

constexpr std::uint64_t kRecords = 400;

/// A stream of records with values that use every form of the codec, and a gap here and there.
FakeSource long_source() {
  test::SeededRandom random{7};
  FakeSource source;
  std::vector<RecordSource::Item> items;
  for (std::uint64_t seq = 1; seq <= kRecords; ++seq) {
    if (seq % 50 == 0) {
      items.emplace_back(gap_over(seq, seq + 2, 3));
      seq += 2;
      continue;
    }
    if (seq % 17 == 0) {
      items.emplace_back(events(seq, {{kBase, "oom", Labels{{"n", std::to_string(seq)}}}}));
      continue;
    }
    Record record;
    record.seq = Sequence{seq};
    record.t_min = record.t_max = kBase + milliseconds{10'000 * static_cast<std::int64_t>(seq)};
    for (std::uint32_t id = 0; id < 20 + seq / 10; ++id)
      record.samples.push_back({id, record.t_min, random.below(3) == 0 ? random.unit() : static_cast<double>(seq * id)});
    record.digest = digest(record.samples);
    items.emplace_back(std::move(record));
  }
  source.add(stream("a", 1, kRecords + 1), std::move(items));
  return source;
}

/// What a collector holds over its connections: the last durable sequence and everything it took.
struct Held {
  std::uint64_t durable = 0;
  std::vector<std::uint64_t> records;
  std::uint64_t gaps = 0;
  std::vector<Labels> known;
};

/// Runs one connection that breaks after `cut` bytes from the agent; what was taken is committed at random moments.
void run_session(FakeSource& source, Held& held, std::size_t cut, test::SeededRandom& random) {
  FakePort port;
  port.known = held.known;
  AgentSession agent({}, source, kStart);
  CollectorSession collector({}, port, kStart);
  std::uint64_t received = held.durable;
  std::size_t carried = 0;
  const auto commit = [&] {
    for (const auto& taken : port.records) {
      held.records.push_back(taken.record.seq.get());
      for (const auto& sample : taken.record.samples) ASSERT_LT(sample.id - 100, port.known.size());
      received = taken.record.seq.get();
    }
    for (const auto& [at, gap] : port.gaps) received = std::max(received, gap.to.get());
    held.gaps += port.gaps.size();
    port.records.clear();
    port.gaps.clear();
    held.durable = received;
    held.known = port.known;
    if (collector.open()) collector.committed(0, Sequence{received});
  };
  while (carried < cut) {
    auto up = agent.take_output();
    up.resize(std::min(up.size(), cut - carried));
    carried += up.size();
    for (std::size_t at = 0; at < up.size();) {
      const auto piece = std::min<std::size_t>(up.size() - at, 1 + random.below(5'000));
      const auto heard = collector.on_bytes(ByteView{up}.subspan(at, piece), kStart, kBase);
      ASSERT_TRUE(heard) << heard.error().what;
      at += piece;
    }
    if (!collector.open() && port.greeted) collector.welcome({{Sequence{held.durable}, 0}}, 3'000, kBase);
    if (random.below(3) == 0 || up.empty()) {
      ASSERT_NO_FATAL_FAILURE(commit());
    }
    const auto down = collector.take_output();
    if (up.empty() && down.empty()) return;
    const auto heard = agent.on_bytes(down, kStart, kBase);
    ASSERT_TRUE(heard) << heard.error().what;
    if (up.empty() && received >= kRecords) return;
  }
}

TEST(Sessions, EveryRecordArrivesOnceOverManyBrokenConnections) {
  for (const std::uint64_t seed : {1U, 2U, 3U, 4U, 5U}) {
    test::SeededRandom random{seed};
    auto source = long_source();
    Held held;
    for (int connection = 0; connection < 1'000 && held.durable < kRecords; ++connection)
      ASSERT_NO_FATAL_FAILURE(run_session(source, held, 2'000 + random.below(30'000), random)) << "seed " << seed;
    std::vector<std::uint64_t> expected;
    std::uint64_t gaps = 0;
    for (const auto& [seq, item] : source.held[0]) {
      if (std::holds_alternative<Record>(item))
        expected.push_back(seq);
      else
        ++gaps;
    }
    EXPECT_EQ(held.records, expected) << "seed " << seed;
    EXPECT_EQ(held.gaps, gaps) << "seed " << seed;
  }
}

}  // namespace
}  // namespace ward::wire
