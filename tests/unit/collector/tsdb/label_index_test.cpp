#include "collector/tsdb/label_index.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ward::collector {
namespace {

using Op = Matcher::Op;
using testing::ElementsAre;
using testing::IsEmpty;

Matcher matcher(Op op, std::string name, std::string value) { return *Matcher::make(op, std::move(name), std::move(value)); }

class LabelIndexTest : public testing::Test {
 protected:
  LabelIndexTest() {
    index.add(SeriesRef{1}, {{"__name__", "up"}, {"job", "node"}, {"instance", "a"}});
    index.add(SeriesRef{2}, {{"__name__", "up"}, {"job", "node"}, {"instance", "b"}});
    index.add(SeriesRef{3}, {{"__name__", "up"}, {"job", "pg"}});
    index.add(SeriesRef{5}, {{"__name__", "down"}, {"job", "pg"}, {"instance", "a"}});
  }
  std::vector<std::uint32_t> match(std::vector<Matcher> matchers) const {
    std::vector<std::uint32_t> out;
    for (const auto ref : index.match(matchers)) out.push_back(ref.get());
    return out;
  }
  LabelIndex index;
};

TEST_F(LabelIndexTest, FindsSeriesByMatchers) {
  const auto up = matcher(Op::equal, "__name__", "up");
  EXPECT_THAT(match({up}), ElementsAre(1, 2, 3));
  EXPECT_THAT(match({up, matcher(Op::equal, "job", "node")}), ElementsAre(1, 2));
  EXPECT_THAT(match({up, matcher(Op::not_equal, "job", "node")}), ElementsAre(3));
  EXPECT_THAT(match({up, matcher(Op::equal, "instance", "")}), ElementsAre(3));
  EXPECT_THAT(match({up, matcher(Op::not_equal, "instance", "")}), ElementsAre(1, 2));
  EXPECT_THAT(match({up, matcher(Op::not_equal, "instance", "a")}), ElementsAre(2, 3));
  EXPECT_THAT(match({matcher(Op::regex, "__name__", "up|down"), matcher(Op::equal, "job", "pg")}), ElementsAre(3, 5));
  EXPECT_THAT(match({matcher(Op::regex, "__name__", "(up|d.*)")}), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(match({matcher(Op::regex, "instance", "a|b")}), ElementsAre(1, 2, 5));
  EXPECT_THAT(match({matcher(Op::regex, "instance", "a|")}), ElementsAre(1, 3, 5));
  EXPECT_THAT(match({matcher(Op::not_regex, "instance", "a|b")}), ElementsAre(3));
  EXPECT_THAT(match({matcher(Op::not_regex, "instance", ".*")}), IsEmpty());
  EXPECT_THAT(match({matcher(Op::equal, "nowhere", "")}), ElementsAre(1, 2, 3, 5));
  EXPECT_THAT(match({matcher(Op::equal, "nowhere", "x")}), IsEmpty());
  EXPECT_THAT(match({}), ElementsAre(1, 2, 3, 5));
}

TEST_F(LabelIndexTest, SortsAsLabelSetsSort) {
  index.add(SeriesRef{6}, {{"__name__", "up"}});
  index.add(SeriesRef{7}, {{"a", "z"}, {"job", "pg"}});
  index.add(SeriesRef{8}, Labels{});
  auto refs = index.match({});
  index.sort_by_labels(refs);
  ASSERT_EQ(refs.size(), 7U);
  for (std::size_t i = 1; i < refs.size(); ++i) EXPECT_LT(index.labels(refs[i - 1]), index.labels(refs[i]));
}

TEST_F(LabelIndexTest, GivesBackTheLabels) {
  EXPECT_EQ(index.labels(SeriesRef{3}), (Labels{{"__name__", "up"}, {"job", "pg"}}));
  EXPECT_EQ(index.labels(SeriesRef{4}), Labels{});
  EXPECT_EQ(index.find({{"__name__", "up"}, {"job", "pg"}}), SeriesRef{3});
  EXPECT_EQ(index.find({{"__name__", "up"}}), std::nullopt);
}

TEST_F(LabelIndexTest, ForgetsRemovedSeriesAndTheirValues) {
  index.remove(std::vector{SeriesRef{5}, SeriesRef{2}});
  EXPECT_THAT(match({}), ElementsAre(1, 3));
  EXPECT_THAT(index.values("__name__"), ElementsAre("up"));
  EXPECT_THAT(index.values("instance"), ElementsAre("a"));
  index.add(SeriesRef{9}, {{"__name__", "new"}, {"job", "pg"}});
  EXPECT_THAT(match({matcher(Op::equal, "job", "pg")}), ElementsAre(3, 9));
  EXPECT_THAT(index.names(), ElementsAre("__name__", "instance", "job"));
  EXPECT_EQ(index.size(), 3U);
}

TEST_F(LabelIndexTest, KeepsPostingsSortedWhenRefsComeInAnyOrder) {
  index.add(SeriesRef{4}, {{"__name__", "up"}, {"job", "x"}});
  EXPECT_THAT(match({matcher(Op::equal, "__name__", "up")}), ElementsAre(1, 2, 3, 4));
}

}  // namespace
}  // namespace ward::collector
