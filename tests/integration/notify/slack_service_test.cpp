#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "tests/integration/notify/fake_slack.hpp"
#include "tests/integration/notify/post_office.hpp"

namespace ward::collector::test {
namespace {

using ::testing::HasSubstr;

struct SlackService : ::testing::Test {
  SlackService() { ::setenv("WARD_TEST_TOKEN", "xoxb-1-s3cret", 1); }
  [[nodiscard]] std::string bot(const std::string& channel = "#database") const {
    return "{name: sl, slack: {token: {env: WARD_TEST_TOKEN}, channel: '" + channel + "', url: '" + slack.api() + "'}}";
  }
  void post(const Notice& notice) {
    office.post(notice);
    ASSERT_TRUE(office.until_idle());
  }
  async::asio::io_context io;
  FakeSlack slack{io, "xoxb-1-s3cret"};
  PostOffice office{io};
};

TEST_F(SlackService, ChangesOneMessageInPlaceOverARestart) {
  office.open({bot()});
  post(sample_notice());
  ASSERT_EQ(slack.messages.size(), 1U);
  office.restart();
  post(sample_notice(NoticeKind::escalate));
  office.restart();
  post(ended());
  ASSERT_EQ(slack.messages.size(), 3U);
  const auto& first = slack.messages[0];
  EXPECT_EQ(first.edits, 2);
  EXPECT_THAT(first.text, HasSubstr("RESOLVED"));
  EXPECT_EQ(slack.messages[1].thread_ts, first.ts);
  EXPECT_TRUE(slack.messages[1].broadcast);
  EXPECT_EQ(slack.messages[2].thread_ts, first.ts);
  EXPECT_FALSE(slack.messages[2].broadcast);
  EXPECT_EQ(office.refusals, std::vector<std::string>{});
}

TEST_F(SlackService, KeepsIncidentsApart) {
  office.open({bot()});
  auto other = sample_notice();
  other.incident.id = "01M9Z4QGK2M4ZZ";
  post(sample_notice());
  post(other);
  post(ended());
  ASSERT_EQ(slack.messages.size(), 3U);
  EXPECT_EQ(slack.messages[0].edits, 1);
  EXPECT_EQ(slack.messages[1].edits, 0);
}

TEST_F(SlackService, ShowsLabelsAsTheyAreAndMentionsNobody) {
  office.open({bot()});
  post(hostile_notice());
  ASSERT_EQ(slack.messages.size(), 1U);
  EXPECT_THAT(slack.messages[0].text, HasSubstr("<script>alert(1)</script> & \"quoted\""));
  EXPECT_THAT(slack.messages[0].body, HasSubstr("<!channel>"));
  EXPECT_EQ(slack.mentions, 0);
}

TEST_F(SlackService, WaitsAsLongAsSlackWishes) {
  slack.script = {{429, "application/json", R"({"ok":false,"error":"ratelimited"})", {{"Retry-After", "1"}}},
                  {200, "application/json", R"({"ok":false,"error":"ratelimited"})", {{"Retry-After", "1"}}}};
  office.open({bot()});
  const auto began = std::chrono::steady_clock::now();
  post(sample_notice());
  EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::seconds{2});
  EXPECT_EQ(slack.messages.size(), 1U);
}

TEST_F(SlackService, PostsAnewWhenItsMessageWasDeleted) {
  office.open({bot()});
  post(sample_notice());
  slack.messages.clear();
  post(sample_notice(NoticeKind::escalate));
  ASSERT_EQ(slack.messages.size(), 1U);
  EXPECT_EQ(slack.messages[0].thread_ts, "");
  post(ended());
  EXPECT_EQ(slack.messages[0].edits, 1) << "the new one is the one to change";
}

TEST_F(SlackService, AnUnknownChannelSendsThePageToTheFallback) {
  FakeWebhook webhook(io);
  office.open({bot("#gone"), "{name: hook, webhook: {url: '" + webhook.url() + "'}}"});
  post(sample_notice());
  EXPECT_EQ(webhook.requests.size(), 1U);
  EXPECT_EQ(office.refusals, std::vector<std::string>{"sl: Slack answered 'channel_not_found'"});
}

TEST_F(SlackService, TheTokenIsInNoRowAndNoMessage) {
  office.open({bot("#gone")});
  office.post(sample_notice());
  ASSERT_TRUE(office.until([&] { return !office.refusals.empty(); }));
  for (const auto& row : office.stored()) EXPECT_EQ((row.error + row.remembered).find("xoxb"), std::string::npos);
  for (const auto& text : office.refusals) EXPECT_EQ(text.find("xoxb"), std::string::npos);
}

}  // namespace
}  // namespace ward::collector::test
