#include "common/http/form.hpp"

#include <gtest/gtest.h>

#include "common/http/server.hpp"

namespace ward::http {
namespace {

TEST(Form, FindsTheFirstValueDecoded) {
  EXPECT_EQ(form_value("query=up%7Bjob%3D%22a%22%7D&time=1&query=2", "query"), "up{job=\"a\"}");
  EXPECT_EQ(form_value("match%5B%5D=a+b", "match[]"), "a b");
  EXPECT_EQ(form_value("a=%41", "a"), "A");
}

TEST(Form, GivesNothingForWhatIsNotThere) {
  for (const auto* text : {"", "&&", "a", "a=", "b=1", "=1", "aa=1"}) EXPECT_EQ(form_value(text, "a"), "") << text;
}

TEST(Form, KeepsAWrongEscapeAsItStands) {
  for (const auto* text : {"%", "%4", "%zz", "1%g1"}) EXPECT_EQ(form_value("a=" + std::string(text), "a"), text);
}

TEST(Form, PlusIsABlankOnlyInForms) {
  EXPECT_EQ(percent_decode("a+b", Plus::is_plus), "a+b");
  EXPECT_EQ(percent_decode("a+b", Plus::is_blank), "a b");
}

}  // namespace
}  // namespace ward::http
