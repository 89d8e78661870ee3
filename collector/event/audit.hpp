#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "common/base/time.hpp"

namespace ward::collector {

/// Something a person did to what is told: an acknowledgement, a silence, a reload.
struct AuditEntry {
  Time at{};
  std::string actor{};    ///< the name of the token that asked, or where the request came from
  std::string action{};   ///< "ack", "unack", "silence", "silence ended", "reload"
  std::string subject{};  ///< id of the incident or silence
  std::string detail{};   ///< what was said: the reason, the matchers, the result
  friend bool operator==(const AuditEntry&, const AuditEntry&) = default;
};

/// An entry in its place in the chain: `hash` covers the entry, its number and the hash before it, so that no entry can be
/// changed, taken out or put in later without breaking every hash that follows.
struct AuditRecord {
  std::uint64_t number = 0;  ///< from 1, without gaps
  AuditEntry entry;
  std::string hash{};  ///< SHA-256, 64 hex digits
  friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

/// The hash of entry `number` after a record whose hash is `before` ("" for the first). Over fields with their lengths, so
/// that no two entries read alike.
std::string audit_hash(const std::string& before, std::uint64_t number, const AuditEntry& entry);

/// The number of the first record that does not follow from the one before; nullopt: all do. `records` begin after a
/// record with the number `after` and the hash `before`.
std::optional<std::uint64_t> first_broken(std::span<const AuditRecord> records, std::uint64_t after = 0,
                                          std::string before = {});

}  // namespace ward::collector
