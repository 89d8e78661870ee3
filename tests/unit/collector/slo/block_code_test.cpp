#include "collector/slo/block_code.hpp"

#include <gtest/gtest.h>

namespace ward::collector::slo {
namespace {

BlockCells busy() {
  BlockCells cells;
  for (std::size_t i = 0; i < cells.size(); ++i) {
    cells[i].total = static_cast<Amount>(1'000 + i * 37 % 91) * kOne;
    if (i % 7 == 0) cells[i].bad = static_cast<Amount>(i % 5) * kOne - 2 * kOne;
    if (i % 50 == 3) cells[i].flags = Cell::kExcluded | Cell::kDown;
  }
  return cells;
}

TEST(BlockCode, ReadsBackWhatItWrote) {
  const auto cells = busy();
  const auto bytes = encode_block(cells);
  ASSERT_TRUE(is_whole_block(bytes));
  EXPECT_EQ(decode_block(bytes), cells);
}

TEST(BlockCode, KeepsThousandthsWhenThereAreAny) {
  BlockCells cells;
  cells[5] = {.bad = 1, .total = 1'234'567};
  cells[179] = {.bad = -3, .total = 5};
  EXPECT_EQ(decode_block(encode_block(cells)), cells);
}

TEST(BlockCode, KeepsTheLargestAmounts) {
  BlockCells cells;
  cells[0] = {.bad = to_amount(-9e99), .total = to_amount(9e99)};
  cells[1] = {.bad = 0, .total = -to_amount(9e99)};
  EXPECT_EQ(decode_block(encode_block(cells)), cells);
}

TEST(BlockCode, NeedsNoBytesForAnEmptyBlock) {
  EXPECT_TRUE(encode_block(BlockCells{}).empty());
  EXPECT_TRUE(is_whole_block({}));
  EXPECT_EQ(decode_block({}), BlockCells{});
}

TEST(BlockCode, TakesLessThanThreeBytesABusyMinute) { EXPECT_LT(encode_block(busy()).size(), 3 * kBlockMinutes); }

TEST(BlockCode, SeesEveryDamagedBit) {
  const auto bytes = encode_block(busy());
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] ^= 0x10;
    EXPECT_FALSE(is_whole_block(damaged)) << "byte " << i;
  }
  for (std::size_t n = 1; n < bytes.size(); ++n) EXPECT_FALSE(is_whole_block(std::span{bytes}.first(n))) << n;
}

TEST(BlockCode, NumbersBlocksBeforeTheEpochToo) {
  EXPECT_EQ(block_of(0), 0);
  EXPECT_EQ(block_of(kBlockMinutes - 1), 0);
  EXPECT_EQ(block_of(-1), -1);
  EXPECT_EQ(block_of(-kBlockMinutes), -1);
  EXPECT_EQ(block_of(-kBlockMinutes - 1), -2);
}

}  // namespace
}  // namespace ward::collector::slo
