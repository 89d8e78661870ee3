#include "probes/net/report.hpp"

#include <algorithm>
#include <cstdint>

namespace ward::probes::net {
namespace {

double fnv1a_32(std::span<const unsigned char> bytes) {
  std::uint32_t hash = 2166136261U;
  for (const auto byte : bytes) hash = (hash ^ byte) * 16777619U;
  return hash;
}

/// "TLSv1.3" of OpenSSL is "TLS 1.3" in the ecosystem's labels.
std::string version_label(const std::string& version) {
  if (version == "TLSv1") return "TLS 1.0";
  return version.starts_with("TLSv") ? "TLS " + version.substr(4) : version;
}

}  // namespace

Report::Report(const Clock& clock, std::chrono::milliseconds timeout) : clock_(clock), started_(clock.mono()) {
  put("probe_timeout_seconds", to_seconds(timeout));
}

void Report::put(std::string metric, double value, Labels labels) {
  output_.readings.push_back({std::move(metric), std::move(labels), value});
}

void Report::address(const boost::asio::ip::address& address, std::chrono::nanoseconds lookup) {
  put("probe_ip_protocol", address.is_v4() ? 4 : 6);
  if (address.is_v4()) {
    put("probe_ip_addr_hash", fnv1a_32(address.to_v4().to_bytes()));
  } else {
    put("probe_ip_addr_hash", fnv1a_32(address.to_v6().to_bytes()));
  }
  put("probe_dns_lookup_time_seconds", to_seconds(lookup));
}

void Report::tls(const http::TlsFacts& facts) {
  const auto& served = facts.chain.served;
  if (!facts.version.empty()) put("probe_tls_version_info", 1, {{"version", version_label(facts.version)}});
  if (!facts.cipher.empty()) put("probe_tls_cipher_info", 1, {{"cipher", facts.cipher}});
  if (served.empty()) return;
  const auto by_end = [](const auto& a, const auto& b) { return a.not_after < b.not_after; };
  const auto& leaf = served.front();
  put("probe_ssl_earliest_cert_expiry", to_seconds(std::min_element(served.begin(), served.end(), by_end)->not_after));
  if (facts.chain.chain_end) put("probe_ssl_last_chain_expiry_timestamp_seconds", to_seconds(*facts.chain.chain_end));
  put("probe_ssl_last_chain_info", 1,
      {{"fingerprint_sha256", leaf.fingerprint},
       {"issuer", leaf.issuer},
       {"subject", leaf.subject},
       {"subjectalternative", leaf.names}});
  put("ward_tls_cert_not_after_seconds", to_seconds(leaf.not_after), {{"position", "leaf"}});
  if (served.size() > 1)
    put("ward_tls_cert_not_after_seconds", to_seconds(std::min_element(served.begin() + 1, served.end(), by_end)->not_after),
        {{"position", "intermediate"}});
}

void Report::fail(FailureReason reason, Error error) {
  if (!output_.failure) output_.failure = ProbeFailure{reason, std::move(error)};
}

ProbeOutput Report::finish() {
  put("probe_success", output_.failure ? 0 : 1);
  put("probe_duration_seconds", to_seconds(clock_.mono() - started_));
  if (output_.failure) put("probe_failure_info", 1, {{"reason", std::string(to_string(output_.failure->reason))}});
  return std::move(output_);
}

Readings deadline_readings() {
  return {{"probe_success", {}, 0}, {"probe_failure_info", {{"reason", std::string(to_string(FailureReason::timeout))}}, 1}};
}

FailureReason reason_of(http::FailureKind kind) {
  switch (kind) {
    case http::FailureKind::dns_nxdomain: return FailureReason::dns_nxdomain;
    case http::FailureKind::dns_timeout: return FailureReason::dns_timeout;
    case http::FailureKind::dns_failed: return FailureReason::dns_failed;
    case http::FailureKind::connect_refused: return FailureReason::connect_refused;
    case http::FailureKind::connect_timeout: return FailureReason::connect_timeout;
    case http::FailureKind::connect_failed: return FailureReason::connect_failed;
    case http::FailureKind::tls_untrusted: return FailureReason::tls_untrusted;
    case http::FailureKind::tls_expired: return FailureReason::tls_expired;
    case http::FailureKind::tls_name_mismatch: return FailureReason::tls_name_mismatch;
    case http::FailureKind::tls_protocol: return FailureReason::tls_protocol;
    case http::FailureKind::timeout:
    case http::FailureKind::cancelled: return FailureReason::http_timeout;
    case http::FailureKind::bad_url:
    case http::FailureKind::too_many_redirects:
    case http::FailureKind::protocol: return FailureReason::protocol;
  }
  return FailureReason::internal;
}

std::string url_label(const std::string& url_without_query) {
  constexpr std::size_t kLongest = 160;
  constexpr std::size_t kDigitsOfAPerson = 6;
  const auto authority = url_without_query.find("://");
  const auto path = url_without_query.find('/', authority == std::string::npos ? 0 : authority + 3);
  if (path == std::string::npos) return url_without_query;
  std::size_t digits = 0, most = 0;
  bool clean = url_without_query.size() <= kLongest;
  for (const char c : url_without_query.substr(path)) {
    digits = c >= '0' && c <= '9' ? digits + 1 : 0;
    most = std::max(most, digits);
    clean = clean && c != '@' && c != '%' && c != '"' && c != '\'';
  }
  if (clean && most < kDigitsOfAPerson) return url_without_query;
  return url_without_query.substr(0, path) + "/_redacted";
}

}  // namespace ward::probes::net
