#pragma once
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/secret.hpp"
#include "common/base/time.hpp"
#include "common/model/ids.hpp"

namespace ward::pki {

inline constexpr std::chrono::days kCaDays{3650};
inline constexpr std::chrono::days kLeafDays{365};
/// Certificates begin a little before they are made, so that a host whose clock is behind accepts them.
inline constexpr std::chrono::minutes kClockSlack{5};

/// A certificate and its private key, both PEM.
struct KeyPair {
  std::string certificate;
  Secret key;
  friend bool operator==(const KeyPair&, const KeyPair&) = default;
};

struct Validity {
  Time not_before;
  Time not_after;
  friend bool operator==(const Validity&, const Validity&) = default;
};
/// From shortly before `now` for `days` from now.
Validity valid_for(Time now, std::chrono::days days);

enum class Usage { none, client, server, both };  ///< extended key usage; none leaves the extension out

/// What a leaf certificate says. Nothing here is checked against Ward's rules, so that a test can ask for a certificate
/// that a peer must refuse; agent_leaf and collector_leaf give the good ones.
struct LeafSpec {
  std::string common_name;         ///< for people; peers are judged by the names below
  std::vector<std::string> uris;   ///< URI SANs
  std::vector<std::string> hosts;  ///< DNS SANs, or IP SANs where the text is an address
  Usage usage = Usage::none;
  Validity validity;
};

/// One URI SAN `ward://<tenant>/<agent>` for each tenant, client use. Errc::invalid for a bad name or no tenant.
Result<LeafSpec> agent_leaf(const AgentId& agent, std::span<const TenantId> tenants, Validity validity);
/// The given DNS names and addresses plus `ward://_collector/<name>`, server and client use. Errc::invalid for a bad name
/// or no host: agents would not find the name they connect to.
Result<LeafSpec> collector_leaf(const std::string& name, std::vector<std::string> hosts, Validity validity);

/// A self-signed authority that may sign leaves only. ECDSA P-256, random serial.
Result<KeyPair> make_authority(const std::string& common_name, Validity validity);
/// A new key and its certificate signed by `authority`. ECDSA P-256, random serial.
/// Errc::invalid when the authority's PEM cannot be read or its key belongs to another certificate.
Result<KeyPair> issue(const KeyPair& authority, const LeafSpec& spec);

/// What a certificate says, for people and tests.
struct CertificateInfo {
  std::string subject;  ///< common name, "" when there is none
  std::string issuer;
  std::string serial;  ///< hex
  std::string sha256;  ///< fingerprint, hex
  Validity validity;
  std::vector<std::string> uris;
  std::vector<std::string> hosts;
  Usage usage = Usage::none;
  bool is_authority = false;
  friend bool operator==(const CertificateInfo&, const CertificateInfo&) = default;
};
Result<CertificateInfo> inspect(const std::string& certificate_pem);

/// Where a pair lies: <folder>/<name>.crt and <folder>/<name>.key.
struct PairPaths {
  std::string certificate;
  std::string key;
};
PairPaths pair_paths(const std::string& folder, const std::string& name);

enum class Existing { keep, replace };

/// Writes both files whole or not at all (temporary file, fsync, rename), the key with mode 0600; makes the folder with
/// mode 0700 when it is missing. With Existing::keep a file that is already there is an error and stays as it is.
Status save(const KeyPair& pair, const PairPaths& paths, Existing existing);
/// Refuses a key that other users can read.
Result<KeyPair> load(const PairPaths& paths);
Result<std::string> read_certificate(const std::string& path);

}  // namespace ward::pki
