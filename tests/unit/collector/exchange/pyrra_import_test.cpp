#include "tests/unit/collector/exchange/import_bed.hpp"

namespace ward::collector::exchange {
namespace {

using test::lines;
using testing::AllOf;
using testing::Contains;
using testing::HasSubstr;
using testing::SizeIs;
using testing::StartsWith;
using namespace std::chrono_literals;

Imported import(const InputFile& file) {
  auto made = import_pyrra({&file, 1});
  EXPECT_TRUE(made) << (made ? "" : made.error().what);
  return made ? std::move(*made) : Imported{};
}

TEST(PyrraImport, MakesServiceLevelsThatLoad) {
  const auto book = test::load(import(test::fixture("pyrra-clinic.yml")));
  ASSERT_TRUE(book);
  EXPECT_THAT(book->slos.slos, SizeIs(3));
  const auto& errors = test::slo_of(*book, "prescriptions-errors");
  EXPECT_DOUBLE_EQ(errors.target, 0.995);
  EXPECT_EQ(errors.service, "prescriptions");
  EXPECT_EQ(errors.group_by, std::vector<std::string>{"tenant"});
  EXPECT_EQ(errors.absent_after, 10min);
  EXPECT_EQ(errors.alert_labels.get("owner"), "application");
  EXPECT_EQ(errors.alert_annotations.get("summary"), "Prescriptions fail");
}

TEST(PyrraImport, StretchesItsBurnWindowsToThePeriod) {
  const auto book = test::load(import(test::fixture("pyrra-clinic.yml")));
  ASSERT_TRUE(book);
  const auto& month = test::slo_of(*book, "prescriptions-errors").burn;
  ASSERT_EQ(month.size(), 4U);
  EXPECT_EQ(month[0], (slo::BurnWindow{1h, 5min, 14, AlertClass::urgent, 2min}));
  EXPECT_EQ(month[3], (slo::BurnWindow{96h, 6h, 1, AlertClass::actionable, 3h}));
  const auto& fortnight = test::slo_of(*book, "prescriptions-latency");
  ASSERT_EQ(fortnight.burn.size(), 4U);
  EXPECT_EQ(fortnight.burn[1], (slo::BurnWindow{3h, 15min, 7, AlertClass::urgent, 8min}));
  EXPECT_EQ(fortnight.absent_after, 0ms);
  EXPECT_TRUE(test::slo_of(*book, "lab-reachable").burn.empty());
}

TEST(PyrraImport, CountsWhatTheSourceCounts) {
  const auto book = test::load(import(test::fixture("pyrra-clinic.yml")));
  ASSERT_TRUE(book);
  test::Traffic traffic{
      {{test::series("rx_requests_total", {{"job", "rx"}, {"code", "200"}, {"tenant", "a"}, {"service", "x"}}), 50},
       {test::series("rx_requests_total", {{"job", "rx"}, {"code", "500"}, {"tenant", "a"}, {"service", "x"}}), 5},
       {test::series("rx_requests_total", {{"job", "rx"}, {"code", "500"}, {"tenant", "a"}, {"service", "y"}}), 1},
       {test::series("rx_requests_total", {{"job", "rx"}, {"code", "200"}, {"tenant", "b"}, {"service", "x"}}), 10},
       {test::series("rx_requests_total", {{"job", "rx"}, {"code", "502"}, {"tenant", "b"}, {"service", "x"}}), 3},
       {test::series("rx_seconds_count", {{"job", "rx"}}), 20},
       {test::series("rx_seconds_bucket", {{"job", "rx"}, {"le", "0.25"}}), 17}}};
  const auto& errors = test::slo_of(*book, "prescriptions-errors");
  for (const auto* tenant : {"a", "b"})
    EXPECT_NEAR(traffic.counted(errors, tenant),
                traffic.asked("sum by (tenant) (increase(rx_requests_total{job=\"rx\",code=~\"5..\"}[3h])) / "
                              "sum by (tenant) (increase(rx_requests_total{job=\"rx\"}[3h]))",
                              tenant),
                1e-9);
  EXPECT_NEAR(traffic.counted(test::slo_of(*book, "prescriptions-latency")), 0.15, 1e-9);
}

TEST(PyrraImport, CountsSamplesOfAGauge) {
  const auto book = test::load(import(test::fixture("pyrra-clinic.yml")));
  ASSERT_TRUE(book);
  slo::test::Bed bed({test::slo_of(*book, "lab-reachable")});
  bed.start();
  const auto probe = test::series("probe_success", {{"job", "lab"}});
  for (int i = 0; i < 100; ++i) {
    bed.put(probe, bed.now, i % 4 == 0 ? 0 : 1);
    bed.now += 1min;
    bed.tick();
  }
  ASSERT_EQ(bed.engine->budgets().size(), 1U);
  EXPECT_NEAR(*bed.engine->budgets()[0].sli, 0.75, 1e-9);
}

TEST(PyrraImport, NamesEveryLoss) {
  const auto told = lines(import(test::fixture("pyrra-clinic.yml")).notes);
  const auto has = [&](const char* start, const char* part) {
    EXPECT_THAT(told, Contains(AllOf(StartsWith(start), HasSubstr(part))));
  };
  has("pyrra-clinic.yml:6: lost", "'prometheus'");
  has("pyrra-clinic.yml:6: changed", "'site'");
  has("pyrra-clinic.yml:11: lost", "'slack'");
  has("pyrra-clinic.yml:1: lost", "by 'service'");
  has("pyrra-clinic.yml:1: changed", "SLOMetricAbsent");
  has("pyrra-clinic.yml:26: changed", "the service of SLO 'prescriptions-latency' is 'rx'");
  has("pyrra-clinic.yml:", "'name' of alerting of SLO 'prescriptions-latency'");
  has("pyrra-clinic.yml:", "native histogram");
}

TEST(PyrraImport, TellsWhatItCannotTake) {
  struct Bad {
    const char* spec;
    const char* why;
  };
  for (const auto& [spec, why] : std::initializer_list<Bad>{
           {"{target: '100', window: 4w, indicator: {bool_gauge: {metric: up}}}", "target is not above 0"},
           {"{target: '99', window: soon, indicator: {bool_gauge: {metric: up}}}", "no duration"},
           {"{target: '99', window: 4w, indicator: {}}", "no indicator"},
           {"{target: '99', window: 4w, indicator: {bool_gauge: {metric: 'sum(up)'}}}", "no plain selector"},
           {"{target: '99', window: 4w, indicator: {ratio: {errors: {metric: 'a{'}, total: {metric: a}}}}",
            "cannot be read"},
           {"{target: '99', window: 4w, indicator: {ratio: {errors: {metric: a}, total: {metric: a}}}}",
            "the same metric"}}) {
    const auto made =
        import({"x.yml", "{apiVersion: pyrra.dev/v1alpha1, kind: ServiceLevelObjective, metadata: {name: a}, spec: " +
                             std::string(spec) + "}\n"});
    EXPECT_THAT(lines(made.notes), Contains(AllOf(HasSubstr("lost"), HasSubstr(why)))) << spec;
    for (const auto& document : made.documents) EXPECT_THAT(write(document), testing::Not(HasSubstr("kind: SLO"))) << spec;
  }
}

}  // namespace
}  // namespace ward::collector::exchange
