#include <algorithm>
#include <arpa/inet.h>
#include <array>

#include "cli/pki/pki.hpp"

namespace ward::pki {
namespace {

/// Collectors share the realm of no tenant: check_name refuses a leading underscore.
constexpr std::string_view kCollectorRealm = "_collector";

bool is_address(const std::string& text) {
  std::array<unsigned char, sizeof(in6_addr)> bytes{};
  return ::inet_pton(AF_INET, text.c_str(), bytes.data()) == 1 || ::inet_pton(AF_INET6, text.c_str(), bytes.data()) == 1;
}

/// A DNS name of letters, digits, '-' and '.', with no empty part (RFC 1123 section 2.1).
bool is_host_name(const std::string& text) {
  const auto good = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
  };
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), good) && text.front() != '.' &&
         text.front() != '-' && text.back() != '.' && text.back() != '-' && text.find("..") == std::string::npos;
}

}  // namespace

Result<LeafSpec> agent_leaf(const AgentId& agent, std::span<const TenantId> tenants, Validity validity) {
  if (auto good = check_name("agent", agent.get()); !good) return fail(good.error());
  if (tenants.empty()) return fail(Errc::invalid, "agent '" + agent.get() + "' has no tenant", "Name one with --tenant.");
  LeafSpec spec;
  spec.common_name = agent.get();
  spec.usage = Usage::client;
  spec.validity = validity;
  for (const auto& tenant : tenants) {
    if (auto good = check_name("tenant", tenant.get()); !good) return fail(good.error());
    auto uri = "ward://" + tenant.get() + "/" + agent.get();
    if (std::find(spec.uris.begin(), spec.uris.end(), uri) != spec.uris.end())
      return fail(Errc::invalid, "tenant '" + tenant.get() + "' is given twice", "Name it once.");
    spec.uris.push_back(std::move(uri));
  }
  return spec;
}

Result<LeafSpec> collector_leaf(const std::string& name, std::vector<std::string> hosts, Validity validity) {
  if (auto good = check_name("collector", name); !good) return fail(good.error());
  if (hosts.empty())
    return fail(Errc::invalid, "collector '" + name + "' has no host name", "Name what agents connect to with --name.");
  for (const auto& host : hosts)
    if (!is_address(host) && !is_host_name(host))
      return fail(Errc::invalid, "'" + host + "' is neither a host name nor an address",
                  "Write it like ward.example or 10.0.0.7.");
  LeafSpec spec;
  spec.common_name = name;
  spec.uris = {"ward://" + std::string(kCollectorRealm) + "/" + name};
  spec.hosts = std::move(hosts);
  spec.usage = Usage::both;
  spec.validity = validity;
  return spec;
}

}  // namespace ward::pki
