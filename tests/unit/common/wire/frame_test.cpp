#include "common/wire/frame.hpp"

#include <gmock/gmock.h>

#include "tests/unit/common/wire/hex.hpp"

namespace ward::wire {
namespace {

using testing::HasSubstr;

struct Golden {
  const char* name;
  Frame frame;
  const char* bytes;  // the whole frame, from docs/format/wire.md
};

Hello hello_frame() {
  Hello hello;
  hello.agent = AgentId{"node-1"};
  hello.software = "ward";
  hello.config_hash = 0x0102030405060708;
  HelloStream stream;
  stream.tenant = TenantId{"a"};
  for (std::uint8_t i = 0; i < 16; ++i) stream.incarnation.bytes[i] = i;
  stream.boot = 2;
  stream.base = Sequence{1};
  stream.next = Sequence{300};
  stream.sampled_before_base = 0;
  stream.live = true;
  hello.streams.push_back(stream);
  return hello;
}

// When one of these changes, agents and collectors of different releases no longer understand each other: that takes a new
// protocol version, not a new line here.
std::vector<Golden> goldens() {
  const Time second = from_ms(1'000);
  Welcome welcome{{{Sequence{300}, 4'000}}, 1'048'576, second, 0x0102030405060708};
  Series series{1, {{7, Labels{{"__name__", "up"}, {"job", "pg"}}}}};
  Data data{1, Sequence{2}, DataClass::page, 2, second, 0xa1b2c3d4, {0x04, 0x01, 0x03}};
  EventFrame event{0, Sequence{3}, DataClass::audit, {{second, "oom", Labels{{"pod", "x"}}}}};
  Gap gap{Sequence{1}, Sequence{2}, 300, GapReason::spool_full, second, from_ms(-1)};
  Meta meta{{{"up", MetricType::gauge, "", "Up."}}};
  return {
      {"HELLO", hello_frame(),
       "2f 00 00 00 01 02 06 6e 6f 64 65 2d 31 04 77 61 72 64 08 07 06 05 04 03 02 01 01 01 61 "
       "00 01 02 03 04 05 06 07 08 09 0a 0b 0c 0d 0e 0f 02 01 ac 02 00 01"},
      {"WELCOME", welcome, "13 00 00 00 02 01 ac 02 a0 1f 80 80 40 d0 0f 08 07 06 05 04 03 02 01"},
      {"SERIES", series, "1a 00 00 00 03 01 01 0e 02 01 10 5f 5f 6e 61 6d 65 5f 5f 04 75 70 01 06 6a 6f 62 04 70 67"},
      {"DATA", data, "0e 00 00 00 04 01 02 02 02 d0 0f d4 c3 b2 a1 04 01 03"},
      {"EVENT", event, "12 00 00 00 05 00 03 03 01 d0 0f 03 6f 6f 6d 01 03 70 6f 64 01 78"},
      {"GAP", GapFrame{0, gap}, "0a 00 00 00 06 00 01 02 ac 02 02 d0 0f 01"},
      {"META", meta, "0b 00 00 00 07 01 02 75 70 02 00 03 55 70 2e"},
      {"ACK", Ack{{{0, Sequence{1}}, {1, Sequence{300}}}}, "07 00 00 00 08 02 00 01 01 ac 02"},
      {"NACK", Nack{3, Sequence{128}}, "04 00 00 00 09 03 80 01"},
      {"CREDIT", Credit{0}, "02 00 00 00 0a 00"},
      {"PING", Ping{7, second}, "04 00 00 00 0b 07 d0 0f"},
      {"PONG", Pong{7, from_ms(-1'000)}, "04 00 00 00 0c 07 cf 0f"},
      {"GOAWAY", Goaway{"bye"}, "05 00 00 00 0d 03 62 79 65"},
  };
}

Result<Frame> parse(ByteView frame) { return parse_frame(frame[4], frame.subspan(kFrameHead)); }

TEST(Frame, WritesTheBytesOfTheFormatPage) {
  for (const auto& golden : goldens()) {
    Buffer out;
    write_frame(golden.frame, out);
    EXPECT_EQ(hex(out), golden.bytes) << golden.name;
  }
}

TEST(Frame, ReadsTheBytesOfTheFormatPage) {
  for (const auto& golden : goldens()) {
    const auto frame = parse(unhex(golden.bytes));
    ASSERT_TRUE(frame) << golden.name << ": " << frame.error().what;
    EXPECT_TRUE(*frame == golden.frame) << golden.name;
  }
}

TEST(Frame, EveryCutIsRefusedByName) {
  for (const auto& golden : goldens()) {
    const auto whole = unhex(golden.bytes);
    const std::size_t coded =
        std::string_view(golden.name) == "DATA" ? 3 : 0;  // a cut there is for the sample decoder to find
    for (std::size_t size = kFrameHead; size < whole.size() - coded; ++size) {
      const auto frame = parse(ByteView{whole}.first(size));
      ASSERT_FALSE(frame) << golden.name << " cut to " << size;
      EXPECT_EQ(frame.error().code, Errc::corrupt);
      EXPECT_THAT(frame.error().what, HasSubstr(golden.name));
    }
  }
}

TEST(Frame, ABodyMustBeUsedUpExactly) {
  for (const auto& golden : goldens()) {
    if (std::string_view(golden.name) == "DATA") continue;
    auto longer = unhex(golden.bytes);
    longer.push_back(0);
    EXPECT_FALSE(parse(longer)) << golden.name;
  }
}

TEST(Frame, UnknownTypesNameTheType) {
  for (const std::uint8_t type : {std::uint8_t{0}, std::uint8_t{14}, std::uint8_t{77}, std::uint8_t{255}}) {
    const auto frame = parse_frame(type, {});
    ASSERT_FALSE(frame);
    EXPECT_EQ(frame.error().code, Errc::invalid);
    EXPECT_THAT(frame.error().what, HasSubstr("frame type " + std::to_string(type)));
    EXPECT_THAT(frame.error().fix, HasSubstr("Upgrade"));
  }
}

/// A frame as a program without our limits would write it.
Buffer frame_bytes(std::uint8_t type, const Buffer& body) {
  Buffer out{0, 0, 0, 0, type};
  out.insert(out.end(), body.begin(), body.end());
  return out;
}

struct BadFrame {
  const char* why;
  std::uint8_t type;
  const char* body;
};

TEST(Frame, RefusesWhatTheFormatForbids) {
  const BadFrame table[] = {
      {"HELLO: version of 33 bits", 1, "81 80 80 80 10 00 00 00 00 00 00 00 00 00 00 00"},
      {"HELLO: 33 streams", 1, "01 00 00 00 00 00 00 00 00 00 00 21"},
      {"HELLO: more streams than bytes", 1, "01 00 00 00 00 00 00 00 00 00 00 20 00"},
      {"HELLO: base 0", 1,
       "01 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 01 00 00"},
      {"HELLO: next below base", 1,
       "01 00 00 00 00 00 00 00 00 00 00 01 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 03 02 00 00"},
      {"WELCOME: 33 marks", 2, "21"},
      {"WELCOME: a mark of 2^53", 2, "01 80 80 80 80 80 80 80 10 00 00 00"},
      {"WELCOME: a mark of 2^64-1", 2, "01 ff ff ff ff ff ff ff ff ff 01 00 00 00"},
      {"WELCOME: accounted of 2^63", 2, "01 01 80 80 80 80 80 80 80 80 80 01 00 00"},
      {"SERIES: stream 2^32", 3, "80 80 80 80 10 00"},
      {"SERIES: id 2^32", 3, "00 01 80 80 80 80 20 00"},
      {"SERIES: an id below 0", 3, "00 01 01 00"},
      {"SERIES: an id of 2^63-1", 3, "00 01 fe ff ff ff ff ff ff ff ff 01 00"},
      {"SERIES: an id of 2^63-1 more", 3, "00 02 00 00 fe ff ff ff ff ff ff ff ff 01 00"},
      {"SERIES: a label without a name", 3, "00 01 00 01 01 00 02 61"},
      {"SERIES: a label without a value", 3, "00 01 00 01 01 02 61 00"},
      {"SERIES: two labels of one name", 3, "00 01 00 02 01 02 61 02 62 01 01 03"},
      {"SERIES: labels out of order", 3, "00 01 00 02 01 02 62 02 63 01 02 61 02 63"},
      {"SERIES: another value of no label", 3, "00 01 00 01 00 02 00 61"},
      {"SERIES: no label to leave out", 3, "00 01 00 01 02"},
      {"SERIES: a change behind the last label", 3, "00 01 00 01 05 02 61 02 62"},
      {"SERIES: a change of no kind", 3, "00 01 00 01 03"},
      {"SERIES: a text that was not there", 3, "00 01 00 01 01 01 02 61"},
      {"SERIES: a beginning longer than what it is of", 3, "00 02 00 01 01 02 61 02 62 00 01 00 02 02 63"},
      {"SERIES: 65 changes", 3, "00 01 00 41"},
      {"SERIES: 4,097 entries", 3, "00 81 20"},
      {"SERIES: a count that no frame holds", 3, "00 ff ff ff ff 0f"},
      {"DATA: class 4", 4, "00 01 04 00 00 00 00 00 00"},
      {"DATA: 16,385 samples", 4, "00 01 00 81 80 01 00 00 00 00 00"},
      {"DATA: count 2^32", 4, "00 01 00 80 80 80 80 10 00 00 00 00 00"},
      {"DATA: a time beyond 2^53", 4, "00 01 00 00 82 80 80 80 80 80 80 20 00 00 00 00"},
      {"DATA: a varint of 11 bytes", 4, "00 80 80 80 80 80 80 80 80 80 80 00 00 00 00 00 00 00"},
      {"EVENT: class 255", 5, "00 01 ff 00"},
      {"EVENT: 1,025 events", 5, "00 01 02 81 08"},
      {"EVENT: a time of 2^63-1", 5, "00 01 02 01 fe ff ff ff ff ff ff ff ff 01 00 00"},
      {"GAP: from 0", 6, "00 00 01 00 01 00 00"},
      {"GAP: to below from", 6, "00 03 02 00 01 00 00"},
      {"GAP: to 2^64-1", 6, "00 03 ff ff ff ff ff ff ff ff ff 01 00 01 00 00"},
      {"GAP: 2^53 samples", 6, "00 01 02 80 80 80 80 80 80 80 10 01 00 00"},
      {"GAP: reason 0", 6, "00 01 02 00 00 00 00"},
      {"GAP: reason 7", 6, "00 01 02 00 07 00 00"},
      {"META: 4,097 entries", 7, "81 20"},
      {"META: type 7", 7, "01 00 07 00 00"},
      {"ACK: 33 entries", 8, "21"},
      {"ACK: stream 2^32", 8, "01 80 80 80 80 10 01"},
      {"ACK: durable 2^64-1", 8, "01 00 ff ff ff ff ff ff ff ff ff 01"},
      {"NACK: nothing", 9, ""},
      {"CREDIT: nothing", 10, ""},
      {"PING: a time of -2^63", 11, "01 ff ff ff ff ff ff ff ff ff 01"},
      {"PONG: a time of 2^63-1", 12, "01 fe ff ff ff ff ff ff ff ff 01"},
      {"GOAWAY: a text longer than the frame", 13, "ff ff ff ff ff ff ff ff ff 01"},
  };
  for (const auto& bad : table) {
    const auto frame = parse(frame_bytes(bad.type, unhex(bad.body)));
    ASSERT_FALSE(frame) << bad.why;
    EXPECT_EQ(frame.error().code, Errc::corrupt) << bad.why;
    EXPECT_THAT(frame.error().what, HasSubstr(std::string(bad.why).substr(0, std::string(bad.why).find(':')))) << bad.why;
  }
}

TEST(Frame, TextsEndAtTheirLimits) {
  const auto fits = [](const Frame& frame) {
    Buffer out;
    write_frame(frame, out);
    return parse(out).has_value();
  };
  const auto check = [&](const char* what, std::size_t limit, auto make) {
    EXPECT_TRUE(fits(make(std::string(limit, 'x')))) << what;
    EXPECT_FALSE(fits(make(std::string(limit + 1, 'x')))) << what;
  };
  const auto hello_with = [](auto change) {
    auto hello = hello_frame();
    change(hello);
    return Frame{hello};
  };
  check("agent", 63, [&](std::string s) { return hello_with([&](Hello& h) { h.agent = AgentId{s}; }); });
  check("software", 64, [&](std::string s) { return hello_with([&](Hello& h) { h.software = s; }); });
  check("tenant", 63, [&](std::string s) { return hello_with([&](Hello& h) { h.streams[0].tenant = TenantId{s}; }); });
  check("label name", 128, [](std::string s) { return Frame{Series{0, {{0, Labels{{s, "v"}}}}}}; });
  check("label value", 256, [](std::string s) { return Frame{Series{0, {{0, Labels{{"n", s}}}}}}; });
  check("event kind", 128, [](std::string s) {
    return Frame{EventFrame{0, Sequence{1}, DataClass::page, {{Time{}, s, {}}}}};
  });
  check("metric", 256, [](std::string s) { return Frame{Meta{{{s, MetricType::gauge, "", ""}}}}; });
  check("unit", 32, [](std::string s) { return Frame{Meta{{{"", MetricType::gauge, s, ""}}}}; });
  check("help", 512, [](std::string s) { return Frame{Meta{{{"", MetricType::gauge, "", s}}}}; });
  check("goaway", 256, [](std::string s) { return Frame{Goaway{s}}; });
}

TEST(Frame, LabelSetsEndAtThirtyTwo) {
  const auto series = [](int count) {
    Labels labels;
    for (int i = 0; i < count; ++i) labels.set("n" + std::to_string(i), "v");
    Buffer out;
    write_frame(Series{0, {{0, labels}}}, out);
    return parse(out);
  };
  EXPECT_TRUE(series(32));
  EXPECT_FALSE(series(33));
}

TEST(FrameReader, FindsFramesHoweverTheBytesArrive) {
  Buffer all;
  std::vector<Frame> expected;
  for (const auto& golden : goldens()) {
    write_frame(golden.frame, all);
    expected.push_back(golden.frame);
  }
  for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, std::size_t{64}, all.size()}) {
    FrameReader reader{kMaxFrameBytes};
    std::vector<Frame> got;
    for (std::size_t at = 0; at < all.size(); at += piece) {
      reader.push(ByteView{all}.subspan(at, std::min(piece, all.size() - at)));
      while (true) {
        auto frame = reader.next();
        ASSERT_TRUE(frame);
        if (!*frame) break;
        got.push_back(std::move(**frame));
      }
    }
    EXPECT_TRUE(got == expected) << "pieces of " << piece;
  }
}

TEST(FrameReader, TellsTheSizeOfTheLastFrame) {
  FrameReader reader{kMaxFrameBytes};
  reader.push(unhex("02 00 00 00 0a 00 05 00 00 00 0d 03 62 79 65"));
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.last_size(), 6U);
  ASSERT_TRUE(reader.next());
  EXPECT_EQ(reader.last_size(), 9U);
}

TEST(FrameReader, RefusesAnAnnouncedLengthBeforeItsBytesCome) {
  for (const char* head : {"00 00 00 00", "ff ff ff ff", "fd ff 0f 00", "00 00 00 80"}) {
    FrameReader reader{kMaxFrameBytes};
    reader.push(unhex(head));
    const auto frame = reader.next();
    ASSERT_FALSE(frame) << head;
    EXPECT_EQ(frame.error().code, Errc::invalid);
    EXPECT_THAT(frame.error().fix, HasSubstr("Ward"));
  }
}

TEST(FrameReader, TakesAFrameOfExactlyTheLimit) {
  FrameReader reader{kMaxHelloBytes};
  reader.push(unhex("fc 0f 00 00"));  // 4092 and its own 4 bytes
  EXPECT_TRUE(reader.next());
  FrameReader other{kMaxHelloBytes};
  other.push(unhex("fd 0f 00 00"));
  EXPECT_FALSE(other.next());
  other.set_limit(kMaxFrameBytes);
  EXPECT_TRUE(other.next());
}

TEST(FrameReader, AForeignProtocolIsRefusedAtItsFirstBytes) {
  for (const std::string_view hello :
       {"GET / HTTP/1.1\r\n\r\n", "\x16\x03\x01\x02\x00\x01\x00\x01", "SSH-2.0-OpenSSH_9.2\r\n"}) {
    FrameReader reader{kMaxHelloBytes};
    reader.push({reinterpret_cast<const std::uint8_t*>(hello.data()), hello.size()});
    EXPECT_FALSE(reader.next()) << hello;
  }
}

}  // namespace
}  // namespace ward::wire
