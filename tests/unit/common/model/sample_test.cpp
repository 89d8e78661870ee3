#include "common/model/sample.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "common/model/batch.hpp"

namespace ward {
namespace {

TEST(StaleMarker, IsOneOfManyNans) {
  EXPECT_TRUE(std::isnan(stale_marker()));
  EXPECT_TRUE(is_stale(stale_marker()));
  EXPECT_FALSE(is_stale(std::numeric_limits<double>::quiet_NaN()));
  EXPECT_FALSE(is_stale(std::bit_cast<double>(kStaleBits | 1)));
  EXPECT_FALSE(is_stale(std::numeric_limits<double>::infinity()));
}

TEST(Sample, ComparesBits) {
  const Time t = from_ms(1);
  const double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_EQ((Sample{t, nan}), (Sample{t, nan}));
  EXPECT_NE((Sample{t, nan}), (Sample{t, stale_marker()}));
  EXPECT_NE((Sample{t, 0.0}), (Sample{t, -0.0}));
  EXPECT_NE((Sample{t, 1}), (Sample{t + milliseconds{1}, 1}));
}

TEST(GapReason, NumbersAreOfTheWireAndNamesOfTheMetrics) {
  const std::pair<int, const char*> table[] = {{1, "trimmed"},  {2, "spool_full"}, {3, "corrupt"},
                                               {4, "rejected"}, {5, "crash"},      {6, "disk_error"}};
  for (const auto& [number, name] : table) EXPECT_EQ(to_string(static_cast<GapReason>(number)), name);
}

TEST(DataClass, OrderIsTheOrderInWhichAFullSpoolDrops) {
  EXPECT_LT(DataClass::raw, DataClass::sli);
  EXPECT_LT(DataClass::sli, DataClass::page);
  EXPECT_LT(DataClass::page, DataClass::audit);
}

}  // namespace
}  // namespace ward
