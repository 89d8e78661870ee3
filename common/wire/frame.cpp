#include "common/wire/frame.hpp"

#include <array>
#include <cstring>
#include <limits>
#include <string_view>

#include "common/base/assert.hpp"

namespace ward::wire {
namespace {

// The type byte is the frame's place in the variant plus one; docs/format/wire.md lists them. Never renumber.
constexpr std::array<std::string_view, 13> kNames{"HELLO", "WELCOME", "SERIES", "DATA", "EVENT", "GAP",   "META",
                                                  "ACK",   "NACK",    "CREDIT", "PING", "PONG",  "GOAWAY"};
static_assert(std::variant_size_v<Frame> == kNames.size());

Sequence take_sequence(ByteReader& in) { return Sequence{read_position(in)}; }

std::uint32_t take_u32(ByteReader& in) {
  const auto v = in.varint();
  if (v > std::numeric_limits<std::uint32_t>::max()) in.fail();
  return in.ok() ? static_cast<std::uint32_t>(v) : 0;
}

void put(ByteWriter& w, const Incarnation& incarnation) { w.raw(incarnation.bytes); }
Incarnation take_incarnation(ByteReader& in) {
  Incarnation out;
  const auto view = in.raw(out.bytes.size());
  if (in.ok()) std::memcpy(out.bytes.data(), view.data(), view.size());
  return out;
}

/// A count that a frame's remaining bytes could hold at all (each entry takes one byte at least).
std::size_t take_count(ByteReader& in, std::size_t limit) {
  const auto count = in.varint();
  if (count > limit || count > in.left()) {
    in.fail();
    return 0;
  }
  return static_cast<std::size_t>(count);
}

std::string take_text(ByteReader& in, std::size_t limit) {
  const auto text = in.text();
  if (text.size() > limit) in.fail();
  return in.ok() ? std::string(text) : std::string{};
}

template <class E>
E take_enum(ByteReader& in, std::uint8_t min, std::uint8_t max) {
  const auto v = in.u8();
  if (v < min || v > max) in.fail();
  return in.ok() ? static_cast<E>(v) : static_cast<E>(min);
}

struct Writer {
  ByteWriter& w;

  void operator()(const Hello& f) const {
    w.varint(f.version);
    w.text(f.agent.get());
    w.text(f.software);
    w.u64(f.config_hash);
    w.varint(f.streams.size());
    for (const auto& s : f.streams) {
      w.text(s.tenant.get());
      put(w, s.incarnation);
      w.varint(s.boot);
      w.varint(s.base.get());
      w.varint(s.next.get());
      w.varint(s.sampled_before_base);
      w.u8(s.live ? 1 : 0);
    }
  }
  void operator()(const Welcome& f) const {
    w.varint(f.marks.size());
    for (const auto& m : f.marks) {
      w.varint(m.durable.get());
      w.varint(m.accounted);
    }
    w.varint(f.credit);
    w.svarint(to_ms(f.server_time));
    w.u64(f.life);
  }
  void operator()(const Series& f) const {
    w.varint(f.stream);
    write_series(w, f.entries);
  }
  void operator()(const Data& f) const {
    w.varint(f.stream);
    w.varint(f.seq.get());
    w.u8(static_cast<std::uint8_t>(f.data_class));
    w.varint(f.count);
    w.svarint(to_ms(f.base));
    w.u32(f.digest);
    w.raw(f.coded);
  }
  void operator()(const EventFrame& f) const {
    w.varint(f.stream);
    w.varint(f.seq.get());
    w.u8(static_cast<std::uint8_t>(f.data_class));
    write_events(w, f.events);
  }
  void operator()(const GapFrame& f) const {
    w.varint(f.stream);
    w.varint(f.gap.from.get());
    w.varint(f.gap.to.get());
    w.varint(f.gap.samples);
    w.u8(static_cast<std::uint8_t>(f.gap.reason));
    w.svarint(to_ms(f.gap.t0));
    w.svarint(to_ms(f.gap.t1));
  }
  void operator()(const Meta& f) const {
    w.varint(f.entries.size());
    for (const auto& e : f.entries) {
      w.text(e.name);
      w.u8(static_cast<std::uint8_t>(e.type));
      w.text(e.unit);
      w.text(e.help);
    }
  }
  void operator()(const Ack& f) const {
    w.varint(f.entries.size());
    for (const auto& e : f.entries) {
      w.varint(e.stream);
      w.varint(e.durable.get());
    }
  }
  void operator()(const Nack& f) const {
    w.varint(f.stream);
    w.varint(f.seq.get());
  }
  void operator()(const Credit& f) const { w.varint(f.limit); }
  void operator()(const Ping& f) const {
    w.varint(f.id);
    w.svarint(to_ms(f.wall));
  }
  void operator()(const Pong& f) const {
    w.varint(f.id);
    w.svarint(to_ms(f.wall));
  }
  void operator()(const Goaway& f) const { w.text(f.reason); }
};

Hello take_hello(ByteReader& in) {
  Hello f;
  f.version = take_u32(in);
  f.agent = AgentId{take_text(in, 63)};
  f.software = take_text(in, 64);
  f.config_hash = in.u64();
  const auto count = take_count(in, kMaxStreams);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    HelloStream s;
    s.tenant = TenantId{take_text(in, 63)};
    s.incarnation = take_incarnation(in);
    s.boot = read_position(in);
    s.base = take_sequence(in);
    s.next = take_sequence(in);
    s.sampled_before_base = read_position(in);
    s.live = in.u8() != 0;
    if (s.base.get() == 0 || s.next < s.base) in.fail();
    f.streams.push_back(std::move(s));
  }
  return f;
}

Welcome take_welcome(ByteReader& in) {
  Welcome f;
  const auto count = take_count(in, kMaxStreams);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    Mark m;
    m.durable = take_sequence(in);
    m.accounted = read_position(in);
    f.marks.push_back(m);
  }
  f.credit = in.varint();
  f.server_time = read_time(in);
  f.life = in.u64();
  return f;
}

