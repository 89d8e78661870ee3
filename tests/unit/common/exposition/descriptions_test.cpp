#include "common/exposition/descriptions.hpp"

#include <gmock/gmock.h>

#include "tests/unit/common/exposition/reading.hpp"

namespace ward::exposition {
namespace {

using testing::ElementsAre;

std::vector<Description> told(std::string_view body, Format format, Descriptions::Limits limits = {}) {
  Descriptions all(format, limits);
  for (const auto& entry : read(body, format).entries) all.add(entry);
  return all.take();
}

TEST(Descriptions, JoinWhatIsSaidOfAFamily) {
  EXPECT_THAT(told("# HELP b Two\n# TYPE b gauge\nb 1\n# TYPE a counter\na 1\n# HELP b Three\n", Format::text),
              ElementsAre(Description{"a", MetricType::counter, "", ""}, Description{"b", MetricType::gauge, "", "Three"}));
}

TEST(Descriptions, NameACounterOfOpenMetricsAsItsSamples) {
  EXPECT_THAT(told("# HELP a_seconds One\n# TYPE a_seconds counter\n# UNIT a_seconds seconds\n# TYPE build info\n"
                   "# TYPE c_total counter\n# TYPE d gauge\n# EOF",
                   Format::openmetrics),
              ElementsAre(Description{"a_seconds_total", MetricType::counter, "seconds", "One"},
                          Description{"build_info", MetricType::info, "", ""},
                          Description{"c_total", MetricType::counter, "", ""}, Description{"d", MetricType::gauge, "", ""}));
}

TEST(Descriptions, KeepTheirLimits) {
  EXPECT_THAT(
      told("# TYPE a gauge\n# TYPE b gauge\n# TYPE c gauge\n# HELP a \xc3\xa9\xc3\xa9\xc3\xa9\n", Format::text,
           {.most = 2, .text_bytes = 5}),
      ElementsAre(Description{"a", MetricType::gauge, "", "\xc3\xa9\xc3\xa9"}, Description{"b", MetricType::gauge, "", ""}));
}

}  // namespace
}  // namespace ward::exposition
