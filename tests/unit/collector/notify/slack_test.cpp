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

const char* const kPosted = R"({"ok":true,"channel":"C0DB","ts":"1700000000.000100","message":{}})";

class Slack : public ::testing::Test {
 protected:
  Slack() {
    ::setenv("WARD_TEST_TOKEN", "xoxb-1-s3cret", 1);
    ::setenv("WARD_TEST_HOOK", "https://hooks.slack.com/services/T0/B0/s3cret", 1);
    bot_ = receiver_of("{name: db, slack: {token: {env: WARD_TEST_TOKEN}, channel: '#database'}}");
    hook_ = receiver_of("{name: db, slack: {webhook_url: {env: WARD_TEST_HOOK}}}");
  }
  static Message known(Notice notice) {
    auto m = message(std::move(notice));
    m.remembered = "C0DB 1700000000.000100";
    return m;
  }
  [[nodiscard]] http::Request asks(const Message& m, const std::vector<Reply>& replies = {}) const {
    return request_of(*bot_.channel, m, replies);
  }
  [[nodiscard]] SendOutcome ends(const Message& m, const std::vector<Reply>& replies) const {
    return outcome_of(*bot_.channel, m, replies);
  }
  Receiver bot_;
  Receiver hook_;
};

TEST_F(Slack, PostsAnIncidentsFirstMessageAndRemembersWhere) {
  const auto m = message(sample_notice());
  const auto request = asks(m);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://slack.com/api/chat.postMessage");
  EXPECT_EQ(header(request, "Authorization"), "Bearer xoxb-1-s3cret");
  EXPECT_EQ(header(request, "Content-Type"), "application/json; charset=utf-8");
  EXPECT_EQ(pretty(request.body), golden("slack/fire.json", pretty(request.body)));
  const auto outcome = ends(m, {answered(200, kPosted)});
  EXPECT_EQ(outcome.kind, Kind::delivered);
  EXPECT_EQ(outcome.remembered, "C0DB 1700000000.000100");
}

TEST_F(Slack, ChangesTheMessageThenAnswersInItsThread) {
  for (const auto kind : {NoticeKind::escalate, NoticeKind::acknowledge, NoticeKind::resolve}) {
    const auto name = std::string(to_string(kind));
    const auto m = known(kind == NoticeKind::resolve ? ended() : sample_notice(kind));
    const auto update = asks(m);
    EXPECT_EQ(update.url, "https://slack.com/api/chat.update");
    EXPECT_EQ(pretty(update.body), golden("slack/" + name + "_update.json", pretty(update.body)));
    const auto reply = asks(m, {answered(200, kPosted)});
    EXPECT_EQ(reply.url, "https://slack.com/api/chat.postMessage");
    EXPECT_EQ(pretty(reply.body), golden("slack/" + name + "_reply.json", pretty(reply.body)));
    EXPECT_EQ(json::parse(reply.body).contains("reply_broadcast"), kind == NoticeKind::escalate);
    const auto outcome =
        ends(m, {answered(200, kPosted), answered(200, R"({"ok":true,"channel":"C0DB","ts":"1700000009.000200"})")});
    EXPECT_EQ(outcome.kind, Kind::delivered);
    EXPECT_EQ(outcome.remembered, std::nullopt) << "the thread's beginning stays the place";
  }
}

TEST_F(Slack, NewsChangeTheMessageAndAreSaidQuietlyInItsThread) {
  auto notice = sample_notice(NoticeKind::update);
  notice.why = "flapping";
  const auto m = known(notice);
  EXPECT_EQ(asks(m).url, "https://slack.com/api/chat.update");
  const auto reply = asks(m, {answered(200, kPosted)});
  EXPECT_NE(reply.body.find("flapping"), std::string::npos);
  EXPECT_FALSE(json::parse(reply.body).contains("reply_broadcast"));
}

TEST_F(Slack, PostsAnewWhatIsGone) {
  const auto m = known(ended());
  for (const auto* error : {"message_not_found", "cant_update_message", "edit_window_closed"}) {
    const auto gone = answered(200, R"({"ok":false,"error":")" + std::string(error) + R"("})");
    EXPECT_EQ(asks(m, {gone}).url, "https://slack.com/api/chat.postMessage");
    EXPECT_FALSE(json::parse(asks(m, {gone}).body).contains("thread_ts"));
    const auto outcome = ends(m, {gone, answered(200, R"({"ok":true,"channel":"C0DB","ts":"1700000055.000300"})")});
    EXPECT_EQ(outcome.kind, Kind::delivered);
    EXPECT_EQ(outcome.remembered, "C0DB 1700000055.000300");
  }
}

TEST_F(Slack, DistrustsWhatItRemembers) {
  for (const auto* text : {"", "C0DB", "C0DB 17\",\"text\":\"x", "C0DB/ 17", " 17", "C0DB "}) {
    auto m = message(sample_notice(NoticeKind::escalate));
    m.remembered = text;
    EXPECT_EQ(asks(m).url, "https://slack.com/api/chat.postMessage") << text;
  }
}

