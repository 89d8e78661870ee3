#include "common/exposition/format.hpp"

#include <gtest/gtest.h>

namespace ward::exposition {
namespace {

TEST(Format, GoesByTheMediaType) {
  EXPECT_EQ(format_of("text/plain; version=0.0.4; charset=utf-8"), Format::text);
  EXPECT_EQ(format_of("Text/Plain"), Format::text);
  EXPECT_EQ(format_of("application/openmetrics-text; version=1.0.0; charset=utf-8"), Format::openmetrics);
  EXPECT_EQ(format_of(" application/openmetrics-text ;version=0.0.1"), Format::openmetrics);
}

TEST(Format, TakesAnAnswerWithoutTypeForText) { EXPECT_EQ(format_of(""), Format::text); }

TEST(Format, KnowsNoOther) {
  for (const auto* type : {"text/html", "application/json", "text/plainer", "application/vnd.google.protobuf"})
    EXPECT_EQ(format_of(type), std::nullopt) << type;
}

}  // namespace
}  // namespace ward::exposition
