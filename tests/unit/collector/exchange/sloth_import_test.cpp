#include "tests/unit/collector/exchange/import_bed.hpp"

namespace ward::collector::exchange {
namespace {

using test::lines;
using testing::AllOf;
using testing::Contains;
using testing::Each;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::SizeIs;
using testing::StartsWith;
using namespace std::chrono_literals;

Imported import(std::vector<InputFile> files) {
  auto made = import_sloth(files);
  EXPECT_TRUE(made) << (made ? "" : made.error().what);
  return made ? std::move(*made) : Imported{};
}

TEST(SlothImport, MakesServiceLevelsThatLoad) {
  const auto book = test::load(import({test::fixture("sloth-admission.yml")}));
  ASSERT_TRUE(book);
  EXPECT_THAT(book->slos.slos, SizeIs(3));
  const auto& requests = test::slo_of(*book, "admission-desk-requests");
  EXPECT_DOUBLE_EQ(requests.target, 0.999);
  EXPECT_EQ(requests.service, "admission-desk");
  EXPECT_EQ(requests.alert_labels.get("owner"), "application");
  EXPECT_EQ(requests.alert_annotations.get("summary"), "The admission desk answers with errors");
  EXPECT_EQ(requests.alert_annotations.get("runbook_url"), "https://wiki.clinic.example/desk#errors");
  ASSERT_EQ(requests.burn.size(), 4U);
  EXPECT_DOUBLE_EQ(requests.burn[0].factor, 14.4);
  EXPECT_EQ(requests.burn[0].cls, AlertClass::urgent);
}

TEST(SlothImport, CountsWhatTheSourceCounts) {
  const auto book = test::load(import({test::fixture("sloth-admission.yml")}));
  ASSERT_TRUE(book);
  test::Traffic traffic{{{test::series("desk_http_requests_total", {{"job", "desk"}, {"code", "200"}}), 90},
                         {test::series("desk_http_requests_total", {{"job", "desk"}, {"code", "503"}}), 7},
                         {test::series("desk_http_requests_total", {{"job", "other"}, {"code", "500"}}), 50},
                         {test::series("desk_search_seconds_count", {{"job", "desk"}}), 40},
                         {test::series("desk_search_seconds_bucket", {{"job", "desk"}, {"le", "0.5"}}), 37},
                         {test::series("desk_search_seconds_bucket", {{"job", "desk"}, {"le", "1"}}), 39}}};
  EXPECT_NEAR(traffic.counted(test::slo_of(*book, "admission-desk-requests")),
              traffic.asked("sum(rate(desk_http_requests_total{job=\"desk\",code=~\"5..\"}[3h])) / "
                            "sum(rate(desk_http_requests_total{job=\"desk\"}[3h]))"),
              1e-9);
  EXPECT_NEAR(traffic.counted(test::slo_of(*book, "admission-desk-search-latency")),
              traffic.asked("(sum(rate(desk_search_seconds_count{job=\"desk\"}[3h])) - "
                            "sum(rate(desk_search_seconds_bucket{job=\"desk\",le=\"0.5\"}[3h]))) / "
                            "sum(rate(desk_search_seconds_count{job=\"desk\"}[3h]))"),
              1e-9);
}

TEST(SlothImport, AsksWhatIsNoRatioOfSelectors) {
  const auto book = test::load(import({test::fixture("sloth-admission.yml"), test::fixture("sloth-resource.yml")}));
  ASSERT_TRUE(book);
  const auto& raw = test::slo_of(*book, "admission-desk-labels-printed").indicator.sources;
  ASSERT_EQ(raw.size(), 1U);
  EXPECT_EQ(raw[0].role, slo::SliRole::raw_bad);
  const auto& routes = test::slo_of(*book, "lab-results-two-routes").indicator.sources;
  ASSERT_EQ(routes.size(), 1U);
  test::Traffic traffic{{{test::series("lab_http_errors_total", {}), 2},
                         {test::series("lab_fax_errors_total", {}), 3},
                         {test::series("lab_http_total", {}), 60},
                         {test::series("lab_fax_total", {}), 40}}};
  EXPECT_NEAR(traffic.asked(routes[0].query), 0.05, 1e-9);
}

TEST(SlothImport, KeepsWhoIsTold) {
  const auto made = import({test::fixture("sloth-admission.yml")});
  const auto book = test::load(made);
  ASSERT_TRUE(book);
  const auto& latency = test::slo_of(*book, "admission-desk-search-latency").burn;
  ASSERT_EQ(latency.size(), 2U);
  EXPECT_EQ(latency[0].cls, AlertClass::actionable);
  EXPECT_TRUE(test::slo_of(*book, "admission-desk-labels-printed").burn.empty());
}

TEST(SlothImport, TakesThePeriodOfAlertWindows) {
  const auto book = test::load(import({test::fixture("sloth-resource.yml")}));
  ASSERT_TRUE(book);
  const auto& delivery = test::slo_of(*book, "lab-results-delivery");
  EXPECT_EQ(slo::format_period(delivery.period), "28d");
  EXPECT_EQ(delivery.group_by, std::vector<std::string>{"tenant"});
  ASSERT_EQ(delivery.burn.size(), 2U);
  EXPECT_NEAR(delivery.burn[0].factor, 0.025 * 28 * 24, 1e-9);
}

TEST(SlothImport, NamesEveryLoss) {
  const auto told = lines(import({test::fixture("sloth-admission.yml"), test::fixture("sloth-resource.yml")}).notes);
  const auto has = [&](const char* place, const char* part) {
    EXPECT_THAT(told, Contains(AllOf(StartsWith(place), HasSubstr(part))));
  };
  has("sloth-admission.yml:18: lost", "'name' of alerting");
  has("sloth-admission.yml:19: lost", "'team'");
  has("sloth-admission.yml:21: lost", "'dashboard'");
  has("sloth-admission.yml:26: lost", "'severity'");
  has("sloth-admission.yml:11: changed", "'site'");
  has("sloth-admission.yml:", "it is a template");
  has("sloth-admission.yml:", "plugin");
  has("sloth-admission.yml:", "or vector(0)");
  has("sloth-admission.yml:", "labels-printed");
  has("sloth-resource.yml:5: lost", "'namespace'");
  has("sloth-resource.yml:22: lost", "'colour'");
}

TEST(SlothImport, TellsWhatItCannotTake) {
  struct Bad {
    const char* text;
    const char* why;
  };
  const std::string head = "version: prometheus/v1\nservice: s\nslos:\n";
  for (const auto& [text, why] : std::initializer_list<Bad>{
           {"- {name: a, objective: 101, sli: {raw: {error_ratio_query: up}}}", "objective that is not above 0"},
           {"- {objective: 99, sli: {raw: {error_ratio_query: up}}}", "it has no name"},
           {"- {name: a, objective: 99, sli: {}}", "neither events nor raw"},
           {"- {name: a, objective: 99, sli: {raw: {error_ratio_query: 'sum('}}}", "unclosed left parenthesis"},
           {"- {name: a, objective: 99, sli: {raw: {error_ratio_query: 'up[5m]'}}}", "range vector"},
           {"- {name: a, objective: 99, sli: {raw: {error_ratio_query: 'rate(a[{{.other}}])'}}}", "other than {{.window}}"},
           {"- {name: a, objective: 99, sli: {events: {total_query: up}}}", "'error_query' is missing"},
           {"- 7", "no mapping"}}) {
    const auto made = import({{"x.yml", head + text + "\n"}});
    EXPECT_THAT(lines(made.notes), Contains(AllOf(HasSubstr("lost"), HasSubstr(why)))) << text;
    for (const auto& document : made.documents) EXPECT_THAT(write(document), Not(HasSubstr("kind: SLO"))) << text;
  }
}

TEST(SlothImport, TellsOfForeignDocuments) {
  const auto made = import({{"x.yml", "apiVersion: v1\nkind: ConfigMap\ndata: {}\n---\ngroups: []\n"}});
  EXPECT_THAT(lines(made.notes), ElementsAre(HasSubstr("kind ConfigMap"), HasSubstr("no Sloth file")));
}

TEST(SlothImport, RefusesWhatIsNoYaml) {
  const auto made = import_sloth(std::vector<InputFile>{{"x.yml", "a: [\n"}});
  ASSERT_FALSE(made);
  EXPECT_THAT(made.error().what, HasSubstr("x.yml"));
}

}  // namespace
}  // namespace ward::collector::exchange
