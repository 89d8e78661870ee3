// Payloads of spool and journal, which a damaged disk may have changed. First byte: 1 samples, 2 events.
#include "common/wire/record.hpp"

#include "tests/fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ward::wire;
  if (size == 0) return 0;
  RecordCodec codec;
  Record record;
  record.kind = data[0] % 2 == 1 ? RecordKind::samples : RecordKind::events;
  if (!codec.decode({data + 1, size - 1}, record)) return 0;
  if (!record.samples.empty()) record.t_min = record.samples.front().t;
  const auto payload = codec.encode(record);
  Record again = record;
  again.samples.clear();
  again.events.clear();
  WARD_ASSERT(codec.decode(payload, again) && again == record);
  return 0;
}
