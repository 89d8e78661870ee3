#pragma once
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "common/net/tls.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::test {

/// What a test certificate says; the defaults are a good agent certificate.
struct CertificateSpec {
  std::string common_name = "test";
  std::vector<std::string> sans;              ///< OpenSSL's form: "URI:ward://a/b", "DNS:localhost", "IP:127.0.0.1"
  std::string extended_usage = "clientAuth";  ///< "" = no extended key usage at all
  std::chrono::seconds starts_in{-3600};      ///< from now
  std::chrono::seconds ends_in{3600};
};

CertificateSpec agent_certificate(std::string tenant = "clinic-a", std::string agent = "node-1");
CertificateSpec collector_certificate(std::string name = "main");

/// A certificate authority in a directory of its own, removed with it. P-256 keys, files with mode 0600.
class TestCa {
 public:
  explicit TestCa(std::string name = "ward-test-ca");
  TestCa(const TestCa&) = delete;
  TestCa& operator=(const TestCa&) = delete;
  ~TestCa();  // here Keys is incomplete
  /// Files of a fresh key pair signed by this CA; `ca` is this CA's file.
  net::TlsFiles issue(const CertificateSpec& spec);
  [[nodiscard]] std::string ca_file() const { return (directory_ / "ca.pem").string(); }
  [[nodiscard]] std::filesystem::path directory() const { return directory_.path(); }

 private:
  struct Keys;
  TempDir directory_{"ca"};
  std::unique_ptr<Keys> keys_;
  int issued_ = 0;
};

}  // namespace ward::test
