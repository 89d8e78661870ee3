#include "common/base/parse.hpp"

#include <gmock/gmock.h>
#include <limits>
#include <string>
#include <vector>

namespace ward {
namespace {

using testing::ElementsAre;

std::vector<std::string> words(std::string_view text) {
  std::vector<std::string> out;
  for (auto word = next_word(text); !word.empty(); word = next_word(text)) out.emplace_back(word);
  return out;
}

std::vector<std::string> lines(std::string_view text) {
  std::vector<std::string> out;
  std::string_view line;
  while (next_line(text, line)) out.emplace_back(line);
  return out;
}

TEST(Parse, WordsAreWhatStandsBetweenBlanks) {
  EXPECT_THAT(words("  cpu0  1\t2\n3 "), ElementsAre("cpu0", "1", "2", "3"));
  EXPECT_THAT(words(" \t\n"), ElementsAre());
}

TEST(Parse, LinesKeepEmptyOnesAndNeedNoLastNewline) {
  EXPECT_THAT(lines("a\n\nb"), ElementsAre("a", "", "b"));
  EXPECT_THAT(lines("a\n"), ElementsAre("a"));
  EXPECT_THAT(lines(""), ElementsAre());
}

TEST(Parse, TrimTakesBlanksAndCarriageReturns) {
  EXPECT_EQ(trim(" \ta b\r\n"), "a b");
  EXPECT_EQ(trim(" \r\n"), "");
}

TEST(Parse, NumbersMustBeTheWholeWord) {
  EXPECT_EQ(to_u64("18446744073709551615"), std::numeric_limits<std::uint64_t>::max());
  EXPECT_EQ(to_i64("-9223372036854775808"), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(to_double("1e3"), 1'000.0);
  EXPECT_EQ(to_double("-.5"), -0.5);
  for (const char* word : {"", " 1", "1 ", "+1", "0x1", "1,5", "1_000", "x", "18446744073709551616", "-1"})
    EXPECT_FALSE(to_u64(word)) << word;
  for (const char* word : {"", "9223372036854775808", "1.0", "--1"}) EXPECT_FALSE(to_i64(word)) << word;
  for (const char* word : {"", "1e", "1.2.3", "1e999", "1f", "0x1p3"}) EXPECT_FALSE(to_double(word)) << word;
}

TEST(Parse, ErrorsNameTheWordAndWhatWasExpected) {
  EXPECT_EQ(to_u64("12kB").error().what, "'12kB' is not a whole number");
  EXPECT_EQ(to_double("12kB").error().what, "'12kB' is not a number");
}

}  // namespace
}  // namespace ward
