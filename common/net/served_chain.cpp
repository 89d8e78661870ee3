#include "common/net/served_chain.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>
#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509v3.h>

namespace ward::net {
namespace {

Time end_of(const X509* certificate) {
  std::tm end{};
  if (ASN1_TIME_to_tm(X509_get0_notAfter(certificate), &end) != 1) return Time{};
  return Time{std::chrono::seconds{::timegm(&end)}};
}

struct Free {
  void operator()(BIO* p) const { BIO_free(p); }
  void operator()(X509_NAME* p) const { X509_NAME_free(p); }
  void operator()(GENERAL_NAMES* p) const { GENERAL_NAMES_free(p); }
};

std::string name_text(const X509_NAME* name) {
  const std::unique_ptr<X509_NAME, Free> copy(X509_NAME_dup(name));
  for (int at = -1; (at = X509_NAME_get_index_by_NID(copy.get(), NID_pkcs9_emailAddress, -1)) >= 0;)
    X509_NAME_ENTRY_free(X509_NAME_delete_entry(copy.get(), at));
  const std::unique_ptr<BIO, Free> out(BIO_new(BIO_s_mem()));
  X509_NAME_print_ex(out.get(), copy.get(), 0, XN_FLAG_RFC2253);
  const char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return {data, static_cast<std::size_t>(std::max(0L, size))};
}

std::string address_text(const ASN1_OCTET_STRING* bytes) {
  const unsigned char* data = ASN1_STRING_get0_data(bytes);
  if (ASN1_STRING_length(bytes) == 4) {
    boost::asio::ip::address_v4::bytes_type v4;
    std::copy_n(data, v4.size(), v4.begin());
    return boost::asio::ip::address_v4(v4).to_string();
  }
  if (ASN1_STRING_length(bytes) != 16) return {};
  boost::asio::ip::address_v6::bytes_type v6;
  std::copy_n(data, v6.size(), v6.begin());
  return boost::asio::ip::address_v6(v6).to_string();
}

std::string host_names(const X509* certificate) {
  const std::unique_ptr<GENERAL_NAMES, Free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr)));
  std::string all;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    std::string text;
    if (name->type == GEN_DNS)
      text.assign(reinterpret_cast<const char*>(ASN1_STRING_get0_data(name->d.dNSName)),
                  static_cast<std::size_t>(ASN1_STRING_length(name->d.dNSName)));
    if (name->type == GEN_IPADD) text = address_text(name->d.iPAddress);
    if (!text.empty()) all += (all.empty() ? "" : ",") + text;
  }
  return all;
}

ServedCertificate read(const X509* certificate) {
  return {end_of(certificate), name_text(X509_get_subject_name(certificate)), name_text(X509_get_issuer_name(certificate)),
          host_names(certificate), fingerprint_of(*certificate)};
}

}  // namespace

std::string fingerprint_of(const X509& certificate) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(&certificate, EVP_sha256(), digest.data(), &size) != 1) return {};
  std::string hex;
  for (unsigned i = 0; i < size; ++i) {
    hex += kHex[digest[i] >> 4];
    hex += kHex[digest[i] & 15];
  }
  return hex;
}

int record_chain(X509_STORE_CTX* verification, void* argument) {
  auto& record = *static_cast<ChainRecord*>(argument);
  record = {};
  const auto* const served = X509_STORE_CTX_get0_untrusted(verification);
  for (int i = 0; i < sk_X509_num(served); ++i) record.served.push_back(read(sk_X509_value(served, i)));
  const int good = X509_verify_cert(verification);
  record.result = X509_STORE_CTX_get_error(verification);
  if (good <= 0) return good;
  const auto* const chain = X509_STORE_CTX_get0_chain(verification);
  for (int i = 0; i < sk_X509_num(chain); ++i) {
    const Time end = end_of(sk_X509_value(chain, i));
    record.chain_end = record.chain_end ? std::min(*record.chain_end, end) : end;
  }
  return good;
}

}  // namespace ward::net
