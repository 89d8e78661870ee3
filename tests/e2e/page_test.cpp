// A dead primary pages its owner once and says once that it is over, whatever becomes of the collector meanwhile.
#include <csignal>
#include <gtest/gtest.h>
#include <iostream>
#include <nlohmann/json.hpp>
#include <optional>

#include "tests/e2e/estate.hpp"
#include "tests/e2e/page_receiver.hpp"

namespace ward::test {
namespace {

using nlohmann::json;
using std::chrono::seconds;
using Clock = std::chrono::steady_clock;

/// How soon a page comes is what `./dev bench page` and `./dev faults` measure; here it must come at all, and once.
class Page : public testing::Test {
 protected:
  Page() : receiver_(std::in_place), estate_({Estate::Transport::insecure, receiver_->port(), target(), "", ""}) {
    estate_.collector.start();
    estate_.agent.start();
  }

  std::string target() const {
    return "  - {probe: postgres, name: pg1, interval: 2s, host: 127.0.0.1, port: " + std::to_string(postgres_.port()) +
           ", user: postgres, allow_superuser: true, labels: {service: pg-main, role: primary}}\n";
  }
  bool measured(const std::string& value) const {
    return eventually(kPatience, [&] {
      const auto answer = http_get(estate_.http_port, "/api/v1/query?query=pg_up").body;
      const auto body = json::parse(answer, nullptr, false);
      return body.is_object() && body.value("status", "") == "success" && !body["data"]["result"].empty() &&
             body["data"]["result"][0]["value"][1] == value;
    });
  }
  void break_primary() {
    postgres_.signal(SIGQUIT);
    broken_ = Clock::now();
    postgres_.stop();
  }
  bool pages(const std::string& status, std::size_t count) const {
    return eventually(kPatience, [&] { return receiver_->pages(status).size() >= count; });
  }
  std::string everything() const { return (receiver_ ? receiver_->text() : "no receiver\n") + estate_.logs(); }

  PostgresServer postgres_;
  std::optional<PageReceiver> receiver_;
  Estate estate_;
  Clock::time_point broken_;
};

void expect_page_of_dead_primary(const json& body) {
  ASSERT_EQ(body["alerts"].size(), 1U);
  const auto& labels = body["alerts"][0]["labels"];
  EXPECT_EQ(labels["alertname"], "PgPrimaryDown");
  EXPECT_EQ(labels["instance"], "pg1");
  EXPECT_EQ(labels["tenant"], "t1");
  EXPECT_EQ(labels["service"], "pg-main");
  EXPECT_EQ(body["commonLabels"]["ward_class"], "urgent");
  EXPECT_EQ(body["commonLabels"]["ward_owner"], "database");
  EXPECT_TRUE(body["commonAnnotations"]["runbook_url"].get<std::string>().ends_with("runbooks/postgres.md#primary-is-down"));
}

TEST_F(Page, ReachesTheOwnersReceiver) {
  ASSERT_TRUE(measured("1")) << everything();
  break_primary();
  ASSERT_TRUE(pages("firing", 1)) << everything();
  const auto page = receiver_->pages().front();
  std::cout << "the page came " << std::chrono::duration<double>(page.at - broken_).count() << " s after the stop\n";
  EXPECT_EQ(page.path, "/database");
  expect_page_of_dead_primary(json::parse(page.body));

  postgres_.start();
  const auto mended = Clock::now();
  ASSERT_TRUE(pages("resolved", 1)) << everything();
  const auto resolve = receiver_->pages("resolved").front();
  std::cout << "the resolve came " << std::chrono::duration<double>(resolve.at - mended).count() << " s after the start\n";
  EXPECT_EQ(resolve.path, "/database");
  EXPECT_EQ(json::parse(resolve.body)["groupKey"], json::parse(page.body)["groupKey"]);
  EXPECT_EQ(receiver_->pages().size(), 2U) << everything();
}

using Restart = Page;

TEST_F(Restart, KeepsAlertState) {
  ASSERT_TRUE(measured("1")) << everything();
  break_primary();
  ASSERT_TRUE(pages("firing", 1)) << everything();
  // Killed between a delivery and its record, a collector sends the page again, with the same groupKey: better twice than
  // never. Hence the wait.
  const auto recorded = [&] { return estate_.collector_metric("ward_notify_outbox_pending") == 0.0; };
  ASSERT_TRUE(eventually(kPatience, recorded)) << everything();
  ASSERT_TRUE(estate_.collector.survives(seconds{1})) << everything();
  estate_.collector.kill();
  estate_.collector.start();
  ASSERT_TRUE(measured("0")) << everything();
  const auto firing = [&] { return estate_.collector_metric("ward_alerting_alerts_firing") == 1.0; };
  EXPECT_TRUE(eventually(kPatience, firing)) << everything();

  postgres_.start();
  ASSERT_TRUE(pages("resolved", 1)) << everything();
  EXPECT_EQ(receiver_->pages("firing").size(), 1U) << everything();
  EXPECT_EQ(receiver_->pages("resolved").size(), 1U) << everything();
  const auto all = receiver_->pages();
  EXPECT_EQ(json::parse(all.front().body)["groupKey"], json::parse(all.back().body)["groupKey"]);
}

TEST_F(Restart, SendsThePageThatNobodyTookBefore) {
  ASSERT_TRUE(measured("1")) << everything();
  const auto port = receiver_->port();
  receiver_.reset();
  break_primary();
  const auto waiting = [&](double count) {
    return eventually(kPatience, [&] { return estate_.collector_metric("ward_notify_outbox_pending") == count; });
  };
  ASSERT_TRUE(waiting(1)) << everything();
  estate_.collector.kill();
  receiver_.emplace(port);
  estate_.collector.start();
  ASSERT_TRUE(pages("firing", 1)) << everything();
  ASSERT_TRUE(waiting(0)) << everything();
  EXPECT_EQ(receiver_->pages().size(), 1U) << everything();
  expect_page_of_dead_primary(json::parse(receiver_->pages().front().body));
}

}  // namespace
}  // namespace ward::test
