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

class Teams : public ::testing::Test {
 protected:
  Teams() {
    ::setenv("WARD_TEST_HOOK", "https://prod.logic.azure.example/workflows/1?sig=s3cret", 1);
    receiver_ = receiver_of("{name: db, teams: {webhook_url: {env: WARD_TEST_HOOK}}}");
  }
  [[nodiscard]] std::string body(const Message& m) const { return request_of(*receiver_.channel, m, {}).body; }
  Receiver receiver_;
};

TEST_F(Teams, PostsAnAdaptiveCard) {
  for (const auto kind : {NoticeKind::fire, NoticeKind::escalate, NoticeKind::acknowledge, NoticeKind::resolve}) {
    const auto m = message(kind == NoticeKind::resolve ? ended() : sample_notice(kind));
    const auto request = request_of(*receiver_.channel, m, {});
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url, "https://prod.logic.azure.example/workflows/1?sig=s3cret");
    EXPECT_EQ(pretty(request.body), golden("teams/" + std::string(to_string(kind)) + ".json", pretty(request.body)));
  }
}

TEST_F(Teams, LetsNoLabelBeMoreThanText) {
  const auto text = pretty(body(message(hostile_notice())));
  EXPECT_EQ(text, golden("teams/hostile.json", text));
  const auto content = json::parse(text)["attachments"][0]["content"];
  for (const auto& block : content["body"]) {
    EXPECT_EQ(block["type"], "RichTextBlock");  // a TextBlock would read Markdown
    for (const auto& run : block["inlines"])
      EXPECT_EQ(run["text"].get<std::string>().find_first_of("\r\n"), std::string::npos);
  }
  ASSERT_EQ(content["actions"].size(), 1U) << "the runbook's address is no safe link";
  EXPECT_EQ(text.find("{{"), std::string::npos);
}

TEST_F(Teams, StaysBelowTheLimitOfAMessage) {
  auto notice = hostile_notice();
  for (const auto* name : {"summary", "description", "impact", "decision_tree"})
    notice.incident.alerts[0].annotations.set(name, std::string(1 << 20, '"'));
  while (notice.incident.alerts.size() < 10'000) notice.incident.alerts.push_back(notice.incident.alerts[1]);
  auto m = message(notice);
  EXPECT_LT(body(m).size(), 28U << 10);
  m.page = std::string(100'000, '\\');
  EXPECT_LT(body(m).size(), 28U << 10);
}

TEST_F(Teams, JudgesAnErrorInsideSuccess) {
  const auto outcome = [&](const Reply& reply) { return outcome_of(*receiver_.channel, message(sample_notice()), {reply}); };
  EXPECT_EQ(outcome(answered(202)).kind, Kind::delivered);
  EXPECT_EQ(outcome(answered(200, "1")).kind, Kind::delivered);
  const std::string within = "Webhook message delivery failed with error: Microsoft Teams endpoint returned HTTP error ";
  EXPECT_EQ(outcome(answered(200, within + "429 with ContextId x")).kind, Kind::retry);
  EXPECT_EQ(outcome(answered(200, within + "413 with ContextId x")).kind, Kind::refused);
  EXPECT_EQ(outcome(answered(400)).kind, Kind::refused);
  EXPECT_EQ(outcome(answered(429, "", {{"retry-after", "5"}})).retry_after, 5s);
  EXPECT_EQ(outcome(answered(502)).kind, Kind::retry);
}

TEST_F(Teams, NamesWhatIsWrongInItsSettings) {
  EXPECT_THAT(problems_of("{name: a, teams: {}}"), HasSubstr("receiver 'a' needs the key 'webhook_url'"));
  EXPECT_THAT(problems_of("{name: a, teams: {webhook_url: 'https://x/?sig=s3cret'}}"),
              HasSubstr("must name where the secret is"));
  EXPECT_THAT(problems_of("{name: a, teams: {webhook_url: 'https://x/?sig=s3cret'}}"), Not(HasSubstr("s3cret")));
  EXPECT_THAT(problems_of("{name: a, teams: {webhook_url: {env: WARD_TEST_HOOK}, url: x}}"), HasSubstr("unknown key 'url'"));
}

}  // namespace
}  // namespace ward::collector::test
