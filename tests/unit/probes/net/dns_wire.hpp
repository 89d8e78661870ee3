#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace ward::test {

/// Writes DNS messages for tests; names are written in full unless pointed at.
class DnsWriter {
 public:
  struct Counts {
    unsigned questions = 1, answers = 0, authorities = 0, additionals = 0;
  };
  DnsWriter(unsigned id, unsigned flags, Counts counts) {
    u16(id).u16(flags).u16(counts.questions).u16(counts.answers).u16(counts.authorities).u16(counts.additionals);
  }
  DnsWriter& u8(unsigned v) {
    bytes.push_back(static_cast<std::uint8_t>(v));
    return *this;
  }
  DnsWriter& u16(unsigned v) { return u8(v >> 8 & 255).u8(v & 255); }
  DnsWriter& u32(unsigned v) { return u16(v >> 16).u16(v & 0xffff); }
  DnsWriter& name(std::string_view text) {
    while (!text.empty()) {
      const auto label = text.substr(0, text.find('.'));
      u8(static_cast<unsigned>(label.size())).raw(label);
      text.remove_prefix(std::min(text.size(), label.size() + 1));
    }
    return u8(0);
  }
  DnsWriter& raw(std::string_view text) {
    bytes.insert(bytes.end(), text.begin(), text.end());
    return *this;
  }
  DnsWriter& question(std::string_view text, unsigned type) { return name(text).u16(type).u16(1); }
  /// A record whose name points at the question.
  DnsWriter& record(unsigned type, std::string_view data) {
    return u16(0xc00c).u16(type).u16(1).u32(300).u16(static_cast<unsigned>(data.size())).raw(data);
  }
  std::vector<std::uint8_t> bytes;
};

inline constexpr unsigned kAnswerFlags = 0x8180;

}  // namespace ward::test
