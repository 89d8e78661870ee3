#pragma once
#include <array>
#include <boost/asio/ip/address.hpp>
#include <chrono>
#include <span>
#include <string>

#include "common/http/client.hpp"
#include "probes/probe.hpp"

namespace ward::probes::net {

/// What a black-box run has to say, in blackbox_exporter's names (facts: node-traefik-blackbox 3). The first failure wins.
class Report {
 public:
  Report(const Clock& clock, std::chrono::milliseconds timeout);
  void put(std::string metric, double value, Labels labels = {});
  /// probe_ip_protocol, probe_ip_addr_hash (FNV-1a over the bytes), probe_dns_lookup_time_seconds.
  void address(const boost::asio::ip::address& address, std::chrono::nanoseconds lookup);
  /// probe_ssl_* and probe_tls_*, ward_tls_cert_not_after_seconds: what was served is told even when it was refused.
  void tls(const http::TlsFacts& facts);
  void fail(FailureReason reason, Error error);
  void fail(ProbeFailure failure) { fail(failure.reason, std::move(failure.error)); }
  [[nodiscard]] bool failed() const { return output_.failure.has_value(); }
  /// Adds probe_success, probe_duration_seconds and, when it failed, probe_failure_info.
  ProbeOutput finish();

 private:
  const Clock& clock_;
  MonoTime started_;
  ProbeOutput output_;
};

/// For Probe::on_deadline().
Readings deadline_readings();
FailureReason reason_of(http::FailureKind kind);
/// A URL as a label: without query, and with its path hidden when it may name a person (facts: probe-safety 5).
std::string url_label(const std::string& url_without_query);

inline constexpr std::array kCommonMetrics{
    MetricMeta{"probe_success", MetricType::gauge, "", "1 when all checks of the probe passed"},
    MetricMeta{"probe_duration_seconds", MetricType::gauge, "seconds", "Length of the whole probe"},
    MetricMeta{"probe_timeout_seconds", MetricType::gauge, "seconds", "Limit of the whole probe"},
    MetricMeta{"probe_ip_protocol", MetricType::gauge, "", "4 or 6"},
    MetricMeta{"probe_ip_addr_hash", MetricType::gauge, "", "Changes with the address of the target"},
    MetricMeta{"probe_dns_lookup_time_seconds", MetricType::gauge, "seconds", "Time to resolve the name of the target"},
    MetricMeta{"probe_failure_info", MetricType::info, "", "Why the last probe failed, by reason"},
};
inline constexpr std::array kTlsMetrics{
    MetricMeta{"probe_ssl_earliest_cert_expiry", MetricType::gauge, "seconds",
               "Earliest end of the served certificates, Unix time"},
    MetricMeta{"probe_ssl_last_chain_expiry_timestamp_seconds", MetricType::gauge, "seconds",
               "End of the verified chain, Unix time; absent when it was not verified"},
    MetricMeta{"probe_ssl_last_chain_info", MetricType::info, "", "The served leaf certificate"},
    MetricMeta{"probe_tls_version_info", MetricType::info, "", "Negotiated TLS version"},
    MetricMeta{"probe_tls_cipher_info", MetricType::info, "", "Negotiated cipher"},
    MetricMeta{"ward_tls_cert_not_after_seconds", MetricType::gauge, "seconds",
               "End of the served leaf and of the earliest served intermediate, Unix time"},
};

/// Several lists as one, at compile time.
template <std::size_t... N>
constexpr auto joined(const std::array<MetricMeta, N>&... lists) {
  std::array<MetricMeta, (N + ...)> all{};
  std::size_t at = 0;
  const auto add = [&](const auto& list) {
    for (const auto& meta : list) all[at++] = meta;
  };
  (add(lists), ...);
  return all;
}

}  // namespace ward::probes::net
