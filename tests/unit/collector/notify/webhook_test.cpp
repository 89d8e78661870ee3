#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/unit/collector/notify/channel_bench.hpp"

namespace ward::collector::test {
namespace {

using nlohmann::json;

const char* const kReceiver = "{name: pd-db, webhook: {url: 'https://alerts.example/hook'}}";

json encoded(const Message& m) { return json::parse(request_of(kReceiver, m).body); }

TEST(Webhook, WritesAlertmanagersBody) {
  EXPECT_EQ(encoded(message(sample_notice())).dump(2) + "\n",
            golden("webhook/fire.json", encoded(message(sample_notice())).dump(2)));
}

TEST(Webhook, TakesLabelsForDataWhateverTheyHold) {
  const auto body = encoded(message(hostile_notice())).dump(2);
  EXPECT_EQ(body + "\n", golden("webhook/hostile.json", body));
}

TEST(Webhook, EndsEveryAlertWhenTheIncidentEnds) {
  auto notice = sample_notice(NoticeKind::resolve);
  notice.incident.resolved_at = clock_at("10:54:45");
  notice.incident.alerts[1].phase = AlertPhase::resolved;
  notice.incident.alerts[1].resolved_at = clock_at("10:53:00");
  const auto body = encoded(message(notice));
  EXPECT_EQ(body["status"], "resolved");
  EXPECT_EQ(body["groupKey"], sample_notice().incident.id);
  EXPECT_EQ(body["alerts"][0]["status"], "resolved");
  EXPECT_EQ(body["alerts"][0]["endsAt"], "2026-11-22T10:54:45.000Z");
  EXPECT_EQ(body["alerts"][1]["endsAt"], "2026-11-22T10:53:00.000Z");
}

TEST(Webhook, CountsTheAlertsItLeavesOut) {
  auto notice = sample_notice();
  while (notice.incident.alerts.size() < 1000) notice.incident.alerts.push_back(notice.incident.alerts.back());
  const auto body = encoded(message(notice));
  EXPECT_EQ(body["alerts"].size(), 50U);
  EXPECT_EQ(body["truncatedAlerts"], 950);
  EXPECT_EQ(body["alerts"][0]["labels"]["alertname"], "PgPrimaryDown");
}

TEST(Webhook, SurvivesBytesThatAreNoUtf8) {
  auto notice = sample_notice();
  notice.incident.alerts[0].labels.set("relation", "\xff\xfe");
  EXPECT_EQ(encoded(message(notice))["alerts"][0]["labels"]["relation"], "\xef\xbf\xbd\xef\xbf\xbd");
}

}  // namespace
}  // namespace ward::collector::test
