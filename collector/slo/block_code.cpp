#include "collector/slo/block_code.hpp"

#include <algorithm>

#include "common/base/crc32c.hpp"

namespace ward::collector::slo {
namespace {

constexpr std::uint8_t kVersion = 1;
constexpr std::size_t kHead = 2;
constexpr std::size_t kTail = sizeof(std::uint32_t);
constexpr std::uint64_t kHasBad = 1;
constexpr std::uint64_t kHasFlags = 2;

}  // namespace

wire::Buffer encode_block(std::span<const Cell, kBlockMinutes> cells) {
  const auto last = std::find_if(cells.rbegin(), cells.rend(), [](const Cell& c) { return !c.empty(); });
  if (last == cells.rend()) return {};
  const auto used = cells.first(static_cast<std::size_t>(cells.rend() - last));
  // Nearly all counters count whole events.
  const bool whole =
      std::all_of(used.begin(), used.end(), [](const Cell& c) { return c.bad % kOne == 0 && c.total % kOne == 0; });
  const Amount unit = whole ? kOne : 1;
  wire::Buffer bytes;
  wire::ByteWriter out(bytes);
  out.u8(kVersion);
  out.u8(whole ? 1 : 0);
  Amount last_total = 0;
  for (const auto& cell : used) {
    const Amount total = cell.total / unit;
    out.varint(wire::zigzag(total - last_total) << 2 | (cell.bad != 0 ? kHasBad : 0) | (cell.flags != 0 ? kHasFlags : 0));
    if (cell.bad != 0) out.svarint(cell.bad / unit);
    if (cell.flags != 0) out.u8(cell.flags);
    last_total = total;
  }
  out.u32(crc32c(bytes));
  return bytes;
}

bool is_whole_block(wire::ByteView bytes) {
  if (bytes.empty()) return true;
  if (bytes.size() < kHead + kTail || bytes[0] != kVersion || bytes[1] > 1) return false;
  wire::ByteReader tail(bytes.last(kTail));
  return tail.u32() == crc32c(bytes.first(bytes.size() - kTail));
}

BlockCursor::BlockCursor(wire::ByteView bytes)
    : in_(bytes.size() < kHead + kTail ? wire::ByteView{} : bytes.subspan(kHead, bytes.size() - kHead - kTail)),
      unit_(bytes.size() >= kHead && bytes[1] == 1 ? kOne : 1) {}

Cell BlockCursor::next() {
  if (in_.at_end()) return {};
  Cell cell;
  const auto head = in_.varint();
  last_total_ += wire::unzigzag(head >> 2);
  cell.total = last_total_ * unit_;
  if ((head & kHasBad) != 0) cell.bad = in_.svarint() * unit_;
  if ((head & kHasFlags) != 0) cell.flags = static_cast<std::uint8_t>(in_.u8() & Cell::kFlags);
  return in_.ok() ? cell : Cell{};
}

BlockCells decode_block(wire::ByteView bytes) {
  BlockCells cells;
  BlockCursor cursor(bytes);
  for (auto& cell : cells) cell = cursor.next();
  return cells;
}

}  // namespace ward::collector::slo
