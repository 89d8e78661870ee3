#include "collector/notify/text.hpp"

#include <gtest/gtest.h>

#include "common/base/utf8.hpp"

namespace ward::collector {
namespace {

TEST(OneLine, LeavesNothingThatIsMoreThanText) {
  const std::pair<std::string, std::string> cases[] = {
      {"plain, Stra\xc3\x9f"
       "e \xf0\x9f\x9a\xa8",
       "plain, Stra\xc3\x9f"
       "e \xf0\x9f\x9a\xa8"},
      {"a\r\nb\tc\x7f"
       "d",
       "a  b c d"},
      {std::string("nul\0byte", 8), "nul byte"},
      {"\xff\xfe", "\xef\xbf\xbd\xef\xbf\xbd"},
      {"cut \xe2\x82", "cut \xef\xbf\xbd\xef\xbf\xbd"},
      {"\xe2\x80\xae"
       "txt.exe",
       " txt.exe"},  // right-to-left override
      {"a\xe2\x80\xa8"
       "b\xe2\x81\xa6"
       "c\xc2\x85"
       "d",
       "a b c d"},  // line separator, isolate, next line
      {"a\xf3\xa0\x81\x81"
       "b",
       "a b"},  // a tag
      {"{{ x }} {{{", "{ { x }} { { {"},
  };
  for (const auto& [text, expected] : cases) EXPECT_EQ(one_line(text, 100), expected);
}

TEST(OneLine, IsBoundedAndNeverEndsWithinACharacter) {
  const std::string long_text(1 << 20, 'x');
  EXPECT_EQ(one_line(long_text, 10), "xxxxxxx...");
  std::string umlauts;
  for (int i = 0; i < 1000; ++i) umlauts += "\xc3\xa4";
  for (std::size_t limit = 0; limit < 20; ++limit) {
    const auto out = one_line(umlauts, limit);
    EXPECT_LE(out.size(), limit);
    EXPECT_TRUE(is_utf8(out));
  }
}

TEST(Lines, KeepsLineBreaksAlone) { EXPECT_EQ(lines("a\nb\r\nc", 100), "a\nb \nc"); }

TEST(SafeLink, TakesAddressesThatAreWhatTheySeem) {
  for (const auto* good : {"https://ward.example/api?id=01", "http://10.0.0.1:8080/a#b", "https://x.example/a@b"})
    EXPECT_EQ(safe_link(good), good);
  for (const auto* bad :
       {"", "javascript:alert(1)", "ftp://x", "https://good.example@evil.example/", "https://x/|a", "https://x/>",
        "https://x/\"", "https://x/ y", "https://x/\n", "https://x/\xc3\xa4", "runbooks/pg.md"})
    EXPECT_EQ(safe_link(bad), "") << bad;
  EXPECT_EQ(safe_link("https://x/" + std::string(3000, 'a')), "");
}

}  // namespace
}  // namespace ward::collector
