#pragma once
#include <array>
#include <compare>
#include <cstdint>
#include <string>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/strong.hpp"

namespace ward {

using TenantId = Strong<struct TenantTag, std::string>;
using AgentId = Strong<struct AgentTag, std::string>;
/// Position of a record in its stream, from 1. A position is never a time.
using Sequence = Strong<struct SequenceTag, std::uint64_t>;

[[nodiscard]] constexpr Sequence next(Sequence s) { return Sequence{s.get() + 1}; }

/// Names one life of an agent's stream: random, so that a number reused after power loss is never taken for old data.
struct Incarnation {
  std::array<std::uint8_t, 16> bytes{};
  friend auto operator<=>(const Incarnation&, const Incarnation&) = default;
  friend bool operator==(const Incarnation&, const Incarnation&) = default;
};
std::string to_string(const Incarnation& incarnation);  ///< 32 hex digits

/// The identity of a stream at a collector; tenant and agent come from the certificate, never from a frame alone.
struct StreamKey {
  TenantId tenant;
  AgentId agent;
  Incarnation incarnation;
  friend auto operator<=>(const StreamKey&, const StreamKey&) = default;
  friend bool operator==(const StreamKey&, const StreamKey&) = default;
};

/// Who a peer is, proven by its certificate (URI SANs `ward://<tenant>/<agent>`, one per tenant it may speak for).
struct PeerIdentity {
  AgentId agent;
  std::vector<TenantId> tenants;
  [[nodiscard]] bool may_speak_for(const TenantId& tenant) const;
  friend bool operator==(const PeerIdentity&, const PeerIdentity&) = default;
};

/// Tenant and agent names: 1..63 of [a-z0-9-.], starting and ending alphanumeric, so that they fit SANs, labels and paths.
Status check_name(std::string_view kind, std::string_view name);

}  // namespace ward
