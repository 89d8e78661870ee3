#include "collector/slo/edge.hpp"

#include <array>
#include <utility>

namespace ward::collector::slo {

void Edge::jump(std::int64_t at, const Sums& before) {
  at_ = at;
  before_ = before;
  placed_ = true;
  entered_ = false;
  bytes_ = {};
}

void Edge::enter(std::int64_t at, const Sums& before, wire::Buffer bytes) {
  jump(at, before);
  bytes_ = std::move(bytes);
  bytes_.shrink_to_fit();
  cursor_ = BlockCursor(bytes_);
  block_ = block_of(at);
  entered_ = true;
}

void Edge::advance(const Counting& counting) {
  std::array<Cell, 60> slice;
  const auto length = static_cast<std::size_t>(counting.slice);
  for (std::size_t i = 0; i < length; ++i) slice[i] = cursor_.next();
  step(counting.count(std::span{slice}.first(length)), counting.slice);
}

void Edge::correct(const Sums& by, BlockNumber block) {
  before_ += by;
  forget(block);
}

void Edge::forget(BlockNumber block) {
  if (entered_ && block_ == block) entered_ = false;
}

}  // namespace ward::collector::slo
