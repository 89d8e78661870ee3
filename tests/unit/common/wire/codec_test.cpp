#include "common/wire/codec.hpp"

#include <bit>
#include <cmath>
#include <gmock/gmock.h>
#include <limits>

#include "tests/support/manual_clock.hpp"
#include "tests/unit/common/wire/hex.hpp"

namespace ward::wire {
namespace {

using testing::HasSubstr;

constexpr Time kBase = from_ms(1'764'000'000'000);
constexpr std::uint32_t kIds = 1'000;

Result<std::vector<IdSample>> decode(ByteView coded, std::size_t count, Time base = kBase) {
  SampleDecoder decoder;
  std::vector<IdSample> out;
  if (auto done = decoder.decode(coded, static_cast<std::uint32_t>(count), base, kIds, out); !done)
    return fail(done.error());
  return out;
}

Buffer encode(const std::vector<IdSample>& samples, Time base = kBase) {
  SampleEncoder encoder;
  Buffer coded;
  encoder.encode(samples, base, coded);
  return coded;
}

double nan_of(std::uint64_t bits) { return std::bit_cast<double>(bits); }

const std::vector<double>& hard_values() {
  using Limits = std::numeric_limits<double>;
  static const std::vector<double> values{0.0,
                                          -0.0,
                                          1.0,
                                          -1.0,
                                          2.0,
                                          127,
                                          128,
                                          255,
                                          -129,
                                          1e6,
                                          0.5,
                                          0.25,
                                          0.1,
                                          0.01,
                                          0.001,
                                          1e-6,
                                          1e-9,
                                          1e-10,
                                          1.0 / 3,
                                          -2.0 / 3,
                                          1764000000.123,
                                          1764000000.123456,
                                          9007199254740991.0,
                                          9007199254740992.0,
                                          9007199254740993.0,
                                          -9007199254740992.0,
                                          1e15,
                                          1e16,
                                          1e18,
                                          1e300,
                                          -1e300,
                                          Limits::max(),
                                          Limits::lowest(),
                                          Limits::min(),
                                          Limits::denorm_min(),
                                          -Limits::denorm_min(),
                                          Limits::epsilon(),
                                          Limits::infinity(),
                                          -Limits::infinity(),
                                          Limits::quiet_NaN(),
                                          -Limits::quiet_NaN(),
                                          stale_marker(),
                                          nan_of(0x7ff0000000000001),
                                          nan_of(0x7ff8000000000002),
                                          nan_of(0xffffffffffffffff),
                                          nan_of(0xfff0000000000002)};
  return values;
}

TEST(SampleCodec, KeepsTheBitsOfEveryHardValueAfterEveryOther) {
  // One series after the other: each value is coded against each other value as the one before.
  std::vector<IdSample> samples;
  std::uint32_t id = 0;
  for (const double first : hard_values()) {
    for (const double second : hard_values()) {
      samples.push_back({id, kBase, first});
      samples.push_back({id, kBase + milliseconds{1}, second});
      samples.push_back({id, kBase + milliseconds{2}, first});
    }
    ++id;
  }
  const auto back = decode(encode(samples), samples.size());
  ASSERT_TRUE(back) << back.error().what;
  for (std::size_t i = 0; i < samples.size(); ++i)
    ASSERT_EQ((*back)[i], samples[i]) << "sample " << i << ": " << std::hex << std::bit_cast<std::uint64_t>((*back)[i].v)
                                      << " for " << std::bit_cast<std::uint64_t>(samples[i].v);
}

TEST(SampleCodec, KeepsTimesInAnyOrder) {
  const std::vector<std::int64_t> offsets{0, 0, 1, -1, 15'000, 15'000, 14'997, 30'003, -86'400'000, 7, 7, 7};
  std::vector<IdSample> samples;
  for (const auto offset : offsets) samples.push_back({3, kBase + milliseconds{offset}, 1});
  samples.push_back({3, Time{kMaxTime}, 2});
  samples.push_back({3, Time{-kMaxTime}, 3});
  samples.push_back({3, from_ms(-1), 4});
  EXPECT_EQ(decode(encode(samples), samples.size()), samples);
}

TEST(SampleCodec, KeepsIdsInAnyOrder) {
  std::vector<IdSample> samples;
  for (const std::uint32_t id : {0U, 1U, 2U, 2U, 1U, 999U, 0U, 500U, 501U, 499U}) samples.push_back({id, kBase, id * 1.5});
  EXPECT_EQ(decode(encode(samples), samples.size()), samples);
}

TEST(SampleCodec, AnEmptyBlockHasNoBytes) {
  EXPECT_EQ(encode({}), Buffer{});
  EXPECT_EQ(decode({}, 0), std::vector<IdSample>{});
}

TEST(SampleCodec, KeepsStateFromBlockToBlockAndForgetsItOnReset) {
  const std::vector<IdSample> first{{0, kBase, 1'234'567.25}, {1, kBase, 0.1}};
  std::vector<IdSample> second = first;
  for (auto& sample : second) sample.t += milliseconds{10'000};
  SampleEncoder encoder;
  SampleDecoder decoder;
  Buffer one, two, fresh;
  encoder.encode(first, kBase, one);
  encoder.encode(second, second[0].t, two);
  EXPECT_EQ(two.size(), 2U) << "unchanged values cost one byte each";
  std::vector<IdSample> back;
  ASSERT_TRUE(decoder.decode(one, 2, kBase, kIds, back));
  ASSERT_TRUE(decoder.decode(two, 2, second[0].t, kIds, back));
  EXPECT_EQ(std::vector<IdSample>(back.begin() + 2, back.end()), second);
  encoder.reset();
  encoder.encode(first, kBase, fresh);
  EXPECT_EQ(fresh, one) << "after reset() a block stands alone";
}

TEST(SampleCodec, RandomWalksSurviveAThousandBlocks) {
  test::SeededRandom random{42};
  SampleEncoder encoder;
  SampleDecoder decoder;
  std::vector<double> values(50, 0.0);
  Time at = kBase;
  for (int block = 0; block < 1'000; ++block) {
    std::vector<IdSample> samples;
    at += milliseconds{10'000 + static_cast<std::int64_t>(random.below(20)) - 10};
    for (std::uint32_t id = 0; id < values.size(); ++id) {
      auto& v = values[id];
      switch (random.below(9)) {
        case 0: v += static_cast<double>(random.below(1'000)); break;
        case 1: v += 0.01 * static_cast<double>(random.below(100)); break;
        case 2: v = random.unit(); break;
        case 3: v = std::bit_cast<double>(random.next()); break;
        case 4: v = static_cast<double>(random.next() >> 12); break;
        default: break;
      }
      if (random.below(10) != 0) samples.push_back({id, random.below(5) == 0 ? at + milliseconds{random.below(9)} : at, v});
    }
    Buffer coded;
    encoder.encode(samples, at, coded);
    std::vector<IdSample> back;
    ASSERT_TRUE(decoder.decode(coded, static_cast<std::uint32_t>(samples.size()), at, kIds, back)) << "block " << block;
    ASSERT_EQ(back, samples) << "block " << block;
  }
}

// The table of docs/format/wire.md, one sample a line. The bytes are the format: when they change, an agent and a collector
// of different releases no longer understand each other.
TEST(SampleCodec, WritesTheBytesOfTheFormatPage) {
  const Time later = kBase + milliseconds{10};
  const std::vector<IdSample> samples{
      {0, kBase, 0.0},     {1, kBase, 1.0},  {2, kBase, 1'000.0}, {5, later, 0.5}, {6, later, stale_marker()},
      {7, later, 1.0 / 3}, {8, later, -0.0}, {9, later, 0},       {10, later, 0},  {11, later, 0},
      {2, later, 1'001.0}, {6, later, 0.0},  {7, later, 1.0}};
  const std::string expected =
      hex(unhex("00"                          // the last value of a fresh series
                "04 01"                       // mantissa + 1
                "05 d0 0f"                    // mantissa + 1000
                "56 06 14 02 64"              // id + 3, time + 10, 50 / 10^2
                "03"                          // stale
                "08 55 55 55 55 55 55 d5 3f"  // a double
                "07 71 80"                    // XOR: one byte after seven zero bytes
                "09 03"                       // a run of three
                "44 11 01"                    // id - 9, mantissa + 1
                "41 08"                       // id + 4, +0.0
                "02"));                       // 1.0
  EXPECT_EQ(hex(encode(samples)), expected);
  EXPECT_EQ(decode(unhex(expected), samples.size()), samples);
}

TEST(SampleCodec, ReadsEncodingsItWouldNotChoose) {
  // Another program may pick another row of the table: 1.0 as mantissa with scale 9, as a raw double, by XOR of 8 bytes.
  const std::vector<IdSample> ones{{0, kBase, 1}, {1, kBase, 1}, {2, kBase, 1}, {2, kBase, 1}};
  EXPECT_EQ(decode(unhex("06 09 80 a8 d6 b9 07 08 00 00 00 00 00 00 f0 3f 07 08 00 00 00 00 00 00 f0 3f 50 00 00"), 4),
            ones);
}

struct BadBlock {
  const char* bytes;
  std::size_t count;
  const char* why;
};

TEST(SampleCodec, RefusesDamagedBlocks) {
  const BadBlock table[] = {
      {"", 1, "ends early"},
      {"00", 2, "ends early"},
      {"00 00", 1, "left over"},
      {"00", 0, "left over"},
      {"80", 1, "unknown id form"},
      {"c0", 1, "unknown id form"},
      {"20", 1, "unknown time form"},
      {"30", 1, "unknown time form"},
      {"0a", 1, "value"},
      {"0f", 1, "value"},
      {"09 00", 1, "run"},
      {"09 02", 1, "run"},
      {"09", 1, "run"},
      {"09 ff ff ff ff ff ff ff ff ff 01", 1, "run"},
      {"49 01", 1, "run"},
      {"19 01", 1, "run"},
      {"40 cf 0f", 1, "unknown series"},  // id 999 is the last; this is 1000
      {"40 01", 1, "unknown series"},
      {"40", 1, "unknown series"},
      {"10", 1, "unknown series"},
      {"10 ff ff ff ff ff ff ff ff ff 01", 1, "time"},
      {"10 80 80 80 80 80 80 80 20", 1, "time"},
      {"03 44 00 01", 2, "value"},  // a mantissa step from a value that is not decimal
      {"04", 1, "value"},
      {"05 ff", 1, "value"},
      {"05 ff ff ff ff ff ff ff ff ff 02", 1, "value"},  // a varint of 65 bits
      {"06 0a 02", 1, "value"},
      {"06 00", 1, "value"},
      {"06 00 fe ff ff ff ff ff ff ff ff 01 44 00 01", 2, "value"},  // the mantissa overflows
      {"07", 1, "value"},
      {"07 00", 1, "value"},
      {"07 81", 1, "value"},
      {"07 09", 1, "value"},
      {"07 08 01 02", 1, "value"},
      {"08 01 02 03", 1, "value"},
  };
  for (const auto& bad : table) {
    const auto back = decode(unhex(bad.bytes), bad.count);
    ASSERT_FALSE(back) << bad.bytes;
    EXPECT_EQ(back.error().code, Errc::corrupt) << bad.bytes;
    EXPECT_THAT(back.error().what, HasSubstr(bad.why)) << bad.bytes;
  }
}

TEST(SampleCodec, EveryCutOfAGoodBlockIsRefused) {
  std::vector<IdSample> samples;
  std::uint32_t id = 0;
  for (const double v : hard_values()) samples.push_back({id++, kBase + milliseconds{id * 7}, v});
  const auto coded = encode(samples);
  for (std::size_t size = 0; size < coded.size(); ++size)
    ASSERT_FALSE(decode(ByteView{coded}.first(size), samples.size())) << "cut to " << size << " of " << coded.size();
}

TEST(SampleCodec, ARunCannotGrowPastTheIdLimit) {
  SampleDecoder decoder;
  std::vector<IdSample> out;
  EXPECT_FALSE(decoder.decode(unhex("09 05"), 5, kBase, 4, out));
  out.clear();
  SampleDecoder fresh;
  EXPECT_TRUE(fresh.decode(unhex("09 05"), 5, kBase, 5, out));
}

TEST(SampleCodec, RefusesABaseThatIsNoDate) {
  EXPECT_FALSE(decode(unhex("00"), 1, Time::max()));
  EXPECT_FALSE(decode(unhex("00"), 1, Time::min()));
}

TEST(SampleDigest, DependsOnIdTimeAndBitsOfEachSample) {
  const std::vector<IdSample> one{{1, kBase, 0.0}, {2, kBase, 5}};
  const auto reference = digest(one);
  for (const std::vector<IdSample>& other :
       {std::vector<IdSample>{{1, kBase, -0.0}, {2, kBase, 5}}, std::vector<IdSample>{{3, kBase, 0.0}, {2, kBase, 5}},
        std::vector<IdSample>{{1, kBase + milliseconds{1}, 0.0}, {2, kBase, 5}},
        std::vector<IdSample>{{2, kBase, 5}, {1, kBase, 0.0}}, std::vector<IdSample>{{1, kBase, 0.0}}})
    EXPECT_NE(digest(other), reference);
  EXPECT_EQ(digest(std::vector<IdSample>{}), 0U);
}

}  // namespace
}  // namespace ward::wire
