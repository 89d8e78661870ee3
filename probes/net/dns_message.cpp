#include "probes/net/dns_message.hpp"

#include <algorithm>
#include <array>
#include <boost/asio/ip/address.hpp>

namespace ward::probes::dns {
namespace {

constexpr std::size_t kMaxName = 253;
constexpr std::uint16_t kClassInternet = 1;

struct Corrupt {};

/// Reads within the message; anything outside throws Corrupt, which parse_reply turns into an Error.
class Reader {
 public:
  explicit Reader(std::span<const std::uint8_t> all) : all_(all) {}
  std::uint8_t u8() {
    if (at_ >= all_.size()) throw Corrupt{};
    return all_[at_++];
  }
  std::uint16_t u16() {
    const unsigned high = u8();
    return static_cast<std::uint16_t>(high << 8 | u8());
  }
  std::uint32_t u32() {
    const std::uint32_t high = u16();
    return high << 16 | u16();
  }
  std::span<const std::uint8_t> bytes(std::size_t size) {
    if (size > all_.size() - at_) throw Corrupt{};
    const auto part = all_.subspan(at_, size);
    at_ += size;
    return part;
  }
  std::string name() {
    std::string out;
    std::size_t at = at_;
    std::size_t end = 0;  // after the name as it stands here, once a pointer leads away
    while (true) {
      if (at >= all_.size()) throw Corrupt{};
      const std::uint8_t size = all_[at];
      if ((size & 0xc0) == 0xc0) {
        if (at + 1 >= all_.size()) throw Corrupt{};
        const std::size_t target = static_cast<std::size_t>(size & 0x3f) << 8 | all_[at + 1];
        if (end == 0) end = at + 2;
        if (target >= at) throw Corrupt{};  // only backwards, so that it ends
        at = target;
        continue;
      }
      if ((size & 0xc0) != 0 || at + 1 + size > all_.size()) throw Corrupt{};
      if (size == 0) break;
      if (!out.empty()) out += '.';
      for (std::size_t i = 1; i <= size; ++i) out += printable(all_[at + i]);
      if (out.size() > kMaxName) throw Corrupt{};
      at += 1U + size;
    }
    at_ = end == 0 ? at + 1 : end;
    return out;
  }
  [[nodiscard]] std::size_t at() const { return at_; }
  void seek(std::size_t at) {
    if (at > all_.size()) throw Corrupt{};
    at_ = at;
  }

