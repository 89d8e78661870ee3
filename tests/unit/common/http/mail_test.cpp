// What a mail may not hold; how it travels is tested against a real server (tests/integration/notify).
#include "common/http/mail.hpp"

#include "tests/unit/common/http/loop.hpp"

namespace ward::http {
namespace {

struct MailTest : Loop {
  static Mail good() {
    Mail mail;
    mail.host = "127.0.0.1";
    mail.port = 1;
    mail.from = "ward@clinic.example";
    mail.to = {"dba@clinic.example"};
    mail.message = "Subject: x\r\n\r\nx\r\n";
    return mail;
  }
  std::unique_ptr<Client> client = make_curl_client(io.get_executor());
};

TEST_F(MailTest, NeverHoldsACommandOfItsOwn) {
  const std::string bad[] = {"", "a@b\r\nRCPT TO:<x@y>", "a@b>", "a b@c", "a@b\n"};
  for (const auto& address : bad) {
    auto from = good();
    from.from = address;
    auto to = good();
    to.to.push_back(address);
    for (auto& mail : {from, to}) {
      const auto answer = run(client->deliver(mail));
      ASSERT_FALSE(answer);
      EXPECT_EQ(answer.error().kind, FailureKind::bad_url);
    }
  }
  for (const auto* host : {"", "a/b", "a?b", "a@b", "a b", "a\r\nb"}) {
    auto mail = good();
    mail.host = host;
    const auto answer = run(client->deliver(mail));
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().kind, FailureKind::bad_url) << host;
  }
  auto nobody = good();
  nobody.to.clear();
  EXPECT_FALSE(run(client->deliver(nobody)));
}

TEST_F(MailTest, SaysThatNobodyListens) {
  const auto answer = run(client->deliver(good()));
  ASSERT_FALSE(answer);
  EXPECT_EQ(answer.error().kind, FailureKind::connect_refused);
}

}  // namespace
}  // namespace ward::http
