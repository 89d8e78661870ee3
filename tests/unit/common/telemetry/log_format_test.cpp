#include "common/telemetry/log_format.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

namespace ward::telemetry {
namespace {

using testing::HasSubstr;
using testing::Not;

constexpr Time kNow = from_ms(1795344127123);  // 2026-11-22T10:42:07.123Z

std::string json(std::string_view sentence, Fields fields = {}) {
  return format_line(LogFormat::json, kNow, LogLevel::warn, sentence, fields);
}
std::string text(std::string_view sentence, Fields fields = {}) {
  return format_line(LogFormat::text, kNow, LogLevel::warn, sentence, fields);
}

TEST(LogFormat, WritesJsonWithTypedFields) {
  EXPECT_EQ(
      json("Probe failed", {{"probe", "pg-main"}, {"tries", 3}, {"seconds", 0.5}, {"last", false}, {"bytes", 1ULL << 63}}),
      "{\"time\":\"2026-11-22T10:42:07.123Z\",\"level\":\"warn\",\"message\":\"Probe failed\",\"probe\":\"pg-main\","
      "\"tries\":3,\"seconds\":0.5,\"last\":false,\"bytes\":9223372036854775808}\n");
}

TEST(LogFormat, WritesTextWithQuotesOnlyWhereNeeded) {
  EXPECT_EQ(text("Probe failed", {{"probe", "pg-main"}, {"reason", "no route to host"}, {"empty", ""}, {"tries", -3}}),
            "2026-11-22T10:42:07.123Z warn  Probe failed probe=pg-main reason=\"no route to host\" empty=\"\" tries=-3\n");
}

TEST(LogFormat, KeepsUtf8AsItIs) {
  EXPECT_THAT(json("Zur\xC3\xBC"
                   "ck \xF0\x9F\x9A\x91"),
              HasSubstr("Zur\xC3\xBC"
                        "ck \xF0\x9F\x9A\x91"));
}

struct Injection {
  const char* name;
  std::string value;
  const char* shown;
};
void PrintTo(const Injection& injection, std::ostream* out) { *out << injection.name; }

class LogInjection : public testing::TestWithParam<Injection> {};

TEST_P(LogInjection, StaysInsideItsValueInJson) {
  EXPECT_THAT(json("x", {{"v", GetParam().value}}), HasSubstr("\"v\":\"" + std::string(GetParam().shown) + "\"}\n"));
}

TEST_P(LogInjection, StaysOnOneLineInBothFormats) {
  for (const auto& line : {json(GetParam().value, {{GetParam().value, GetParam().value}}),
                           text(GetParam().value, {{GetParam().value, GetParam().value}})}) {
    EXPECT_EQ(line.find('\n'), line.size() - 1);
    for (const char c : line.substr(0, line.size() - 1)) EXPECT_FALSE(static_cast<unsigned char>(c) < 0x20 || c == 0x7F);
  }
}

INSTANTIATE_TEST_SUITE_P(
    Table, LogInjection,
    testing::Values(Injection{"newline", "a\n{\"level\":\"error\"}", "a\\n{\\\"level\\\":\\\"error\\\"}"},
                    Injection{"carriage_return", "a\rb", "a\\rb"}, Injection{"tab", "a\tb", "a\\tb"},
                    Injection{"nul", std::string("a\0b", 3), "a\\u0000b"}, Injection{"escape", "\x1B[2J", "\\u001b[2J"},
                    Injection{"delete", "a\x7F", "a\\u007f"},
                    Injection{"c1_csi",
                              "\xC2\x9B"
                              "2J",
                              "\\u009b2J"},
                    Injection{"line_separator",
                              "a\xE2\x80\xA8"
                              "b",
                              "a\\u2028b"},
                    Injection{"right_to_left",
                              "a\xE2\x80\xAE"
                              "b",
                              "a\\u202eb"},
                    Injection{"isolate",
                              "a\xE2\x81\xA6"
                              "b",
                              "a\\u2066b"},
                    Injection{"backslash", "a\\nb", "a\\\\nb"}, Injection{"quote", "\"", "\\\""},
                    Injection{"bad_utf8", "a\xFF", "a\xEF\xBF\xBD"},
                    Injection{"overlong", "\xC0\x8A", "\xEF\xBF\xBD\xEF\xBF\xBD"},
                    Injection{"surrogate", "\xED\xA0\x80", "\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD"},
                    Injection{"cut_off", "a\xE2\x82", "a\xEF\xBF\xBD\xEF\xBF\xBD"}));

TEST(LogFormat, CutsEachValueAtFourKibibytes) {
  const std::string fits(4096, 'x');
  EXPECT_TRUE(json("s", {{"v", fits}, {"w", 1}}).ends_with("\"v\":\"" + fits + "\",\"w\":1}\n"));
  EXPECT_TRUE(json("s", {{"v", fits + "x"}, {"w", 1}}).ends_with("\"v\":\"" + fits.substr(3) + "...\",\"w\":1}\n"));
}

TEST(LogFormat, CountsEscapesIntoTheLimitAndDoesNotSplitThem) {
  const auto line = json("s", {{"v", std::string(100'000, '\n')}});
  EXPECT_LT(line.size(), 4096U + 200U);
  EXPECT_THAT(line, HasSubstr("\\n...\"}\n"));
}

TEST(LogFormat, DoesNotSplitACharacterWhenCutting) {
  std::string value;
  for (int i = 0; i < 2000; ++i) value += "\xE2\x82\xAC";
  EXPECT_THAT(json("s", {{"v", value}}), testing::AllOf(HasSubstr("\xE2\x82\xAC...\""), Not(HasSubstr("\xEF\xBF\xBD"))));
}

TEST(LogFormat, WritesNumbersJsonHasNoWordForAsText) {
  EXPECT_THAT(json("s", {{"v", std::numeric_limits<double>::quiet_NaN()}}), HasSubstr("\"v\":\"NaN\""));
  EXPECT_THAT(json("s", {{"v", -std::numeric_limits<double>::infinity()}}), HasSubstr("\"v\":\"-Inf\""));
}

}  // namespace
}  // namespace ward::telemetry
