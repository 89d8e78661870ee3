// Against a real SMTP server (Debian's python3-aiosmtpd), which speaks STARTTLS, wants a login and stores the mail; what
// arrived is read by Python's mail parser, not by ours.
#include <boost/asio/ip/tcp.hpp>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/integration/notify/fake_service.hpp"
#include "tests/integration/notify/post_office.hpp"
#include "tests/support/certificates.hpp"
#include "tests/support/processes.hpp"

namespace ward::collector::test {
namespace {

using namespace std::chrono_literals;
using nlohmann::json;
using ::testing::HasSubstr;

std::string text_of(const std::filesystem::path& file) {
  std::ifstream in(file);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

class EmailServer : public ::testing::Test {
 protected:
  EmailServer() {
    ::setenv("WARD_TEST_PASSWORD", "s3cret", 1);
    ::setenv("WARD_TEST_WRONG_PASSWORD", "wrong-s3cret", 1);
  }
  void serve(const std::string& mode, const std::string& name_in_certificate = "IP:127.0.0.1") {
    ward::test::CertificateSpec spec;
    spec.sans = {name_in_certificate};
    spec.extended_usage = "serverAuth";
    const auto files = ca_.issue(spec);
    server_.emplace(
        ward::test::Process::Spec{.argv = {"/usr/bin/python3", WARD_SOURCE_DIR "/tests/integration/notify/smtp_server.py",
                                           std::to_string(port_), mode, files.certificate, files.key, dir_.string()},
                                  .env = {{"SMTP_PASSWORD", "s3cret"}},
                                  .user = "",
                                  .directory = dir_.path(),
                                  .output = dir_ / "log"});
    const auto up = [&] {
      async::asio::ip::tcp::socket socket(io_);
      boost::system::error_code error;
      socket.connect({async::asio::ip::make_address("127.0.0.1"), port_}, error);
      return !error;
    };
    if (!office_.until([&] { return up() || !server_->running(); }) || !server_->running())
      throw std::runtime_error("the SMTP server did not start (package python3-aiosmtpd):\n" + text_of(dir_ / "log"));
  }
  [[nodiscard]] std::string receiver(const std::string& to = "dba@clinic.example", const std::string& more = "") const {
    return "{name: mail, email: {server: '127.0.0.1:" + std::to_string(port_) + "', ca_file: '" + ca_.ca_file() +
           "', from: ward@clinic.example, to: [" + to + "]" + (more.empty() ? login() : more) + "}}";
  }
  static std::string login() { return ", username: ward, password: {env: WARD_TEST_PASSWORD}"; }
  [[nodiscard]] std::string hook() const { return "{name: hook, webhook: {url: '" + webhook_.url() + "'}}"; }
  void post(const Notice& notice) {
    office_.post(notice);
    ASSERT_TRUE(office_.until_idle()) << text_of(dir_ / "log");
  }
  /// The n-th mail that was stored, from 1; null when there is none.
  [[nodiscard]] json mail(int n) const { return json::parse(text_of(dir_ / (std::to_string(n) + ".json")), nullptr, false); }
  static std::string header_of(const json& mail, const std::string& name) {
    for (const auto& header : mail["headers"])
      if (header[0] == name) return header[1];
    return "";
  }
  void expect_no_secret() {
    for (const auto& row : office_.stored()) EXPECT_EQ((row.error + row.remembered).find("s3cret"), std::string::npos);
    for (const auto& text : office_.refusals) EXPECT_EQ(text.find("s3cret"), std::string::npos) << text;
  }

  ward::test::TempDir dir_{"smtp"};
  ward::test::TestCa ca_;
  std::uint16_t port_ = ward::test::free_port();
  std::optional<ward::test::Process> server_;
  async::asio::io_context io_;
  FakeWebhook webhook_{io_};
  PostOffice office_{io_};
};

TEST_F(EmailServer, GetsOneThreadByStarttlsAndLogin) {
  serve("starttls");
  office_.open({receiver()});
  post(sample_notice());
  post(sample_notice(NoticeKind::escalate));
  post(ended());
  const auto fire = mail(1);
  ASSERT_TRUE(fire.is_object()) << text_of(dir_ / "log");
  EXPECT_EQ(fire["encrypted"], true);
  EXPECT_EQ(fire["login"], "ward");
  EXPECT_EQ(fire["from"], "ward@clinic.example");
  EXPECT_EQ(fire["sender"], "ward@clinic.example");
  EXPECT_EQ(header_of(fire, "Subject"), "[URGENT] PostgreSQL primary pg-main is down");
  EXPECT_THAT(fire["body"].get<std::string>(),
              HasSubstr("Do: https://wiki.example/runbooks/pg.md#failover  Decision tree pg-down."));
  for (const int n : {2, 3}) EXPECT_EQ(header_of(mail(n), "References"), header_of(fire, "Message-ID")) << n;
  EXPECT_EQ(header_of(mail(3), "Subject"), "[RESOLVED] PostgreSQL primary pg-main is down");
  EXPECT_TRUE(mail(4).is_discarded());
}

TEST_F(EmailServer, ReadsHostileLabelsAsText) {
  serve("starttls");
  auto notice = hostile_notice();
  notice.incident.alerts[0].annotations.set("description", ".\n..\n.\r\nQUIT\r\n" + std::string(300, '.'));
  notice.incident.alerts[0].annotations.set("summary",
                                            "Stra\xc3\x9f"
                                            "e \xf0\x9f\x9a\xa8 =?utf-8?q?fake?= \r\nBcc: all@evil.example");
  office_.open({receiver("dba@clinic.example, lead@clinic.example", login() + ", from_name: 'Ward \"M\xc3\xbcnchen\"'")});
  post(notice);
  const auto first = mail(1);
  ASSERT_TRUE(first.is_object()) << text_of(dir_ / "log");
  EXPECT_EQ(first["defects"], json::array());
  EXPECT_LE(first["longest_line"], 78);
  EXPECT_EQ(first["bare_breaks"], 0);
  EXPECT_EQ(header_of(first, "Subject"),
            "[URGENT] Stra\xc3\x9f"
            "e \xf0\x9f\x9a\xa8 =?utf-8?q?fake?=   Bcc: all@evil.example");
  EXPECT_EQ(header_of(first, "From"), "\"Ward \\\"M\xc3\xbcnchen\\\"\" <ward@clinic.example>");
  EXPECT_EQ(header_of(first, "Bcc") + header_of(first, "X-Injected"), "");
  EXPECT_EQ(first["receivers"], (json{"dba@clinic.example", "lead@clinic.example"}));
  EXPECT_EQ(first["body"], mail(2)["body"]);
  EXPECT_THAT(first["body"].get<std::string>(), HasSubstr(".  QUIT  ......."));
  EXPECT_EQ(first["to"], json::array({"dba@clinic.example"}));
  EXPECT_EQ(mail(2)["to"], json::array({"lead@clinic.example"}));
}

TEST_F(EmailServer, IsReachedByTlsFromTheFirstByte) {
  serve("tls");
  office_.open({receiver("dba@clinic.example", login() + ", security: tls")});
  post(sample_notice());
  EXPECT_EQ(mail(1)["login"], "ward") << text_of(dir_ / "log");
}

TEST_F(EmailServer, OnThisMachineMayBePlain) {
  serve("plain");
  office_.open({receiver("dba@clinic.example", ", security: none")});
  post(sample_notice());
  EXPECT_EQ(mail(1)["encrypted"], false);
}

TEST_F(EmailServer, ThatOffersNoStarttlsGetsNothing) {
  serve("plain");
  office_.open({receiver(), hook()});
  post(sample_notice());
  EXPECT_TRUE(mail(1).is_discarded());
  EXPECT_EQ(webhook_.requests.size(), 1U);
  ASSERT_EQ(office_.refusals.size(), 1U);
  EXPECT_THAT(office_.refusals[0], HasSubstr("offers no STARTTLS, so nothing was sent"));
}

TEST_F(EmailServer, OfAnotherNameIsNotTrusted) {
  serve("starttls", "DNS:mail.evil.example");
  office_.open({receiver(), hook()});
  post(sample_notice());
  EXPECT_TRUE(mail(1).is_discarded());
  EXPECT_EQ(webhook_.requests.size(), 1U);
  ASSERT_EQ(office_.refusals.size(), 1U);
  EXPECT_THAT(office_.refusals[0], HasSubstr("certificate"));
}

TEST_F(EmailServer, ThatRefusesTheLoginSendsThePageToTheFallback) {
  serve("starttls");
  office_.open({receiver("dba@clinic.example", ", username: ward, password: {env: WARD_TEST_WRONG_PASSWORD}"), hook()});
  post(sample_notice());
  EXPECT_EQ(webhook_.requests.size(), 1U);
  EXPECT_EQ(office_.refusals, std::vector<std::string>{"mail: the mail server answered SMTP 535"});
  expect_no_secret();
}

TEST_F(EmailServer, ThatPutsAnAddressOffIsAskedAgainForItAlone) {
  serve("starttls");
  office_.open({receiver("dba@clinic.example, busy@clinic.example")});
  post(sample_notice());
  EXPECT_EQ(mail(1)["to"], json::array({"dba@clinic.example"}));
  EXPECT_EQ(mail(2)["to"], json::array({"busy@clinic.example"}));
  EXPECT_EQ(header_of(mail(1), "Message-ID"), header_of(mail(2), "Message-ID"));
  EXPECT_TRUE(mail(3).is_discarded()) << "nobody gets it twice";
}

TEST_F(EmailServer, ThatRefusesOneAddressDeliversToTheOther) {
  serve("starttls");
  office_.open({receiver("gone@clinic.example, dba@clinic.example, full@clinic.example"), hook()});
  post(sample_notice());
  post(ended());
  EXPECT_EQ(mail(1)["to"], json::array({"dba@clinic.example"}));
  EXPECT_EQ(header_of(mail(2), "Subject"), "[RESOLVED] PostgreSQL primary pg-main is down");
  EXPECT_EQ(webhook_.requests.size(), 0U);
  ASSERT_EQ(office_.partly.size(), 2U);
  EXPECT_THAT(office_.partly[0], HasSubstr("mail: 1 of 3 addresses have it; the mail server answered SMTP 450"));
  expect_no_secret();
}

TEST_F(EmailServer, ThatRefusesTheMessageAfterDataSendsItToTheFallback) {
  serve("starttls");
  auto yaml = receiver();
  yaml.replace(yaml.find("ward@clinic"), 4, "spam");
  office_.open({yaml, hook()});
  post(sample_notice());
  EXPECT_EQ(webhook_.requests.size(), 1U);
  EXPECT_EQ(office_.refusals, std::vector<std::string>{"mail: the mail server answered SMTP 554"});
}

TEST_F(EmailServer, ThatIsDownIsAskedUntilItIsUp) {
  office_.open({receiver()});
  office_.post(sample_notice());
  ASSERT_TRUE(office_.until([&] { return office_.outbox().stats().retries > 2; }));
  serve("starttls");
  ASSERT_TRUE(office_.until_idle());
  EXPECT_TRUE(mail(1).is_object());
  EXPECT_TRUE(mail(2).is_discarded());
}

}  // namespace
}  // namespace ward::collector::test
