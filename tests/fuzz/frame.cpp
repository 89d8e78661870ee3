// Bytes of a peer as frames: whatever parses is written and parsed again to the same frame.
#include "common/wire/frame.hpp"

#include "tests/fuzz/target.hpp"

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace ward::wire;
  FrameReader reader{kMaxFrameBytes};
  reader.push({data, size});
  while (true) {
    const auto frame = reader.next();
    if (!frame) {
      WARD_ASSERT(!frame.error().what.empty() && !frame.error().fix.empty());
      return 0;
    }
    if (!*frame) return 0;
    Buffer written;
    write_frame(**frame, written);
    const auto again = parse_frame(written[4], ByteView{written}.subspan(kFrameHead));
    WARD_ASSERT(again && *again == **frame);
  }
}
