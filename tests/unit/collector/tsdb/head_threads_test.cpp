#include <atomic>
#include <gtest/gtest.h>
#include <limits>
#include <thread>

#include "collector/tsdb/head.hpp"
#include "tests/unit/collector/tsdb/head_chunks.hpp"

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
        for (const auto& c : file_chunks(head)) handed_out += c.count;
        drop_before(head, from_ms(-1));
      }
    }};
    even.join();
    odd.join();
    done = true;
  }
  for (const auto& c : file_chunks(head)) handed_out += c.count;
  EXPECT_EQ(broken, 0);
  EXPECT_EQ(head.stats().samples, std::size_t{kSeries} * kRounds);
  EXPECT_EQ(handed_out, std::size_t{kSeries} * kRounds);
}

// Series come and go while queries hold their labels: what a reader found keeps its text, and the numbers of pairs that went
// are used again only when no reader is left.
TEST(Head, ServesQueriesWhileSeriesComeAndGo) {
  Head head{{milliseconds{0}}};
  std::atomic<bool> done{false};
  std::atomic<int> broken{0};
  const std::vector<Matcher> all{*Matcher::make(Matcher::Op::regex, "__name__", "m.*")};
  const auto query = [&] {
    while (!done) {
      const auto reader = head.reader();
      const auto found = *reader->find(all, from_ms(0), from_ms(1'000'000));
      reader->intern("made", "up");
      SampleBatch batch;
      if (!reader->read(found, from_ms(0), from_ms(1'000'000), batch) || batch.size() != found.size()) ++broken;
      for (std::size_t i = 0; i < found.size(); ++i) {
        const auto name = reader->text(found[i].labels()[0]).value;
        const auto round = reader->text(found[i].labels()[1]).value;
        if (found[i].labels().size() != 2 || name != "m" + std::string(round)) ++broken;
        for (const auto& s : batch[i])
          if (std::to_string(static_cast<int>(s.v)) != round) ++broken;
      }
    }
  };
  {
    std::jthread one{query};
    std::jthread two{query};
    for (int round = 0; round < kRounds; ++round) {
      const auto text = std::to_string(round);
      const RefSample sample{head.get_or_create({{"__name__", "m" + text}, {"round", text}}),
                             {from_ms(round), static_cast<double>(round)}};
      head.append({&sample, 1});
      if (round % 5 == 4) drop_before(head, from_ms(round));
    }
    done = true;
  }
  EXPECT_EQ(broken, 0);
  drop_before(head, from_ms(kRounds));
  drop_before(head, from_ms(kRounds));
  EXPECT_TRUE(head.label_names().empty());
}

}  // namespace
}  // namespace ward::collector
