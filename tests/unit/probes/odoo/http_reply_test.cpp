#include "probes/odoo/http_reply.hpp"

#include <gtest/gtest.h>

namespace ward::test {
namespace {

using namespace probes::odoo;

TEST(HealthReply, ReadsBothForms) {
  EXPECT_EQ(parse_health(R"({"status": "pass"})"), (Health{.pass = true, .database = std::nullopt}));
  EXPECT_EQ(parse_health(R"({"status": "pass", "db_server_status": true})"), (Health{.pass = true, .database = true}));
  EXPECT_EQ(parse_health(R"({"status": "fail", "db_server_status": false})"), (Health{.pass = false, .database = false}));
}

TEST(HealthReply, IsNothingElse) {
  for (const auto* body :
       {"", "pass", "<html>pass</html>", "[]", "{}", R"({"status": 1})", R"({"status": "ok"})", R"({"status": "pass")"})
    EXPECT_EQ(parse_health(body), std::nullopt) << body;
}

TEST(VersionReply, ReadsBothRoutes) {
  EXPECT_EQ(parse_version(R"({"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"})"), "19.0");
  EXPECT_EQ(parse_version(R"({"jsonrpc": "2.0", "id": null, "result": {"server_version": "14.0"}})"), "14.0");
  for (const auto* body : {"", "{}", R"({"version": 19})", R"({"result": []})", "<html/>"})
    EXPECT_EQ(parse_version(body), std::nullopt) << body;
}

TEST(ErrorReply, KeepsTheNameOfTheException) {
  EXPECT_EQ(parse_error_name(R"({"name": "odoo.exceptions.AccessError", "message": "no", "debug": "trace"})"),
            "odoo.exceptions.AccessError");
}

TEST(ErrorReply, DropsNamesThatCouldHoldData) {
  for (const auto* body :
       {R"({"name": "patient Jane Doe not found"})", R"({"name": "a@b.example"})", R"({"message": "x"})", "[]", ""})
    EXPECT_EQ(parse_error_name(body), "") << body;
  EXPECT_EQ(parse_error_name(R"({"name": ")" + std::string(101, 'a') + R"("})"), "");
}

TEST(Secrets, LeaveTheMachineOnlyOverTls) {
  for (const auto* url : {"https://odoo.example", "http://127.0.0.1:8069", "http://localhost", "http://[::1]:8069"})
    EXPECT_TRUE(keeps_secrets(url)) << url;
  for (const auto* url :
       {"http://odoo:8069", "http://127.0.0.1.example", "http://localhost.example/", "ftp://localhost", ""})
    EXPECT_FALSE(keeps_secrets(url)) << url;
}

}  // namespace
}  // namespace ward::test
