#include <gtest/gtest.h>

#include "collector/tsdb/head.hpp"
#include "tests/unit/collector/tsdb/head_chunks.hpp"

namespace ward::collector {
namespace {

using Op = Matcher::Op;

Sample at(std::int64_t ms, double v = 0) { return {from_ms(ms), v}; }

class HeadReader : public testing::Test {
 protected:
  SeriesRef add(const Labels& labels, std::vector<Sample> samples) {
    const auto ref = head.get_or_create(labels);
    for (const auto& s : samples) {
      const RefSample one{ref, s};
      head.append({&one, 1});
    }
    return ref;
  }
  static std::vector<FoundSeries> find(SeriesReader& reader, const std::string& name) {
    const std::vector<Matcher> matchers{*Matcher::make(Op::equal, "__name__", name)};
    return *reader.find(matchers, from_ms(0), from_ms(1'000'000));
  }
  static std::vector<Sample> read(SeriesReader& reader, const FoundSeries& series, std::int64_t from, std::int64_t to) {
    SampleBatch batch;
    EXPECT_TRUE(reader.read({&series, 1}, from_ms(from), from_ms(to), batch));
    return {batch[0].begin(), batch[0].end()};
  }
  static std::string text(const SeriesReader& reader, const FoundSeries& series) {
    std::string out;
    for (const auto id : series.labels())
      out += std::string(reader.text(id).name) + "=" + std::string(reader.text(id).value) + ";";
    return out;
  }
  Head head{{milliseconds{0}}};
};

TEST_F(HeadReader, ReadsManySeriesInTheOrderTheyWereFound) {
  for (int n = 0; n < 100; ++n) add({{"__name__", "m"}, {"n", std::to_string(n)}}, {at(1, n), at(2, n + 0.5)});
  const auto reader = head.reader();
  const auto found = find(*reader, "m");
  ASSERT_EQ(found.size(), 100U);
  SampleBatch batch;
  ASSERT_TRUE(reader->read(found, from_ms(1), from_ms(2), batch));
  ASSERT_EQ(batch.size(), 100U);
  for (std::size_t i = 0; i < found.size(); ++i) {
    const double n = std::stod(std::string(reader->text(found[i].labels()[1]).value));
    EXPECT_EQ((std::vector<Sample>{batch[i].begin(), batch[i].end()}), (std::vector<Sample>{at(1, n), at(2, n + 0.5)}));
  }
}

TEST_F(HeadReader, ReadsAsSelectDoesWhateverOrderSamplesCameIn) {
  std::vector<Sample> samples;
  for (int i = 0; i < 300; ++i) samples.push_back(at(1000 + i * 10, i));
  for (int i = 0; i < 260; ++i) samples.push_back(at(1005 + i * 10, -i));  // two chunks of late ones, and a rest
  add({{"__name__", "m"}}, samples);
  const auto reader = head.reader();
  const auto found = find(*reader, "m");
  const std::vector<Matcher> matchers{*Matcher::make(Op::equal, "__name__", "m")};
  for (const auto& [from, to] : {std::pair{0, 9000}, {1500, 1600}, {3990, 9000}, {3595, 3600}, {0, 1000}, {0, 999}}) {
    const auto selected = *head.select(matchers, from_ms(from), from_ms(to));
    EXPECT_EQ(read(*reader, found[0], from, to), selected.empty() ? std::vector<Sample>{} : selected[0].samples) << from;
  }
}

TEST_F(HeadReader, TakesTheNewestSampleOfTheRange) {
  add({{"__name__", "m"}}, {at(10, 1), at(20, 2), at(30, 3)});
  const auto reader = head.reader();
  const auto found = find(*reader, "m");
  const auto latest = [&](std::int64_t from, std::int64_t to) {
    SampleBatch batch;
    EXPECT_TRUE(reader->read_latest(found, from_ms(from), from_ms(to), batch));
    return batch[0].empty() ? -1 : batch[0].back().v;
  };
  EXPECT_EQ(latest(0, 100), 3);
  EXPECT_EQ(latest(0, 29), 2);
  EXPECT_EQ(latest(31, 100), -1);
  EXPECT_EQ(latest(0, 9), -1);
}

TEST_F(HeadReader, KeepsTheLabelsOfSeriesThatAreDroppedMeanwhile) {
  add({{"__name__", "m"}, {"only", "here"}}, {at(1)});
  {
    const auto reader = head.reader();
    const auto found = find(*reader, "m");
    drop_before(head, from_ms(1000));
    EXPECT_EQ(head.stats().series, 0U);
    EXPECT_TRUE(head.label_names().empty());
    for (int n = 0; n < 50; ++n) add({{"__name__", "other" + std::to_string(n)}, {"more", std::to_string(n)}}, {at(1)});
    EXPECT_EQ(text(*reader, found[0]), "__name__=m;only=here;");
    EXPECT_TRUE(read(*reader, found[0], 0, 10).empty());
    EXPECT_EQ(reader->intern("only", "here"), found[0].labels()[1]) << "a pair keeps its number while a reader knows it";
  }
  drop_before(head, from_ms(1000));
  add({{"__name__", "m"}, {"only", "here"}}, {at(1)});
  EXPECT_EQ(head.label_values("only"), std::vector<std::string>{"here"});
}

TEST_F(HeadReader, NumbersPairsOfItsOwnBesideTheStores) {
  add({{"__name__", "m"}, {"job", "node"}}, {at(1)});
  const auto reader = head.reader();
  const auto found = find(*reader, "m");
  const auto node = reader->intern("job", "node");
  const auto own = reader->intern("job", "made-up");
  const auto other = reader->intern("new", "made-up");
  EXPECT_EQ(node, found[0].labels()[1]);
  EXPECT_EQ(reader->intern("job", "made-up"), own);
  EXPECT_NE(own, node);
  EXPECT_EQ(reader->name_number(own), reader->name_number(node));
  EXPECT_NE(reader->name_number(other), reader->name_number(node));
  EXPECT_EQ(reader->text(other).name, "new");
  EXPECT_EQ(head.label_values("job"), std::vector<std::string>{"node"}) << "the store learns nothing from a query";
}

}  // namespace
}  // namespace ward::collector
