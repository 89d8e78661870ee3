#include "collector/promql/lexer.hpp"

#include <gtest/gtest.h>
#include <random>

namespace ward::promql {
namespace {

std::string kinds(std::string_view query) {
  std::string out;
  for (const auto& token : lex(query)) out += (out.empty() ? "" : " ") + describe(token);
  return out;
}

TEST(Lexer, SplitsAQuery) {
  const std::string first =
      R"_(<aggr:sum> "(" identifier "rate" "(" metric identifier "x:y" "[" duration "5m" "]" ")" ")" )_";
  EXPECT_EQ(kinds("sum(rate(x:y[5m]))>= bool 1e3 # end"), first + R"_(<op:>=> <bool> number "1e3" end of input)_");
}

TEST(Lexer, KnowsKeywordsInAnyCase) {
  EXPECT_EQ(kinds("AND Or unLESS Atan2 BY oN"), "<op:AND> <op:Or> <op:unLESS> <op:Atan2> <BY> <oN> end of input");
}

TEST(Lexer, TakesWordsInsideBracesAsLabels) {
  EXPECT_EQ(kinds("{sum=~'a',by!~`b`}"),
            R"("{" identifier "sum" <op:=~> string "'a'" "," identifier "by" <op:!~> string "`b`" "}" end of input)");
}

TEST(Lexer, SkipsCommentsInsideBraces) { EXPECT_EQ(kinds("{a # }\n}"), R"("{" identifier "a" "}" end of input)"); }

TEST(Unquote, ReadsGoStrings) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {R"("a\tb")", "a\tb"}, {R"('it\'s')", "it's"},
      {R"("\"")", "\""},     {R"('"')", "\""},
      {R"("\x41")", "A"},    {R"("\101")", "A"},
      {R"("\u00e4")", "ä"},  {R"("\U0001F600")", "😀"},
      {"`a\\n`", "a\\n"},    {R"("\a\b\f\n\r\v\\")", "\a\b\f\n\r\v\\"},
  };
  for (const auto& [quoted, text] : cases) {
    const auto got = unquote(quoted);
    ASSERT_TRUE(got) << quoted << ": " << got.error().what;
    EXPECT_EQ(*got, text) << quoted;
  }
}

TEST(Unquote, RefusesBadEscapes) {
  for (const std::string bad : {R"("\q")", R"("\x4")", R"("\400")", R"("\uD800")", R"("\U00110000")", R"('\"')", "\"\\"})
    EXPECT_FALSE(unquote(bad)) << bad;
}

TEST(Unquote, ReadsBackWhatQuoteWrites) {
  std::mt19937 random{5};
  for (int i = 0; i < 500; ++i) {
    std::string text(random() % 20, ' ');
    for (auto& c : text) c = static_cast<char>(random() % 128);
    EXPECT_EQ(unquote(quote(text)).value_or("?"), text);
  }
}

TEST(Lexer, SurvivesArbitraryBytes) {
  std::mt19937 random{11};
  constexpr std::string_view kAlphabet = "ab1.5mexE_[]{}()\"'`\\=!~<>@:#,+-*/%^ \n\xc3\xa4";
  for (int i = 0; i < 20'000; ++i) {
    std::string query(random() % 24, ' ');
    for (auto& c : query) c = kAlphabet[random() % kAlphabet.size()];
    const auto tokens = lex(query);
    ASSERT_FALSE(tokens.empty());
    EXPECT_TRUE(tokens.back().kind == TokenKind::end_of_input || tokens.back().kind == TokenKind::error);
  }
}

}  // namespace
}  // namespace ward::promql
