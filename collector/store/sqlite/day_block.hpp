#pragma once
#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "collector/tsdb/day.hpp"
#include "collector/tsdb/label_table.hpp"
#include "common/wire/bytes.hpp"

namespace ward::collector {

/// Chunks of neighbouring series of one tenant and one day, as one row of a day file: what they take together is close to
/// what they take alone (docs/format/store.md, "The days").
struct DayBlock {
  std::int64_t id = 0;  ///< its row; 0: none yet
  std::string tenant;
  SeriesRef first{};  ///< series rise from here
  SeriesRef last{};   ///< to here
  Time t_min;
  Time t_max;
  std::uint32_t chunks = 0;
  std::uint64_t samples = 0;
  std::vector<std::uint8_t> data;  ///< u32 length of the index, the index, the chunks' bytes
};

/// Builds one block. Chunks come by series, rising.
class DayBlockBuilder {
 public:
  /// Beyond it no chunk is added: a block is read whole for one series of it.
  static constexpr std::size_t kEnough = 64 << 10;

  explicit DayBlockBuilder(std::string tenant) { block_.tenant = std::move(tenant); }
  void add(SeriesRef series, Time t_min, Time t_max, std::uint32_t count, wire::ByteView bytes);
  [[nodiscard]] bool empty() const { return block_.chunks == 0; }
  [[nodiscard]] bool full() const { return bytes_.size() + index_.size() >= kEnough; }
  /// The block; an empty builder of the same tenant is left.
  DayBlock take();

 private:
  DayBlock block_;
  wire::Buffer index_;
  wire::Buffer bytes_;
};

/// One chunk of a block, the bytes as long as the block's.
struct BlockChunk {
  SeriesRef series;
  Time t_min;
  Time t_max;
  wire::ByteView bytes;
};

/// The chunks of a block in their order. False when the data make no sense; `take` has seen those before then.
bool read_block(wire::ByteView data, SeriesRef first, const std::function<void(const BlockChunk&)>& take);

}  // namespace ward::collector
