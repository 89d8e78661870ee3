#include "tests/support/certificates.hpp"

#include <cstdio>
#include <memory>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdexcept>
#include <sys/stat.h>
#include <unistd.h>

namespace ward::test {
namespace {

struct Free {
  void operator()(EVP_PKEY* p) const { EVP_PKEY_free(p); }
  void operator()(X509* p) const { X509_free(p); }
  void operator()(X509_EXTENSION* p) const { X509_EXTENSION_free(p); }
  void operator()(std::FILE* p) const { std::fclose(p); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

void must(bool good, const char* what) {
  if (!good) throw std::runtime_error(std::string("test certificate: ") + what);
}

Owned<EVP_PKEY> make_key() {
  Owned<EVP_PKEY> key(EVP_EC_gen("P-256"));
  must(key != nullptr, "key");
  return key;
}

void add_extension(X509* certificate, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  must(extension != nullptr && X509_add_ext(certificate, extension.get(), -1) == 1, value.c_str());
}

Owned<X509> make_certificate(const CertificateSpec& spec, EVP_PKEY* key, long serial) {
  Owned<X509> certificate(X509_new());
  X509_set_version(certificate.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), spec.starts_in.count());
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), spec.ends_in.count());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate.get()), "CN", MBSTRING_ASC,
                             reinterpret_cast<const unsigned char*>(spec.common_name.c_str()), -1, -1, 0);
  X509_set_pubkey(certificate.get(), key);
  return certificate;
}

Owned<std::FILE> create(const std::filesystem::path& path) {
  Owned<std::FILE> file(std::fopen(path.c_str(), "w"));
  must(file != nullptr, path.c_str());
  ::chmod(path.c_str(), S_IRUSR | S_IWUSR);
  return file;
}

void write_certificate(const std::filesystem::path& path, X509* certificate) {
  must(PEM_write_X509(create(path).get(), certificate) == 1, path.c_str());
}

}  // namespace

CertificateSpec agent_certificate(std::string tenant, std::string agent) {
  CertificateSpec spec;
  spec.sans = {"URI:ward://" + tenant + "/" + agent};
  return spec;
}

CertificateSpec collector_certificate(std::string name) {
  CertificateSpec spec;
  spec.sans = {"URI:ward://_collector/" + name, "DNS:localhost", "IP:127.0.0.1"};
  spec.extended_usage = "serverAuth";
  return spec;
}

struct TestCa::Keys {
  Owned<EVP_PKEY> key;
  Owned<X509> certificate;
};

TestCa::TestCa(std::string name) : keys_(std::make_unique<Keys>()) {
  CertificateSpec spec;
  spec.common_name = std::move(name);
  spec.starts_in = -std::chrono::hours{24 * 365};
  spec.ends_in = std::chrono::hours{24 * 365};
  keys_->key = make_key();
  keys_->certificate = make_certificate(spec, keys_->key.get(), 1);
  auto* const own = keys_->certificate.get();
  X509_set_issuer_name(own, X509_get_subject_name(own));
  add_extension(own, own, NID_basic_constraints, "critical,CA:TRUE");
  add_extension(own, own, NID_key_usage, "critical,keyCertSign,cRLSign");
  must(X509_sign(own, keys_->key.get(), EVP_sha256()) > 0, "sign");
  write_certificate(directory_ / "ca.pem", own);
}

TestCa::~TestCa() = default;

net::TlsFiles TestCa::issue(const CertificateSpec& spec) {
  ++issued_;
  const auto key = make_key();
  const auto certificate = make_certificate(spec, key.get(), issued_ + 1);
  auto* const issuer = keys_->certificate.get();
  X509_set_issuer_name(certificate.get(), X509_get_subject_name(issuer));
  add_extension(certificate.get(), issuer, NID_basic_constraints, "critical,CA:FALSE");
  if (!spec.extended_usage.empty()) add_extension(certificate.get(), issuer, NID_ext_key_usage, spec.extended_usage);
  std::string sans;
  for (const auto& san : spec.sans) sans += (sans.empty() ? "" : ",") + san;
  if (!sans.empty()) add_extension(certificate.get(), issuer, NID_subject_alt_name, sans);
  must(X509_sign(certificate.get(), keys_->key.get(), EVP_sha256()) > 0, "sign");

  const auto stem = directory_ / ("c" + std::to_string(issued_));
  net::TlsFiles files{ca_file(), stem.string() + ".pem", stem.string() + ".key"};
  write_certificate(files.certificate, certificate.get());
  must(PEM_write_PrivateKey(create(files.key).get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1, "key file");
  return files;
}

}  // namespace ward::test
