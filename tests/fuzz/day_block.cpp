// Chunks and blocks of a stored day, which a damaged disk may have changed. First byte: odd a chunk, even a block.
#include "collector/store/sqlite/day_block.hpp"

#include <algorithm>

#include "collector/tsdb/chunk.hpp"
#include "tests/fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ward;
  using namespace ward::collector;
  if (size == 0) return 0;
  const wire::ByteView bytes{data + 1, size - 1};
  if (data[0] % 2 == 1) {
    const auto samples = decode_chunk(bytes);
    if (!samples || samples->empty()) return 0;
    const auto earlier = [](const Sample& a, const Sample& b) { return a.t >= b.t; };
    WARD_ASSERT(std::adjacent_find(samples->begin(), samples->end(), earlier) == samples->end());
    WARD_ASSERT(decode_chunk(encode_chunk(*samples)).value() == *samples);
    WARD_ASSERT(chunk_start(bytes) == samples->front().t && chunk_count(bytes) == samples->size());
    return 0;
  }
  auto last = SeriesRef{1};
  std::size_t taken = 0;
  (void)read_block(bytes, last, [&](const BlockChunk& chunk) {
    WARD_ASSERT(chunk.series >= last);
    last = chunk.series;
    taken += chunk.bytes.size();
  });
  WARD_ASSERT(taken <= bytes.size());
  return 0;
}
