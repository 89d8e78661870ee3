#pragma once
#include <cstdint>

#include "common/base/crc32c.hpp"
#include "common/wire/bytes.hpp"

namespace ward::collector {

/// SQLite checks its structure, not its contents: a flipped bit in a payload would be a wrong value, in an id the value of
/// another series. docs/format/store.md says what it covers.
[[nodiscard]] inline std::int64_t row_crc(wire::ByteView bytes, std::uint32_t id = 0, std::uint32_t count = 0) {
  wire::Buffer head;
  wire::ByteWriter w(head);
  w.u32(id);
  w.u32(count);
  return crc32c(bytes, crc32c(head));
}

}  // namespace ward::collector
