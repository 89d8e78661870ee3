#include <fstream>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "collector/notify/channel.hpp"
#include "tests/unit/collector/notify/sample_incident.hpp"

namespace ward::collector::test {
namespace {

using nlohmann::json;

Message message(Notice notice) {
  Message m;
  m.options.external_url = "https://ward.example";
  m.receiver = "pd-db";
  m.at = clock_at("10:42:45");
  m.page = page_text(notice, m.at, m.options);
  m.notice = std::move(notice);
  return m;
}

json encoded(const Message& m) { return json::parse(find_channel("webhook")->encode(m).body); }

TEST(Webhook, WritesAlertmanagersBody) {
  std::ifstream file(WARD_SOURCE_DIR "/tests/unit/collector/notify/webhook_fire.json");
  std::stringstream golden;
  golden << file.rdbuf();
  ASSERT_FALSE(golden.str().empty());
  EXPECT_EQ(encoded(message(sample_notice())).dump(2), json::parse(golden.str()).dump(2));
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