 private:
  static char printable(std::uint8_t byte) {
    if (byte >= 'A' && byte <= 'Z') return static_cast<char>(byte - 'A' + 'a');
    return byte > 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
  }
  std::span<const std::uint8_t> all_;
  std::size_t at_ = 0;
};

template <class Address>
std::string address_text(std::span<const std::uint8_t> data) {
  typename Address::bytes_type bytes;
  if (data.size() != bytes.size()) throw Corrupt{};
  std::copy(data.begin(), data.end(), bytes.begin());
  return Address(bytes).to_string();
}

std::string text_strings(std::span<const std::uint8_t> data) {
  std::string out;
  while (!data.empty()) {
    const std::size_t size = data[0];
    if (size + 1 > data.size()) throw Corrupt{};
    for (const auto byte : data.subspan(1, size)) out += byte >= 0x20 && byte < 0x7f ? static_cast<char>(byte) : '?';
    data = data.subspan(size + 1);
  }
  return out;
}

std::string record_text(Reader& in, Type type, std::size_t size) {
  namespace ip = boost::asio::ip;
  switch (type) {
    case Type::a: return address_text<ip::address_v4>(in.bytes(size));
    case Type::aaaa: return address_text<ip::address_v6>(in.bytes(size));
    case Type::ns:
    case Type::cname:
    case Type::ptr: return in.name();
    case Type::txt: return text_strings(in.bytes(size));
    case Type::mx: {
      const auto preference = in.u16();
      return std::to_string(preference) + " " + in.name();
    }
    case Type::srv: {
      const auto priority = in.u16(), weight = in.u16(), port = in.u16();
      return std::to_string(priority) + " " + std::to_string(weight) + " " + std::to_string(port) + " " + in.name();
    }
    case Type::soa: {
      auto primary = in.name();
      in.name();  // the mailbox of a person: not kept
      return primary + " " + std::to_string(in.u32());
    }
  }
  return {};
}

Record read_record(Reader& in, std::optional<std::uint32_t>& serial) {
  Record record;
  record.name = in.name();
  record.type = in.u16();
  in.u16();  // class
  record.ttl = in.u32();
  const std::size_t size = in.u16();
  const std::size_t end = in.at() + size;
  record.text = record_text(in, static_cast<Type>(record.type), size);
  if (in.at() > end) throw Corrupt{};
  if (record.type == static_cast<std::uint16_t>(Type::soa) && !serial)
    serial = static_cast<std::uint32_t>(std::stoul(record.text.substr(record.text.rfind(' ') + 1)));
  in.seek(end);
  return record;
}

Reply read_reply(Reader in) {
  Reply reply;
  reply.id = in.u16();
  const auto flags = in.u16();
  reply.is_response = (flags & 0x8000) != 0;
  reply.truncated = (flags & 0x0200) != 0;
  reply.rcode = flags & 0x000f;
  const auto questions = in.u16();
  reply.answer_count = in.u16();
  reply.authority_count = in.u16();
  reply.additional_count = in.u16();
  if (questions > 1) throw Corrupt{};
  if (questions == 1) {
    reply.question = in.name();
    reply.question_type = in.u16();
    in.u16();
  }
  if (reply.truncated) return reply;  // its records may be cut anywhere; TCP brings them whole
  for (unsigned i = 0; i < reply.answer_count; ++i) reply.answers.push_back(read_record(in, reply.serial));
  for (unsigned i = 0; i < reply.authority_count; ++i) read_record(in, reply.serial);
  return reply;
}

constexpr std::array<std::pair<std::string_view, Type>, 9> kTypes{{{"A", Type::a},
                                                                   {"AAAA", Type::aaaa},
                                                                   {"CNAME", Type::cname},
                                                                   {"MX", Type::mx},
                                                                   {"NS", Type::ns},
                                                                   {"PTR", Type::ptr},
                                                                   {"SOA", Type::soa},
                                                                   {"SRV", Type::srv},
                                                                   {"TXT", Type::txt}}};

}  // namespace

std::optional<Type> type_named(std::string_view name) {
  for (const auto& [text, type] : kTypes)
    if (text == name) return type;
  return std::nullopt;
}

Result<std::vector<std::uint8_t>> encode_query(std::uint16_t id, std::string_view name, Type type) {
  if (name.ends_with('.')) name.remove_suffix(1);
  std::vector<std::uint8_t> out;
  const auto put16 = [&](unsigned v) {
    out.push_back(static_cast<std::uint8_t>(v >> 8));
    out.push_back(static_cast<std::uint8_t>(v));
  };
  put16(id);
  put16(0x0100);  // recursion desired
  for (const unsigned count : {1U, 0U, 0U, 0U}) put16(count);
  bool good = name.size() <= kMaxName;
  for (std::string_view rest = name; good && !rest.empty();) {
    const auto label = rest.substr(0, rest.find('.'));
    good = !label.empty() && label.size() <= 63 &&
           std::all_of(label.begin(), label.end(), [](char c) { return c > 0x20 && c < 0x7f; });
    out.push_back(static_cast<std::uint8_t>(label.size()));
    out.insert(out.end(), label.begin(), label.end());
    rest.remove_prefix(label.size());
    if (rest.size() == 1) good = false;  // "a..": an empty last label
    if (!rest.empty()) rest.remove_prefix(1);
  }
  if (!good)
    return fail(Errc::invalid, "'" + std::string(name.substr(0, 80)) + "' is not a DNS name",
                "Use labels of 1 to 63 characters, 253 in all.");
  out.push_back(0);
  put16(static_cast<std::uint16_t>(type));
  put16(kClassInternet);
  return out;
}

Result<Reply> parse_reply(std::span<const std::uint8_t> bytes) {
  try {
    return read_reply(Reader(bytes));
  } catch (const Corrupt&) {
    return fail(Errc::corrupt, "the DNS message of " + std::to_string(bytes.size()) + " bytes does not hold together",
                "Check that the address is that of a name server.");
  }
}

}  // namespace ward::probes::dns
