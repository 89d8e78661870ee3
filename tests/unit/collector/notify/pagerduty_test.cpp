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

class PagerDuty : public ::testing::Test {
 protected:
  PagerDuty() {
    ::setenv("WARD_TEST_KEY", "0123456789abcdef0123456789abcdef", 1);
    receiver_ = receiver_of("{name: pd-db, pagerduty: {routing_key: {env: WARD_TEST_KEY}}}");
  }
  [[nodiscard]] std::string body(const Message& m) const { return request_of(*receiver_.channel, m, {}).body; }
  [[nodiscard]] SendOutcome outcome(const Reply& reply) const {
    return outcome_of(*receiver_.channel, message(sample_notice()), {reply});
  }
  Receiver receiver_;
};

TEST_F(PagerDuty, PostsToTheEventsApi) {
  const auto request = request_of(*receiver_.channel, message(sample_notice()), {});
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://events.pagerduty.com/v2/enqueue");
  EXPECT_EQ(header(request, "Content-Type"), "application/json");
  EXPECT_EQ(header(request, "Authorization"), "");
}

TEST_F(PagerDuty, WritesEachKindOfEvent) {
  for (const auto kind : {NoticeKind::fire, NoticeKind::escalate, NoticeKind::acknowledge}) {
    const auto text = pretty(body(message(sample_notice(kind))));
    EXPECT_EQ(text, golden("pagerduty/" + std::string(to_string(kind)) + ".json", text));
  }
  const auto text = pretty(body(message(ended())));
  EXPECT_EQ(text, golden("pagerduty/resolve.json", text));
}

TEST_F(PagerDuty, WakesNobodyWithNews) {
  const auto step = receiver_.channel->next(message(sample_notice(NoticeKind::update)), {});
  ASSERT_TRUE(std::holds_alternative<SendOutcome>(step));
  EXPECT_EQ(std::get<SendOutcome>(step).kind, SendOutcome::Kind::delivered);
}

TEST_F(PagerDuty, KeepsOneDedupKeyForEver) {
  for (auto notice :
       {sample_notice(), sample_notice(NoticeKind::escalate), sample_notice(NoticeKind::acknowledge), ended()}) {
    notice.incident.reopened = 3;
    notice.incident.cls = AlertClass::executive;
    EXPECT_EQ(json::parse(body(message(notice)))["dedup_key"], notice.incident.id);
  }
}

TEST_F(PagerDuty, NamesTheSeverityByClass) {
  const std::pair<AlertClass, const char*> cases[] = {{AlertClass::informational, "info"},
                                                      {AlertClass::actionable, "warning"},
                                                      {AlertClass::urgent, "error"},
                                                      {AlertClass::executive, "critical"}};
  for (const auto& [cls, severity] : cases) {
    auto notice = sample_notice();
    notice.incident.cls = cls;
    EXPECT_EQ(json::parse(body(message(notice)))["payload"]["severity"], severity);
  }
}

TEST_F(PagerDuty, TakesLabelsForDataWhateverTheyHold) {
  const auto text = pretty(body(message(hostile_notice())));
  EXPECT_EQ(text, golden("pagerduty/hostile.json", text));
  const auto event = json::parse(text);
  EXPECT_EQ(event["payload"]["summary"].get<std::string>().find_first_of("\r\n"), std::string::npos);
  for (const auto& link : event["links"])
    EXPECT_THAT(link["href"].get<std::string>(), ::testing::StartsWith("https://ward.example/"));
}

TEST_F(PagerDuty, StaysFarBelowTheLimitOfAnEvent) {
  auto notice = hostile_notice();
  notice.incident.alerts[0].annotations.set("summary", std::string(1 << 20, '"'));
  notice.incident.alerts[1].labels.set("instance", std::string(1 << 20, '\\'));
  while (notice.incident.alerts.size() < 10'000) notice.incident.alerts.push_back(notice.incident.alerts[2]);
  const auto text = body(message(notice));
  EXPECT_LT(text.size(), 512'000U);
  const auto event = json::parse(text);
  EXPECT_LE(event["payload"]["summary"].get<std::string>().size(), 1'024U);
  EXPECT_EQ(event["payload"]["custom_details"]["alerts_left_out"], 9'950);
}

TEST_F(PagerDuty, JudgesItsAnswers) {
  EXPECT_EQ(outcome(answered(202, R"({"status":"success","message":"Event processed","dedup_key":"x"})")).kind,
            Kind::delivered);
  EXPECT_EQ(outcome(answered(400, R"({"status":"invalid event","errors":["Invalid routing key"]})")).kind, Kind::refused);
  EXPECT_EQ(outcome(answered(200, "<html>welcome to the hospital's guest network</html>")).kind, Kind::refused);
  EXPECT_EQ(outcome(answered(302)).kind, Kind::refused);
  const auto busy = outcome(answered(429, "", {{"retry-after", "7"}}));
  EXPECT_EQ(busy.kind, Kind::retry);
  EXPECT_EQ(busy.retry_after, 7s);
  EXPECT_EQ(outcome(answered(503)).kind, Kind::retry);
  EXPECT_EQ(outcome(failed(http::FailureKind::tls_untrusted)).kind, Kind::refused);
  EXPECT_EQ(outcome(failed(http::FailureKind::connect_refused)).kind, Kind::retry);
}

TEST_F(PagerDuty, NamesWhatIsWrongInItsSettings) {
  const std::pair<const char*, const char*> bad[] = {
      {"{name: a, pagerduty: {}}", "receiver 'a' needs the key 'routing_key'. Put it into a file"},
      {"{name: a, pagerduty: {routing_key: 0123456789abcdef0123456789abcdef}}",
       "'routing_key' must name where the secret is"},
      {"{name: a, pagerduty: {routing_key: {env: HOME}}}", "has not 32 characters"},
      {"{name: a, pagerduty: {routing_key: {env: WARD_TEST_KEY}, url: 'http://events.eu.pagerduty.com'}}", "unencrypted"},
      {"{name: a, pagerduty: {routing_key: {env: WARD_TEST_KEY}, severty: x}}", "unknown key 'severty'"},
  };
  for (const auto& [yaml, expected] : bad) {
    const auto problems = problems_of(yaml);
    EXPECT_THAT(problems, HasSubstr(expected)) << yaml;
    EXPECT_THAT(problems, HasSubstr("collector.yaml:2:"));
    EXPECT_THAT(problems, Not(HasSubstr("0123456789abcdef")));
  }
  const auto eu =
      receiver_of("{name: a, pagerduty: {routing_key: {env: WARD_TEST_KEY}, url: 'https://events.eu.pagerduty.com/'}}");
  EXPECT_EQ(request_of(*eu.channel, message(sample_notice()), {}).url, "https://events.eu.pagerduty.com/v2/enqueue");
}

}  // namespace
}  // namespace ward::collector::test
