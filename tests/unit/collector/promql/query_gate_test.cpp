#include "collector/promql/query_gate.hpp"

#include <gtest/gtest.h>
#include <optional>

namespace ward::promql {
namespace {

TEST(QueryGate, RefusesWhatIsTooMuchUntilAPlaceIsFree) {
  std::optional<QueryGate> gate{2};
  auto first = gate->enter();
  auto second = gate->enter();
  ASSERT_TRUE(first && second);
  const auto third = gate->enter();
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().code, Errc::overloaded);
  EXPECT_EQ(third.error().what, "too many queries are running or waiting: 2");
  const auto copy = *first;
  first->reset();
  EXPECT_FALSE(gate->enter()) << "a copy of the ticket still holds the place";
  second->reset();
  EXPECT_TRUE(gate->enter());
  EXPECT_EQ(gate->inside(), 1U);
  gate.reset();  // a query may end after the server
}

}  // namespace
}  // namespace ward::promql
