// Sample blocks. First byte even: a coded block, which must survive encode(decode(x)); odd: plain samples, 20 bytes each,
// in two blocks of one session, which must survive decode(encode(x)).
#include <algorithm>
#include <bit>

#include "common/wire/codec.hpp"
#include "common/wire/record.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace ward;
using namespace ward::wire;

constexpr std::uint32_t kIds = 4'096;

void decode_block(ByteReader in) {
  const auto count = static_cast<std::uint32_t>(in.varint() % kMaxRecordSamples);
  const auto base = from_ms(in.svarint());
  if (!in.ok()) return;
  SampleDecoder decoder;
  std::vector<IdSample> samples;
  if (!decoder.decode(in.raw(in.left()), count, base, kIds, samples)) return;
  WARD_ASSERT(samples.size() == count);
  SampleEncoder encoder;
  Buffer coded;
  encoder.encode(samples, base, coded);
  SampleDecoder fresh;
  std::vector<IdSample> again;
  WARD_ASSERT(fresh.decode(coded, count, base, kIds, again));
  WARD_ASSERT(again == samples && digest(again) == digest(samples));
}

void encode_blocks(ByteReader in) {
  std::vector<IdSample> samples;
  while (in.left() >= 20) {
    const auto id = in.u32() % kIds;
    const auto time = from_ms(static_cast<std::int64_t>(in.u64()) >> 11);
    samples.push_back({id, time, std::bit_cast<double>(in.u64())});
  }
  SampleEncoder encoder;
  SampleDecoder decoder;
  const auto half = std::span{samples}.first(samples.size() / 2);
  const auto rest = std::span{samples}.subspan(half.size());
  for (const auto block : {std::span<const IdSample>{half}, std::span<const IdSample>{rest}}) {
    const Time base = block.empty() ? Time{} : block.front().t;
    Buffer coded;
    encoder.encode(block, base, coded);
    std::vector<IdSample> back;
    WARD_ASSERT(decoder.decode(coded, static_cast<std::uint32_t>(block.size()), base, kIds, back));
    WARD_ASSERT(std::equal(back.begin(), back.end(), block.begin(), block.end()));
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  ByteReader in{{data, size}};
  if (in.u8() % 2 == 0)
    decode_block(in);
  else
    encode_blocks(in);
  return 0;
}
