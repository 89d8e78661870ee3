#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/collector/notify/channel_bench.hpp"

namespace ward::collector::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;
using Kind = SendOutcome::Kind;

std::string pretty(const std::string& body) { return json::parse(body).dump(2) + "\n"; }

const char* const kAll =
    "{name: am, alertmanager: {urls: ['https://am-0:9093/', 'https://am-1:9093'], labels: {site: north}}}";
const char* const kRoot = "{name: am, alertmanager: {urls: ['https://am-0:9093'], members: root}}";

TEST(Alertmanager, PostsAllMembersOfTheIncidentToEachMemberOfTheCluster) {
  const auto receiver = receiver_of(kAll);
  const auto m = message(sample_notice());
  const auto first = request_of(*receiver.channel, m, {});
  EXPECT_EQ(first.method, "POST");
  EXPECT_EQ(first.url, "https://am-0:9093/api/v2/alerts");
  EXPECT_EQ(pretty(first.body), golden("alertmanager/fire.json", pretty(first.body)));
  const auto second = request_of(*receiver.channel, m, {answered(200)});
  EXPECT_EQ(second.url, "https://am-1:9093/api/v2/alerts");
  EXPECT_EQ(second.body, first.body);
  EXPECT_EQ(outcome_of(*receiver.channel, m, {answered(200), answered(200)}), SendOutcome{});
}

TEST(Alertmanager, EndsWhatItTold) {
  auto notice = ended();
  notice.incident.alerts[1].phase = AlertPhase::resolved;
  notice.incident.alerts[1].resolved_at = clock_at("10:53:00");
  const auto body = pretty(request_of(kAll, message(notice)).body);
  EXPECT_EQ(body, golden("alertmanager/resolve.json", body));
  const auto fired = json::parse(request_of(kAll, message(sample_notice())).body);
  const auto over = json::parse(body);
  for (std::size_t n = 0; n < fired.size(); ++n)
    EXPECT_EQ(fired[n]["labels"], over[n]["labels"]) << "another alert would stay";
}

TEST(Alertmanager, KeepsTheLabelsWhateverTheIncidentBecomes) {
  auto notice = sample_notice(NoticeKind::escalate);
  notice.incident.cls = AlertClass::executive;
  notice.incident.owner = "platform";
  const auto fired = json::parse(request_of(kAll, message(sample_notice())).body);
  const auto escalated = json::parse(request_of(kAll, message(notice)).body);
  EXPECT_EQ(fired[0]["labels"], escalated[0]["labels"]);
  EXPECT_EQ(escalated[0]["annotations"]["ward_class"], "executive");
}

TEST(Alertmanager, SaysAnOpenIncidentAgainWithALaterEnd) {
  const auto receiver = receiver_of(kAll);
  EXPECT_EQ(receiver.channel->refresh(), 1min);
  auto m = message(sample_notice());
  const auto before = json::parse(request_of(*receiver.channel, m, {}).body);
  m.now += 60s;
  const auto after = json::parse(request_of(*receiver.channel, m, {}).body);
  EXPECT_EQ(before[0]["startsAt"], after[0]["startsAt"]);
  EXPECT_EQ(before[0]["endsAt"], "2026-11-22T11:12:48.000Z");
  EXPECT_EQ(after[0]["endsAt"], "2026-11-22T11:13:48.000Z");
}

TEST(Alertmanager, TellsTheRootAloneAndEndsAFormerOne) {
  const auto receiver = receiver_of(kRoot);
  auto m = message(sample_notice());
  EXPECT_EQ(json::parse(request_of(*receiver.channel, m, {}).body).size(), 1U);
  const auto told = outcome_of(*receiver.channel, m, {answered(200)}).remembered;
  ASSERT_TRUE(told);
  m.remembered = *told;
  EXPECT_EQ(json::parse(request_of(*receiver.channel, m, {}).body).size(), 1U);
  auto late = message(sample_notice(NoticeKind::escalate));
  std::swap(late.notice.incident.alerts[0], late.notice.incident.alerts[1]);
  late.remembered = *told;
  const auto body = json::parse(request_of(*receiver.channel, late, {}).body);
  ASSERT_EQ(body.size(), 2U);
  EXPECT_EQ(body[0]["labels"]["alertname"], "OdooWorkersBusy");
  EXPECT_EQ(body[1]["labels"]["alertname"], "PgPrimaryDown");
  EXPECT_EQ(body[1]["endsAt"], "2026-11-22T10:42:48.000Z");
}

