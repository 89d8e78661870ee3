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

const Reply kTaken = answered(202, R"({"result":"Request will be processed","took":0.1,"requestId":"r"})");

class Opsgenie : public ::testing::Test {
 protected:
  Opsgenie() {
    ::setenv("WARD_TEST_KEY", "k-s3cret", 1);
    receiver_ = receiver_of(
        "{name: db, opsgenie: {api_key: {env: WARD_TEST_KEY}, url: 'https://api.eu.opsgenie.com', tags: [ward], "
        "responders: [{type: team, name: Database}, {type: user, name: dba@clinic.example}, {type: schedule, id: s-1}]}}");
  }
  [[nodiscard]] http::Request asks(const Message& m, const std::vector<Reply>& replies = {}) const {
    return request_of(*receiver_.channel, m, replies);
  }
  [[nodiscard]] SendOutcome ends(const Message& m, const std::vector<Reply>& replies) const {
    return outcome_of(*receiver_.channel, m, replies);
  }
  Receiver receiver_;
};

TEST_F(Opsgenie, CreatesAnAlertUnderTheIncidentsAlias) {
  const auto m = message(sample_notice());
  const auto request = asks(m);
  EXPECT_EQ(request.method, "POST");
  EXPECT_EQ(request.url, "https://api.eu.opsgenie.com/v2/alerts");
  EXPECT_EQ(header(request, "Authorization"), "GenieKey k-s3cret");
  EXPECT_EQ(header(request, "Content-Type"), "application/json");
  EXPECT_EQ(pretty(request.body), golden("opsgenie/fire.json", pretty(request.body)));
  EXPECT_EQ(ends(m, {kTaken}).kind, Kind::delivered);
}

TEST_F(Opsgenie, AcknowledgesAndClosesByAlias) {
  const std::pair<Message, const char*> cases[] = {{message(sample_notice(NoticeKind::acknowledge)), "acknowledge"},
                                                   {message(ended()), "close"}};
  for (const auto& [m, action] : cases) {
    const auto request = asks(m);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.url,
              "https://api.eu.opsgenie.com/v2/alerts/01M9Z4QGK2M4NB/" + std::string(action) + "?identifierType=alias");
    EXPECT_EQ(pretty(request.body), golden("opsgenie/" + std::string(action) + ".json", pretty(request.body)));
    EXPECT_EQ(ends(m, {kTaken}).kind, Kind::delivered);
  }
}

TEST_F(Opsgenie, EscalatesByCreatingRaisingAndNoting) {
  auto notice = sample_notice(NoticeKind::escalate);
  notice.incident.cls = AlertClass::executive;
  const auto m = message(notice);
  EXPECT_EQ(asks(m).url, "https://api.eu.opsgenie.com/v2/alerts");
  const auto raise = asks(m, {kTaken});
  EXPECT_EQ(raise.method, "PUT");
  EXPECT_EQ(raise.url, "https://api.eu.opsgenie.com/v2/alerts/01M9Z4QGK2M4NB/priority?identifierType=alias");
  EXPECT_EQ(json::parse(raise.body), (json{{"priority", "P1"}}));
  const auto note = asks(m, {kTaken, kTaken});
  EXPECT_EQ(note.method, "POST");
  EXPECT_EQ(note.url, "https://api.eu.opsgenie.com/v2/alerts/01M9Z4QGK2M4NB/notes?identifierType=alias");
  EXPECT_EQ(ends(m, {kTaken, kTaken, kTaken}).kind, Kind::delivered);
  EXPECT_EQ(ends(m, {kTaken, answered(429)}).kind, Kind::retry);
}

TEST_F(Opsgenie, TakesLabelsForDataWhateverTheyHold) {
  const auto text = pretty(asks(message(hostile_notice())).body);
  EXPECT_EQ(text, golden("opsgenie/hostile.json", text));
}

TEST_F(Opsgenie, StaysWithinTheLimitsOfAnAlert) {
  auto notice = hostile_notice();
  for (const auto* name : {"summary", "description", "impact"})
    notice.incident.alerts[0].annotations.set(name, std::string(1 << 20, 'x'));
  notice.incident.root_service = std::string(10'000, 's');
  auto m = message(notice);
  m.page = std::string(100'000, 'p');
  const auto body = json::parse(asks(m).body);
  EXPECT_LE(body["message"].get<std::string>().size(), 130U);
  EXPECT_LE(body["description"].get<std::string>().size(), 15'000U);
  EXPECT_LE(body["entity"].get<std::string>().size(), 512U);
}

TEST_F(Opsgenie, JudgesItsAnswers) {
  const auto m = message(sample_notice());
  for (const int status : {401, 403, 422}) EXPECT_EQ(ends(m, {answered(status)}).kind, Kind::refused) << status;
  EXPECT_EQ(ends(m, {answered(200, "<html>")}).kind, Kind::refused);
  EXPECT_EQ(ends(m, {answered(429, "", {{"retry-after", "3"}})}).retry_after, 3s);
  EXPECT_EQ(ends(m, {answered(503)}).kind, Kind::retry);
}

TEST_F(Opsgenie, NamesWhatIsWrongInItsSettings) {
  const std::pair<const char*, const char*> bad[] = {
      {"{name: a, opsgenie: {}}", "receiver 'a' needs the key 'api_key'"},
      {"{name: a, opsgenie: {api_key: {env: WARD_TEST_KEY}, responders: [{name: x}]}}", "this responder has no type"},
      {"{name: a, opsgenie: {api_key: {env: WARD_TEST_KEY}, responders: [{type: tem, name: x}]}}", "Choose team, user"},
      {"{name: a, opsgenie: {api_key: {env: WARD_TEST_KEY}, responders: [{type: team}]}}", "needs a name or an id"},
      {"{name: a, opsgenie: {api_key: {env: WARD_TEST_KEY}, responders: [{type: team, id: x, name: y}]}}",
       "needs a name or an id"},
      {"{name: a, opsgenie: {api_key: {env: WARD_TEST_KEY}, url: 'http://api.opsgenie.com'}}", "unencrypted"},
      {"{name: a, opsgenie: {api_key: {env: WARD_TEST_KEY}, tags: ['']}}", "tag"},
  };
  for (const auto& [yaml, expected] : bad) EXPECT_THAT(problems_of(yaml), HasSubstr(expected)) << yaml;
}

}  // namespace
}  // namespace ward::collector::test
