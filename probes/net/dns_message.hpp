#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"

namespace ward::probes::dns {

/// The wire form of RFC 1035, as far as a probe needs it. No I/O.

enum class Type : std::uint16_t { a = 1, ns = 2, cname = 5, soa = 6, ptr = 12, mx = 15, txt = 16, aaaa = 28, srv = 33 };
/// "A", "AAAA", "SRV" ...; nullopt when unknown.
std::optional<Type> type_named(std::string_view name);

struct Record {
  std::string name;  ///< lower case, without the last dot
  std::uint16_t type = 0;
  std::uint32_t ttl = 0;
  std::string text;  ///< address, name, "10 mail.example", "0 5 5060 sip.example"; "" for types not listed above
  friend bool operator==(const Record&, const Record&) = default;
};

struct Reply {
  std::uint16_t id = 0;
  bool is_response = false;
  bool truncated = false;
  int rcode = 0;  ///< 0 NOERROR, 2 SERVFAIL, 3 NXDOMAIN, 5 REFUSED
  std::string question;
  std::uint16_t question_type = 0;
  std::vector<Record> answers;
  std::uint16_t answer_count = 0, authority_count = 0, additional_count = 0;
  std::optional<std::uint32_t> serial;  ///< of the first SOA in answer or authority
};

/// A recursive query for one name. Errc::invalid when the name is none.
Result<std::vector<std::uint8_t>> encode_query(std::uint16_t id, std::string_view name, Type type);
/// Errc::corrupt for anything that does not hold together; compression loops and over-long names included.
Result<Reply> parse_reply(std::span<const std::uint8_t> bytes);

}  // namespace ward::probes::dns
