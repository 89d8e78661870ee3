#include "collector/rulebook/ask.hpp"

#include <gtest/gtest.h>

#include "collector/alerting/promql_expression.hpp"
#include "collector/tsdb/head.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::collector {
namespace {

constexpr Time kNow = from_ms(1'764'000'000'000);

class AskTest : public testing::Test {
 protected:
  void put(const Labels& labels, double value) {
    const auto ref = head_.get_or_create(labels);
    const RefSample sample{ref, {kNow, value}};
    head_.append(std::span(&sample, 1));
  }
  std::optional<bool> ask(const std::string& check, const Labels& scope = {}) {
    return ask_store(compiler_, scope, kNow)(check);
  }

  test::ManualClock clock_;
  Head head_{HeadOptions{.max_sample_age = milliseconds{0}}};
  promql::Engine engine_{clock_};
  PromqlCompiler compiler_{engine_, head_};
};

TEST_F(AskTest, TellsYesFromNoFromNotKnown) {
  put({{"__name__", "pg_lag_seconds"}}, 20);
  EXPECT_EQ(ask("min(pg_lag_seconds) < 30"), true);
  EXPECT_EQ(ask("min(pg_lag_seconds) < 10"), false);
  EXPECT_EQ(ask("min(pg_other) < 10"), std::nullopt);
}

TEST_F(AskTest, OneTenantsAnswerIsNoOthers) {
  put({{"__name__", "lag"}, {"tenant", "clinic-a"}}, 500);
  put({{"__name__", "lag"}, {"tenant", "clinic-b"}}, 1);
  EXPECT_EQ(ask("min(lag) < 30", Labels{{"tenant", "clinic-a"}}), false);
  EXPECT_EQ(ask("min(lag) < 30", Labels{{"tenant", "clinic-b"}}), true);
  EXPECT_EQ(ask("min(lag) < 30"), true) << "a fault of the platform asks for all";
  EXPECT_EQ(ask("min(lag) < 30", Labels{{"tenant", "clinic.a"}}), std::nullopt) << "a value is no pattern";
}

TEST_F(AskTest, WhatBelongsToNoTenantCountsForAll) {
  put({{"__name__", "node_load"}}, 9);
  EXPECT_EQ(ask("max(node_load) > 5", Labels{{"tenant", "clinic-a"}}), true);
}

TEST_F(AskTest, ACheckOfPresenceIsYesOrNo) {
  EXPECT_EQ(ask("absent(up)"), true);
  put({{"__name__", "up"}}, 0);
  EXPECT_EQ(ask("absent(up)"), false);
}

TEST_F(AskTest, WhatCannotBeEvaluatedIsNotKnown) {
  put({{"__name__", "a"}, {"x", "1"}}, 1);
  put({{"__name__", "a"}, {"x", "2"}}, 1);
  put({{"__name__", "b"}}, 1);
  EXPECT_EQ(ask("a + on () b > 0"), std::nullopt) << "many-to-many matching";
}

}  // namespace
}  // namespace ward::collector
