#include "tests/unit/collector/routing/routing_bed.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Operations, ReadsTheDocumentOfTheExample) {
  const auto read = operations(R"(
owners:
  database: {receiver: dba, fallback: platform}
  application: {receiver: app, fallback: platform}
  platform: {receiver: platform}
escalations: {db-247: [{after: 0m, to: a}, {after: 10m, unless: acked, to: b}]}
inhibit_rules: [{source_matchers: [alertname=NodeDown], target_matchers: [layer=platform], equal: [node]}]
maintenance: [{services: [pg-main], slo: exclude, maxExcluded: 4h, suppress: [informational, actionable],
  time_intervals: [{weekdays: [sunday], times: [{start_time: "02:00", end_time: "04:00"}], location: Europe/Paris}]}]
)");
  EXPECT_EQ(read.problems, "");
  EXPECT_EQ(read.warnings, "");
  const auto& t = read.table;
  EXPECT_EQ(t.fallback_receiver, "platform");
  ASSERT_EQ(t.escalations.at("db-247").steps.size(), 2U);
  EXPECT_EQ(t.escalations.at("db-247").steps[1],
            (EscalationStep{.after = minutes(10), .unless_acked = true, .to = "b", .times = {}}));
  ASSERT_EQ(t.maintenance.size(), 1U);
  EXPECT_EQ(t.maintenance[0].max_excluded, hours(4));
  EXPECT_EQ(t.maintenance[0].suppress, (std::set<AlertClass>{AlertClass::informational, AlertClass::actionable}));
  EXPECT_EQ(t.receivers(), (std::set<std::string>{"a", "app", "b", "dba", "platform"}));
}

TEST(Operations, NamesWhatIsWrongAtItsPlace) {
  const std::pair<const char*, const char*> bad[] = {
      {"owners: {database: {receiver: nobody}}", "ops.yaml:1:31: 'nobody' is neither a receiver nor an on-call schedule"},
      {"owners: {database: {receiver: dba, fallback: platfrom}}", "falls back to 'platfrom'"},
      {"escalations: {p: [{to: nobody}]}", "ops.yaml:1:24: 'nobody' is neither"},
      {"escalations: {p: []}", "has no steps"},
      {"escalations: {p: [{after: 5m, to: a}]}", "tells nobody at once"},
      {"escalations: {p: [{to: a, unless: acked}]}", "nobody can acknowledge"},
      {"escalations: {p: [{to: a}, {after: 5m, unless: ack, to: b}]}", "Choose acked"},
      {"escalations: {p: [{to: a}, {after: soon, to: b}]}", "must be a duration"},
      {"escalations: {p: [{to: a, mute_time_intervals: [lunch]}]}", "'lunch' does not exist"},
      {"escalations: {p: {steps: [{to: a}], repeat: 1s}}", "more than once a minute"},
      {"repeat: 1s", "more than once a minute"},
      {"class_escalations: {executive: board}", "'board' does not exist"},
      {"class_escalations: {excutive: board}", "did you mean 'executive'"},
      {"schedules: {a: {time_zone: UTC, layers: [{rotation: [b], start: 2026-01-05}]}}", "both a receiver and a schedule"},
      {"schedules: {s: {time_zone: UTC}}", "has no layers"},
      {"schedules: {s: {time_zone: Mars/Base, layers: [{rotation: [b], start: 2026-01-05}]}}", "'Mars/Base' is not known"},
      {"schedules: {s: {time_zone: UTC, layers: [{rotation: [], start: 2026-01-05}]}}", "nobody on call"},
      {"schedules: {s: {time_zone: UTC, layers: [{rotation: [zoe], start: 2026-01-05}]}}", "'zoe' does not exist"},
      {"schedules: {s: {time_zone: UTC, layers: [{rotation: [a], start: 2026-02-30}]}}", "which is no date"},
      {"schedules: {s: {time_zone: UTC, layers: [{rotation: [a], start: 2026-02-03, handover: 25:00}]}}",
       "no time of the day"},
      {"schedules: {s: {time_zone: UTC, layers: [{rotation: [a], start: 2026-02-03, every: 36h}]}}",
       "no number of whole days"},
      {"schedules: {s: {time_zone: UTC, layers: [{rotation: [a], start: 2026-02-03}], overrides: [{from: x, until: "
       "2026-02-03T10:00, who: a}]}}",
       "from is 'x', which is no time"},
      {"schedules: {s: {time_zone: UTC, layers: [{rotation: [a], start: 2026-02-03}], overrides: [{from: "
       "2026-02-03T10:00, until: 2026-02-03T09:00, who: a}]}}",
       "ends before it begins"},
      {"route: {routes: []}", "'receiver' is missing"},
      {"route: {receiver: nobody}", "'nobody' is neither"},
      {"route: {receiver: a, matchers: [x=y]}", "the first route has matchers"},
      {"route: {receiver: a, routes: [{receiver: b, matchers: [x]}]}", "has no operator"},
      {"route: {receiver: a, routes: [{receiver: b, mute_time_intervals: [lunch]}]}", "'lunch' does not exist"},
      {"route: {receiver: a, routes: [{reciever: b}]}", "did you mean 'receiver'"},
      {"maintenance: [{services: [pg-mian], time_intervals: [{weekdays: [sunday]}]}]", "'pg-mian', which no ServiceMap has"},
      {"maintenance: [{services: [], time_intervals: [{weekdays: [sunday]}]}]", "names no services"},
      {"maintenance: [{services: [pg-main]}]", "has no times"},
      {"maintenance: [{services: [pg-main], time_intervals: [nights]}]", "'nights' does not exist"},
      {"maintenance: [{services: [pg-main], suppress: [executive], time_intervals: [{weekdays: [sunday]}]}]",
       "executive incidents are told in maintenance too"},
      {"inhibit_rules: [{target_matchers: [a=b]}]", "no valid source_matchers"},
      {"owner: {}", "did you mean 'owners'"},
  };
  for (const auto& [yaml, message] : bad) EXPECT_THAT(operations(yaml).problems, HasSubstr(message)) << yaml;
}

