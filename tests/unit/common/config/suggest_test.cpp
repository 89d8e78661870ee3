#include "common/config/suggest.hpp"

#include <gtest/gtest.h>
#include <vector>

namespace ward::config {
namespace {

const std::vector<std::string> kKeys{"interval", "timeout", "host", "port", "statement_timeout"};

TEST(Closest, FindsSlipsOfTheFingers) {
  EXPECT_EQ(closest("intervall", kKeys), "interval");
  EXPECT_EQ(closest("itnerval", kKeys), "interval");
  EXPECT_EQ(closest("tiemout", kKeys), "timeout");
  EXPECT_EQ(closest("prot", kKeys), "port");
  EXPECT_EQ(closest("statment_timeout", kKeys), "statement_timeout");
}

TEST(Closest, StaysSilentWhenNothingIsNear) {
  EXPECT_EQ(closest("password", kKeys), std::nullopt);
  EXPECT_EQ(closest("pgs", kKeys), std::nullopt);
  EXPECT_EQ(closest(std::string(100'000, 'a'), kKeys), std::nullopt);
  EXPECT_EQ(closest("x", std::vector<std::string>{}), std::nullopt);
}

}  // namespace
}  // namespace ward::config
