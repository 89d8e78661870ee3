#include "collector/event/audit.hpp"

#include <array>
#include <openssl/evp.h>

#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

void add(std::string& to, const std::string& field) { to += std::to_string(field.size()) + ':' + field; }

std::string sha256_hex(const std::string& text) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  const int done = EVP_Digest(text.data(), text.size(), digest.data(), &size, EVP_sha256(), nullptr);
  WARD_ASSERT(done == 1);
  constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (unsigned int i = 0; i < size; ++i) {
    out += kDigits[digest[i] >> 4];
    out += kDigits[digest[i] & 15];
  }
  return out;
}

}  // namespace

std::string audit_hash(const std::string& before, std::uint64_t number, const AuditEntry& entry) {
  std::string text;
  add(text, before);
  add(text, std::to_string(number));
  add(text, std::to_string(to_ms(entry.at)));
  for (const auto* field : {&entry.actor, &entry.action, &entry.subject, &entry.detail}) add(text, *field);
  return sha256_hex(text);
}

std::optional<std::uint64_t> first_broken(std::span<const AuditRecord> records, std::uint64_t after, std::string before) {
  for (const auto& record : records) {
    if (record.number != ++after || record.hash != audit_hash(before, record.number, record.entry)) return after;
    before = record.hash;
  }
  return std::nullopt;
}

}  // namespace ward::collector
