/// The certificate a server shows, read in one handshake, good or bad; directly or after STARTTLS.
/// Source: one TLS connection; the handshake is completed whatever the certificate is, nothing is sent over it.
/// Emits:  probe_success and the other probe_* series with blackbox_exporter's names, probe_ssl_earliest_cert_expiry and
///         ward_tls_cert_not_after_seconds{position=leaf|intermediate} in Unix seconds even when the certificate is
///         refused, probe_ssl_last_chain_expiry_timestamp_seconds only when it was verified,
///         ward_tls_served_matches_file when `certificate_file` is set, probe_tls_handshake_duration_seconds.
/// Errors: dns_*, connect_*, timeout, tls_untrusted, tls_expired, tls_name_mismatch, tls_protocol (no TLS, or below 1.2),
///         protocol (the dialogue before STARTTLS went wrong).
#include "probes/net/tls.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/ssl.hpp>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/async/within.hpp"

namespace ward::probes {
namespace asio = boost::asio;
namespace {

constexpr auto kTlsProbeMetrics = net::joined(
    net::kCommonMetrics, net::kTlsMetrics,
    std::array{
        MetricMeta{"ward_tls_served_matches_file", MetricType::gauge, "",
                   "1 when the served certificate is the one in the file"},
        MetricMeta{"probe_tls_handshake_duration_seconds", MetricType::gauge, "seconds", "Length of the TLS handshake"},
    });

/// Writes the verification down and lets the handshake go on: a bad certificate is a finding, not the end of the probe.
int record_and_go_on(X509_STORE_CTX* verification, void* record) {
  ward::net::record_chain(verification, record);
  return 1;
}

Result<std::shared_ptr<asio::ssl::context>> make_context(const TlsOptions& options, ward::net::ChainRecord* record) {
  auto context = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_client);
  SSL_CTX* const native = context->native_handle();
  // Old versions are spoken here to be able to read the certificate and say "too old"; see below.
  SSL_CTX_set_security_level(native, 0);
  SSL_CTX_set_min_proto_version(native, TLS1_VERSION);
  boost::system::error_code error;
  if (options.ca_file.empty()) {
    context->set_default_verify_paths(error);
  } else {
    context->load_verify_file(options.ca_file, error);
  }
  if (error)
    return fail(Errc::invalid, "the CA file '" + options.ca_file + "' cannot be read",
                "Set the path of a PEM file in 'ca'.");
  context->set_verify_mode(asio::ssl::verify_peer);
  SSL_CTX_set_cert_verify_callback(native, record_and_go_on, record);
  return context;
}

void expect_name(SSL* ssl, const std::string& name) {
  X509_VERIFY_PARAM* const expected = SSL_get0_param(ssl);
  X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  boost::system::error_code not_an_address;
  asio::ip::make_address(name, not_an_address);
  if (!not_an_address) {
    X509_VERIFY_PARAM_set1_ip_asc(expected, name.c_str());
  } else {
    SSL_set_tlsext_host_name(ssl, name.c_str());
    X509_VERIFY_PARAM_set1_host(expected, name.data(), name.size());
  }
}

using Stream = asio::ssl::stream<asio::ip::tcp::socket>;

async::Task<boost::system::error_code> shake_hands(Stream* stream) {
  boost::system::error_code error;
  co_await stream->async_handshake(asio::ssl::stream_base::client, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

/// SHA-256 of the first certificate in a PEM text.
std::optional<std::string> fingerprint_in(const std::string& pem) {
  const std::unique_ptr<BIO, int (*)(BIO*)> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), BIO_free);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr),
                                                           X509_free);
  if (!certificate) return std::nullopt;
  return ward::net::fingerprint_of(*certificate);
}

class TlsProbe final : public Probe {
 public:
  explicit TlsProbe(TlsOptions options) : options_(std::move(options)) {}
  async::Task<ProbeOutput> collect(Host& host) override;
  [[nodiscard]] Readings on_deadline() const override { return net::deadline_readings(); }

 private:
  async::Task<void> examine(Host& host, std::unique_ptr<asio::ip::tcp::socket> socket, net::TimeLeft left,
                            net::Report* report);
  void judge(int result, net::Report& report) const;
  void compare(Host& host, const http::TlsFacts& facts, net::Report& report) const;
  TlsOptions options_;
};

