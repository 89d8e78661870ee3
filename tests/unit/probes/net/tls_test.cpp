#include "probes/net/tls.hpp"

#include <fstream>
#include <sstream>

#include "tests/unit/probes/net/servers.hpp"

namespace ward::test {
namespace {
using std::chrono::hours;

struct TlsProbe : Servers {
  TestCa ca;
  probes::TlsOptions options;

  probes::ProbeOutput probe(const net::Endpoint& at) {
    options.address = at;
    options.timeout = std::chrono::milliseconds{2000};
    if (options.ca_file.empty()) options.ca_file = ca.ca_file();
    const auto made = probes::make_tls(options);
    auto output = run(*made);
    expect_described(output, "tls");
    return output;
  }
  static double not_after(const CertificateSpec& spec) {
    return to_seconds(std::chrono::time_point_cast<milliseconds>(std::chrono::system_clock::now()) + spec.ends_in);
  }
  static std::string file(const std::string& path) {
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    return text.str();
  }
};

TEST_F(TlsProbe, ReadsAGoodCertificate) {
  const auto spec = collector_certificate();
  const auto output = probe(tls(ca.issue(spec)));
  EXPECT_EQ(reason(output), "");
  EXPECT_NEAR(*value_of(output.readings, "probe_ssl_earliest_cert_expiry"), not_after(spec), 5);
  EXPECT_NEAR(*value_of(output.readings, "probe_ssl_last_chain_expiry_timestamp_seconds"), not_after(spec), 5);
  EXPECT_NEAR(*value_of(output.readings, "ward_tls_cert_not_after_seconds", {{"position", "leaf"}}), not_after(spec), 5);
  EXPECT_EQ(value_of(output.readings, "probe_tls_version_info", {{"version", "TLS 1.3"}}), 1);
  EXPECT_EQ(count_of(output.readings, "probe_tls_handshake_duration_seconds"), 1U);
}

TEST_F(TlsProbe, TellsTheReasonAndStillTheExpiry) {
  struct Case {
    std::string reason;
    std::function<void(CertificateSpec&)> change;
  };
  const std::vector<Case> table{
      {"tls_expired", [](auto& s) { s.starts_in = -hours{48}, s.ends_in = -hours{1}; }},
      {"tls_expired", [](auto& s) { s.starts_in = hours{1}, s.ends_in = hours{2}; }},
      {"tls_name_mismatch", [](auto& s) { s.sans = {"DNS:other.example"}; }},
      {"tls_name_mismatch", [](auto& s) { s.sans = {}, s.common_name = "127.0.0.1"; }},
      {"tls_untrusted", [](auto& s) { s.extended_usage = "clientAuth"; }},
  };
  for (const auto& [why, change] : table) {
    auto spec = collector_certificate();
    change(spec);
    const auto output = probe(tls(ca.issue(spec)));
    EXPECT_EQ(reason(output), why);
    EXPECT_NEAR(value_of(output.readings, "probe_ssl_earliest_cert_expiry").value_or(0), not_after(spec), 5) << why;
    EXPECT_EQ(count_of(output.readings, "probe_ssl_last_chain_expiry_timestamp_seconds"), 0U) << why;
    EXPECT_EQ(count_of(output.readings, "probe_tls_version_info"), 1U) << "the handshake was completed";
  }
}

TEST_F(TlsProbe, AForeignCaIsUntrustedWithExpiry) {
  TestCa other("other-ca");
  const auto output = probe(tls(other.issue(collector_certificate())));
  EXPECT_EQ(reason(output), "tls_untrusted");
  EXPECT_EQ(count_of(output.readings, "probe_ssl_earliest_cert_expiry"), 1U);
}

TEST_F(TlsProbe, AnOldVersionIsReadAndRefused) {
  const auto output = probe(tls(ca.issue(collector_certificate()), {}, TLS1_1_VERSION));
  EXPECT_EQ(reason(output), "tls_protocol");
  EXPECT_EQ(value_of(output.readings, "probe_tls_version_info", {{"version", "TLS 1.1"}}), 1);
  EXPECT_EQ(count_of(output.readings, "probe_ssl_earliest_cert_expiry"), 1U);
}

TEST_F(TlsProbe, WhatSpeaksNoTlsIsAProtocolFailure) {
  EXPECT_EQ(reason(probe(scripted({{"", "HTTP/1.1 400 Bad Request\r\n\r\n"}}))), "tls_protocol");
  EXPECT_EQ(reason(probe(nobody(io))), "connect_refused");
}

TEST_F(TlsProbe, ComparesTheServedCertificateWithTheFile) {
  const auto served = ca.issue(collector_certificate()), renewed = ca.issue(collector_certificate());
  host.set("/etc/tls/served.pem", file(served.certificate)).set("/etc/tls/renewed.pem", file(renewed.certificate));
  host.set("/etc/tls/junk.pem", "junk");
  const auto at = tls(served);
  options.certificate_file = "/etc/tls/served.pem";
  EXPECT_EQ(value_of(probe(at).readings, "ward_tls_served_matches_file"), 1);
  options.certificate_file = "/etc/tls/renewed.pem";
  EXPECT_EQ(value_of(probe(at).readings, "ward_tls_served_matches_file"), 0);
  for (const auto* missing : {"/etc/tls/none.pem", "/etc/tls/junk.pem"}) {
    options.certificate_file = missing;
    const auto output = probe(at);
    EXPECT_EQ(reason(output), "not_found");
    EXPECT_EQ(count_of(output.readings, "ward_tls_served_matches_file"), 0U) << "unknown is not 0";
  }
}

TEST_F(TlsProbe, AsksPostgresForTls) {
  const std::string ssl_request("\0\0\0\x08\x04\xd2\x16\x2f", 8);
  const auto files = ca.issue(collector_certificate());
  options.start = probes::StartTls::postgres;
  EXPECT_EQ(reason(probe(tls(files, {{ssl_request, "S"}}))), "");
  EXPECT_EQ(reason(probe(scripted({{ssl_request, "N"}}))), "tls_protocol");
  EXPECT_EQ(reason(probe(scripted({{ssl_request, "E"}}))), "protocol");
  EXPECT_EQ(reason(probe(scripted({{ssl_request, ""}}))), "protocol");
}

TEST_F(TlsProbe, AsksSmtpForTls) {
  const auto files = ca.issue(collector_certificate());
  options.start = probes::StartTls::smtp;
  const Script good{{"", "220-mail.example\r\n220 ready\r\n"},
                    {"EHLO ward.invalid\r\n", "250-mail.example\r\n250-SIZE 1000\r\n250 STARTTLS\r\n"},
                    {"STARTTLS\r\n", "220 go ahead\r\n"}};
  EXPECT_EQ(reason(probe(tls(files, good))), "");
  EXPECT_EQ(reason(probe(scripted({{"", "220 ready\r\n"}, {"EHLO ward.invalid\r\n", "250 SIZE 1000\r\n"}}))),
            "tls_protocol");
  EXPECT_EQ(reason(probe(scripted({{"", "554 no\r\n"}}))), "protocol");
  EXPECT_EQ(reason(probe(scripted({{"", "+OK pop3\r\n"}}))), "protocol");
  EXPECT_EQ(reason(probe(scripted({{"", std::string(20'000, 'x')}}))), "protocol");
}

TEST_F(TlsProbe, ASilentServerTimesOut) {
  options.start = probes::StartTls::smtp;
  options.address = scripted({}, Ending::hold);
  options.timeout = std::chrono::milliseconds{50};
  options.ca_file = ca.ca_file();
  const auto made = probes::make_tls(options);
  EXPECT_EQ(reason(run(*made)), "timeout");
}

}  // namespace
}  // namespace ward::test
