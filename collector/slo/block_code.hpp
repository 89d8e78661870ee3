#pragma once
#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "collector/slo/sums.hpp"
#include "common/wire/bytes.hpp"

namespace ward::collector::slo {

/// Minutes a block holds: three hours, so that slices (which divide an hour) never lie across a border.
inline constexpr std::int64_t kBlockMinutes = 180;
using BlockNumber = std::int32_t;  ///< the minute number of its first minute / kBlockMinutes
using BlockCells = std::array<Cell, kBlockMinutes>;

[[nodiscard]] constexpr BlockNumber block_of(std::int64_t minute) {
  return static_cast<BlockNumber>(minute >= 0 ? minute / kBlockMinutes : -((-minute + kBlockMinutes - 1) / kBlockMinutes));
}
[[nodiscard]] constexpr std::int64_t first_minute(BlockNumber block) { return std::int64_t{block} * kBlockMinutes; }

/// A block as bytes, docs/format/store.md: typically one to three a minute. A block of empty minutes has none.
wire::Buffer encode_block(std::span<const Cell, kBlockMinutes> cells);
/// Whether the bytes are whole: version and checksum. Empty is.
bool is_whole_block(wire::ByteView bytes);

/// Reads a whole block minute by minute, from the first. Past the end, and after a damage that the checksum did not see, all
/// minutes are empty.
class BlockCursor {
 public:
  explicit BlockCursor(wire::ByteView bytes);
  Cell next();

 private:
  wire::ByteReader in_;
  Amount unit_ = 1;
  Amount last_total_ = 0;
};
BlockCells decode_block(wire::ByteView bytes);

}  // namespace ward::collector::slo
