// Rows of the remote write queue, which a damaged disk may have changed. First byte: odd a record, even a label set.
#include "collector/forward/queue_row.hpp"
#include "collector/ingest/series_row.hpp"
#include "tests/fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ward;
  if (size == 0) return 0;
  const wire::ByteView row{data + 1, size - 1};
  if (data[0] % 2 == 0) {
    const auto labels = collector::read_series_row(row);
    if (labels) WARD_ASSERT(collector::read_series_row(collector::series_row(*labels)) == labels);
    return 0;
  }
  collector::QueueCodec codec;
  auto samples = codec.decode(row);
  if (!samples || samples->empty()) return 0;
  wire::Record record;
  record.t_min = samples->front().t;
  record.samples = *samples;
  const auto again = codec.decode(codec.encode(record, [](std::uint32_t id) { return id; }));
  WARD_ASSERT(again && *again == *samples);
  return 0;
}
