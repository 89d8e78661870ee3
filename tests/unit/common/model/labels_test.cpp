#include "common/model/labels.hpp"

#include <gmock/gmock.h>
#include <set>

namespace ward {
namespace {

using testing::ElementsAre;
using testing::Pair;

std::vector<Label> pairs(const Labels& labels) { return {labels.begin(), labels.end()}; }

TEST(Labels, AreSortedByNameHoweverTheyAreGiven) {
  const Labels labels{{"job", "pg"}, {"__name__", "up"}, {"instance", "a"}};
  EXPECT_THAT(pairs(labels), ElementsAre(Pair("__name__", "up"), Pair("instance", "a"), Pair("job", "pg")));
  EXPECT_EQ(labels, (Labels{{"instance", "a"}, {"job", "pg"}, {"__name__", "up"}}));
  EXPECT_EQ(labels.hash(), (Labels{{"instance", "a"}, {"job", "pg"}, {"__name__", "up"}}).hash());
}

TEST(Labels, OfANameGivenTwiceTheLastWins) {
  EXPECT_THAT(pairs(Labels{{"a", "1"}, {"b", "2"}, {"a", "3"}, {"a", "4"}}), ElementsAre(Pair("a", "4"), Pair("b", "2")));
  EXPECT_TRUE((Labels{{"a", "1"}, {"a", ""}}).empty()) << "the last value says that it is absent";
  EXPECT_THAT(pairs(Labels{{"a", ""}, {"a", "1"}}), ElementsAre(Pair("a", "1")));
}

TEST(Labels, AnEmptyValueIsAbsence) {
  Labels labels{{"a", "1"}, {"b", ""}};
  EXPECT_EQ(labels.size(), 1U);
  EXPECT_FALSE(labels.has("b"));
  EXPECT_EQ(labels.get("b"), "");
  labels.set("a", "");
  EXPECT_TRUE(labels.empty());
}

TEST(Labels, SettingKeepsTheOrder) {
  Labels labels;
  for (const char* name : {"m", "z", "a", "m", "k"}) labels.set(name, std::string("of ") + name);
  EXPECT_THAT(pairs(labels), ElementsAre(Pair("a", "of a"), Pair("k", "of k"), Pair("m", "of m"), Pair("z", "of z")));
  labels.erase("m");
  labels.erase("nope");
  EXPECT_EQ(labels.size(), 3U);
  EXPECT_EQ(labels.get("k"), "of k");
}

TEST(Labels, WithAndWithoutLeaveTheOriginalAlone) {
  const Labels labels{{"a", "1"}};
  EXPECT_EQ(labels.with("b", "2"), (Labels{{"a", "1"}, {"b", "2"}}));
  EXPECT_EQ(labels.without("a"), Labels{});
  EXPECT_EQ(labels, (Labels{{"a", "1"}}));
}

TEST(Labels, HashTellsWhereOneTextEndsAndTheNextBegins) {
  const std::vector<Labels> sets{
      {},
      {{"a", "b"}},
      {{"ab", "c"}},
      {{"a", "bc"}},
      {{"a", "b"}, {"c", "d"}},
      {{"a", "bc"}, {"d", "e"}},
      {{"a", "b,c=d"}},
      {{"b", "a"}},
  };
  std::set<std::uint64_t> hashes;
  for (const auto& set : sets) hashes.insert(set.hash());
  EXPECT_EQ(hashes.size(), sets.size());
}

TEST(Labels, FingerprintsStayWhatTheyWere) {
  // They are in files of state, silences and URLs: another value would orphan all of them at an upgrade.
  EXPECT_EQ(fingerprint(Labels{}), "cbf29ce484222325");
  EXPECT_EQ(fingerprint(Labels{{"__name__", "up"}, {"instance", "node-1"}, {"job", "pg"}}), "fdb4f4a546546d06");
}

TEST(Labels, PrintAsPromqlWritesThem) {
  EXPECT_EQ(to_string(Labels{{"__name__", "up"}, {"job", "pg"}, {"a", "x"}}), R"(up{a="x", job="pg"})");
  EXPECT_EQ(to_string(Labels{{"__name__", "up"}}), "up");
  EXPECT_EQ(to_string(Labels{{"job", "pg"}}), R"({job="pg"})");
  EXPECT_EQ(to_string(Labels{}), "{}");
  EXPECT_EQ(to_string(Labels{{"a", "quote\" back\\ line\nend"}}), R"({a="quote\" back\\ line\nend"})");
}

}  // namespace
}  // namespace ward
