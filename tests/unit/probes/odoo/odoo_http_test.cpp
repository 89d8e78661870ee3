#include "probes/odoo/odoo_http.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"
#include "tests/support/fake_http.hpp"

namespace ward::test {
namespace {

using probes::FailureReason;

const std::string kBase = "http://odoo:8069";
const std::string kHealth = kBase + "/web/health";
const std::string kDatabase = kBase + "/web/health?db_server_status=1";
const std::string kVersion = kBase + "/web/webclient/version_info";

class OdooHttpTest : public ::testing::Test {
 protected:
  OdooHttpTest() { host_.use_http(http_); }
  probes::ProbeOutput run() { return collect(*probe_, host_); }
  static std::optional<double> of(const probes::ProbeOutput& got, std::string_view metric, const Labels& labels = {}) {
    return value_of(got.readings, metric, labels);
  }

  FakeHost host_;
  FakeHttp http_;
  std::unique_ptr<probes::Probe> probe_ = probes::make_odoo_http({.url = kBase});
};

TEST_F(OdooHttpTest, IsUpWithItsDatabase) {
  http_.on("GET " + kHealth, json_response(200, R"({"status": "pass"})"));
  http_.on("GET " + kDatabase, json_response(200, R"({"status": "pass", "db_server_status": true})"));
  http_.while_waiting = [&] { host_.time().advance(milliseconds{47}); };
  const auto got = run();
  EXPECT_FALSE(got.failure);
  EXPECT_EQ(of(got, "odoo_http_up"), 1);
  EXPECT_EQ(of(got, "odoo_http_listening"), 1);
  EXPECT_EQ(of(got, "odoo_http_database_up"), 1);
  EXPECT_EQ(of(got, "odoo_http_check_supported", {{"check", "health"}}), 1);
  EXPECT_EQ(of(got, "odoo_http_check_supported", {{"check", "database"}}), 1);
  EXPECT_EQ(of(got, "odoo_http_duration_seconds", {{"check", "health"}}), 0.047);
  EXPECT_EQ(of(got, "odoo_http_status_code", {{"check", "database"}}), 200);
}

TEST_F(OdooHttpTest, IsUpWithoutItsDatabase) {
  http_.on("GET " + kHealth, json_response(200, R"({"status": "pass"})"));
  http_.on("GET " + kDatabase, json_response(500, R"({"status": "fail", "db_server_status": false})"));
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_http_up"), 1);
  EXPECT_EQ(of(got, "odoo_http_database_up"), 0);
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->reason, FailureReason::http_status);
}

TEST_F(OdooHttpTest, LeavesTheDatabaseUnknownOnVersionsThatDoNotTell) {
  http_.on("GET " + kHealth, json_response(200, R"({"status": "pass"})"));
  http_.on("GET " + kDatabase, json_response(200, R"({"status": "pass"})"));
  const auto got = run();
  EXPECT_FALSE(got.failure);
  EXPECT_EQ(of(got, "odoo_http_database_up"), std::nullopt);
  EXPECT_EQ(of(got, "odoo_http_check_supported", {{"check", "database"}}), 0);
}

TEST_F(OdooHttpTest, TellsListeningFromServing) {
  http_.on("GET " + kHealth, failure(http::FailureKind::timeout, Connected::yes));
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_http_listening"), 1);
  EXPECT_EQ(of(got, "odoo_http_up"), 0);
  EXPECT_EQ(got.failure->reason, FailureReason::http_timeout);
  EXPECT_EQ(http_.sent.size(), 1U) << "a busy server is not asked twice";
}

TEST_F(OdooHttpTest, SaysWhyItCouldNotAsk) {
  struct Case {
    http::FailureKind kind;
    FailureReason reason;
    double listening;
  };
  for (const auto& [kind, reason, listening] : {Case{http::FailureKind::connect_refused, FailureReason::connect_refused, 0},
                                                Case{http::FailureKind::connect_timeout, FailureReason::connect_timeout, 0},
                                                Case{http::FailureKind::dns_nxdomain, FailureReason::dns_nxdomain, 0},
                                                Case{http::FailureKind::tls_expired, FailureReason::tls_expired, 1},
                                                Case{http::FailureKind::protocol, FailureReason::protocol, 1}}) {
    FakeHttp client;
    host_.use_http(client);
    client.on("GET " + kHealth, failure(kind));
    const auto got = run();
    ASSERT_TRUE(got.failure);
    EXPECT_EQ(got.failure->reason, reason);
    EXPECT_EQ(of(got, "odoo_http_listening"), listening) << http::to_string(kind);
    EXPECT_EQ(of(got, "odoo_http_up"), 0);
  }
}

TEST_F(OdooHttpTest, IsDownWhenSomeoneElseAnswers) {
  struct Case {
    http::Response response;
    FailureReason reason;
  };
  for (const auto& [response, reason] :
       {Case{html_response(200), FailureReason::body_mismatch}, Case{html_response(502), FailureReason::http_status},
        Case{html_response(303), FailureReason::http_status}}) {
    FakeHttp client;
    host_.use_http(client);
    client.on("GET " + kHealth, response).on("GET " + kDatabase, response);
    const auto got = run();
    EXPECT_EQ(of(got, "odoo_http_up"), 0);
    ASSERT_TRUE(got.failure);
    EXPECT_EQ(got.failure->reason, reason) << response.status;
  }
}

TEST_F(OdooHttpTest, CallsAMissingHealthRouteUnsupportedAndNotDown) {
  http_.on("GET " + kHealth, html_response(404));
  http_.on("POST " + kVersion,
           json_response(200, R"({"jsonrpc": "2.0", "id": null, "result": {"server_version": "14.0"}})"));
  const auto got = run();
  EXPECT_FALSE(got.failure);
  EXPECT_EQ(of(got, "odoo_http_up"), 1);
  EXPECT_EQ(of(got, "odoo_http_check_supported", {{"check", "health"}}), 0);
  EXPECT_EQ(of(got, "odoo_version_info", {{"version", "14.0"}}), 1);
}

TEST_F(OdooHttpTest, AsksForAMissingHealthRouteOnlyOnceAnHour) {
  http_.on("GET " + kHealth, html_response(404));
  http_.on("POST " + kVersion, json_response(200, R"({"result": {"server_version": "14.0"}})"));
  run();
  run();
  EXPECT_EQ(http_.sent_to(kHealth), 1U);
  host_.time().advance(std::chrono::hours{1});
  run();
  EXPECT_EQ(http_.sent_to(kHealth), 2U);
}

TEST_F(OdooHttpTest, IsDownWhenNeitherRouteIsOdoos) {
  http_.on("GET " + kHealth, html_response(404));
  http_.on("POST " + kVersion, html_response(404));
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_http_up"), 0);
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->reason, FailureReason::http_status);
  run();
  EXPECT_EQ(http_.sent_to(kHealth), 2U) << "asks for health again as long as nothing is certain";
}

TEST_F(OdooHttpTest, SendsTheHostOfTheTenant) {
  probe_ = probes::make_odoo_http({.url = kBase, .virtual_host = "clinic-a.example", .check_database = false});
  http_.on("GET " + kHealth, json_response(200, R"({"status": "pass"})"));
  run();
  ASSERT_EQ(http_.sent.size(), 1U);
  EXPECT_EQ(http_.sent[0].headers, (http::Headers{{"Host", "clinic-a.example"}}));
}

TEST_F(OdooHttpTest, KeepsNothingOfABody) {
  http_.on("GET " + kHealth, html_response(500, "patient Jane Doe MRN 12345"));
  const auto got = run();
  EXPECT_EQ(to_text(got.readings).find("Jane"), std::string::npos);
  EXPECT_EQ(describe(got.failure->error).find("Jane"), std::string::npos);
}

}  // namespace
}  // namespace ward::test
