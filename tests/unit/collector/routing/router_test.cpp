#include "collector/routing/router.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/event/json.hpp"

namespace ward::collector {
namespace {

constexpr Time kNow = from_ms(1'790'000'000'000);

RoutingTable table() {
  RoutingTable t;
  t.owners = {{"database", {.receiver = "pd-db", .fallback = "platform"}},
              {"application", {.receiver = "pd-app", .fallback = "platform"}},
              {"platform", {.receiver = "pd-platform", .fallback = ""}}};
  t.fallback_receiver = "pd-platform";
  return t;
}

Incident incident(std::string id, std::string owner, Labels root = {{"alertname", "X"}}) {
  Incident i;
  i.id = std::move(id);
  i.owner = std::move(owner);
  i.cls = AlertClass::urgent;
  i.root_alert = root.get("alertname");
  AlertEvent a;
  a.labels = std::move(root);
  a.phase = AlertPhase::firing;
  i.alerts.push_back(std::move(a));
  return i;
}

std::vector<std::string> lines(const Routed& routed) {
  std::vector<std::string> out;
  for (const auto& d : routed.deliveries)
    out.push_back(std::string(to_string(d.kind)) + " " + d.incident + " to " + d.receiver);
  return out;
}

using Lines = std::vector<std::string>;

Routed send(Router& router, NoticeKind kind, const Incident& i, std::vector<Incident> open) {
  const std::vector<Notice> notices{{.kind = kind, .incident = i}};
  return router.route(notices, open, kNow);
}

TEST(Router, SendsAFireToTheOwnersReceiver) {
  Router router(table());
  const auto i = incident("I1", "database");
  const auto out = send(router, NoticeKind::fire, i, {i});
  EXPECT_EQ(lines(out), (Lines{"fire I1 to pd-db"}));
  EXPECT_EQ(out.notified, (std::vector<Notified>{{"I1", "pd-db"}}));
  EXPECT_EQ(notice_from_json(out.deliveries[0].body).value(), (Notice{.kind = NoticeKind::fire, .incident = i}));
}

TEST(Router, SendsAnUnknownOwnersIncidentToTheFallbackAndSaysSo) {
  Router router(table());
  const auto i = incident("I1", "facilities");
  const auto out = send(router, NoticeKind::fire, i, {i});
  EXPECT_EQ(lines(out), (Lines{"fire I1 to pd-platform"}));
  ASSERT_EQ(out.decisions.size(), 1U);
  EXPECT_EQ(out.decisions[0].what, "routed to the fallback");
}

TEST(Router, TellsTheEndToExactlyThoseWhoHeard) {
  Router router(table());
  auto i = incident("I1", "application");
  send(router, NoticeKind::fire, i, {i});
  i.owner = "database";
  EXPECT_EQ(lines(send(router, NoticeKind::escalate, i, {i})), (Lines{"escalate I1 to pd-db"}));
  const auto end = send(router, NoticeKind::resolve, i, {});
  EXPECT_EQ(lines(end), (Lines{"resolve I1 to pd-app", "resolve I1 to pd-db"}));
  EXPECT_EQ(end.notified_gone, (Lines{"I1"}));
  EXPECT_TRUE(lines(send(router, NoticeKind::resolve, i, {})).empty());
  EXPECT_TRUE(router.state().empty());
}

TEST(Router, TellsAnAcknowledgementToThoseWhoHeardAlone) {
  Router router(table());
  const auto i = incident("I1", "application");
  EXPECT_EQ(lines(send(router, NoticeKind::acknowledge, incident("I0", "application"), {})), Lines{});
  send(router, NoticeKind::fire, i, {i});
  EXPECT_EQ(lines(send(router, NoticeKind::acknowledge, i, {i})), (Lines{"acknowledge I1 to pd-app"}));
  EXPECT_EQ(lines(send(router, NoticeKind::resolve, i, {})), (Lines{"resolve I1 to pd-app"}));
}

TEST(Router, RemembersWhoHeardOverARestart) {
  Router first(table());
  const auto i = incident("I1", "application");
  send(first, NoticeKind::fire, i, {i});
  Router second(table(), first.state());
  EXPECT_EQ(lines(send(second, NoticeKind::resolve, i, {})), (Lines{"resolve I1 to pd-app"}));
}

TEST(Router, TellsAnOpenIncidentNobodyHasHeardOf) {
  Router router(table());
  const auto out = router.route({}, std::vector{incident("I1", "database")}, kNow);
  EXPECT_EQ(lines(out), (Lines{"fire I1 to pd-db"}));
}

RoutingTable inhibiting() {
  auto t = table();
  t.inhibit_rules.push_back({.source = {LabelCondition::parse("alertname=NodeDown").value()},
                             .target = {LabelCondition::parse("layer=~platf.*").value()},
                             .equal = {"node"}});
  return t;
}

TEST(Router, InhibitsWhileTheSourceIsOpenAndTellsAfterwards) {
  Router router(inhibiting());
  const auto source = incident("I1", "platform", {{"alertname", "NodeDown"}, {"layer", "platform"}, {"node", "n1"}});
  const auto target = incident("I2", "platform", {{"alertname", "DiskSlow"}, {"layer", "platform"}, {"node", "n1"}});
  send(router, NoticeKind::fire, source, {source});
  const auto held = send(router, NoticeKind::fire, target, {source, target});
  EXPECT_TRUE(held.deliveries.empty());
  ASSERT_EQ(held.decisions.size(), 1U);
  EXPECT_EQ(held.decisions[0].what, "inhibited");
  EXPECT_EQ(router.route({}, std::vector{source, target}, kNow), Routed{});
  const auto after = send(router, NoticeKind::resolve, source, {target});
  EXPECT_EQ(lines(after), (Lines{"resolve I1 to pd-platform", "fire I2 to pd-platform"}));
}

TEST(Router, EndsAnInhibitedIncidentInSilence) {
  Router router(inhibiting());
  const auto source = incident("I1", "platform", {{"alertname", "NodeDown"}, {"layer", "platform"}, {"node", "n1"}});
  const auto target = incident("I2", "platform", {{"alertname", "DiskSlow"}, {"layer", "platform"}, {"node", "n1"}});
  send(router, NoticeKind::fire, source, {source});
  send(router, NoticeKind::fire, target, {source, target});
  EXPECT_TRUE(send(router, NoticeKind::resolve, target, {source}).deliveries.empty());
}

TEST(Router, InhibitsOnlyWhereTheEqualLabelsAgree) {
  Router router(inhibiting());
  const auto source = incident("I1", "platform", {{"alertname", "NodeDown"}, {"layer", "platform"}, {"node", "n1"}});
  const auto target = incident("I2", "platform", {{"alertname", "DiskSlow"}, {"layer", "platform"}, {"node", "n2"}});
  send(router, NoticeKind::fire, source, {source});
  EXPECT_EQ(lines(send(router, NoticeKind::fire, target, {source, target})), (Lines{"fire I2 to pd-platform"}));
}

TEST(DeliveryKey, RepeatsForTheSameMessageAndDiffersForEveryOther) {
  const Notice fire{.kind = NoticeKind::fire, .incident = incident("I1", "database")};
  auto louder = fire, again = fire, resolve = fire, later = fire;
  louder.incident.cls = AlertClass::executive;
  again.incident.reopened = 1;
  resolve.kind = NoticeKind::resolve;
  later.incident.alerts.push_back(AlertEvent{});
  EXPECT_EQ(delivery_key(fire, "a"), delivery_key(later, "a"));
  std::set<std::string> keys{delivery_key(fire, "a"), delivery_key(fire, "b"), delivery_key(louder, "a"),
                             delivery_key(again, "a"), delivery_key(resolve, "a")};
  EXPECT_EQ(keys.size(), 5U);
}

TEST(LabelCondition, ReadsAlertmanagersForms) {
  const Labels labels{{"alertname", "NodeDown"}, {"layer", "platform"}};
  const std::pair<const char*, bool> cases[] = {{"alertname=NodeDown", true},   {"alertname = \"NodeDown\"", true},
                                                {"alertname!=NodeDown", false}, {"layer=~\"plat.*\"", true},
                                                {"layer=~plat", false},         {"layer!~data|platform", false},
                                                {"absent=\"\"", true},          {"absent=~.+", false}};
  for (const auto& [text, expected] : cases) {
    const auto condition = LabelCondition::parse(text);
    ASSERT_TRUE(condition) << text;
    EXPECT_EQ(condition->holds(labels), expected) << text;
  }
}

TEST(LabelCondition, RefusesWhatIsNone) {
  for (const auto* text : {"", "alertname", "=x", "1a=x", "a b=x", "a!x", "a=~(", "a=\"x", "a=\""}) {
    const auto condition = LabelCondition::parse(text);
    ASSERT_FALSE(condition) << text;
    EXPECT_EQ(condition.error().code, Errc::invalid);
    EXPECT_FALSE(condition.error().fix.empty());
  }
}

struct Read {
  RoutingTable table;
  std::string problems;
};

Read read(const std::string& yaml) {
  const auto documents = config::parse_yaml(yaml, "ops.yaml").value();
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  Read out{.table = read_routing_table(section), .problems = ""};
  section.close();
  if (!problems.empty()) out.problems = problems.to_text();
  return out;
}

TEST(RoutingTable, ReadsOwnersAndInhibitRules) {
  const auto got = read(R"(
owners:
  database: {receiver: pd-db, fallback: platform}
  backup: {receiver: pd-db}
  platform: {receiver: pd-platform}
inhibit_rules: [{source_matchers: [alertname=NodeDown], target_matchers: [layer=platform], equal: [node]}]
)");
  EXPECT_EQ(got.problems, "");
  EXPECT_EQ(got.table.owners.at("database"), (OwnerRoute{.receiver = "pd-db", .fallback = "platform"}));
  EXPECT_EQ(got.table.fallback_receiver, "pd-platform");
  EXPECT_EQ(got.table.fallbacks(), (std::map<std::string, std::string>{{"pd-db", "pd-platform"}}));
  EXPECT_EQ(got.table.inhibit_rules.size(), 1U);
}

TEST(RoutingTable, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> bad[] = {
      {"owners: {database: {receiver: a}}", "would reach nobody"},
      {"owners: {platform: {receiver: a, fallback: b}}", "falls back to 'b'"},
      {"{owners: {platform: {receiver: a}}, inhibit_rules: [{target_matchers: [a=b]}]}", "no valid source_matchers"},
      {"{owners: {platform: {receiver: a}}, inhibit_rules: [{source_matchers: [a], target_matchers: [a=b]}]}",
       "has no operator"},
      {"{owners: {platform: {receiver: a}}, inhibitrules: []}", "inhibitrules"},
  };
  for (const auto& [yaml, message] : bad) EXPECT_THAT(read(yaml).problems, ::testing::HasSubstr(message)) << yaml;
}

}  // namespace
}  // namespace ward::collector