TEST(Operations, JoinsSeveralDocumentsAndRefusesANameOfBoth) {
  auto first = operations("{owners: {platform: {receiver: platform}}, escalations: {p: [{to: a}]}}");
  const auto second = operations("{owners: {platform: {receiver: b}}, escalations: {q: [{to: b}]}}", first.table);
  EXPECT_EQ(second.problems, "");
  EXPECT_EQ(second.table.owners.at("platform").receiver, "b");
  EXPECT_EQ(second.table.escalations.size(), 2U);
  EXPECT_THAT(operations("escalations: {p: [{to: b}]}", first.table).problems, HasSubstr("in another document too"));
}

constexpr const char* kRoute = R"(
owners: {database: {receiver: dba, fallback: platform}, platform: {receiver: platform}}
time_intervals: [{name: night, time_intervals: [{times: [{start_time: "00:00", end_time: "08:00"}]}]}]
route:
  receiver: platform
  group_by: [alertname]
  routes:
  - {receiver: a, matchers: [alertname="X"], continue: true}
  - receiver: b
    match: {layer: data}
    routes:
    - {matchers: [tenant=~"clinic-.*"], receiver: c, mute_time_intervals: [night]}
    - {matchers: [tenant="lab"]}
  - {receiver: app, match_re: {layer: "d.*"}}
)";

Texts routed(RoutingBed& bed, Labels labels) {
  static int number = 0;
  return bed.fire(incident("R" + std::to_string(++number), "database", std::move(labels)));
}

TEST(RouteTree, SendsWhereAlertmanagerWould) {
  RoutingBed bed(kRoute);
  const auto to = [&](Labels labels) {
    Texts out;
    for (const auto* node : matching_routes(*bed.router->table().route, labels)) out.push_back(node->receiver);
    return out;
  };
  EXPECT_THAT(to({{"alertname", "Y"}}), ElementsAre("platform"));
  EXPECT_THAT(to({{"alertname", "X"}}), ElementsAre("a"));
  EXPECT_THAT(to({{"alertname", "X"}, {"layer", "data"}}), ElementsAre("a", "b"));
  EXPECT_THAT(to({{"layer", "data"}, {"tenant", "clinic-a"}}), ElementsAre("c"));
  EXPECT_THAT(to({{"layer", "data"}, {"tenant", "lab"}}), ElementsAre("b"));
  EXPECT_THAT(to({{"layer", "db"}}), ElementsAre("app"));
}

TEST(RouteTree, IsToldInsteadOfTheOwner) {
  RoutingBed bed(kRoute);
  EXPECT_THAT(routed(bed, {{"alertname", "X"}, {"layer", "data"}}),
              ElementsAre(HasSubstr("fire R1 to a"), HasSubstr("fire R1 to b")));
}

TEST(RouteTree, TellsMutedReceiversWhenTheirTimeIsOver) {
  RoutingBed bed(kRoute);
  bed.now = at("2026-11-23T07:59:00Z");
  EXPECT_THAT(bed.fire(incident("I1", "platform", {{"layer", "data"}, {"tenant", "clinic-a"}})), IsEmpty());
  bed.restart();
  EXPECT_THAT(bed.after(minutes(1)), ElementsAre("fire I1 to c"));
}

TEST(RouteTree, SaysWhatItDoesOtherwise) { EXPECT_THAT(operations(kRoute).warnings, HasSubstr("'group_by' has no effect")); }

}  // namespace
}  // namespace ward::collector
