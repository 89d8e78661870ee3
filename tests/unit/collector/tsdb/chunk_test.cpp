#include "collector/tsdb/chunk.hpp"

#include <gtest/gtest.h>
#include <limits>
#include <random>

namespace ward::collector {
namespace {

constexpr auto kMin = std::numeric_limits<std::int64_t>::min();
constexpr auto kMax = std::numeric_limits<std::int64_t>::max();

std::vector<Sample> at_times(std::initializer_list<std::int64_t> times) {
  std::vector<Sample> out;
  for (const auto t : times) out.push_back({from_ms(t), static_cast<double>(out.size())});
  return out;
}

void expect_round_trip(const std::vector<Sample>& samples) {
  const auto bytes = encode_chunk(samples);
  const auto back = decode_chunk(bytes);
  ASSERT_TRUE(back) << describe(back.error());
  EXPECT_EQ(*back, samples);
}

TEST(Chunk, KeepsExtremeTimes) {
  expect_round_trip(at_times({0}));
  expect_round_trip(at_times({kMin, kMin + 1, -1, 0, 1, kMax - 1, kMax}));
  expect_round_trip(at_times({-86'400'000, 0, 253'402'300'799'000}));
  expect_round_trip(at_times({kMin, kMax}));
}

TEST(Chunk, KeepsEveryWidthOfTimeStep) {
  for (unsigned shift = 0; shift < 62; ++shift) {
    const std::int64_t step = std::int64_t{1} << shift;
    expect_round_trip(at_times({0, 1, 1 + step, 2 + step, 3 + step}));
    expect_round_trip(at_times({-5, step - 5, step - 4, step - 3}));
  }
}

TEST(Chunk, KeepsSpecialValuesBitExact) {
  const double inf = std::numeric_limits<double>::infinity();
  std::vector<Sample> samples;
  for (const double v : {0.0, -0.0, inf, -inf, std::numeric_limits<double>::quiet_NaN(), stale_marker(), 5e-324,
                         std::numeric_limits<double>::max(), -1.0, stale_marker(), stale_marker(), 1.0})
    samples.push_back({from_ms(static_cast<std::int64_t>(samples.size()) * 1000), v});
  expect_round_trip(samples);
}

TEST(Chunk, KeepsRandomSamples) {
  std::mt19937_64 random{42};
  for (int round = 0; round < 500; ++round) {
    std::vector<Sample> samples;
    auto t = static_cast<std::int64_t>(random()) / 4;
    const auto n = random() % (kChunkSamples + 1);
    for (std::size_t i = 0; i < n; ++i) {
      t += 1 + static_cast<std::int64_t>(random() % (std::uint64_t{1} << (random() % 40)));
      const double v = random() % 3 == 0 ? std::bit_cast<double>(random()) : static_cast<double>(random() % 1000) / 8;
      samples.push_back({from_ms(t), v});
    }
    expect_round_trip(samples.empty() ? at_times({1}) : samples);
  }
}

TEST(Chunk, StaysSmallForRegularCounters) {
  std::vector<Sample> samples;
  for (int i = 0; i < 120; ++i) samples.push_back({from_ms(1'700'000'000'000 + i * 10'000), 5.0});
  EXPECT_LE(encode_chunk(samples).size(), 64U);
}

std::size_t bytes_of(double (*value)(int), std::int64_t jitter_ms) {
  std::mt19937_64 random{1};
  std::vector<Sample> samples;
  for (int i = 0; i < 120; ++i) {
    const auto jitter = static_cast<std::int64_t>(random() % static_cast<std::uint64_t>(jitter_ms + 1));
    samples.push_back({from_ms(1'700'000'000'000 + i * 15'000 + jitter), value(i)});
  }
  const auto bytes = encode_chunk(samples);
  EXPECT_EQ(*decode_chunk(bytes), samples);
  return bytes.size();
}

// Upper limits a little above what was measured: a change of the coding that loses ground is seen here.
TEST(Chunk, TakesFewBytesForWhatMetricsLookLike) {
  EXPECT_LE(bytes_of([](int) { return 5.0; }, 0), 58U) << "a constant";
  EXPECT_LE(bytes_of([](int) { return 0.125; }, 3), 110U) << "a constant, times jitter";
  EXPECT_LE(bytes_of([](int i) { return 1000.0 + 37 * i; }, 0), 62U) << "an even counter";
  EXPECT_LE(bytes_of([](int i) { return i < 60 ? 1e6 + 37 * i : 37.0 * (i - 60); }, 0), 90U)
      << "a counter that starts again";
  EXPECT_LE(bytes_of([](int i) { return static_cast<double>(i * 7919 % 1000) / 100; }, 0), 210U) << "hundredths";
  EXPECT_LE(bytes_of([](int i) { return 1e6 + i + i * 7919 % 100; }, 3), 240U) << "a noisy counter, times jitter";
}

TEST(Chunk, ChangesScaleWhenFinerValuesCome) {
  const std::vector<double> values{1,    2,    2.5, 2.75, 3,    0.1, 0.1 + 0.2, 1e300, 7, stale_marker(),
                                   8.25, -0.0, 9,   1e15, 1e16, 5};
  std::vector<Sample> samples;
  for (const double v : values) samples.push_back({from_ms(static_cast<std::int64_t>(samples.size()) * 1000), v});
  expect_round_trip(samples);
  for (std::size_t from = 1; from < samples.size(); ++from)
    expect_round_trip({samples.begin() + static_cast<std::ptrdiff_t>(from), samples.end()});
}

TEST(Chunk, IsReadableWhileOpen) {
  ChunkAppender open;
  open.append({from_ms(1), 1});
  open.append({from_ms(2), 2});
  EXPECT_EQ(*decode_chunk(open.bytes()), (std::vector<Sample>{{from_ms(1), 1}, {from_ms(2), 2}}));
  open.append({from_ms(3), 3});
  EXPECT_EQ(decode_chunk(open.bytes())->size(), 3U);
}

TEST(Chunk, RefusesDamagedBytes) {
  const auto good = encode_chunk(at_times({10, 20, 35, 40}));
  const std::vector<std::uint8_t> huge_count{2, 255, 0, 0, 0};
  auto bad_encoding = good;
  bad_encoding[0] = 9;
  auto longer = good;
  longer.push_back(0);
  auto more = good;
  more[1] = 120;
  auto fewer = good;
  fewer[1] = 1;
  for (const auto& bytes :
       {std::vector<std::uint8_t>{}, std::vector<std::uint8_t>{2}, huge_count, bad_encoding, longer, more, fewer}) {
    const auto result = decode_chunk(bytes);
    ASSERT_FALSE(result);
    EXPECT_EQ(result.error().code, Errc::corrupt);
  }
  for (std::size_t n = 0; n < good.size(); ++n) EXPECT_FALSE(decode_chunk(std::span{good}.first(n))) << n;
}

TEST(Chunk, SurvivesArbitraryBytes) {
  std::mt19937_64 random{7};
  for (int round = 0; round < 20'000; ++round) {
    std::vector<std::uint8_t> bytes(random() % 64);
    for (auto& b : bytes) b = static_cast<std::uint8_t>(random());
    if (bytes.size() > 2) {
      bytes[0] = 2;
      bytes[1] = static_cast<std::uint8_t>(random() % 122);
    }
    if (const auto result = decode_chunk(bytes)) {
      EXPECT_LE(result->size(), kChunkSamples);
      EXPECT_TRUE(std::is_sorted(result->begin(), result->end(), [](const auto& a, const auto& b) { return a.t < b.t; }));
    }
  }
}

}  // namespace
}  // namespace ward::collector
