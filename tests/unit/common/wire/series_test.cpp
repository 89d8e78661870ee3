#include "common/wire/series.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <random>
#include <string>

#include "common/wire/record.hpp"

namespace ward::wire {
namespace {

Buffer coded(const std::vector<SeriesEntry>& entries) {
  Buffer out;
  ByteWriter writer(out);
  write_series(writer, entries);
  return out;
}

bool reads_back(const std::vector<SeriesEntry>& entries) {
  const auto bytes = coded(entries);
  ByteReader in(bytes);
  return read_series(in) == entries && in.ok() && in.at_end();
}

bool is_refused(const Buffer& bytes) {
  ByteReader in(bytes);
  (void)read_series(in);
  return !in.ok();
}

/// The series of a real agent with the probes node, postgres and redis, in the order in which it names them.
std::vector<SeriesEntry> recorded() {
  std::ifstream in(std::string(WARD_SOURCE_DIR) + "/tests/data/wire/series.txt");
  std::vector<SeriesEntry> out;
  for (std::string line; std::getline(in, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto brace = line.find('{');
    Labels labels{{std::string(kNameLabel), line.substr(0, std::min(brace, line.find(' ')))}};
    for (auto at = brace + 1; brace != std::string::npos && line[at] != '}';) {
      const auto equals = line.find("=\"", at);
      const auto end = line.find('"', equals + 2);
      labels.set(line.substr(at, equals - at), line.substr(equals + 2, end - equals - 2));
      at = line.compare(end + 1, 2, ", ") == 0 ? end + 3 : end + 1;
    }
    out.push_back({static_cast<std::uint32_t>(out.size()), std::move(labels)});
  }
  return out;
}

TEST(SeriesList, ReadsBackWhatARealAgentNames) {
  const auto entries = recorded();
  ASSERT_GT(entries.size(), 600U);
  EXPECT_TRUE(reads_back(entries));
}

TEST(SeriesList, CostsLessThanAFifthOfTheLabelsSpelledOut) {
  const auto entries = recorded();
  Buffer plain;
  ByteWriter writer(plain);
  for (const auto& entry : entries) write_labels(writer, entry.labels);
  EXPECT_LT(coded(entries).size() * 5, plain.size());
  EXPECT_LT(coded(entries).size(), entries.size() * 17) << "34 kB for 2,000 series";
}

TEST(SeriesList, ReadsBackAnyLabelsAndIdsInAnyOrder) {
  std::mt19937_64 random(20'261'123);
  const auto any = [&](std::size_t limit) {
    static constexpr char kLetters[] = "ab_\xc3";
    std::string out;
    for (auto n = 1 + random() % limit; n > 0; --n) out += kLetters[random() % 4];
    return out;
  };
  for (int round = 0; round < 200; ++round) {
    std::vector<SeriesEntry> entries;
    for (auto n = random() % 20; n > 0; --n) {
      Labels labels;
      for (auto count = random() % (kMaxLabels + 1); count > 0; --count) labels.set(any(3), any(4));
      entries.push_back({static_cast<std::uint32_t>(random()), std::move(labels)});
    }
    ASSERT_TRUE(reads_back(entries)) << "round " << round;
  }
}

TEST(SeriesList, ASeriesLikeTheOneBeforeCostsTwoBytes) {
  const Labels labels{{"__name__", "up"}, {"job", "pg"}};
  const auto once = coded({{0, labels}}).size();
  EXPECT_EQ(coded({{0, labels}, {1, labels}}).size(), once + 2);
}

TEST(SeriesList, TextsEndAtTheirLimits) {
  const auto name = [](std::size_t size) { return coded({{0, Labels{{std::string(size, 'n'), "v"}}}}); };
  const auto value = [](std::size_t size) { return coded({{0, Labels{{"n", std::string(size, 'v')}}}}); };
  EXPECT_FALSE(is_refused(name(kMaxLabelName)));
  EXPECT_TRUE(is_refused(name(kMaxLabelName + 1)));
  EXPECT_FALSE(is_refused(value(kMaxLabelValue)));
  EXPECT_TRUE(is_refused(value(kMaxLabelValue + 1)));
  // A value may not grow past the limit out of a shared beginning either.
  const auto grown = coded({{0, Labels{{"n", std::string(200, 'v')}}}, {1, Labels{{"n", std::string(300, 'v')}}}});
  EXPECT_LT(grown.size(), 330U) << "the second is a hundred bytes more";
  EXPECT_TRUE(is_refused(grown));
}

TEST(SeriesList, AFewBytesMayNotSpellOutMoreThanAFrameMayHold) {
  Labels wide;
  for (int i = 0; i < 32; ++i) wide.set("n" + std::to_string(10 + i), std::string(kMaxLabelValue, 'v'));
  const auto fits = kMaxSeriesText / text_size(wide);
  const auto copies = [&](std::size_t count) {
    std::vector<SeriesEntry> out;
    for (std::uint32_t i = 0; i < count; ++i) out.push_back({i, wide});
    return coded(out);
  };
  EXPECT_FALSE(is_refused(copies(fits)));
  EXPECT_LT(copies(fits + 1).size(), 1'000U);
  EXPECT_TRUE(is_refused(copies(fits + 1)));
}

}  // namespace
}  // namespace ward::wire
