#include <gmock/gmock.h>

#include "common/exposition/reader.hpp"
#include "tests/unit/common/exposition/reading.hpp"

namespace ward::exposition {
namespace {

using testing::ElementsAre;

Whole openmetrics(std::string_view body) { return read(body, Format::openmetrics); }

TEST(OpenMetrics, ReadsAnExpositionEntryByEntry) {
  const auto whole = openmetrics(
      "# TYPE acme_seconds counter\n"
      "# UNIT acme_seconds seconds\n"
      "# HELP acme_seconds Time \\\"at\\\" work.\\n\n"
      "acme_seconds_total{path=\"/a\"} 17 1520879607.789 # {trace_id=\"KOO5S4vxi0o\"} 0.67 1520879606\n"
      "acme_seconds_created{path=\"/a\"} 1520430000.123\n"
      "# TYPE lat histogram\n"
      "lat_bucket{le=\"+Inf\"} 3 # {} 9\n"
      "# TYPE \"feature.on\" stateset\n"
      "{\"feature.on\",\"feature.on \"=\"a\"} 1\n"
      "# EOF");
  EXPECT_EQ(whole.error, "");
  EXPECT_THAT(
      whole.entries,
      ElementsAre(Entry(TypeLine{"acme_seconds", MetricType::counter}), Entry(UnitLine{"acme_seconds", "seconds"}),
                  Entry(HelpLine{"acme_seconds", "Time \"at\" work.\n"}),
                  Entry(sample("acme_seconds_total", {{"path", "/a"}}, 17, from_ms(1520879607789))),
                  Entry(sample("acme_seconds_created", {{"path", "/a"}}, 1520430000.123)),
                  Entry(TypeLine{"lat", MetricType::histogram}), Entry(sample("lat_bucket", {{"le", "+Inf"}}, 3)),
                  Entry(TypeLine{"feature.on", MetricType::gauge}), Entry(sample("feature.on", {{"feature.on ", "a"}}, 1))));
}

TEST(OpenMetrics, EndsWithItsMarkAlone) {
  EXPECT_EQ(openmetrics("# EOF").error, "");
  EXPECT_EQ(openmetrics("# EOF\n").error, "");
  EXPECT_EQ(openmetrics("").error, "line 1: the exposition ends without '# EOF'");
  EXPECT_EQ(openmetrics("a 1\n").error, "line 2: the exposition ends without '# EOF'");
  EXPECT_EQ(openmetrics("# EOF\n\n").error, "line 2: something follows '# EOF'");
  EXPECT_EQ(openmetrics("a 1\n# EOF\nb 1\n# EOF\n").error, "line 3: something follows '# EOF'");
  EXPECT_EQ(openmetrics("# EOF ").error, "line 1: expected HELP, TYPE, UNIT or EOF after '#', saw 'EOF'");
}

TEST(OpenMetrics, NamesTheLineAndWhatWasSeen) {
  struct Bad {
    std::string_view line;
    std::string_view says;
  };
  const Bad all[] = {
      {"", "an empty line"},
      {" a 1", "expected the name of a metric, saw ' '"},
      {"a  1", "expected a value, saw ' '"},
      {"a\t1", "expected a blank before the value, saw '?'"},
      {"a{}1", "expected a blank before the value, saw '1'"},
      {"a {x=\"1\"} 1", "the value '{x=\"1\"}' is not a number"},
      {"a{ x=\"1\"} 1", "expected the name of a label, saw ' '"},
      {"a{x=\"1\", y=\"1\"} 1", "expected the name of a label, saw ' '"},
      {"a 1 ", "expected a timestamp, saw the end of the line"},
      {"a 1 NaN", "the timestamp 'NaN' is not a time in seconds"},
      {"a 1 2 3", "expected the end of the line, saw '3'"},
      {"a 1 # x", "expected '# {' of an exemplar, saw 'x'"},
      {"a 1 #{}", "expected '# {' of an exemplar, saw '#'"},
      {"a 1 # {} x", "the value 'x' is not a number"},
      {"a 1 # {}", "expected a blank before the value of the exemplar, saw the end of the line"},
      {"a 1 # {x=\"1\",x=\"2\"} 1", "label 'x' is given twice"},
      {"a 1 # {\"x\"} 1", "an exemplar has no name"},
      {"a 1 # {} 1 x", "the timestamp 'x' is not a time in seconds"},
      {"a 1 # {} 1 2 ", "expected the end of the line, saw ' '"},
      {"#", "expected a blank after '#', saw the end of the line"},
      {"# words", "expected HELP, TYPE, UNIT or EOF after '#', saw 'words'"},
      {"# TYPE", "expected the name of a metric, saw the end of the line"},
      {"# TYPE a untyped", "'untyped' is no type of a metric"},
      {"# TYPE a  gauge", "' gauge' is no type of a metric"},
      {"# UNIT a_seconds bytes", "the unit 'bytes' is not the end of the name 'a_seconds'"},
      {"# UNIT seconds seconds", "the unit 'seconds' is not the end of the name 'seconds'"},
  };
  for (const auto& bad : all) {
    const auto body = "ok 1\n" + std::string(bad.line) + "\n# EOF\n";
    EXPECT_EQ(openmetrics(body).error, "line 2: " + std::string(bad.says)) << bad.line;
  }
}

TEST(OpenMetrics, KnowsItsTypes) {
  const std::pair<std::string, MetricType> all[] = {
      {"counter", MetricType::counter},     {"gauge", MetricType::gauge},
      {"histogram", MetricType::histogram}, {"summary", MetricType::summary},
      {"info", MetricType::info},           {"unknown", MetricType::unknown},
      {"stateset", MetricType::gauge},      {"gaugehistogram", MetricType::gauge},
  };
  for (const auto& [word, type] : all)
    EXPECT_THAT(openmetrics("# TYPE a " + word + "\n# EOF").entries, ElementsAre(Entry(TypeLine{"a", type}))) << word;
}

}  // namespace
}  // namespace ward::exposition