TEST(Alertmanager, SpellsLabelNamesAsItTakesThem) {
  auto notice = hostile_notice();
  notice.incident.alerts[0].labels.set("k8s.pod/name", "x");
  notice.incident.alerts[0].labels.set("1st", "y");
  notice.incident.alerts[0].labels.set("empty", "");
  const auto text = pretty(request_of(kAll, message(notice)).body);
  EXPECT_EQ(text, golden("alertmanager/hostile.json", text));
  const auto labels = json::parse(text)[0]["labels"];
  EXPECT_EQ(labels["k8s_pod_name"], "x");
  EXPECT_EQ(labels["_1st"], "y");
  EXPECT_FALSE(labels.contains("empty"));
}

TEST(Alertmanager, BoundsWhatItSends) {
  auto notice = sample_notice();
  while (notice.incident.alerts.size() < 10'000) notice.incident.alerts.push_back(notice.incident.alerts[1]);
  const auto body = json::parse(request_of(kAll, message(notice)).body);
  EXPECT_EQ(body.size(), 500U);
  EXPECT_EQ(body[0]["annotations"]["ward_left_out"], "9500");
}

TEST(Alertmanager, HasNoAcknowledgements) {
  EXPECT_EQ(outcome_of(*receiver_of(kAll).channel, message(sample_notice(NoticeKind::acknowledge)), {}), SendOutcome{});
}

TEST(Alertmanager, IsContentWithOneMemberAndSaysSo) {
  const auto receiver = receiver_of(kAll);
  const auto m = message(sample_notice());
  const auto ends = [&](const Reply& a, const Reply& b) { return outcome_of(*receiver.channel, m, {a, b}); };
  const auto partly = ends(failed(http::FailureKind::connect_refused), answered(200));
  EXPECT_EQ(partly.kind, Kind::delivered);
  EXPECT_EQ(partly.error, "1 of 2 Alertmanagers took it; alerts.example:443 cannot be reached");
  EXPECT_EQ(ends(answered(400), answered(400)).kind, Kind::refused);
  EXPECT_EQ(ends(answered(400), answered(503)).kind, Kind::retry);
  EXPECT_EQ(ends(answered(204), answered(204)).kind, Kind::refused);
}

TEST(Alertmanager, NamesWhatIsWrongInItsSettings) {
  const std::pair<const char*, const char*> bad[] = {
      {"{name: a, alertmanager: {}}", "receiver 'a' names no Alertmanager. Add 'urls: ["},
      {"{name: a, alertmanager: {urls: [am-0]}}", "has no http or https URL"},
      {"{name: a, alertmanager: {urls: ['http://am-0'], token: {env: HOME}}}", "unencrypted"},
      {"{name: a, alertmanager: {urls: ['http://am-0'], members: some}}", "Choose root or all"},
      {"{name: a, alertmanager: {urls: ['http://am-0'], refresh: 1s}}", "shorter than 10s"},
      {"{name: a, alertmanager: {urls: ['http://am-0'], refresh: 1m, expires: 2m}}", "would expire before three refreshes"},
      {"{name: a, alertmanager: {urls: ['http://am-0'], labels: {a-b: x}}}", "'a-b' of receiver 'a' is no label name"},
      {"{name: a, alertmanager: {urls: ['http://am-0'], labels: {ward_incident: x}}}", "is no label name that can be set"},
  };
  for (const auto& [yaml, expected] : bad) EXPECT_THAT(problems_of(yaml), HasSubstr(expected)) << yaml;
}

}  // namespace
}  // namespace ward::collector::test
