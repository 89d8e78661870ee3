#include "common/net/tls.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/verify_context.hpp>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <fstream>
#include <iterator>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <string_view>
#include <sys/stat.h>
#include <unistd.h>

#include "common/net/identity.hpp"

namespace ward::net {
namespace ssl = boost::asio::ssl;
namespace {

constexpr std::size_t kMaxPemBytes = 1 << 20;
/// ALPN's wire form: a length byte, then the name.
constexpr unsigned char kAlpnWire[] = {6, 'w', 'a', 'r', 'd', '/', '1'};

Result<std::string> read_pem(std::string_view kind, const std::string& path) {
  const std::string name = std::string(kind) + " file '" + path + "'";
  std::ifstream in(path, std::ios::binary);
  if (path.empty() || !in)
    return fail(
        Errc::not_found,
        path.empty() ? "no " + std::string(kind) + " file is set" : "cannot read " + name + ": " + std::strerror(errno),
        "Set the path in the tls section and make the file readable for this user.");
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (text.size() > kMaxPemBytes) return fail(Errc::invalid, name + " is larger than 1 MiB", "Put only PEM blocks into it.");
  return text;
}

Status check_key_mode(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return {};  // read_pem says why
  const bool by_root_for_our_group = info.st_uid == 0 && ::geteuid() != 0;
  const mode_t forbidden = by_root_for_our_group ? S_IRWXO | S_IWGRP : S_IRWXO | S_IRWXG;
  if ((info.st_mode & forbidden) == 0) return {};
  return fail(Errc::denied, "key file '" + path + "' can be read by others", "Run 'chmod 600 " + path + "'.");
}

int select_alpn(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* in, unsigned in_size, void*) {
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kAlpnWire, sizeof kAlpnWire, in, in_size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

/// OpenSSL accepts a certificate without any extended key usage for every purpose; ours must say what they are for.
bool usage_fits(PeerRole role, X509* leaf) {
  if ((X509_get_extension_flags(leaf) & EXFLAG_XKUSAGE) == 0) return false;
  const std::uint32_t wanted = role == PeerRole::agent ? XKU_SSL_CLIENT : XKU_SSL_SERVER;
  return (X509_get_extended_key_usage(leaf) & wanted) != 0;
}

bool judge_leaf(PeerRole role, bool chain_is_good, ssl::verify_context& verification) {
  auto* const store = verification.native_handle();
  if (!chain_is_good || X509_STORE_CTX_get_error_depth(store) != 0) return chain_is_good;
  auto* const leaf = X509_STORE_CTX_get_current_cert(store);
  int error = X509_V_OK;
  if (!usage_fits(role, leaf)) {
    error = X509_V_ERR_INVALID_PURPOSE;
  } else if (!identity_of(role, *leaf)) {
    error = X509_V_ERR_APPLICATION_VERIFICATION;  // refusal.cpp reads it as "no identity"
  }
  if (error == X509_V_OK) return true;
  X509_STORE_CTX_set_error(store, error);
  return false;
}

Status load_files(ssl::context& context, const TlsFiles& files) {
  boost::system::error_code error;
  auto ca = read_pem("CA", files.ca);
  if (!ca) return fail(std::move(ca.error()));
  context.add_certificate_authority(boost::asio::buffer(*ca), error);
  if (error || ca->find("-----BEGIN") == std::string::npos)
    return fail(Errc::invalid, "CA file '" + files.ca + "' holds no usable certificate",
                "Put the CA's PEM certificate into it.");

  auto certificate = read_pem("certificate", files.certificate);
  if (!certificate) return fail(std::move(certificate.error()));
  context.use_certificate_chain(boost::asio::buffer(*certificate), error);
  if (error)
    return fail(Errc::invalid,
                "certificate file '" + files.certificate + "' holds no usable certificate: " + error.message(),
                "Put the PEM certificate, then its intermediates, into it.");

  if (auto mode = check_key_mode(files.key); !mode) return mode;
  auto key = read_pem("key", files.key);
  if (!key) return fail(std::move(key.error()));
  // Without this an encrypted key would ask at the terminal.
  context.set_password_callback([](std::size_t, ssl::context::password_purpose) { return std::string(); }, error);
  context.use_private_key(boost::asio::buffer(*key), ssl::context::pem, error);
  OPENSSL_cleanse(key->data(), key->size());
  if (!error && SSL_CTX_check_private_key(context.native_handle()) == 1) return {};
  if (ERR_GET_REASON(static_cast<unsigned long>(static_cast<unsigned>(error.value()))) == X509_R_KEY_VALUES_MISMATCH)
    return fail(Errc::invalid, "key file '" + files.key + "' does not belong to certificate '" + files.certificate + "'",
                "Use the key that was made with this certificate.");
  return fail(Errc::invalid, "key file '" + files.key + "' holds no usable private key",
              "Put the unencrypted PEM key of the certificate into it.");
}

Result<TlsContext> make_context(const TlsFiles& files, PeerRole peer) {
  auto context = std::make_shared<ssl::context>(ssl::context::tls);
  SSL_CTX* const native = context->native_handle();
  if (SSL_CTX_set_min_proto_version(native, TLS1_3_VERSION) != 1 ||
      SSL_CTX_set_max_proto_version(native, TLS1_3_VERSION) != 1)
    return fail(Errc::internal, "OpenSSL has no TLS 1.3", "Install an OpenSSL that has it.");
  SSL_CTX_set_security_level(native, 2);
  // No resumption: a session must not outlive the CA that vouched for it (facts: security row 6).
  SSL_CTX_set_options(native, SSL_OP_NO_TICKET);
  SSL_CTX_set_num_tickets(native, 0);
  SSL_CTX_set_session_cache_mode(native, SSL_SESS_CACHE_OFF);
  if (peer == PeerRole::agent) {
    SSL_CTX_set_alpn_select_cb(native, select_alpn, nullptr);
  } else {
    SSL_CTX_set_alpn_protos(native, kAlpnWire, sizeof kAlpnWire);
  }
  if (auto loaded = load_files(*context, files); !loaded) return fail(std::move(loaded.error()));
  context->set_verify_mode(ssl::verify_peer | ssl::verify_fail_if_no_peer_cert);
  context->set_verify_callback(
      [peer](bool good, ssl::verify_context& verification) { return judge_leaf(peer, good, verification); });
  return context;
}

}  // namespace

Result<TlsContext> make_server_context(const TlsFiles& files) { return make_context(files, PeerRole::agent); }
Result<TlsContext> make_client_context(const TlsFiles& files) { return make_context(files, PeerRole::collector); }

Time own_certificate_end(const TlsContext& context) {
  std::tm end{};
  const X509* own = SSL_CTX_get0_certificate(context->native_handle());
  if (own == nullptr || ASN1_TIME_to_tm(X509_get0_notAfter(own), &end) != 1) return Time{};
  return Time{std::chrono::seconds{::timegm(&end)}};
}

}  // namespace ward::net
