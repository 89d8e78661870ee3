// Chunks of samples: whatever is put in comes out again bit by bit, at once and sample by sample. First byte: how times and
// values are drawn from the rest, so that both codings and every width of a step are met.
#include "collector/tsdb/chunk.hpp"

#include <array>
#include <bit>
#include <cmath>

#include "common/wire/bytes.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace ward;
using namespace ward::collector;

double value_from(wire::ByteReader& in, std::uint8_t shape, double before) {
  switch (shape % 4) {
    case 0: return std::bit_cast<double>(in.u64());             // any bits: NaNs with a payload, denormals, infinities
    case 1: return before + static_cast<double>(in.svarint());  // a counter, a whole gauge
    case 2: return static_cast<double>(in.svarint()) / std::pow(10.0, in.u8() % 8);  // decimals
    default: return in.u8() % 8 == 0 ? static_cast<double>(in.u8()) : before;        // mostly still
  }
}

std::vector<Sample> samples_from(wire::ByteReader& in, std::uint8_t shape) {
  std::vector<Sample> samples;
  auto at = static_cast<std::int64_t>(in.u64());
  double value = 0;
  while (in.left() > 0 && in.ok() && samples.size() < kChunkSamples) {
    value = value_from(in, shape, value);
    if (!in.ok()) break;
    samples.push_back({from_ms(at), value});
    const auto step = static_cast<std::int64_t>((shape & 4U) != 0 ? in.varint() >> 1U : 15'000 + in.u8());
    if (step <= 0 || __builtin_add_overflow(at, step, &at)) break;
  }
  return samples;
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  wire::ByteReader in{{data, size}};
  const auto shape = in.u8();
  const auto samples = samples_from(in, shape);
  if (samples.empty()) return 0;
  const auto bytes = encode_chunk(samples);
  const auto back = decode_chunk(bytes);
  WARD_ASSERT(back && *back == samples);
  WARD_ASSERT(chunk_start(bytes) == samples.front().t && chunk_count(bytes) == samples.size());

  // What queries see of a chunk that still grows.
  ChunkAppender growing;
  std::array<Sample, kChunkSamples> seen;
  for (std::size_t i = 0; i < samples.size(); ++i) {
    growing.append(samples[i]);
    const auto decoded = decode_into(growing.bytes(), seen);
    WARD_ASSERT(!decoded.corrupt && decoded.count == i + 1 && seen[i] == samples[i]);
  }
  WARD_ASSERT(growing.last_time() == samples.back().t);
  return 0;
}
