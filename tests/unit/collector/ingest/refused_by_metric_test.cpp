#include "collector/ingest/refused_by_metric.hpp"

#include <gmock/gmock.h>

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::Pair;

TEST(RefusedByMetric, CountsByNameAndKnowsTheLargest) {
  RefusedByMetric refused;
  EXPECT_EQ(refused.largest(), "");
  EXPECT_EQ(refused.add("up", 1), "up");
  EXPECT_EQ(refused.add("job:errors:rate5m", 7), "job:errors:rate5m");
  EXPECT_EQ(refused.add("up", 2), "up");
  EXPECT_THAT(refused.by_metric(), ElementsAre(Pair("job:errors:rate5m", 7), Pair("up", 3)));
  EXPECT_EQ(refused.largest(), "job:errors:rate5m");
}

TEST(RefusedByMetric, TellsAHundredNamesApartAndNoMore) {
  RefusedByMetric refused;
  (void)refused.add("", 1);  // `other` takes no place
  for (int i = 0; i < 1'000; ++i) (void)refused.add("m" + std::to_string(i), 1);
  EXPECT_EQ(refused.by_metric().size(), RefusedByMetric::kMost + 1);
  EXPECT_EQ(refused.add("m7", 1), "m7") << "it is one of the first";
  EXPECT_EQ(refused.add("m700", 1), "other");
  EXPECT_EQ(refused.by_metric().at("other"), 902U);
}

TEST(RefusedByMetric, ANameThatIsNoPlainOneIsNotShown) {
  RefusedByMetric refused;
  for (const std::string name : {"", "9th", "a b", "a\"b", "a\nb", "\xc3\xa9t\xc3\xa9", "a.b"})
    EXPECT_EQ(refused.add(name, 1), "other") << name;
  EXPECT_EQ(refused.add(std::string(201, 'a'), 1), "other");
  EXPECT_EQ(refused.add(std::string(200, 'a'), 1).size(), 200U);
}

}  // namespace
}  // namespace ward::collector
