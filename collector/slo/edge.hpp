#pragma once
#include <cstdint>

#include "collector/slo/block_code.hpp"

namespace ward::collector::slo {

/// One end of a window: the sums of everything before it. It moves on with time, a slice a step, so that a window costs the
/// same whatever its length. In a closed block it keeps the block's bytes, which is why a ledger has few edges.
class Edge {
 public:
  Edge() = default;
  Edge(Edge&&) noexcept = default;  // moved bytes stay where the cursor reads them
  Edge& operator=(Edge&&) noexcept = default;

  /// In the middle of a block whose minutes are at hand.
  void step(const Sums& slice, std::int64_t length) {
    before_ += slice;
    at_ += length;
  }
  /// To the beginning of a block whose minutes are at hand.
  void jump(std::int64_t at, const Sums& before);
  /// To the beginning of a closed block.
  void enter(std::int64_t at, const Sums& before, wire::Buffer bytes);
  /// One slice of the entered block.
  void advance(const Counting& counting);
  /// What stands before it changed. `block`: the block of the change, whose bytes are old then.
  void correct(const Sums& by, BlockNumber block);
  void forget(BlockNumber block);

  [[nodiscard]] std::int64_t at() const { return at_; }
  [[nodiscard]] const Sums& before() const { return before_; }
  [[nodiscard]] bool is_placed() const { return placed_; }
  /// Whether advance() may be called: the block at at() was entered, and did not change since.
  [[nodiscard]] bool has_block() const { return entered_ && block_of(at_) == block_; }
  [[nodiscard]] std::size_t heap_bytes() const { return bytes_.capacity(); }

 private:
  std::int64_t at_ = 0;  ///< minute number; a slice begins here
  Sums before_;
  bool placed_ = false;
  bool entered_ = false;
  BlockNumber block_ = 0;
  wire::Buffer bytes_;
  BlockCursor cursor_{wire::ByteView{}};
};

}  // namespace ward::collector::slo
