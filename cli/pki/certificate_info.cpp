#include <arpa/inet.h>
#include <array>
#include <ctime>
#include <openssl/err.h>
#include <openssl/pem.h>

#include "cli/pki/openssl.hpp"
#include "cli/pki/pki.hpp"

namespace ward::pki {
namespace {

std::string hex(std::span<const unsigned char> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string out;
  for (const auto b : bytes) {
    out += kDigits[b >> 4U];
    out += kDigits[b & 15U];
  }
  return out;
}

std::span<const unsigned char> bytes_of(const ASN1_STRING* text) {
  return {ASN1_STRING_get0_data(text), static_cast<std::size_t>(ASN1_STRING_length(text))};
}

std::string text_of(const ASN1_STRING* text) {
  const auto bytes = bytes_of(text);
  return {bytes.begin(), bytes.end()};
}

std::string common_name(const X509_NAME* name) {
  const int at = X509_NAME_get_index_by_NID(name, NID_commonName, -1);
  return at < 0 ? std::string{} : text_of(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(name, at)));
}

Time time_of(const ASN1_TIME* time) {
  std::tm parts{};
  if (ASN1_TIME_to_tm(time, &parts) != 1) return Time{};
  return from_ms(static_cast<std::int64_t>(::timegm(&parts)) * 1000);
}

std::string address_text(std::span<const unsigned char> bytes) {
  std::array<char, INET6_ADDRSTRLEN> text{};
  const int family = bytes.size() == 4 ? AF_INET : AF_INET6;
  if (bytes.size() != 4 && bytes.size() != 16) return hex(bytes);
  return ::inet_ntop(family, bytes.data(), text.data(), text.size()) == nullptr ? hex(bytes) : std::string(text.data());
}

void read_names(const X509* certificate, CertificateInfo& out) {
  const Owned<GENERAL_NAMES> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    int type = 0;
    const auto* value =
        static_cast<const ASN1_STRING*>(GENERAL_NAME_get0_value(sk_GENERAL_NAME_value(names.get(), i), &type));
    if (type == GEN_URI) out.uris.push_back(text_of(value));
    if (type == GEN_DNS) out.hosts.push_back(text_of(value));
    if (type == GEN_IPADD) out.hosts.push_back(address_text(bytes_of(value)));
  }
}

Usage usage_of(const X509* certificate) {
  const Owned<EXTENDED_KEY_USAGE> uses(
      static_cast<EXTENDED_KEY_USAGE*>(X509_get_ext_d2i(certificate, NID_ext_key_usage, nullptr, nullptr)));
  bool server = false, client = false;
  for (int i = 0; uses && i < sk_ASN1_OBJECT_num(uses.get()); ++i) {
    const int nid = OBJ_obj2nid(sk_ASN1_OBJECT_value(uses.get(), i));
    server = server || nid == NID_server_auth;
    client = client || nid == NID_client_auth;
  }
  if (server && client) return Usage::both;
  if (server) return Usage::server;
  return client ? Usage::client : Usage::none;
}

int refuse_password(char*, int, int, void*) { return -1; }

}  // namespace

Result<Owned<X509>> parse_certificate(std::string_view pem) {
  const Owned<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Owned<X509> certificate(in ? PEM_read_bio_X509(in.get(), nullptr, &refuse_password, nullptr) : nullptr);
  ERR_clear_error();
  if (!certificate)
    return fail(Errc::invalid, "this is not a PEM certificate", "Give a file that begins with BEGIN CERTIFICATE.");
  return certificate;
}

Result<Owned<EVP_PKEY>> parse_key(std::string_view pem) {
  const Owned<BIO> in(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  Owned<EVP_PKEY> key(in ? PEM_read_bio_PrivateKey(in.get(), nullptr, &refuse_password, nullptr) : nullptr);
  ERR_clear_error();
  if (!key)
    return fail(Errc::invalid, "this is not an unencrypted PEM private key",
                "Give a file that begins with BEGIN PRIVATE KEY.");
  return key;
}

Result<CertificateInfo> inspect(const std::string& certificate_pem) {
  const auto parsed = parse_certificate(certificate_pem);
  if (!parsed) return fail(parsed.error());
  auto* certificate = parsed->get();
  CertificateInfo out;
  out.subject = common_name(X509_get_subject_name(certificate));
  out.issuer = common_name(X509_get_issuer_name(certificate));
  out.serial = hex(bytes_of(X509_get0_serialNumber(certificate)));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) == 1) out.sha256 = hex({digest.data(), size});
  out.validity = {time_of(X509_get0_notBefore(certificate)), time_of(X509_get0_notAfter(certificate))};
  read_names(certificate, out);
  out.usage = usage_of(certificate);
  out.is_authority = X509_check_ca(certificate) == 1;
  return out;
}

}  // namespace ward::pki
