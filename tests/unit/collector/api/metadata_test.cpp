#include <gmock/gmock.h>

#include "tests/unit/collector/api/test_view.hpp"

namespace ward::collector::api {
namespace {

using nlohmann::json;

class Metadata : public testing::Test {
 protected:
  void SetUp() override {
    view.described.put(TenantId{"clinic-a"}, "up", {MetricType::gauge, "1 when it \"answers\"", ""});
    view.described.put(TenantId{"clinic-b"}, "up", {MetricType::untyped, "Up.", ""});
    view.described.put(TenantId{"clinic-a"}, "node_uptime_seconds", {MetricType::counter, "Since boot", "seconds"});
  }
  TestView view;
};

TEST_F(Metadata, IsAnsweredAsPrometheusDoes) {
  EXPECT_EQ(view.data("/api/v1/metadata"), json::parse(R"({
    "node_uptime_seconds": [{"type": "counter", "help": "Since boot", "unit": "seconds"}],
    "up": [{"type": "gauge", "help": "1 when it \"answers\"", "unit": ""}, {"type": "unknown", "help": "Up.", "unit": ""}]})"));
}

TEST_F(Metadata, IsThatOfOneMetricWhenItIsNamed) {
  const auto one = view.data("/api/v1/metadata", "metric=node_uptime_seconds");
  EXPECT_EQ(one.size(), 1U);
  EXPECT_TRUE(one.contains("node_uptime_seconds"));
  EXPECT_EQ(view.data("/api/v1/metadata", "metric=nothing"), json::object());
}

TEST_F(Metadata, EndsAtItsLimits) {
  EXPECT_EQ(view.data("/api/v1/metadata", "limit=1").size(), 1U);
  EXPECT_EQ(view.data("/api/v1/metadata", "limit=0"), json::object());
  EXPECT_EQ(view.data("/api/v1/metadata", "limit=-1").size(), 2U);
  EXPECT_EQ(view.data("/api/v1/metadata", "limit_per_metric=1")["up"].size(), 1U);
  EXPECT_EQ(view.data("/api/v1/metadata", "limit_per_metric=0")["up"].size(), 2U);
}

TEST_F(Metadata, RefusesLimitsThatAreNoNumbers) {
  for (const auto* query : {"limit=x", "limit=1x", "limit_per_metric=1.5", "limit=99999999999"}) {
    const auto answer = view.ask("/api/v1/metadata", query);
    EXPECT_EQ(answer.status, 400) << query;
    EXPECT_THAT(answer.body, testing::HasSubstr("must be a number")) << query;
  }
}

}  // namespace
}  // namespace ward::collector::api
