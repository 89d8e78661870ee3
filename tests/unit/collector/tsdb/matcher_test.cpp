#include <gtest/gtest.h>
#include <re2/re2.h>

#include "collector/tsdb/queryable.hpp"

namespace ward::collector {
namespace {

using Op = Matcher::Op;

struct MatchCase {
  Op op;
  std::string pattern;
  std::string value;
  bool expected;
};

TEST(Matcher, MatchesAsPrometheusDoes) {
  const std::vector<MatchCase> cases{
      {Op::equal, "a", "a", true},          {Op::equal, "a", "ab", false},        {Op::equal, "", "", true},
      {Op::not_equal, "a", "", true},       {Op::not_equal, "a", "a", false},     {Op::regex, "a.*", "abc", true},
      {Op::regex, "b", "abc", false},       {Op::regex, "a|b", "b", true},        {Op::regex, "a|b", "ab", false},
      {Op::regex, ".*", "", true},          {Op::regex, ".+", "", false},         {Op::regex, "a.c", "a\nc", true},
      {Op::not_regex, "5..", "503", false}, {Op::not_regex, "5..", "5033", true}, {Op::regex, "(?i)ERR", "err", true},
      {Op::regex, "ä.", "äß", true},
  };
  for (const auto& c : cases) {
    const auto m = Matcher::make(c.op, "x", c.pattern);
    ASSERT_TRUE(m) << describe(m.error());
    EXPECT_EQ(m->matches(c.value), c.expected) << to_string(*m) << " against '" << c.value << "'";
  }
}

// Text open at its ends is compared without RE2; the verdict must be the same.
TEST(Matcher, AgreesWithRe2OnOpenText) {
  const std::vector<std::string> values{"",    "a",    "ab",   "abc", "xab", "xabx", "a.b", "a-b", "aab", "abab",
                                        "a\n", "\nab", "a\\b", "ä",   "äab", "abä",  "a+b", "b",   "ba",  "aba"};
  for (const std::string pattern :
       {"ab",      "ab.*",   "ab.+",   ".*ab",    ".+ab",  ".*ab.*", ".+ab.+", ".*ab.+", ".+ab.*", "a\\.b",
        "a\\.b.*", ".*",     ".+",     "a.b",     "a\\+b", "ä.*",    ".*ä",    "a\\\\b", "",       "a.*b",
        "ab|a",    "(?i)AB", "[a]b.*", "a{2}b.*", "^ab$",  "ab.*.*", ".*.*ab", "ab.?",   "a-b.*",  "\\w+"}) {
    const auto m = Matcher::make(Op::regex, "x", pattern);
    ASSERT_TRUE(m) << pattern;
    re2::RE2::Options options;
    options.set_dot_nl(true);
    const re2::RE2 regex{pattern, options};
    for (const auto& value : values)
      EXPECT_EQ(m->matches(value), re2::RE2::FullMatch(value, regex)) << pattern << " against '" << value << "'";
  }
}

TEST(Matcher, RefusesWhatRe2CannotRead) {
  for (const std::string bad : {"[", "(", "a{2,1}", "(?=x)", "\\1", "*"}) {
    const auto m = Matcher::make(Op::regex, "x", bad);
    ASSERT_FALSE(m) << bad;
    EXPECT_EQ(m.error().code, Errc::invalid);
    EXPECT_NE(m.error().what.find("error parsing regexp"), std::string::npos) << m.error().what;
  }
}

TEST(Matcher, KeepsRegexTextVerbatimForEquality) { EXPECT_TRUE(Matcher::make(Op::equal, "x", "[")->matches("[")); }

TEST(Matcher, PrintsAsASelectorWritesIt) {
  EXPECT_EQ(to_string(*Matcher::make(Op::regex, "job", "a\\d\"\n")), R"(job=~"a\\d\"\n")");
  EXPECT_EQ(to_string(*Matcher::make(Op::not_equal, "my.dotted", "")), R"("my.dotted"!="")");
}

}  // namespace
}  // namespace ward::collector
