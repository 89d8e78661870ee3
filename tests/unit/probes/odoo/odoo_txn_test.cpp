#include "probes/odoo/odoo_txn.hpp"

#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"
#include "tests/support/fake_http.hpp"

namespace ward::test {
namespace {

using probes::FailureReason;

const std::string kBase = "http://127.0.0.1:8069";
const std::string kRead = "POST " + kBase + "/json/2/res.company/search_read";
const std::string kVersion = "GET " + kBase + "/web/version";
const std::string kKey = "0123456789abcdef0123456789abcdef01234567";

std::optional<double> of(const probes::ProbeOutput& got, std::string_view metric, const Labels& labels = {}) {
  return value_of(got.readings, metric, labels);
}

class OdooTxnTest : public ::testing::Test {
 protected:
  OdooTxnTest() { host_.use_http(http_); }
  probes::ProbeOutput run() { return collect(*probe_, host_); }

  FakeHost host_;
  FakeHttp http_;
  std::unique_ptr<probes::Probe> probe_ = probes::make_odoo_txn({.url = kBase, .database = "clinic", .key = Secret{kKey}});
};

TEST_F(OdooTxnTest, SendsAReadWithItsKey) {
  http_.on(kRead, json_response(200, R"([{"id": 1, "write_date": "2026-11-22 17:38:25"}])"));
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_txn_up"), 1);
  EXPECT_FALSE(got.failure);
  ASSERT_EQ(http_.sent.size(), 1U);
  EXPECT_EQ(http_.sent[0].headers,
            (http::Headers{
                {"Authorization", "bearer " + kKey}, {"Content-Type", "application/json"}, {"X-Odoo-Database", "clinic"}}));
  EXPECT_EQ(http_.sent[0].body, R"({"domain":[],"fields":["id","write_date"],"limit":1})");
}

TEST_F(OdooTxnTest, CountsWithoutFieldsAndWithoutNamingTheOnlyDatabase) {
  probe_ = probes::make_odoo_txn(
      {.url = kBase, .model = "res.lang", .method = probes::TxnMethod::search_count, .key = Secret{kKey}});
  http_.on("POST " + kBase + "/json/2/res.lang/search_count", json_response(200, "3"));
  EXPECT_EQ(of(run(), "odoo_txn_up"), 1);
  EXPECT_EQ(http_.sent[0].body, R"({"domain":[]})");
  EXPECT_EQ(http_.sent[0].headers.size(), 2U);
}

struct Case {
  std::string name;
  http::Response response;
  std::optional<double> up, database;
  FailureReason reason;
};

TEST_F(OdooTxnTest, JudgesByStatusAndContentType) {
  const auto error = [](const char* name) {
    return R"({"name": ")" + std::string(name) + R"(", "message": "patient Jane Doe", "debug": "Traceback Jane Doe"})";
  };
  for (const auto& [name, response, up, database, reason] :
       {Case{"wrong key", json_response(401, error("werkzeug.exceptions.Unauthorized")), {}, 1, FailureReason::auth},
        Case{"no right", json_response(403, error("odoo.exceptions.AccessError")), {}, 1, FailureReason::permission},
        Case{"unknown model", json_response(404, error("werkzeug.exceptions.NotFound")), {}, 1, FailureReason::not_found},
        Case{"wrong field",
             json_response(422, error("werkzeug.exceptions.UnprocessableEntity")),
             {},
             1,
             FailureReason::probe_refused},
        Case{"exception", json_response(500, error("builtins.ValueError")), 0, {}, FailureReason::http_status},
        Case{"proxy without Odoo", html_response(502), 0, {}, FailureReason::http_status},
        Case{"login page", html_response(200), 0, {}, FailureReason::body_mismatch},
        Case{"no result", json_response(200, R"({"a": 1})"), 0, 1, FailureReason::body_mismatch},
        Case{"cut off", json_response(200, R"([{"id": 1)"), 0, 1, FailureReason::body_mismatch},
        Case{"redirect", html_response(303), 0, {}, FailureReason::http_status}}) {
    FakeHttp client;
    host_.use_http(client);
    client.on(kRead, response);
    const auto got = run();
    EXPECT_EQ(of(got, "odoo_txn_up"), up) << name;
    EXPECT_EQ(of(got, "odoo_txn_database_usable"), database) << name;
    ASSERT_TRUE(got.failure) << name;
    EXPECT_EQ(got.failure->reason, reason) << name;
    EXPECT_NE(got.failure->error.fix, "") << name;
    EXPECT_EQ((to_text(got.readings) + describe(got.failure->error)).find("Jane"), std::string::npos) << name;
    EXPECT_EQ(describe(got.failure->error).find(kKey), std::string::npos) << name;
  }
}

TEST_F(OdooTxnTest, NamesTheException) {
  http_.on(kRead, json_response(500, R"({"name": "psycopg2.OperationalError", "message": "x"})"));
  EXPECT_EQ(of(run(), "odoo_txn_error_info", {{"name", "psycopg2.OperationalError"}}), 1);
}

TEST_F(OdooTxnTest, TakesAnHtml404ForAMissingDatabaseOnAServerThatHasTheRoute) {
  http_.on(kRead, html_response(404, "No database is selected")).on(kVersion, json_response(200, R"({"version": "19.0"})"));
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_txn_up"), 0);
  EXPECT_EQ(of(got, "odoo_txn_database_usable"), 0);
  EXPECT_EQ(of(got, "odoo_txn_supported"), 1);
  EXPECT_EQ(got.failure->reason, FailureReason::http_status);
  run();
  EXPECT_EQ(http_.sent_to(kBase + "/web/version"), 1U) << "what is known is not asked again";
}

TEST_F(OdooTxnTest, DoesNotAskForTheVersionAfterASuccess) {
  http_.on(kRead, json_response(200, "[]")).on(kRead, html_response(404));
  EXPECT_EQ(of(run(), "odoo_txn_up"), 1);
  EXPECT_EQ(of(run(), "odoo_txn_up"), 0);
}

TEST_F(OdooTxnTest, CallsAServerWithoutTheRouteUnsupportedAndNotDown) {
  http_.on(kRead, html_response(404)).on(kVersion, html_response(404));
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_txn_up"), std::nullopt);
  EXPECT_EQ(of(got, "odoo_txn_supported"), 0);
  EXPECT_EQ(got.failure->reason, FailureReason::unsupported);
}

TEST_F(OdooTxnTest, IsDownWhenItGetsNoAnswer) {
  http_.on(kRead, failure(http::FailureKind::timeout, Connected::yes));
  http_.while_waiting = [&] { host_.time().advance(milliseconds{10'000}); };
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_txn_up"), 0);
  EXPECT_EQ(of(got, "odoo_txn_duration_seconds"), 10);
  EXPECT_EQ(got.failure->reason, FailureReason::http_timeout);
}

}  // namespace
}  // namespace ward::test
