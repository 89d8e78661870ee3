#include "collector/alerting/alert_rows.hpp"

#include <gtest/gtest.h>
#include <limits>

namespace ward::collector {
namespace {

AlertState example() {
  return {.group = "pack.yaml;g",
          .rule = "PgDown/1",
          .labels = Labels{{"alertname", "PgDown"}, {"tenant", "clinic-a"}},
          .annotations = Labels{{"summary", "down \"now\""}},
          .phase = AlertPhase::firing,
          .value = std::numeric_limits<double>::infinity(),
          .active_at = from_ms(1'000),
          .fired_at = from_ms(2'000),
          .resolved_at = {},
          .keep_firing_since = from_ms(3'000),
          .evaluated_at = from_ms(4'000)};
}

TEST(AlertRows, ComeBackAsTheyWere) { EXPECT_EQ(from_row(to_row(example())), example()); }

TEST(AlertRows, TellInstancesOfOneRuleApart) {
  auto other = example();
  other.labels.set("tenant", "clinic-b");
  EXPECT_NE(row_key(example()), row_key(other));
}

TEST(AlertRows, ReplaceBytesThatAreNoText) {
  auto state = example();
  state.annotations.set("summary", "\xff");
  EXPECT_TRUE(from_row(to_row(state)));
}

TEST(AlertRows, RefuseDamagedData) {
  for (const char* data : {"", "{", "[]", "{\"labels\":5}", "{\"active_at\":\"soon\"}", "{\"labels\":{\"a\":1}}"}) {
    const auto state = from_row({{"g", "r", "i"}, data});
    ASSERT_FALSE(state) << data;
    EXPECT_EQ(state.error().code, Errc::corrupt) << data;
  }
}

}  // namespace
}  // namespace ward::collector
