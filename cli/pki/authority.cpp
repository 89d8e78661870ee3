// Makes keys and certificates with OpenSSL 3's EVP interface.
#include <openssl/err.h>
#include <openssl/pem.h>

#include "cli/pki/openssl.hpp"
#include "cli/pki/pki.hpp"

namespace ward::pki {
namespace {

/// Leaves a chain of OpenSSL calls; caught at this file's border. A failure here is no memory or no random bytes.
struct CryptoFailure {
  const char* doing;
};

template <class T>
T* made(T* object, const char* doing) {
  if (object == nullptr) throw CryptoFailure{doing};
  return object;
}
void must(int result, const char* doing) {
  if (result != 1) throw CryptoFailure{doing};
}

template <class F>
auto guarded(F make) -> decltype(make()) {
  try {
    return make();
  } catch (const CryptoFailure& e) {
    ERR_clear_error();
    return fail(Errc::internal, std::string("the crypto library failed: ") + e.doing,
                "Check memory and the OpenSSL installation.");
  }
}

Owned<EVP_PKEY> new_key() { return Owned<EVP_PKEY>(made(EVP_EC_gen("P-256"), "making a P-256 key")); }

/// 159 random bits: unguessable, positive and at most 20 octets (RFC 5280 section 4.1.2.2).
void set_random_serial(X509* certificate) {
  const Owned<BIGNUM> serial(made(BN_new(), "making a serial"));
  must(BN_rand(serial.get(), 159, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY), "making a serial");
  made(BN_to_ASN1_INTEGER(serial.get(), X509_get_serialNumber(certificate)), "making a serial");
}

void set_validity(X509* certificate, const Validity& validity) {
  const auto seconds = [](Time t) { return std::chrono::floor<std::chrono::seconds>(t).time_since_epoch().count(); };
  made(ASN1_TIME_set(X509_getm_notBefore(certificate), seconds(validity.not_before)), "setting the start");
  made(ASN1_TIME_set(X509_getm_notAfter(certificate), seconds(validity.not_after)), "setting the end");
}

void set_common_name(X509* certificate, const std::string& name) {
  if (name.empty()) return;
  must(X509_NAME_add_entry_by_txt(X509_get_subject_name(certificate), "CN", MBSTRING_UTF8,
                                  reinterpret_cast<const unsigned char*>(name.data()), static_cast<int>(name.size()), -1, 0),
       "setting the subject");
}

enum class Critical { no, yes };

void add(X509* certificate, int nid, void* value, Critical critical) {
  must(X509_add1_ext_i2d(certificate, nid, value, critical == Critical::yes ? 1 : 0, X509V3_ADD_DEFAULT),
       "adding an extension");
}

/// Only for constant text: OpenSSL's configuration syntax must never see a user's name.
void add_constant(X509* certificate, X509* issuer, int nid, const char* value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  const Owned<X509_EXTENSION> extension(made(X509V3_EXT_conf_nid(nullptr, &context, nid, value), value));
  must(X509_add_ext(certificate, extension.get(), -1), value);
}

void add_name(GENERAL_NAMES* names, int type, ASN1_STRING* value) {
  auto* name = made(GENERAL_NAME_new(), "adding a name");
  GENERAL_NAME_set0_value(name, type, value);
  if (sk_GENERAL_NAME_push(names, name) <= 0) throw CryptoFailure{"adding a name"};
}

ASN1_STRING* ia5(const std::string& text) {
  auto* value = made(ASN1_IA5STRING_new(), "adding a name");
  must(ASN1_STRING_set(value, text.data(), static_cast<int>(text.size())), "adding a name");
  return value;
}

void add_alternative_names(X509* certificate, const LeafSpec& spec) {
  if (spec.uris.empty() && spec.hosts.empty()) return;
  const Owned<GENERAL_NAMES> names(made(GENERAL_NAMES_new(), "adding names"));
  for (const auto& uri : spec.uris) add_name(names.get(), GEN_URI, ia5(uri));
  for (const auto& host : spec.hosts) {
    if (auto* address = a2i_IPADDRESS(host.c_str()); address != nullptr)
      add_name(names.get(), GEN_IPADD, address);
    else
      add_name(names.get(), GEN_DNS, ia5(host));
  }
  add(certificate, NID_subject_alt_name, names.get(), Critical::no);
}

void add_usage(X509* certificate, Usage usage) {
  if (usage == Usage::none) return;
  const Owned<EXTENDED_KEY_USAGE> uses(made(EXTENDED_KEY_USAGE_new(), "adding the usage"));
  const auto push = [&](int nid) { sk_ASN1_OBJECT_push(uses.get(), OBJ_nid2obj(nid)); };
  if (usage != Usage::client) push(NID_server_auth);
  if (usage != Usage::server) push(NID_client_auth);
  add(certificate, NID_ext_key_usage, uses.get(), Critical::no);
}

Owned<X509> new_certificate(EVP_PKEY* key, const std::string& common_name, const Validity& validity) {
  Owned<X509> certificate(made(X509_new(), "making a certificate"));
  must(X509_set_version(certificate.get(), X509_VERSION_3), "making a certificate");
  set_random_serial(certificate.get());
  set_validity(certificate.get(), validity);
  set_common_name(certificate.get(), common_name);
  must(X509_set_pubkey(certificate.get(), key), "setting the public key");
  return certificate;
}

void sign(X509* certificate, EVP_PKEY* key) {
  if (X509_sign(certificate, key, EVP_sha256()) <= 0) throw CryptoFailure{"signing"};
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const auto size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

KeyPair to_pem(X509* certificate, EVP_PKEY* key) {
  const Owned<BIO> certificate_out(made(BIO_new(BIO_s_mem()), "writing PEM"));
  must(PEM_write_bio_X509(certificate_out.get(), certificate), "writing the certificate");
  // Secure memory is wiped when freed.
  const Owned<BIO> key_out(made(BIO_new(BIO_s_secmem()), "writing PEM"));
  must(PEM_write_bio_PKCS8PrivateKey(key_out.get(), key, nullptr, nullptr, 0, nullptr, nullptr), "writing the key");
  return KeyPair{text_of(certificate_out.get()), Secret{text_of(key_out.get())}};
}

void add_constraints(X509* certificate, bool authority) {
  const Owned<BASIC_CONSTRAINTS> constraints(made(BASIC_CONSTRAINTS_new(), "adding the constraints"));
  constraints->ca = authority ? 0xFF : 0;
  if (authority) {
    constraints->pathlen = made(ASN1_INTEGER_new(), "adding the constraints");
    must(ASN1_INTEGER_set(constraints->pathlen, 0), "adding the constraints");
  }
  add(certificate, NID_basic_constraints, constraints.get(), Critical::yes);
}

Result<KeyPair> sign_leaf(X509* issuer, EVP_PKEY* issuer_key, const LeafSpec& spec) {
  const auto key = new_key();
  const auto leaf = new_certificate(key.get(), spec.common_name, spec.validity);
  must(X509_set_issuer_name(leaf.get(), X509_get_subject_name(issuer)), "setting the issuer");
  add_constraints(leaf.get(), false);
  add_constant(leaf.get(), issuer, NID_key_usage, "critical,digitalSignature");
  add_usage(leaf.get(), spec.usage);
  add_alternative_names(leaf.get(), spec);
  add_constant(leaf.get(), issuer, NID_subject_key_identifier, "hash");
  add_constant(leaf.get(), issuer, NID_authority_key_identifier, "keyid:always");
  sign(leaf.get(), issuer_key);
  return to_pem(leaf.get(), key.get());
}

}  // namespace

Validity valid_for(Time now, std::chrono::days days) { return {now - kClockSlack, now + days}; }

Result<KeyPair> make_authority(const std::string& common_name, Validity validity) {
  return guarded([&]() -> Result<KeyPair> {
    const auto key = new_key();
    const auto ca = new_certificate(key.get(), common_name, validity);
    must(X509_set_issuer_name(ca.get(), X509_get_subject_name(ca.get())), "setting the issuer");
    add_constraints(ca.get(), true);
    add_constant(ca.get(), ca.get(), NID_key_usage, "critical,keyCertSign,cRLSign");
    add_constant(ca.get(), ca.get(), NID_subject_key_identifier, "hash");
    sign(ca.get(), key.get());
    return to_pem(ca.get(), key.get());
  });
}

Result<KeyPair> issue(const KeyPair& authority, const LeafSpec& spec) {
  const auto issuer = parse_certificate(authority.certificate);
  if (!issuer) return fail(issuer.error());
  const auto issuer_key = parse_key(authority.key.reveal());
  if (!issuer_key) return fail(issuer_key.error());
  if (X509_check_private_key(issuer->get(), issuer_key->get()) != 1) {
    ERR_clear_error();
    return fail(Errc::invalid, "the authority's key does not belong to its certificate",
                "Use the pair that was made together.");
  }
  return guarded([&] { return sign_leaf(issuer->get(), issuer_key->get(), spec); });
}

}  // namespace ward::pki
