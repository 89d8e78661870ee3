#include <gmock/gmock.h>

#include "common/base/duration.hpp"

namespace ward {
namespace {

TEST(TimeText, PrintsRfc3339InUtcWithMilliseconds) {
  EXPECT_EQ(format_time(from_ms(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(format_time(from_ms(1'764'000'000'123)), "2025-11-24T16:00:00.123Z");
  EXPECT_EQ(format_time(from_ms(-1)), "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(format_time(from_ms(951'782'400'000)), "2000-02-29T00:00:00.000Z");
}

TEST(TimeText, YearsThatHaveNoSuchFormPrintAsUnixSeconds) {
  EXPECT_EQ(format_time(from_ms(253'402'300'799'999)), "9999-12-31T23:59:59.999Z");
  for (const std::int64_t ms : {253'402'300'800'000, 2'026'870'965'230'007, -62'167'219'200'001}) {
    const auto text = format_time(from_ms(ms));
    EXPECT_EQ(text.find('T'), std::string::npos) << text;
    EXPECT_EQ(parse_time(text), from_ms(ms)) << text;
  }
  EXPECT_EQ(format_time(from_ms(-62'167'219'200'000)), "0000-01-01T00:00:00.000Z");
}

TEST(TimeText, ReadsRfc3339AndUnixSeconds) {
  const std::pair<const char*, std::int64_t> table[] = {
      {"2025-11-24T16:00:00Z", 1'764'000'000'000},
      {"2025-11-24t16:00:00z", 1'764'000'000'000},
      {"2025-11-24T16:00:00.1Z", 1'764'000'000'100},
      {"2025-11-24T16:00:00.123456789Z", 1'764'000'000'123},
      {"2025-11-24T16:00:00.9996Z", 1'764'000'001'000},
      {"2025-11-24T17:00:00+01:00", 1'764'000'000'000},
      {"2025-11-24T10:30:00-05:30", 1'764'000'000'000},
      {"2025-11-24T16:00:00+00:00", 1'764'000'000'000},
      {"2024-02-29T00:00:00Z", 1'709'164'800'000},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000},  // a leap second: the next day begins
      {"1764000000", 1'764'000'000'000},
      {"1764000000.123", 1'764'000'000'123},
      {"-1.5", -1'500},
      {"1.764e9", 1'764'000'000'000},
  };
  for (const auto& [text, ms] : table) {
    const auto got = parse_time(text);
    ASSERT_TRUE(got) << text;
    EXPECT_EQ(to_ms(*got), ms) << text;
  }
}

TEST(TimeText, RefusesTheRestNamingIt) {
  for (const char* text : {"",
                           " ",
                           "now",
                           "nan",
                           "inf",
                           "1e300",
                           "-1e300",
                           "2025-11-24",
                           "2025-11-24T16:00:00",
                           "2025-11-24 16:00:00Z",
                           "2025-11-24T16:00Z",
                           "2025-13-01T00:00:00Z",
                           "2025-00-01T00:00:00Z",
                           "2025-02-29T00:00:00Z",
                           "2025-11-31T00:00:00Z",
                           "2025-11-24T24:00:00Z",
                           "2025-11-24T16:60:00Z",
                           "2025-11-24T16:00:61Z",
                           "2025-11-24T16:00:00+1:00",
                           "2025-11-24T16:00:00+0100",
                           "2025-11-24T16:00:00+25:00",
                           "2025-11-24T16:00:00+01:60",
                           "2025-11-24T16:00:00+01:00x",
                           "2025-11-24T16:00:00Zx",
                           "2025-11-24T16:00:0x1p3Z",
                           "2025-11-24T16:00:nanZ",
                           "2025-11-24T16:00:-1Z",
                           "2025-11-24T16:00:00.Z",
                           "2025-11-24T16:00:0Z",
                           " 202-1- 1T 1: 1: 1Z",
                           "2025-+1-01T00:00:00Z",
                           "25-11-24T16:00:00Z",
                           "2025-11-24T16:00:1e1Z",
                           "2025-11-24T16:00:00+-1:00"}) {
    const auto got = parse_time(text);
    ASSERT_FALSE(got) << text << " as " << format_time(*got);
    EXPECT_THAT(got.error().what, testing::HasSubstr("'" + std::string(text) + "'"));
    EXPECT_THAT(got.error().fix, testing::HasSubstr("2026-11-22T10:42:07Z"));
  }
}

TEST(TimeText, ReadsBackWhatItPrints) {
  for (std::int64_t ms = -62'135'596'800'000; ms < 253'402'300'800'000; ms += 86'399'123 * 97LL) {
    const auto t = from_ms(ms);
    ASSERT_EQ(parse_time(format_time(t)), t) << ms;
  }
}

}  // namespace
}  // namespace ward
