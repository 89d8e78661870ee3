#include "common/net/identity.hpp"

#include <memory>
#include <openssl/x509v3.h>
#include <string_view>

namespace ward::net {
namespace {

constexpr std::string_view kScheme = "ward://";

constexpr char kFixAgent[] = "Issue the certificate with the URI SAN ward://<tenant>/<agent> ('wardctl pki agent').";
constexpr char kFixCollector[] =
    "Issue the certificate with the URI SAN ward://_collector/<name> ('wardctl pki collector').";

struct Named {
  std::string realm;
  std::string name;
};

Result<Named> split(std::string_view uri, std::string_view fix) {
  const auto rest = uri.substr(kScheme.size());
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos)
    return fail(Errc::denied, "URI SAN '" + std::string(uri.substr(0, 160)) + "' has no agent part", std::string(fix));
  Named named{std::string(rest.substr(0, slash)), std::string(rest.substr(slash + 1))};
  // The reserved realm is the one name check_name would refuse and a certificate may still carry.
  if (named.realm != kCollectorRealm) {
    if (auto good = check_name("tenant", named.realm); !good) return fail(Errc::denied, good.error().what, std::string(fix));
  }
  if (auto good = check_name("agent", named.name); !good) return fail(Errc::denied, good.error().what, std::string(fix));
  return named;
}

}  // namespace

Result<PeerIdentity> identity_from_uris(PeerRole role, std::span<const std::string> uris) {
  const std::string_view fix = role == PeerRole::agent ? kFixAgent : kFixCollector;
  PeerIdentity peer;
  bool found = false;
  for (const auto& uri : uris) {
    if (!std::string_view(uri).starts_with(kScheme)) continue;
    auto named = split(uri, fix);
    if (!named) return fail(std::move(named.error()));
    const bool collector = named->realm == kCollectorRealm;
    if (collector != (role == PeerRole::collector))
      return fail(Errc::denied,
                  collector ? "a collector's certificate was shown where an agent's is needed"
                            : "an agent's certificate was shown where a collector's is needed",
                  std::string(fix));
    const AgentId agent{named->name};
    if (found && agent != peer.agent)
      return fail(Errc::denied, "the certificate names two agents, '" + peer.agent.get() + "' and '" + agent.get() + "'",
                  "Issue one certificate per agent.");
    peer.agent = agent;
    found = true;
    const TenantId tenant{named->realm};
    if (!collector && !peer.may_speak_for(tenant)) peer.tenants.push_back(tenant);
  }
  if (!found) return fail(Errc::denied, "the certificate names no Ward identity", std::string(fix));
  return peer;
}

std::vector<std::string> uri_names(const X509& certificate) {
  struct Free {
    void operator()(GENERAL_NAMES* names) const { GENERAL_NAMES_free(names); }
  };
  std::vector<std::string> uris;
  const std::unique_ptr<GENERAL_NAMES, Free> names(
      static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(&certificate, NID_subject_alt_name, nullptr, nullptr)));
  if (!names) return uris;
  for (int i = 0; i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const GENERAL_NAME* name = sk_GENERAL_NAME_value(names.get(), i);
    if (name->type != GEN_URI) continue;
    const ASN1_IA5STRING* text = name->d.uniformResourceIdentifier;
    // By length, not by NUL: "ward://a/b\0.evil" must not read as "ward://a/b".
    uris.emplace_back(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)),
                      static_cast<std::size_t>(ASN1_STRING_length(text)));
  }
  return uris;
}

Result<PeerIdentity> identity_of(PeerRole role, const X509& certificate) {
  return identity_from_uris(role, uri_names(certificate));
}

}  // namespace ward::net
