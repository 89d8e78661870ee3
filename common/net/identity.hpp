#pragma once
#include <openssl/types.h>
#include <span>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/model/ids.hpp"

namespace ward::net {

/// What the other end of a connection is: decides which key usage and which identity its certificate must show.
enum class PeerRole { agent, collector };

/// The reserved first part of a collector's URI SAN, `ward://_collector/<name>`; no tenant can have this name.
inline constexpr char kCollectorRealm[] = "_collector";

/// Who the URI SANs name. Agents: one or more `ward://<tenant>/<agent>`, all with the same agent. Collectors: exactly one
/// `ward://_collector/<name>`, given back as agent = name and no tenants. URIs of other schemes are left alone.
/// Errc::denied says what is wrong.
Result<PeerIdentity> identity_from_uris(PeerRole role, std::span<const std::string> uris);
/// The same from a certificate; its subject (CN) is never looked at.
Result<PeerIdentity> identity_of(PeerRole role, const X509& certificate);
/// The URI SANs of a certificate.
std::vector<std::string> uri_names(const X509& certificate);

}  // namespace ward::net
