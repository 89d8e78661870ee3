#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/notify/fake_opsgenie.hpp"
#include "tests/integration/notify/fake_pagerduty.hpp"
#include "tests/integration/notify/fake_teams.hpp"
#include "tests/integration/notify/post_office.hpp"

namespace ward::collector::test {
namespace {

using nlohmann::json;
using ::testing::HasSubstr;

const std::string kKey = "0123456789abcdef0123456789abcdef";

struct Services : ::testing::Test {
  Services() {
    ::setenv("WARD_TEST_KEY", kKey.c_str(), 1);
    ::setenv("WARD_TEST_WRONG_KEY", "ffffffffffffffffffffffffffffffff", 1);
  }
  [[nodiscard]] std::string hook() const { return "{name: hook, webhook: {url: '" + webhook.url() + "/hook'}}"; }
  /// Fire, escalation, acknowledgement and end of the sample incident, which becomes executive.
  void whole_life(const Notice& base) {
    for (const auto kind : {NoticeKind::fire, NoticeKind::escalate, NoticeKind::acknowledge, NoticeKind::resolve}) {
      auto notice = kind == NoticeKind::resolve ? ended(base) : base;
      notice.kind = kind;
      if (kind != NoticeKind::fire) notice.incident.cls = AlertClass::executive;
      office.post(notice);
      ASSERT_TRUE(office.until_idle());
    }
  }
  async::asio::io_context io;
  FakeWebhook webhook{io};
  PostOffice office{io};
};

TEST_F(Services, PagerDutyHasOneAlertFromTriggerToResolve) {
  FakePagerDuty pagerduty(io, kKey);
  office.open({"{name: pd, pagerduty: {routing_key: {env: WARD_TEST_KEY}, url: '" + pagerduty.url() + "'}}"});
  office.post(sample_notice());
  ASSERT_TRUE(office.until_idle());
  EXPECT_EQ(pagerduty.alerts.at("01M9Z4QGK2M4NB").severity, "error");
  whole_life(hostile_notice());
  ASSERT_EQ(pagerduty.alerts.size(), 1U);
  const auto& alert = pagerduty.alerts.at("01M9Z4QGK2M4NB");
  EXPECT_EQ(alert.status, "resolved");
  EXPECT_EQ(alert.severity, "critical");
  EXPECT_EQ(alert.resolves, 1);
  EXPECT_EQ(office.refusals, std::vector<std::string>{});
}

TEST_F(Services, PagerDutysWishToWaitIsGranted) {
  FakePagerDuty pagerduty(io, kKey);
  pagerduty.script = {{429, "application/json", R"({"status":"throttle exceeded"})", {{"Retry-After", "1"}}},
                      {503, "text/html", "<html>", {}}};
  office.open({"{name: pd, pagerduty: {routing_key: {env: WARD_TEST_KEY}, url: '" + pagerduty.url() + "'}}"});
  const auto began = std::chrono::steady_clock::now();
  office.post(sample_notice());
  ASSERT_TRUE(office.until_idle());
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{1'000});
  EXPECT_EQ(pagerduty.requests.size(), 3U);
  EXPECT_EQ(pagerduty.alerts.at("01M9Z4QGK2M4NB").triggers, 1);
}

TEST_F(Services, AWrongKeySendsThePageToTheFallbackAndIsNeverTold) {
  FakePagerDuty pagerduty(io, kKey);
  FakeOpsgenie opsgenie(io, kKey);
  const std::string receivers[] = {
      "{name: bad, pagerduty: {routing_key: {env: WARD_TEST_WRONG_KEY}, url: '" + pagerduty.url() + "'}}",
      "{name: bad, opsgenie: {api_key: {env: WARD_TEST_WRONG_KEY}, url: '" + opsgenie.url() + "'}}"};
  for (const auto& bad : receivers) {
    PostOffice desk(io);
    webhook.requests.clear();
    desk.open({bad, hook()});
    desk.post(sample_notice());
    ASSERT_TRUE(desk.until_idle());
    EXPECT_EQ(webhook.requests.size(), 1U);
    ASSERT_EQ(desk.refusals.size(), 1U);
    EXPECT_THAT(desk.refusals[0], HasSubstr("bad: the receiver answered HTTP 40"));
    for (const auto& row : desk.stored()) EXPECT_EQ(row.error.find("ffff"), std::string::npos);
  }
  EXPECT_TRUE(pagerduty.alerts.empty());
  EXPECT_TRUE(opsgenie.alerts.empty());
}

TEST_F(Services, ARedirectIsNotFollowedWhateverTheChannel) {
  FakePagerDuty elsewhere(io, kKey);
  FakeService first(io);
  for (const int status : {301, 302, 307, 308}) {
    first.script = {{status, "text/plain", "", {{"Location", elsewhere.url() + "/v2/enqueue"}}}};
    PostOffice desk(io);
    desk.open({"{name: pd, pagerduty: {routing_key: {env: WARD_TEST_KEY}, url: '" + first.url() + "'}}", hook()});
    desk.post(sample_notice());
    ASSERT_TRUE(desk.until_idle());
    ASSERT_EQ(desk.refusals.size(), 1U);
    EXPECT_THAT(desk.refusals[0], HasSubstr("a redirect, which is not followed"));
  }
  EXPECT_TRUE(elsewhere.requests.empty()) << "the key would have travelled on";
}

TEST_F(Services, AnAnswerWithoutEndIsCutOff) {
  FakeService endless(io);
  endless.script = {{202, "application/json", std::string(8 << 20, 'x'), {}}};
  office.open({"{name: pd, pagerduty: {routing_key: {env: WARD_TEST_KEY}, url: '" + endless.url() + "'}}"});
  office.post(sample_notice());
  ASSERT_TRUE(office.until_idle());
  EXPECT_EQ(office.stored().at(0).state, DeliveryState::delivered);
}

TEST_F(Services, OpsgenieHasOneAlertFromOpenToClosed) {
  FakeOpsgenie opsgenie(io, kKey);
  office.open({"{name: og, opsgenie: {api_key: {env: WARD_TEST_KEY}, url: '" + opsgenie.url() +
               "', responders: [{type: team, name: Database}]}}"});
  whole_life(hostile_notice());
  ASSERT_EQ(opsgenie.alerts.size(), 1U);
  const auto& alert = opsgenie.alerts.at("01M9Z4QGK2M4NB");
  EXPECT_EQ(alert.status, "closed");
  EXPECT_EQ(alert.priority, "P1") << "creating again does not raise it";
  EXPECT_EQ(alert.count, 2);
  EXPECT_EQ(alert.notes, 1);
  EXPECT_EQ(alert.closes, 1);
  EXPECT_EQ(office.refusals, std::vector<std::string>{});
}

TEST_F(Services, TeamsGetsACardForEachChange) {
  FakeTeams teams(io);
  ::setenv("WARD_TEST_ADDRESS", teams.address().c_str(), 1);
  office.open({"{name: t, teams: {webhook_url: {env: WARD_TEST_ADDRESS}}}"});
  whole_life(hostile_notice());
  ASSERT_EQ(teams.cards.size(), 4U);
  EXPECT_THAT(teams.cards[0], HasSubstr("URGENT  database  <script>alert(1)</script>"));
  EXPECT_THAT(teams.cards[3], HasSubstr("RESOLVED"));
  EXPECT_EQ(office.refusals, std::vector<std::string>{});
}

TEST_F(Services, TeamsSignatureIsNowhereToBeRead) {
  FakeTeams teams(io);
  auto wrong = teams.address();
  wrong.replace(wrong.find("s3cret"), 6, "wr0ng-s3cret");
  ::setenv("WARD_TEST_ADDRESS", wrong.c_str(), 1);
  office.open({"{name: t, teams: {webhook_url: {env: WARD_TEST_ADDRESS}}}", hook()});
  office.post(sample_notice());
  ASSERT_TRUE(office.until_idle());
  EXPECT_EQ(webhook.requests.size(), 1U);
  for (const auto& text : office.refusals) EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
  for (const auto& row : office.stored()) EXPECT_EQ((row.error + row.remembered).find("s3cret"), std::string::npos);
}

TEST_F(Services, ALatePageReachesTheSecondChannelAndBothHearOfTheEnd) {
  FakePagerDuty pagerduty(io, kKey);
  for (int i = 0; i < 5; ++i) pagerduty.script.push_back({503, "text/html", "", {}});
  office.adjust = [](Outbox::Options& options) { options.second_channel_after = std::chrono::milliseconds{100}; };
  office.open({"{name: pd, pagerduty: {routing_key: {env: WARD_TEST_KEY}, url: '" + pagerduty.url() + "'}}", hook()});
  office.post(sample_notice());
  ASSERT_TRUE(office.until([&] { return webhook.requests.size() == 1; }));
  ASSERT_TRUE(office.until_idle());
  office.post(ended());
  ASSERT_TRUE(office.until_idle());
  EXPECT_EQ(pagerduty.alerts.at("01M9Z4QGK2M4NB").triggers, 1);
  EXPECT_EQ(pagerduty.alerts.at("01M9Z4QGK2M4NB").resolves, 1);
  ASSERT_EQ(webhook.requests.size(), 2U);
  EXPECT_EQ(json::parse(webhook.requests[0].body)["status"], "firing");
  EXPECT_EQ(json::parse(webhook.requests[1].body)["status"], "resolved");
}

}  // namespace
}  // namespace ward::collector::test