Series take_series(ByteReader& in) {
  Series f;
  f.stream = take_u32(in);
  f.entries = read_series(in);
  return f;
}

Data take_data(ByteReader& in) {
  Data f;
  f.stream = take_u32(in);
  f.seq = take_sequence(in);
  f.data_class = take_enum<DataClass>(in, 0, 3);
  f.count = take_u32(in);
  f.base = read_time(in);
  f.digest = in.u32();
  if (f.count > kMaxRecordSamples) in.fail();
  const auto rest = in.raw(in.left());
  f.coded.assign(rest.begin(), rest.end());
  return f;
}

EventFrame take_event(ByteReader& in) {
  EventFrame f;
  f.stream = take_u32(in);
  f.seq = take_sequence(in);
  f.data_class = take_enum<DataClass>(in, 0, 3);
  f.events = read_events(in);
  return f;
}

GapFrame take_gap(ByteReader& in) {
  GapFrame f;
  f.stream = take_u32(in);
  f.gap.from = take_sequence(in);
  f.gap.to = take_sequence(in);
  f.gap.samples = read_position(in);
  f.gap.reason = take_enum<GapReason>(in, 1, 6);
  f.gap.t0 = read_time(in);
  f.gap.t1 = read_time(in);
  if (f.gap.from.get() == 0 || f.gap.to < f.gap.from) in.fail();
  return f;
}

Meta take_meta(ByteReader& in) {
  Meta f;
  const auto count = take_count(in, 4096);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    MetaEntry e;
    e.name = take_text(in, kMaxLabelValue);
    e.type = take_enum<MetricType>(in, 0, 6);
    e.unit = take_text(in, 32);
    e.help = take_text(in, 512);
    f.entries.push_back(std::move(e));
  }
  return f;
}

Ack take_ack(ByteReader& in) {
  Ack f;
  const auto count = take_count(in, kMaxStreams);
  for (std::size_t i = 0; i < count && in.ok(); ++i) {
    AckEntry e;
    e.stream = take_u32(in);
    e.durable = take_sequence(in);
    f.entries.push_back(e);
  }
  return f;
}

Frame take(std::uint8_t type, ByteReader& in) {
  switch (type) {
    case 1: return take_hello(in);
    case 2: return take_welcome(in);
    case 3: return take_series(in);
    case 4: return take_data(in);
    case 5: return take_event(in);
    case 6: return take_gap(in);
    case 7: return take_meta(in);
    case 8: return take_ack(in);
    case 9: {
      Nack f;
      f.stream = take_u32(in);
      f.seq = take_sequence(in);
      return f;
    }
    case 10: return Credit{in.varint()};
    case 11: {
      Ping f;
      f.id = in.varint();
      f.wall = read_time(in);
      return f;
    }
    case 12: {
      Pong f;
      f.id = in.varint();
      f.wall = read_time(in);
      return f;
    }
    default: return Goaway{take_text(in, 256)};
  }
}

}  // namespace

void write_frame(const Frame& frame, Buffer& out) {
  const auto at = out.size();
  ByteWriter w(out);
  w.u32(0);
  w.u8(static_cast<std::uint8_t>(frame.index() + 1));
  std::visit(Writer{w}, frame);
  const auto length = static_cast<std::uint32_t>(out.size() - at - 4);
  WARD_ASSERT(length + 4 <= kMaxFrameBytes);
  std::memcpy(out.data() + at, &length, sizeof length);
}

Result<Frame> parse_frame(std::uint8_t type, ByteView body) {
  if (type == 0 || type > kNames.size())
    return fail(Errc::invalid,
                "the peer sent frame type " + std::to_string(type) + ", which protocol version " +
                    std::to_string(kProtocolVersion) + " does not know",
                "Upgrade the older of agent and collector.");
  ByteReader in(body);
  auto frame = take(type, in);
  if (!in.ok() || !in.at_end())
    return fail(Errc::corrupt, "a " + std::string(kNames[type - 1]) + " frame is damaged",
                "Upgrade the older of agent and collector.");
  return frame;
}

Result<std::optional<Frame>> FrameReader::next() {
  const auto left = buffer_.size() - at_;
  std::uint32_t length = 0;
  if (left >= sizeof length) std::memcpy(&length, buffer_.data() + at_, sizeof length);
  if (left >= sizeof length && (length == 0 || length > limit_ - sizeof length))
    return fail(
        Errc::invalid,
        "the peer announced a frame of " + std::to_string(length) + " bytes; the limit here is " + std::to_string(limit_),
        "Check that a Ward program is at the other end.");
  if (left < sizeof length || left - 4 < length) {
    buffer_.erase(buffer_.begin(), buffer_.begin() + static_cast<std::ptrdiff_t>(at_));
    at_ = 0;
    return std::optional<Frame>{};
  }
  const auto* head = buffer_.data() + at_ + 4;
  auto frame = parse_frame(*head, {head + 1, length - 1});
  at_ += 4 + length;
  last_size_ = 4 + length;
  if (!frame) return fail(frame.error());
  return std::optional<Frame>{std::move(*frame)};
}

}  // namespace ward::wire
