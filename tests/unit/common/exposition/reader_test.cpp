// The text format, 0.0.4 with the quoted names of 1.0.0.
#include "common/exposition/reader.hpp"

#include <gmock/gmock.h>
#include <limits>

#include "tests/unit/common/exposition/reading.hpp"

namespace ward::exposition {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
constexpr double kInf = std::numeric_limits<double>::infinity();

Whole text(std::string_view body, Limits limits = {}) { return read(body, Format::text, limits); }

TEST(TextFormat, ReadsAnExpositionEntryByEntry) {
  const auto whole = text(
      "# HELP http_requests_total Requests\\nby \\\\method\\\\, \\\"quoted\\\".\n"
      "# TYPE http_requests_total counter\n"
      "http_requests_total{method=\"post\",code=\"200\"} 1027 1395066363000\n"
      "\n"
      "# a comment, and #TYPE is one too\n"
      "#TYPE x gauge\n"
      "  go_threads\t 3 \n"
      "\thttp_duration_seconds_bucket { le = \"+Inf\" , } 144320\n"
      "empty{} -Inf");
  EXPECT_EQ(whole.error, "");
  EXPECT_THAT(
      whole.entries,
      ElementsAre(Entry(HelpLine{"http_requests_total", "Requests\nby \\method\\, \\\"quoted\\\"."}),
                  Entry(TypeLine{"http_requests_total", MetricType::counter}),
                  Entry(sample("http_requests_total", {{"code", "200"}, {"method", "post"}}, 1027, from_ms(1395066363000))),
                  Entry(sample("go_threads", {}, 3)),
                  Entry(sample("http_duration_seconds_bucket", {{"le", "+Inf"}}, 144320)),
                  Entry(sample("empty", {}, -kInf))));
}

TEST(TextFormat, EscapesOnlyWhatTheFormatNames) {
  const auto whole = text("a{path=\"C:\\\\DIR\\n\\\"x\\\" \\d {},=#\"} 1\n");
  EXPECT_THAT(whole.samples(), ElementsAre(sample("a", {{"path", "C:\\DIR\n\"x\" \\d {},=#"}}, 1)));
}

TEST(TextFormat, ReadsQuotedNames) {
  const auto whole = text(
      "# TYPE \"http.requests\" gauge\n"
      "{\"http.requests\", \"service name\"=\"caf\xc3\xa9\", x=\"1\"} 2\n"
      "{x=\"1\",\"\xf0\x9f\x94\xa5\"} 3\n"
      "{__name__=\"plain\"} 4\n");
  EXPECT_EQ(whole.error, "");
  EXPECT_THAT(whole.entries, ElementsAre(Entry(TypeLine{"http.requests", MetricType::gauge}),
                                         Entry(sample("http.requests", {{"service name", "caf\xc3\xa9"}, {"x", "1"}}, 2)),
                                         Entry(sample("\xf0\x9f\x94\xa5", {{"x", "1"}}, 3)), Entry(sample("plain", {}, 4))));
}

TEST(TextFormat, SpellsBoundsAsOpenMetricsDoes) {
  const auto whole = text(
      "# TYPE lat histogram\nlat_bucket{le=\"1\"} 3\nlat_sum{quantile=\"1\"} 4\nother_bucket{le=\"1\"} 5\n"
      "# TYPE gc summary\ngc{quantile=\"0\"} 6\n");
  EXPECT_THAT(whole.samples(),
              ElementsAre(sample("lat_bucket", {{"le", "1.0"}}, 3), sample("lat_sum", {{"quantile", "1"}}, 4),
                          sample("other_bucket", {{"le", "1"}}, 5), sample("gc", {{"quantile", "0.0"}}, 6)));
}

TEST(TextFormat, KeepsEmptyValuesForWhoHonoursThem) {
  EXPECT_THAT(text("a{instance=\"\"} 1").samples(), ElementsAre(sample("a", {{"instance", ""}}, 1)));
}

TEST(TextFormat, TakesHelpWithoutText) {
  EXPECT_THAT(text("# HELP a\n# HELP b \n").entries, ElementsAre(Entry(HelpLine{"a", ""}), Entry(HelpLine{"b", ""})));
}

TEST(TextFormat, IsEmptyWhenNothingIsServed) {
  EXPECT_THAT(text("").entries, IsEmpty());
  EXPECT_EQ(text("\n\n# only words\n").error, "");
}

struct Bad {
  std::string_view body;
  std::string_view says;
};

TEST(TextFormat, NamesTheLineAndWhatWasSeen) {
  const Bad all[] = {
      {"a 1\n\nb x\n", "line 3: the value 'x' is not a number"},
      {"a\n", "line 1: expected a value, saw the end of the line"},
      {"a \n", "line 1: expected a value, saw the end of the line"},
      {"a{} \n", "line 1: expected a value, saw the end of the line"},
      {"a 0x1F\n", "line 1: the value '0x1F' is not a number"},
      {"a 1_0\n", "line 1: the value '1_0' is not a number"},
      {"a 1\r\n", "line 1: the value '1?' is not a number"},
      {"a 1 2.5\n", "line 1: the timestamp '2.5' is not a time in milliseconds"},
      {"a 1 2 3\n", "line 1: expected the end of the line, saw '3'"},
      {"a 1 # {trace_id=\"x\"} 1\n", "line 1: the timestamp '#' is not a time in milliseconds"},
      {"a-b 1\n", "line 1: expected a blank before the value, saw '-'"},
      {"1a 1\n", "line 1: expected the name of a metric, saw '1'"},
      {"= 1\n", "line 1: expected the name of a metric, saw '='"},
      {"\xff 1\n", "line 1: expected the name of a metric, saw '?'"},
      {"{} 1\n", "line 1: the sample has no name"},
      {"{x=\"1\"} 1\n", "line 1: the sample has no name"},
      {"{\"\"} 1\n", "line 1: a name in quotes is empty"},
      {"a{\"b\"} 1\n", "line 1: the sample has two names"},
      {"a{__name__=\"b\"} 1\n", "line 1: the sample has two names"},
      {"a{x=\"1\",x=\"2\"} 1\n", "line 1: label 'x' is given twice"},
      {"a{x=\"1\" y=\"2\"} 1\n", "line 1: expected ',' or '}' after a label, saw 'y'"},
      {"a{,} 1\n", "line 1: expected the name of a label, saw ','"},
      {"a{x=\"1\",,} 1\n", "line 1: expected the name of a label, saw ','"},
      {"a{x:y=\"1\"} 1\n", "line 1: expected '=' after label 'x', saw ':'"},
      {"a{x} 1\n", "line 1: expected '=' after label 'x', saw '}'"},
      {"a{x=1} 1\n", "line 1: expected '\"' to begin the value of label 'x', saw '1'"},
      {"a{x='1'} 1\n", "line 1: expected '\"' to begin the value of label 'x', saw '''"},
      {"a{x=\"1} 1\n", "line 1: a text in quotes does not end on its line (label 'x')"},
      {"a{x=\"1\\\"} 1\n", "line 1: a text in quotes does not end on its line (label 'x')"},
      {"a{x=\"1\\", "line 1: a text in quotes does not end on its line (label 'x')"},
      {"a{x=\"1\n\"} 1\n", "line 1: a text in quotes does not end on its line (label 'x')"},
      {"a{x=\"1\" 1\n", "line 1: expected ',' or '}' after a label, saw '1'"},
      {"a{x=\"\xff\"} 1\n", "line 1: a text in quotes is not valid UTF-8 (label 'x')"},
      {"a{x=\"\xed\xa0\x80\"} 1\n", "line 1: a text in quotes is not valid UTF-8 (label 'x')"},
      {"{\"\xc0\xaf\"} 1\n", "line 1: a text in quotes is not valid UTF-8"},
      {"a{", "line 1: expected the name of a label, saw the end of the line"},
      {"# TYPE a\n", "line 1: '' is no type of a metric"},
      {"# TYPE a meter\n", "line 1: 'meter' is no type of a metric"},
      {"# TYPE a stateset\n", "line 1: 'stateset' is no type of a metric"},
      {"# TYPE 1 gauge\n", "line 1: expected the name of a metric, saw '1'"},
      {"# HELP \"\" x\n", "line 1: the name of the metric is empty"},
      {"# HELP a-b x\n", "line 1: expected a blank after the name of the metric, saw '-'"},
      {"# HELP a \xff\n", "line 1: the text of HELP is not valid UTF-8"},
      {"<!DOCTYPE html>\n", "line 1: expected the name of a metric, saw '<'"},
      {std::string_view("a 1\na\0 1\n", 8), "line 2: the line holds a NUL byte"},
  };
  for (const auto& bad : all) EXPECT_EQ(text(bad.body).error, bad.says) << bad.body;
}

TEST(TextFormat, ShowsNoValueOfALabel) {
  for (const auto* body : {"a{user=\"canary\",user=\"canary\"} 1", "a{user=\"canary} 1", "a{user=\"canary\"x} 1",
                           "a{user=\"canary\xff\"} 1", "a{user=\"canary\"} x"})
    EXPECT_THAT(text(body).error, testing::AllOf(testing::Not(IsEmpty()), testing::Not(testing::HasSubstr("canary"))));
}

TEST(TextFormat, CutsWhatItShows) {
  EXPECT_EQ(text("a " + std::string(100, 'x')).error, "line 1: the value '" + std::string(40, 'x') + "...' is not a number");
}

TEST(TextFormat, SaysNoMoreAfterAnError) {
  Reader reader("a x\nb 1\n", Format::text);
  EXPECT_FALSE(reader.next());
  const auto after = reader.next();
  ASSERT_TRUE(after);
  EXPECT_FALSE(after->has_value());
}

TEST(TextFormat, KeepsItsLimits) {
  EXPECT_EQ(text("a 1\nb 2\nc 3\n", {.samples = 3}).error, "");
  EXPECT_EQ(text("a 1\nb 2\nc 3\n", {.samples = 2}).error, "line 3: more than 2 samples");
  EXPECT_EQ(text("a 12345\n", {.line_bytes = 7}).error, "");
  EXPECT_EQ(text("a 12345\n", {.line_bytes = 6}).error, "line 1: the line is longer than 6 bytes");
  EXPECT_EQ(text("a{x=\"1\",y=\"2\"} 1\n", {.labels = 2}).error, "");
  EXPECT_EQ(text("a{x=\"1\",y=\"2\"} 1\n", {.labels = 1}).error, "line 1: more than 1 labels");
}

TEST(TextFormat, TellsALimitFromAMistake) {
  Limits limits;
  limits.samples = 0;
  Reader reader("a 1\n", Format::text, limits);
  const auto full = reader.next();
  ASSERT_FALSE(full);
  EXPECT_EQ(full.error().code, Errc::full);
  Reader wrong("a x\n", Format::text);
  EXPECT_EQ(wrong.next().error().code, Errc::invalid);
}

}  // namespace
}  // namespace ward::exposition
