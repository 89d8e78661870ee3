#include "common/exposition/number.hpp"

#include <cmath>
#include <gtest/gtest.h>
#include <limits>

#include "common/model/sample.hpp"

namespace ward::exposition {
namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();

TEST(Value, ReadsWhatGoReads) {
  EXPECT_EQ(read_value("1"), 1);
  EXPECT_EQ(read_value("+1.5"), 1.5);
  EXPECT_EQ(read_value("-.5e-1"), -0.05);
  EXPECT_EQ(read_value("1."), 1);
  EXPECT_EQ(read_value("1.7976931348623157E+308"), 1.7976931348623157e308);
  EXPECT_EQ(read_value("5e-324"), 5e-324);
  EXPECT_EQ(read_value("+Inf"), kInf);
  EXPECT_EQ(read_value("inf"), kInf);
  EXPECT_EQ(read_value("-Infinity"), -kInf);
  EXPECT_TRUE(std::isnan(read_value("NaN").value_or(0)));
  EXPECT_TRUE(std::signbit(read_value("-0").value_or(1)));
}

TEST(Value, RoundsWhatIsTooSmallAndRefusesWhatIsTooLarge) {
  EXPECT_EQ(read_value("1e-400"), 0);
  EXPECT_EQ(read_value("1e400"), std::nullopt);
  EXPECT_EQ(read_value("-1e400"), std::nullopt);
}

TEST(Value, RefusesEverythingElse) {
  for (const auto* word : {"", "+", "-", ".", "e5", "1e", "0x1F", "0x1p-2", "1_000", "1,5", "--1", "+-1", "-nan", "nan(1)",
                           "NaNs", "infinit", "1 ", "1f", "\xd9\xa1"})
    EXPECT_EQ(read_value(word), std::nullopt) << word;
}

TEST(Value, CannotSayStale) { EXPECT_FALSE(is_stale(read_value("NaN").value_or(0))); }

TEST(Timestamp, IsWholeMillisecondsInText) {
  EXPECT_EQ(read_milliseconds("1395066363000"), from_ms(1395066363000));
  EXPECT_EQ(read_milliseconds("-5"), from_ms(-5));
  for (const auto* word : {"", "1.5", "1e3", "NaN", "0x10", "9223372036854775808"})
    EXPECT_EQ(read_milliseconds(word), std::nullopt) << word;
}

TEST(Timestamp, IsSecondsInOpenMetrics) {
  EXPECT_EQ(read_seconds("1520879607.789"), from_ms(1520879607789));
  EXPECT_EQ(read_seconds("1e3"), from_ms(1'000'000));
  EXPECT_EQ(read_seconds("-1"), from_ms(-1000));
  for (const auto* word : {"", "NaN", "+Inf", "1e300", "-1e16", "yesterday"})
    EXPECT_EQ(read_seconds(word), std::nullopt) << word;
}

TEST(Bound, HasOneSpelling) {
  const std::pair<const char*, const char*> all[] = {
      {"1", "1.0"},
      {"+1", "1.0"},
      {"0.50", "0.5"},
      {"1e3", "1000.0"},
      {"1000000", "1e+06"},
      {"1e-5", "1e-05"},
      {"0.0001", "0.0001"},
      {"+Inf", "+Inf"},
      {"inf", "+Inf"},
      {"-inf", "-Inf"},
      {"nan", "NaN"},
      {"0", "0.0"},
      {"12345678", "1.2345678e+07"},
      {"word", "word"},
      {"", ""},
      {"0x10", "0x10"},
  };
  for (const auto& [written, kept] : all) EXPECT_EQ(canonical_bound(written), kept) << written;
}

}  // namespace
}  // namespace ward::exposition
