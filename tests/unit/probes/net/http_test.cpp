#include "probes/net/http.hpp"

#include <re2/re2.h>

#include "common/config/node.hpp"
#include "tests/unit/probes/net/servers.hpp"

namespace ward::test {
namespace {
using namespace std::chrono_literals;

struct HttpProbe : Servers {
  probes::HttpOptions options;
  void target(const net::Endpoint& at, const std::string& path = "/", const std::string& scheme = "http") {
    options.request.url = scheme + "://" + net::to_string(at) + path;
    options.request.timeout = 150ms;
  }
  probes::ProbeOutput probe() {
    const auto made = probes::make_http(options);
    auto output = run(*made);
    expect_described(output, "http");
    return output;
  }
  net::Endpoint answering(const std::string& head, const std::string& body = "") {
    return scripted(
        {{"\r\n\r\n", "HTTP/1.1 " + head + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n" + body}});
  }
};

TEST_F(HttpProbe, ReportsAGoodAnswer) {
  target(answering("200 OK\r\nLast-Modified: Sun, 06 Nov 1994 08:49:37 GMT", "{\"status\": \"pass\"}"),
         "/web/health?db=canary");
  const auto output = probe();
  EXPECT_EQ(reason(output), "");
  EXPECT_EQ(value_of(output.readings, "probe_http_status_code"), 200);
  EXPECT_EQ(value_of(output.readings, "probe_http_version"), 1.1);
  EXPECT_EQ(value_of(output.readings, "probe_http_ssl"), 0);
  EXPECT_EQ(value_of(output.readings, "probe_http_redirects"), 0);
  EXPECT_EQ(value_of(output.readings, "probe_http_content_length"), 18);
  EXPECT_EQ(value_of(output.readings, "probe_http_uncompressed_body_length"), 18);
  EXPECT_EQ(value_of(output.readings, "probe_http_last_modified_timestamp_seconds"), 784111777);
  EXPECT_EQ(value_of(output.readings, "probe_ip_protocol"), 4);
  EXPECT_EQ(count_of(output.readings, "probe_http_duration_seconds"), 5U);
  EXPECT_EQ(to_text(output.readings).find("canary"), std::string::npos);
}

TEST_F(HttpProbe, JudgesTheStatus) {
  target(answering("503 Service Unavailable"));
  EXPECT_EQ(reason(probe()), "http_status");
  options.expect_status = {{200, 200}, {500, 503}};
  EXPECT_EQ(reason(probe()), "");
}

TEST_F(HttpProbe, JudgesTheBodyAndKeepsItInside) {
  target(answering("200 OK", "login of canary"));
  options.body_match = std::make_shared<const RE2>("log[io]n");
  EXPECT_EQ(reason(probe()), "");
  options.body_not_match = std::make_shared<const RE2>("canary");
  const auto forbidden = probe();
  EXPECT_EQ(reason(forbidden), "body_mismatch");
  EXPECT_EQ(value_of(forbidden.readings, "probe_failed_due_to_regex"), 1);
  EXPECT_EQ(describe(forbidden.failure->error).find("canary"), std::string::npos);
  options.body_not_match = nullptr;
  options.body_match = std::make_shared<const RE2>("dashboard");
  EXPECT_EQ(reason(probe()), "body_mismatch");
}

TEST_F(HttpProbe, SendsSecretsOnlyToTheServer) {
  target(answering("401 Unauthorized"));
  options.credentials.username = "ward";
  options.credentials.password = Secret("canary");
  const auto output = probe();
  ASSERT_EQ(heard.size(), 1U);
  EXPECT_NE(heard[0].find("Authorization: Basic d2FyZDpjYW5hcnk="), std::string::npos) << heard[0];
  EXPECT_EQ(reason(output), "http_status");
  EXPECT_EQ((to_text(output.readings) + describe(output.failure->error)).find("canary"), std::string::npos);
  options.credentials.username.clear();
  options.credentials.bearer_token = Secret("token-1");
  probe();
  EXPECT_NE(heard[1].find("Authorization: Bearer token-1\r\n"), std::string::npos);
}

TEST_F(HttpProbe, NamesEachHopWithoutQuery) {
  const auto last = answering("500 Internal Server Error");
  target(answering("302 Found\r\nLocation: http://" + net::to_string(last) + "/landing?token=canary"), "/start?x=canary");
  options.request.max_redirects = 2;
  const auto output = probe();
  EXPECT_EQ(reason(output), "http_status");
  EXPECT_EQ(value_of(output.readings, "probe_http_redirects"), 1);
  const auto first_url = options.request.url.substr(0, options.request.url.find('?'));
  EXPECT_EQ(value_of(output.readings, "ward_http_hop_status_code", {{"hop", "1"}, {"url", first_url}}), 302);
  EXPECT_EQ(value_of(output.readings, "ward_http_hop_status_code",
                     {{"hop", "2"}, {"url", "http://" + net::to_string(last) + "/landing"}}),
            500);
  EXPECT_EQ(to_text(output.readings).find("canary"), std::string::npos);
}

TEST_F(HttpProbe, SaysWhyThereWasNoAnswer) {
  target(nobody(io));
  EXPECT_EQ(reason(probe()), "connect_refused");
  target(scripted({}, Ending::hold));
  const auto silent = probe();
  EXPECT_EQ(reason(silent), "http_timeout");
  EXPECT_EQ(value_of(silent.readings, "probe_http_status_code"), 0);
  target(scripted({{"\r\n\r\n", "nonsense\r\n\r\n"}}));
  EXPECT_EQ(reason(probe()), "protocol");
}

TEST_F(HttpProbe, TellsTheExpiryOfARefusedCertificate) {
  TestCa ca;
  auto spec = collector_certificate();
  spec.starts_in = -std::chrono::hours{48};
  spec.ends_in = -std::chrono::hours{24};
  target(tls(ca.issue(spec)), "/", "https");
  options.request.tls.ca_file = ca.ca_file();
  options.request.timeout = 2s;
  const auto output = probe();
  EXPECT_EQ(reason(output), "tls_expired");
  EXPECT_EQ(count_of(output.readings, "probe_ssl_earliest_cert_expiry"), 1U);
  EXPECT_EQ(count_of(output.readings, "ward_tls_cert_not_after_seconds"), 1U);
  EXPECT_EQ(count_of(output.readings, "probe_ssl_last_chain_expiry_timestamp_seconds"), 0U) << "nothing was verified";
}

TEST_F(HttpProbe, ReadsAVerifiedCertificate) {
  TestCa ca;
  target(tls(ca.issue(collector_certificate())), "/", "https");
  options.request.tls.ca_file = ca.ca_file();
  options.request.timeout = 2s;
  const auto output = probe();
  EXPECT_EQ(reason(output), "");
  EXPECT_EQ(value_of(output.readings, "probe_http_ssl"), 1);
  EXPECT_EQ(value_of(output.readings, "probe_tls_version_info", {{"version", "TLS 1.3"}}), 1);
  EXPECT_EQ(value_of(output.readings, "probe_ssl_last_chain_expiry_timestamp_seconds"),
            value_of(output.readings, "probe_ssl_earliest_cert_expiry"));
}

TEST(HttpProbeConfig, ReadsATargetAndRefusesWrongOnes) {
  const auto problems_of = [](const std::string& yaml) {
    config::Problems problems;
    const auto documents = config::parse_yaml(yaml, "agent.yaml");
    EXPECT_TRUE(documents) << describe(documents.error());
    config::Section target(documents->at(0), "", problems);
    const auto made = probes::find_probe("http")->make(target);
    target.close();
    EXPECT_EQ(made == nullptr, !problems.empty()) << problems.to_text();
    return problems.to_text();
  };
  EXPECT_EQ(problems_of("url: https://odoo.example/web/health\nexpect_status: [200, 3xx, 401-403]\nbody_match: 'pass'\n"
                        "max_redirects: 2\ntimeout: 3s\nheaders: {Accept: text/html}\ntls: {ca: /etc/ward/ca.pem}\n"),
            "");
  struct Case {
    std::string yaml, says;
  };
  const std::vector<Case> table{
      {"method: GET\n", "url"},
      {"url: ftp://x/\n", "neither http nor https"},
      {"url: https://u:p@x/\n", "user name or a password"},
      {"url: http://x/\nexpect_status: [99]\n", "'99' is not an HTTP status"},
      {"url: http://x/\nexpect_status: [6xx]\n", "'6xx' is not an HTTP status"},
      {"url: http://x/\nbody_match: '('\n", "'body_match' is not a regular expression"},
      {"url: http://x/\nmax_redirects: 11\n", "max_redirects"},
      {"url: http://x/\nbearer_token: secret\n", "bearer_token"},
      {"url: http://x/\nbearer_token: {env: PATH}\nbasic_auth: {username: a, password: {env: PATH}}\n",
       "both 'basic_auth' and"},
      {"url: http://x/\ntls: {verify: false}\n", "verify"},
  };
  for (const auto& [yaml, says] : table) {
    config::Problems problems;
    const auto documents = config::parse_yaml(yaml, "agent.yaml");
    ASSERT_TRUE(documents);
    config::Section target(documents->at(0), "", problems);
    probes::find_probe("http")->make(target);
    target.close();
    EXPECT_NE(problems.to_text().find(says), std::string::npos) << yaml << "\n" << problems.to_text();
  }
}

}  // namespace
}  // namespace ward::test
