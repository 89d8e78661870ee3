#include "common/base/utf8.hpp"

#include <gtest/gtest.h>
#include <string>

namespace ward {
namespace {

TEST(Utf8, TakesWellFormedText) {
  for (const std::string text : {"", "up", "exactly8", "M\xC3\xBCnchen", "\xE2\x82\xAC", "\xED\x9F\xBF", "\xEE\x80\x80",
                                 "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF",
                                 "eight by\xC3\xBC"
                                 "te words"})
    EXPECT_TRUE(is_utf8(text)) << text;
  EXPECT_TRUE(is_utf8(std::string_view("\0", 1)));
}

TEST(Utf8, RefusesWhatIsNot) {
  for (const std::string text : {"\x80", "\xBF", "\xC0\xAF", "\xC1\xBF", "\xC3", "\xC3(", "\xE0\x9F\xBF", "\xE2\x82",
                                 "\xE2(\xA1", "\xED\xA0\x80", "\xED\xBF\xBF", "\xF0\x8F\xBF\xBF", "\xF0\x90\x80",
                                 "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\xFE", "\xFF", "12345678\xC3", "1234567\xC3"})
    EXPECT_FALSE(is_utf8(text)) << text;
}

}  // namespace
}  // namespace ward