TEST_F(Slack, JudgesAnErrorInsideHttp200) {
  const std::pair<const char*, Kind> cases[] = {{"ratelimited", Kind::retry},         {"internal_error", Kind::retry},
                                                {"service_unavailable", Kind::retry}, {"invalid_auth", Kind::refused},
                                                {"token_revoked", Kind::refused},     {"channel_not_found", Kind::refused},
                                                {"not_in_channel", Kind::refused},    {"is_archived", Kind::refused},
                                                {"msg_too_long", Kind::refused},      {"some_new_error", Kind::refused}};
  for (const auto& [error, kind] : cases) {
    const auto outcome = ends(message(sample_notice()),
                              {answered(200, json{{"ok", false}, {"error", error}}.dump(), {{"retry-after", "30"}})});
    EXPECT_EQ(outcome.kind, kind) << error;
    EXPECT_EQ(outcome.error, "Slack answered '" + std::string(error) + "'");
    EXPECT_EQ(outcome.retry_after, kind == Kind::retry ? 30s : 0s) << error;
  }
  for (const auto* body : {"", "<html>", "[]", "{}", R"({"ok":"yes"})", R"({"ok":1})"})
    EXPECT_EQ(ends(message(sample_notice()), {answered(200, body)}).kind, Kind::refused) << body;
  EXPECT_EQ(ends(message(sample_notice()), {answered(429, "", {{"retry-after", "30"}})}).retry_after, 30s);
  EXPECT_EQ(ends(message(sample_notice()), {answered(500)}).kind, Kind::retry);
}

TEST_F(Slack, LetsNoLabelBeMoreThanText) {
  const auto m = message(hostile_notice());
  const auto body = asks(m).body;
  EXPECT_EQ(pretty(body), golden("slack/hostile.json", pretty(body)));
  const auto card = json::parse(body);
  EXPECT_EQ(card["mrkdwn"], false);
  const auto& blocks = card["attachments"][0]["blocks"];
  EXPECT_EQ(blocks[0]["text"]["type"], "plain_text");
  for (const auto& text : {card["text"].get<std::string>(), blocks[0]["text"]["text"].get<std::string>()})
    EXPECT_EQ(text.find_first_of("<>"), std::string::npos) << text;
  EXPECT_EQ(blocks[1]["elements"][0]["text"],
            "<https://ward.example/api/ward/v1/incidents?id=01M9Z4QGK2M4NB|Incident 01M9Z4QGK2M4NB>");
}

TEST_F(Slack, KeepsTextObjectsBelowTheirLimit) {
  auto notice = hostile_notice();
  for (const auto* name : {"summary", "description", "impact", "decision_tree"})
    notice.incident.alerts[0].annotations.set(name, std::string(1 << 20, '&'));
  const auto card = json::parse(asks(message(notice)).body);
  const auto text = card["attachments"][0]["blocks"][0]["text"]["text"].get<std::string>();
  EXPECT_LE(text.size(), 3'000U);
  EXPECT_TRUE(text.ends_with("&amp;...") || text.find("&a.") == std::string::npos);
}

TEST_F(Slack, PostsToAnIncomingWebhookEachTime) {
  for (auto notice : {sample_notice(), ended()}) {
    const auto request = request_of(*hook_.channel, known(notice), {});
    EXPECT_EQ(request.url, "https://hooks.slack.com/services/T0/B0/s3cret");
    EXPECT_EQ(header(request, "Authorization"), "");
    EXPECT_FALSE(json::parse(request.body).contains("channel"));
  }
  const auto ended_by = [&](const Reply& reply) {
    return outcome_of(*hook_.channel, message(sample_notice()), {reply}).kind;
  };
  EXPECT_EQ(ended_by(answered(200, "ok")), Kind::delivered);
  EXPECT_EQ(ended_by(answered(200, "<html>")), Kind::refused);
  EXPECT_EQ(ended_by(answered(404, "no_service")), Kind::refused);
  EXPECT_EQ(ended_by(answered(410, "channel_is_archived")), Kind::refused);
  EXPECT_EQ(ended_by(answered(500, "rollup_error")), Kind::retry);
}

TEST_F(Slack, NamesWhatIsWrongInItsSettings) {
  const std::pair<const char*, const char*> bad[] = {
      {"{name: a, slack: {channel: C0}}", "receiver 'a' needs the key 'token'"},
      {"{name: a, slack: {token: {env: WARD_TEST_TOKEN}}}", "the key 'channel' is missing"},
      {"{name: a, slack: {webhook_url: 'https://hooks.slack.com/services/s3cret'}}", "must name where the secret is"},
      {"{name: a, slack: {webhook_url: {env: HOME}}}", "has no http or https URL"},
      {"{name: a, slack: {webhook_url: {env: WARD_TEST_HOOK}, token: {env: WARD_TEST_TOKEN}}}", "beside a token or channel"},
      {"{name: a, slack: {token: {env: WARD_TEST_TOKEN}, channel: C0, url: 'http://slack.com/api'}}", "unencrypted"},
  };
  for (const auto& [yaml, expected] : bad) {
    EXPECT_THAT(problems_of(yaml), HasSubstr(expected)) << yaml;
    EXPECT_THAT(problems_of(yaml), Not(HasSubstr("s3cret")));
  }
}

}  // namespace
}  // namespace ward::collector::test
