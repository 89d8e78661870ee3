#include "collector/notify/page.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/collector/notify/sample_incident.hpp"

namespace ward::collector::test {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const PageOptions kOptions{.external_url = "https://ward.example", .runbook_base = ""};

TEST(Page, SaysWhatIsBrokenSinceWhenWhyAndWhatToDo) {
  EXPECT_EQ(page_text(sample_notice(), clock_at("10:42:45"), kOptions),
            "URGENT  database  PostgreSQL primary pg-main is down since 10:42:07 UTC (38 s)\n"
            "Breaks: billing for clinic-a, clinic-b. Fast burn 31x, budget left 62%.\n"
            "Why: PgPrimaryDown is 0 at pg-main pg-main-0 on node-3. The server refuses connections.\n"
            "Do: runbooks/pg.md#failover  Decision tree pg-down.\n"
            "Held back: 3 alerts beneath it (2 OdooWorkersBusy, 1 BillingBroken).\n"
            "Incident 01M9Z4QGK2M4NB  https://ward.example/api/ward/v1/incidents?id=01M9Z4QGK2M4NB");
}

TEST(Page, SaysHowReadyTheServiceIsToBeRecovered) {
  auto notice = sample_notice();
  notice.readiness = "1 of 2 hold. Not: a backup of the last day";
  EXPECT_THAT(page_text(notice, clock_at("10:42:45"), kOptions),
              HasSubstr("Decision tree pg-down.\nRecovery of pg-main: 1 of 2 hold. Not: a backup of the last day.\n"));
}

TEST(Page, LeavesOutWhatNobodyKnows) {
  Incident i;
  i.id = "01M9Z4QGK2M4NB";
  i.owner = "platform";
  i.root_service = "redis";
  i.root_alert = "RedisDown";
  auto alert = sample_alert("RedisDown", "redis", "10:42:07");
  alert.labels.erase("tenant");
  i.alerts.push_back(alert);
  EXPECT_EQ(page_text({.kind = NoticeKind::fire, .incident = i}, clock_at("12:45:07"), {}),
            "ACTIONABLE  platform  RedisDown at redis since 10:42:07 UTC (2 h 3 m)\n"
            "Why: RedisDown is 0 at redis.\n"
            "Incident 01M9Z4QGK2M4NB");
}

TEST(Page, LinksARunbookThatStandsRelativeToItsBase) {
  auto options = kOptions;
  options.runbook_base = "https://wiki.example/ward";
  EXPECT_THAT(page_text(sample_notice(), clock_at("10:42:45"), options),
              HasSubstr("Do: https://wiki.example/ward/runbooks/pg.md#failover  Decision tree"));
  auto notice = sample_notice();
  notice.incident.alerts.front().annotations =
      notice.incident.alerts.front().annotations.with("runbook_url", "https://runbooks.example/pg");
  EXPECT_THAT(page_text(notice, clock_at("10:42:45"), options), HasSubstr("Do: https://runbooks.example/pg  "));
}

TEST(Page, SaysThatItIsOver) {
  auto notice = sample_notice(NoticeKind::resolve);
  notice.incident.phase = IncidentPhase::resolved;
  notice.incident.resolved_at = clock_at("10:54:45");
  EXPECT_EQ(page_text(notice, clock_at("10:54:45"), {}),
            "RESOLVED  database  PostgreSQL primary pg-main is down: over at 10:54:45 UTC after 12 m\n"
            "Incident 01M9Z4QGK2M4NB");
}

TEST(Page, SaysWhereAMergedIncidentGoesOn) {
  auto notice = sample_notice(NoticeKind::resolve);
  notice.incident.merged_into = "01M9Z4AAAAAAAA";
  EXPECT_THAT(page_text(notice, clock_at("10:54:45"), {}), HasSubstr("it goes on as incident 01M9Z4AAAAAAAA"));
}

TEST(Page, SaysThatItEscalated) {
  EXPECT_THAT(page_text(sample_notice(NoticeKind::escalate), clock_at("10:52:07"), {}),
              ::testing::StartsWith("URGENT, escalated  database  "));
}

TEST(Page, NamesTheWorkflowsInDangerWhenNoneHasFailedYet) {
  auto notice = sample_notice();
  notice.incident.alerts.resize(1);
  notice.incident.workflows = {"billing", "scheduling"};
  EXPECT_THAT(page_text(notice, clock_at("10:42:45"), {}), HasSubstr("Endangers: billing, scheduling for clinic-a."));
}

TEST(Page, StaysOneLineAnIdeaWhateverTheAnnotationsHold) {
  auto notice = sample_notice();
  auto& root = notice.incident.alerts.front();
  root.annotations.set("summary", "down\r\nIncident FORGED\x1b[31m");
  root.annotations.set("description", std::string(239, 'x') + "\xc3\xa9" + std::string(5000, 'y'));
  const auto page = page_text(notice, clock_at("10:42:45"), kOptions);
  EXPECT_EQ(std::count(page.begin(), page.end(), '\n'), 5);
  EXPECT_THAT(page, Not(HasSubstr("\x1b")));
  EXPECT_THAT(page, HasSubstr(std::string(237, 'x') + "..."));
  EXPECT_LT(page.size(), 1200U);
}

TEST(Page, CountsWhatALongListLeavesOut) {
  auto notice = sample_notice();
  for (int n = 0; n < 20; ++n)
    notice.incident.alerts.push_back(
        sample_alert("Symptom" + std::to_string(n), "odoo", "10:43:00", {{"workflow", "wf" + std::to_string(10 + n)}}));
  const auto page = page_text(notice, clock_at("10:43:30"), kOptions);
  EXPECT_THAT(page, HasSubstr("Breaks: billing, wf10, wf11, wf12, wf13, wf14 and 15 more for clinic-a, clinic-b."));
  EXPECT_THAT(page, HasSubstr("Held back: 23 alerts beneath it (2 OdooWorkersBusy, "));
  EXPECT_LT(page.size(), 1200U);
}

}  // namespace
}  // namespace ward::collector::test
