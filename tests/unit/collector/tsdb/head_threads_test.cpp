#include <atomic>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

#include "collector/tsdb/head.hpp"

namespace ward::collector {
namespace {

constexpr int kSeries = 64;
constexpr int kRounds = 400;

Labels labels_of(int i) { return {{"__name__", "m"}, {"i", std::to_string(i)}, {"tenant", "clinic-a"}}; }

void write(Head& head, int first, int from_round, int to_round) {
  for (int round = from_round; round < to_round; ++round) {
    std::vector<RefSample> batch;
    for (int i = first; i < kSeries; i += 2)
      batch.push_back({head.get_or_create(labels_of(i)), {from_ms(round * 1000), static_cast<double>(round)}});
    head.append(batch);
  }
}

// Meant for the thread sanitizer; the checks hold without it too.
TEST(Head, ServesReadersWhileWritersAppendAndChunksAreHandedOut) {
  Head head;
  std::atomic<bool> done{false};
  std::atomic<int> broken{0};
  const std::vector<Matcher> all{*Matcher::make(Matcher::Op::equal, "__name__", "m")};
  std::size_t handed_out = 0;
  // Every series has a sample before the retention thread looks for empty ones.
  for (const int first : {0, 1}) write(head, first, 0, 1);
  {
    std::jthread even{[&head] { write(head, 0, 1, kRounds); }};
    std::jthread odd{[&head] { write(head, 1, 1, kRounds); }};
    std::jthread reader{[&] {
      while (!done) {
        const auto found = head.select(all, from_ms(0), from_ms(kRounds * 1000));
        for (const auto& series : *found)
          for (std::size_t i = 0; i < series.samples.size(); ++i)
            if (series.samples[i] != Sample{from_ms(static_cast<std::int64_t>(i) * 1000), static_cast<double>(i)}) ++broken;
        if (!head.last_sample(SeriesRef{1}) || head.stats().series != kSeries) ++broken;
      }
    }};
    std::jthread sealer{[&] {
      while (!done) {
        for (const auto& c : head.seal_unpersisted()) handed_out += c.count;
        head.drop_before(from_ms(-1));
      }
    }};
    even.join();
    odd.join();
    done = true;
  }
  for (const auto& c : head.seal_unpersisted()) handed_out += c.count;
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(head.stats().samples, std::size_t{kSeries} * kRounds);
  EXPECT_EQ(handed_out, std::size_t{kSeries} * kRounds);
}

}  // namespace
}  // namespace ward::collector
