#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/unit/collector/notify/channel_bench.hpp"

namespace ward::collector::test {
namespace {

using ::testing::HasSubstr;
using Kind = SendOutcome::Kind;

const Reply kTaken = answered(250);

class Email : public ::testing::Test {
 protected:
  Email() {
    ::setenv("WARD_TEST_PASSWORD", "s3cret", 1);
    receiver_ = receiver_of(
        "{name: db, email: {server: 'smtp.clinic.example:2587', username: ward, password: {env: WARD_TEST_PASSWORD}, "
        "from: ward@clinic.example, to: [dba@clinic.example, lead@clinic.example]}}");
  }
  [[nodiscard]] http::Mail mail(const Message& m, const std::vector<Reply>& replies = {}) const {
    return mail_of(*receiver_.channel, m, replies);
  }
  [[nodiscard]] SendOutcome outcome(const Message& m, const std::vector<Reply>& replies) const {
    return outcome_of(*receiver_.channel, m, replies);
  }
  static std::string header_of(const std::string& text, const std::string& name) {
    const auto at = ("\r\n" + text).find("\r\n" + name + ": ");
    return at == std::string::npos ? "" : text.substr(at + name.size() + 2, text.find("\r\n", at) - at - name.size() - 2);
  }
  Receiver receiver_;
};

TEST_F(Email, HandsEachAddressTheSameMessage) {
  const auto m = message(sample_notice());
  const auto first = mail(m);
  EXPECT_EQ(first.host, "smtp.clinic.example");
  EXPECT_EQ(first.port, 2587);
  EXPECT_EQ(first.security, http::Mail::Security::starttls);
  EXPECT_EQ(first.user, "ward");
  EXPECT_EQ(first.password.reveal(), "s3cret");
  EXPECT_EQ(first.from, "ward@clinic.example");
  EXPECT_EQ(first.to, std::vector<std::string>{"dba@clinic.example"});
  const auto second = mail(m, {kTaken});
  EXPECT_EQ(second.to, std::vector<std::string>{"lead@clinic.example"});
  EXPECT_EQ(second.message, first.message);
  EXPECT_EQ(outcome(m, {kTaken, kTaken}), SendOutcome{});
}

TEST_F(Email, WritesEachKindOfMessage) {
  for (const auto kind : {NoticeKind::fire, NoticeKind::escalate, NoticeKind::acknowledge, NoticeKind::resolve}) {
    const auto text = mail(message(kind == NoticeKind::resolve ? ended() : sample_notice(kind))).message;
    EXPECT_EQ(text, golden("email/" + std::string(to_string(kind)) + ".eml", text));
  }
}

TEST_F(Email, IsOneThreadAnIncidentAndOneMessageAKey) {
  const auto fire = mail(message(sample_notice())).message;
  const auto again = mail(message(sample_notice())).message;
  const auto end = mail(message(ended())).message;
  const auto first = header_of(fire, "Message-ID");
  EXPECT_EQ(header_of(again, "Message-ID"), first) << "an attempt is no new message";
  EXPECT_EQ(header_of(fire, "References"), "");
  EXPECT_NE(header_of(end, "Message-ID"), first);
  EXPECT_EQ(header_of(end, "In-Reply-To"), first);
  EXPECT_EQ(header_of(end, "References"), first);
  auto reopened = sample_notice();
  reopened.incident.reopened = 1;
  EXPECT_EQ(header_of(mail(message(reopened)).message, "References"), first);
  auto elsewhere = message(sample_notice());
  elsewhere.receiver = "platform";
  EXPECT_NE(header_of(mail(elsewhere).message, "Message-ID"), first) << "a mailbox of both would lose one";
}

TEST_F(Email, LetsNoLabelBeAHeader) {
  const auto text = mail(message(hostile_notice())).message;
  EXPECT_EQ(text, golden("email/hostile.eml", text));
  for (const auto* injected : {"\nX-Injected", "\nBcc", "\nTo: x", "\n.\r\n", "\nQUIT"})
    EXPECT_EQ(text.find(injected), std::string::npos) << injected;
  for (std::size_t at = 0; at < text.size(); ++at) {
    EXPECT_GE(text[at], 0);
    if (text[at] == '\n') {
      EXPECT_EQ(text[at - 1], '\r');
    }
  }
}

TEST_F(Email, IsBounded) {
  auto notice = hostile_notice();
  for (const auto* name : {"summary", "description", "impact"})
    notice.incident.alerts[0].annotations.set(name, std::string(1 << 20, '='));
  auto m = message(notice);
  m.page = std::string(1 << 20, '=');
  EXPECT_LT(mail(m).message.size(), 64U << 10);
}

TEST_F(Email, GivesUpAnAddressThatIsRefusedAndSaysSo) {
  const auto m = message(sample_notice());
  const auto got = outcome(m, {answered(550), kTaken});
  EXPECT_EQ(got.kind, Kind::delivered);
  EXPECT_EQ(got.error, "1 of 2 addresses have it; the mail server answered SMTP 550");
  EXPECT_EQ(outcome(m, {answered(550), answered(554)}).kind, Kind::refused);
}

TEST_F(Email, AsksAgainForThoseAlonePutOff) {
  auto m = message(sample_notice());
  const auto got = outcome(m, {kTaken, answered(450)});
  EXPECT_EQ(got.kind, Kind::retry);
  ASSERT_TRUE(got.remembered);
  m.remembered = *got.remembered;
  m.attempt = 2;
  EXPECT_EQ(mail(m).to, std::vector<std::string>{"lead@clinic.example"});
  EXPECT_EQ(outcome(m, {kTaken}), SendOutcome{});
  auto other = message(ended());
  other.remembered = m.remembered;
  EXPECT_EQ(mail(other).to, std::vector<std::string>{"dba@clinic.example"}) << "another message is owed to all";
  m.attempt = 4;
  EXPECT_EQ(outcome(m, {answered(450)}).kind, Kind::delivered) << "one mailbox that is full does not hold up the end";
}

TEST_F(Email, AsksAgainForEverWhileNobodyHasIt) {
  auto m = message(sample_notice());
  m.attempt = 1'000;
  EXPECT_EQ(outcome(m, {answered(451), answered(450)}).kind, Kind::retry);
  EXPECT_EQ(outcome(m, {answered(550), answered(450)}).kind, Kind::retry);
}

TEST_F(Email, StopsAtAServerThatIsNotThereOrKnowsUsNot) {
  const auto m = message(sample_notice());
  EXPECT_EQ(outcome(m, {failed(http::FailureKind::connect_refused)}).kind, Kind::retry);
  EXPECT_EQ(outcome(m, {failed(http::FailureKind::tls_untrusted)}).kind, Kind::refused);
  EXPECT_EQ(outcome(m, {answered(535)}).kind, Kind::refused) << "a wrong password is not tried for each address";
}

TEST_F(Email, DistrustsWhatItRemembers) {
  for (const auto* text : {"x", "[]", "{}", R"({"key":1})", R"({"key":"k","done":[]})", R"({"key":"k","done":7})"}) {
    auto m = message(sample_notice());
    m.key = "k";
    m.remembered = text;
    EXPECT_EQ(mail(m).to, std::vector<std::string>{"dba@clinic.example"}) << text;
  }
}

TEST_F(Email, NamesWhatIsWrongInItsSettings) {
  const std::string good = "from: w@x.example, to: [a@x.example]";
  const std::pair<std::string, const char*> bad[] = {
      {"from: w@x.example, to: [a@x.example]", "the key 'server' is missing"},
      {"server: smtp.x, to: [a@x.example]", "the key 'from' is missing"},
      {"server: smtp.x, from: w@x.example", "receiver 'a' needs 1 to 50 addresses in 'to'"},
      {"server: 'smtp x', " + good, "is no HOST or HOST:PORT"},
      {"server: 'smtp.x:0', " + good, "is no HOST or HOST:PORT"},
      {"server: 'smtp.x:99999', " + good, "is no HOST or HOST:PORT"},
      {"server: 'smtp://smtp.x', " + good, "is no HOST or HOST:PORT"},
      {"server: smtp.x, security: none, " + good, "would go out unencrypted"},
      {"server: smtp.x, security: sure, " + good, "Choose starttls"},
      {"server: smtp.x, username: ward, " + good, "without a password"},
      {"server: smtp.x, username: ward, password: s3cret, " + good, "must name where the secret is"},
      {"server: smtp.x, helo: 'a b', " + good, "is no host name"},
      {"server: smtp.x, from: w@x.example, to: [a@x.example, a@x.example]", "stands twice in 'to'"},
      {"server: smtp.x, from: 'Ward <w@x.example>', to: [a@x.example]", "is no plain mail address"},
      {"server: smtp.x, from: w@x.example, to: ['a@x.example, b@x.example']", "is no plain mail address"},
      {"server: smtp.x, from: w@x.example, to: [\"a@x\\r\\nRCPT TO:<b@y>\"]", "is no plain mail address"},
  };
  for (const auto& [yaml, expected] : bad) {
    const auto problems = problems_of("{name: a, email: {" + yaml + "}}");
    EXPECT_THAT(problems, HasSubstr(expected)) << yaml;
    EXPECT_THAT(problems, Not(HasSubstr("s3cret")));
  }
  for (const auto& [yaml, port] :
       {std::pair{"server: smtp.x", 587}, std::pair{"server: smtp.x, security: tls", 465},
        std::pair{"server: '[::1]:2525', security: none", 2525}, std::pair{"server: localhost, security: none", 25}})
    EXPECT_EQ(mail_of(*receiver_of("{name: a, email: {" + std::string(yaml) + ", " + good + "}}").channel,
                      message(sample_notice()), {})
                  .port,
              port);
}

}  // namespace
}  // namespace ward::collector::test
