#include "common/base/duration.hpp"

#include <gmock/gmock.h>
#include <limits>

namespace ward {
namespace {

using testing::HasSubstr;

TEST(Duration, ReadsWhatPrometheusReads) {
  const std::pair<const char*, std::int64_t> table[] = {
      {"0", 0},
      {"0s", 0},
      {"1ms", 1},
      {"15s", 15'000},
      {"1h30m", 5'400'000},
      {"2w", 1'209'600'000},
      {"1y", 31'536'000'000},
      {"1d12h", 129'600'000},
      {"90m", 5'400'000},
      {"1s500ms", 1'500},
      {"000015s", 15'000},
      {"9223372036854775807ms", std::numeric_limits<std::int64_t>::max()},
  };
  for (const auto& [text, ms] : table) EXPECT_EQ(parse_duration(text), milliseconds{ms}) << text;
}

TEST(Duration, RefusesTheRestNamingIt) {
  for (const char* text : {"",
                           " ",
                           "5",
                           "s",
                           "-5s",
                           "+5s",
                           "1.5s",
                           "5 s",
                           "5s ",
                           "5S",
                           "5sec",
                           "1m1h",
                           "1s1s",
                           "1ms1s",
                           "0x5s",
                           "5µs",
                           "1e3s",
                           "00",
                           "9223372036854775808ms",
                           "292471209y",
                           "9223372036854775807ms1s",
                           "99999999999999999999s",
                           "1h-5m"}) {
    const auto got = parse_duration(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, Errc::invalid);
    EXPECT_THAT(got.error().what, HasSubstr("'" + std::string(text) + "'"));
    EXPECT_THAT(got.error().fix, HasSubstr("1h30m"));
  }
}

TEST(Duration, PrintsTheShortestSpelling) {
  const std::pair<std::int64_t, const char*> table[] = {
      {0, "0s"},
      {1, "1ms"},
      {1'500, "1s500ms"},
      {60'000, "1m"},
      {5'400'000, "1h30m"},
      {86'400'000, "1d"},
      {691'200'000, "8d"},
      {604'800'000, "1w"},
      {31'536'000'000, "1y"},
      {31'622'400'000, "366d"},
      {-5'400'000, "-1h30m"},
  };
  for (const auto& [ms, text] : table) EXPECT_EQ(format_duration(milliseconds{ms}), text);
}

TEST(Duration, ReadsBackWhatItPrints) {
  for (std::int64_t ms = 1; ms > 0 && ms < std::numeric_limits<std::int64_t>::max() / 3; ms = ms * 3 + 1)
    EXPECT_EQ(parse_duration(format_duration(milliseconds{ms})), milliseconds{ms}) << ms;
}

TEST(Duration, PrintsTheLongestOnes) {
  EXPECT_EQ(parse_duration(format_duration(milliseconds::max())), milliseconds::max());
  EXPECT_EQ(format_duration(milliseconds::min()), "-106751991167d7h12m55s808ms");
}

TEST(Size, ReadsPowersOfTwoAndOfTen) {
  const std::pair<const char*, std::uint64_t> table[] = {
      {"0", 0},
      {"100", 100},
      {"100B", 100},
      {"4KiB", 4'096},
      {"512MiB", 536'870'912},
      {"1GiB", 1ULL << 30},
      {"2TiB", 2ULL << 40},
      {"10kB", 10'000},
      {"10MB", 10'000'000},
      {" 1 GB ", 1'000'000'000},
      {"8388607TiB", 8'388'607ULL << 40},
  };
  for (const auto& [text, bytes] : table) EXPECT_EQ(parse_size(text), bytes) << text;
}

TEST(Size, RefusesTheRest) {
  for (const char* text : {"", " ", "MiB", "-1", "1.5GiB", "1K", "1KB", "1kib", "1 Gi B", "1GiBs", "8388608TiB", "0x10",
                           "9223372036854775808"}) {
    const auto got = parse_size(text);
    ASSERT_FALSE(got) << text;
    EXPECT_THAT(got.error().fix, HasSubstr("512MiB"));
  }
}

}  // namespace
}  // namespace ward
