#pragma once
#include <openssl/types.h>
#include <optional>
#include <string>
#include <vector>

#include "common/base/time.hpp"

namespace ward::net {

/// One certificate as a server showed it. E-mail addresses in a subject are left out: they can be personal data.
struct ServedCertificate {
  Time not_after;
  std::string subject;      ///< RFC 2253, without e-mail addresses
  std::string issuer;       ///< the same
  std::string names;        ///< DNS and IP SANs, comma-separated
  std::string fingerprint;  ///< SHA-256, lower-case hex
  friend bool operator==(const ServedCertificate&, const ServedCertificate&) = default;
};

/// A verification as it happened: what was shown and what was thought of it, whether it was good or not.
struct ChainRecord {
  std::vector<ServedCertificate> served;  ///< leaf first
  int result = 0;                         ///< X509_V_OK or the first X509_V_ERR_*
  std::optional<Time> chain_end;          ///< earliest end in the verified chain; only after a good verification
};

/// SHA-256 over the certificate, lower-case hex.
std::string fingerprint_of(const X509& certificate);
/// For SSL_CTX_set_cert_verify_callback with a ChainRecord* as its argument: verifies as OpenSSL would, and writes it down.
int record_chain(X509_STORE_CTX* verification, void* record);

}  // namespace ward::net