void TlsProbe::judge(int result, net::Report& report) const {
  const auto which = "the certificate of " + ward::net::to_string(options_.address);
  switch (result) {
    case X509_V_OK: return;
    case X509_V_ERR_CERT_HAS_EXPIRED:
      return report.fail(FailureReason::tls_expired, {Errc::denied, which + " has expired", "Renew it on the server."});
    case X509_V_ERR_CERT_NOT_YET_VALID:
      return report.fail(FailureReason::tls_expired,
                         {Errc::denied, which + " is not valid yet", "Check the clocks of both machines."});
    case X509_V_ERR_HOSTNAME_MISMATCH:
    case X509_V_ERR_IP_ADDRESS_MISMATCH:
      return report.fail(FailureReason::tls_name_mismatch, {Errc::denied, which + " is for another host name",
                                                            "Set 'server_name', or issue one for this name."});
    default:
      return report.fail(FailureReason::tls_untrusted,
                         {Errc::denied, which + " is not trusted: " + X509_verify_cert_error_string(result),
                          "Set 'ca' to the CA that signed it, or serve the missing intermediate certificate."});
  }
}

void TlsProbe::compare(Host& host, const http::TlsFacts& facts, net::Report& report) const {
  if (options_.certificate_file.empty() || facts.chain.served.empty()) return;
  const auto pem = host.read_file(options_.certificate_file);
  const auto wanted = pem ? fingerprint_in(*pem) : std::nullopt;
  if (!wanted)
    return report.fail(FailureReason::not_found,
                       {Errc::not_found, "no certificate can be read from '" + options_.certificate_file + "'",
                        "Correct 'certificate_file', or make the file readable for the agent."});
  report.put("ward_tls_served_matches_file", *wanted == facts.chain.served.front().fingerprint ? 1 : 0);
}

async::Task<void> TlsProbe::examine(Host& host, std::unique_ptr<asio::ip::tcp::socket> socket, net::TimeLeft left,
                                    net::Report* report) {
  http::TlsFacts facts;
  auto context = make_context(options_, &facts.chain);
  if (!context) {
    report->fail(FailureReason::not_found, std::move(context.error()));
    co_return;
  }
  Stream stream(std::move(*socket), **context);
  SSL* const ssl = stream.native_handle();
  expect_name(ssl, options_.server_name.empty() ? options_.address.host : options_.server_name);
  const auto started = host.clock().mono();
  auto shaking = shake_hands(&stream);
  const auto error = co_await async::within(left.get(), std::move(shaking));
  if (!error) {
    report->fail(net::timed_out(options_.address, "finish the TLS handshake"));
    co_return;
  }
  const bool shown = !facts.chain.served.empty();
  if (!*error) {
    report->put("probe_tls_handshake_duration_seconds", to_seconds(host.clock().mono() - started));
    facts.version = SSL_get_version(ssl);
    const char* const cipher = SSL_CIPHER_standard_name(SSL_get_current_cipher(ssl));
    facts.cipher = cipher != nullptr ? cipher : "";
  }
  report->tls(facts);
  if (shown) judge(facts.chain.result, *report);
  compare(host, facts, *report);
  if (*error || SSL_version(ssl) < TLS1_2_VERSION) {
    const auto at = ward::net::to_string(options_.address);
    report->fail(
        FailureReason::tls_protocol,
        {Errc::unavailable, *error ? "the TLS handshake with " + at + " failed" : at + " speaks only " + facts.version,
         "Check that the port speaks TLS 1.2 or newer."});
  }
}

async::Task<ProbeOutput> TlsProbe::collect(Host& host) {
  net::Report report(host.clock(), options_.timeout);
  const net::TimeLeft left(host.clock(), options_.timeout);
  auto dialled = co_await net::dial(host, options_.address, left);
  if (!dialled) {
    report.fail(std::move(dialled.error()));
    co_return report.finish();
  }
  report.address(dialled->address, dialled->lookup);
  auto refused = co_await net::start_tls(dialled->socket.get(), options_.start, options_.address, left);
  if (refused) {
    report.fail(std::move(*refused));
  } else {
    auto examining = examine(host, std::move(dialled->socket), left, &report);
    co_await std::move(examining);
  }
  co_return report.finish();
}

std::unique_ptr<Probe> make_tls_from(config::Section& target) {
  const auto before = target.problems().list().size();
  TlsOptions options;
  options.address = net::address_of(target);
  options.server_name = target.text("server_name", "");
  options.ca_file = target.text("ca", "");
  options.certificate_file = target.text("certificate_file", "");
  options.timeout = target.duration("timeout", options.timeout, milliseconds{10});
  switch (target.choice("starttls", {"none", "postgres", "smtp"}, 0)) {
    case 1: options.start = StartTls::postgres; break;
    case 2: options.start = StartTls::smtp; break;
    default: options.start = StartTls::none;
  }
  if (target.problems().list().size() != before) return nullptr;
  return make_tls(std::move(options));
}

}  // namespace

std::unique_ptr<Probe> make_tls(TlsOptions options) { return std::make_unique<TlsProbe>(std::move(options)); }

ProbeKind tls_probe() {
  ProbeKind kind;
  kind.name = "tls";
  kind.job = "blackbox";
  kind.interval = std::chrono::minutes{1};
  kind.metrics = kTlsProbeMetrics;
  kind.make = make_tls_from;
  return kind;
}

}  // namespace ward::probes
