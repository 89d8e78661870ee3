#include "common/base/crc32c.hpp"

#include <gtest/gtest.h>
#include <string_view>
#include <vector>

namespace ward {
namespace {

using Bytes = std::vector<std::uint8_t>;

std::span<const std::uint8_t> bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

// RFC 3720, appendix B.4.
TEST(Crc32c, GivesTheVectorsOfTheStandard) {
  Bytes up, down;
  for (std::uint8_t i = 0; i < 32; ++i) up.push_back(i);
  for (int i = 31; i >= 0; --i) down.push_back(static_cast<std::uint8_t>(i));
  EXPECT_EQ(crc32c(Bytes(32, 0x00)), 0x8A9136AAU);
  EXPECT_EQ(crc32c(Bytes(32, 0xff)), 0x62A8AB43U);
  EXPECT_EQ(crc32c(up), 0x46DD794EU);
  EXPECT_EQ(crc32c(down), 0x113FDB5CU);
  EXPECT_EQ(crc32c(bytes("123456789")), 0xE3069283U);
  EXPECT_EQ(crc32c({}), 0U);
}

TEST(Crc32c, ChainsAtAnyCut) {
  const auto whole = bytes("The spool row is (seq, kind, class, payload) and its CRC covers all of it.");
  const auto expected = crc32c(whole);
  for (std::size_t cut = 0; cut <= whole.size(); ++cut)
    EXPECT_EQ(crc32c(whole.subspan(cut), crc32c(whole.first(cut))), expected) << cut;
}

/// The definition, bit by bit: what the fast way must agree with.
std::uint32_t slow(std::span<const std::uint8_t> in) {
  std::uint32_t crc = ~std::uint32_t{0};
  for (const auto byte : in) {
    crc ^= byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78U : 0U);
  }
  return ~crc;
}

TEST(Crc32c, AgreesWithTheDefinitionAtEveryLengthAndAlignment) {
  Bytes data(96);
  for (std::size_t i = 0; i < data.size(); ++i) data[i] = static_cast<std::uint8_t>(i * 37 + 11);
  for (std::size_t from = 0; from < 9; ++from)
    for (std::size_t size = 0; size + from <= data.size(); ++size) {
      const auto part = std::span<const std::uint8_t>{data}.subspan(from, size);
      ASSERT_EQ(crc32c(part), slow(part)) << from << "+" << size;
    }
}

}  // namespace
}  // namespace ward
