#include "common/wire/record.hpp"

#include <gmock/gmock.h>
#include <limits>

#include "tests/unit/common/wire/hex.hpp"

namespace ward::wire {
namespace {

constexpr Time kBase = from_ms(1'764'000'000'000);

Record sample_record() {
  Record record;
  record.seq = Sequence{9};
  record.t_min = kBase;
  record.t_max = kBase + milliseconds{5};
  record.samples = {{4, kBase, 1.5}, {900'000, kBase + milliseconds{5}, std::numeric_limits<double>::quiet_NaN()}};
  record.digest = digest(record.samples);
  return record;
}

Record event_record() {
  Record record;
  record.kind = RecordKind::events;
  record.events = {{kBase, "pod_killed", Labels{{"pod", "odoo-0"}}}, {from_ms(-5), "", {}}};
  return record;
}

Record empty_copy(const Record& of) {
  Record header = of;
  header.samples.clear();
  header.events.clear();
  return header;
}

TEST(RecordCodec, GivesBackSamplesAndEvents) {
  RecordCodec codec;
  for (const auto& record : {sample_record(), event_record()}) {
    const auto payload = codec.encode(record);
    auto back = empty_copy(record);
    ASSERT_TRUE(codec.decode(payload, back));
    EXPECT_EQ(back, record);
  }
}

TEST(RecordCodec, APayloadNeedsNoneBeforeIt) {
  // What the spool holds is read in any order, by any process.
  RecordCodec writer;
  const auto record = sample_record();
  const auto first = writer.encode(record);
  EXPECT_EQ(writer.encode(record), first);
  RecordCodec reader;
  for (int i = 0; i < 2; ++i) {
    auto back = empty_copy(record);
    ASSERT_TRUE(reader.decode(first, back));
    EXPECT_EQ(back.samples, record.samples);
  }
}

// Spool and journal files hold these bytes: a release that wrote others could not read what the one before left behind.
TEST(RecordCodec, WritesTheBytesOfTheFormatPage) {
  RecordCodec codec;
  Record record;
  record.t_min = from_ms(1'000);
  record.samples = {{0, from_ms(1'000), 1}, {3, from_ms(1'010), 0.5}};
  EXPECT_EQ(hex(codec.encode(record)), "02 d0 0f 04 01 56 06 14 02 64");
  Record events;
  events.kind = RecordKind::events;
  events.events = {{from_ms(1'000), "oom", Labels{{"pod", "x"}}}};
  EXPECT_EQ(hex(codec.encode(events)), "01 d0 0f 03 6f 6f 6d 01 03 70 6f 64 01 78");
}

TEST(RecordCodec, EveryCutIsCorrupt) {
  RecordCodec codec;
  for (const auto& record : {sample_record(), event_record()}) {
    const auto payload = codec.encode(record);
    for (std::size_t size = 0; size < payload.size(); ++size) {
      auto back = empty_copy(record);
      const auto done = codec.decode(ByteView{payload}.first(size), back);
      ASSERT_FALSE(done) << size;
      EXPECT_EQ(done.error().code, Errc::corrupt);
    }
  }
}

TEST(RecordCodec, RefusesDamagedPayloads) {
  struct Bad {
    RecordKind kind;
    const char* bytes;
  };
  const Bad table[] = {
      {RecordKind::samples, "81 80 01 00"},                            // 16,385 samples
      {RecordKind::samples, "ff ff ff ff ff ff ff ff ff 01 00"},       // a count of 2^64-1
      {RecordKind::samples, "00 82 80 80 80 80 80 80 20"},             // a time beyond 2^53
      {RecordKind::samples, "01 00 40 80 80 80 10 00"},                // an id far above any dictionary
      {RecordKind::samples, "01 00 00 00"},                            // a byte left over
      {RecordKind::events, "81 08"},                                   // 1,025 events
      {RecordKind::events, "01 00 00 21"},                             // 33 labels
      {RecordKind::events, "01 00 00 00 00"},                          // a byte left over
      {RecordKind::events, "01 fe ff ff ff ff ff ff ff ff 01 00 00"},  // a time of 2^63-1
      {RecordKind::events, "01 00 ff ff ff ff ff ff ff ff ff 01 00"},  // a text of 2^64-1 bytes
  };
  for (const auto& bad : table) {
    RecordCodec codec;
    Record back;
    back.kind = bad.kind;
    const auto done = codec.decode(unhex(bad.bytes), back);
    ASSERT_FALSE(done) << bad.bytes;
    EXPECT_EQ(done.error().code, Errc::corrupt) << bad.bytes;
  }
}

TEST(RecordCodec, ADamagedPayloadLeavesTheCodecUsable) {
  RecordCodec codec;
  const auto record = sample_record();
  const auto payload = codec.encode(record);
  Record spoiled;
  ASSERT_FALSE(codec.decode(ByteView{payload}.first(payload.size() - 1), spoiled));
  auto back = empty_copy(record);
  ASSERT_TRUE(codec.decode(payload, back));
  EXPECT_EQ(back, record);
}

TEST(RecordLabels, AreSortedAndUniqueHoweverAPeerSendsThem) {
  const auto bytes = unhex("03 01 62 01 31 01 61 01 32 01 62 01 33");  // b=1, a=2, b=3
  ByteReader in{bytes};
  EXPECT_EQ(read_labels(in), (Labels{{"a", "2"}, {"b", "3"}}));
  EXPECT_TRUE(in.ok() && in.at_end());
}

TEST(EventDigest, DependsOnEveryPart) {
  const Events one{{kBase, "oom", Labels{{"pod", "x"}}}};
  auto later = one, other = one, elsewhere = one;
  later[0].t += milliseconds{1};
  other[0].kind = "evicted";
  elsewhere[0].attributes.set("pod", "y");
  for (const auto& changed : {later, other, elsewhere}) EXPECT_NE(digest(changed), digest(one));
}

TEST(ByteReader, TheFirstFailureSticks) {
  const auto bytes = unhex("ff 01");
  ByteReader in{bytes};
  (void)in.u32();
  EXPECT_FALSE(in.ok());
  EXPECT_EQ(in.u8(), 0U);
  EXPECT_EQ(in.varint(), 0U);
  EXPECT_TRUE(in.text().empty());
  EXPECT_FALSE(in.ok());
}

TEST(ByteReader, VarintsAndSignedVarintsKeepTheirEnds) {
  for (const std::int64_t v : {std::int64_t{0}, std::int64_t{-1}, std::int64_t{63}, std::int64_t{-65}, std::int64_t{1} << 62,
                               std::numeric_limits<std::int64_t>::max(), std::numeric_limits<std::int64_t>::min()}) {
    Buffer out;
    ByteWriter w{out};
    w.svarint(v);
    w.varint(static_cast<std::uint64_t>(v));
    EXPECT_EQ(out.size(), varint_size(zigzag(v)) + varint_size(static_cast<std::uint64_t>(v)));
    ByteReader in{out};
    EXPECT_EQ(in.svarint(), v);
    EXPECT_EQ(in.varint(), static_cast<std::uint64_t>(v));
    EXPECT_TRUE(in.ok() && in.at_end());
  }
}

}  // namespace
}  // namespace ward::wire
