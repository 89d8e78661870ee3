#include <algorithm>
#include <array>
#include <gtest/gtest.h>

#include "common/base/world.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward {
namespace {

class Fixed final : public Random {
 public:
  explicit Fixed(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

TEST(Random, UnitStaysBelowOne) {
  EXPECT_EQ(Fixed{0}.unit(), 0.0);
  EXPECT_LT(Fixed{~std::uint64_t{0}}.unit(), 1.0);
}

TEST(Random, BelowStaysBelowItsBound) {
  test::SeededRandom random{9};
  std::array<int, 7> seen{};
  for (int i = 0; i < 7'000; ++i) ++seen.at(random.below(7));
  EXPECT_GT(*std::min_element(seen.begin(), seen.end()), 800);
}

TEST(SecureRandom, FillsEveryByteAndNeverTwiceAlike) {
  std::array<std::uint8_t, 16> first{}, second{};
  std::array<std::uint8_t, 16> touched{};
  for (int i = 0; i < 64; ++i) {
    fill_secure_random(second);
    EXPECT_NE(first, second);
    first = second;
    for (std::size_t at = 0; at < touched.size(); ++at) touched[at] = static_cast<std::uint8_t>(touched[at] | second[at]);
  }
  for (const auto byte : touched) EXPECT_NE(byte, 0) << "a byte that stays 0 in 64 draws is not filled";
}

TEST(ManualClock, SettingTheWallLeavesSteadyTimeAlone) {
  test::ManualClock clock{from_ms(1'000)};
  const auto mono = clock.mono();
  clock.set_wall(from_ms(-5'000));
  EXPECT_EQ(clock.mono(), mono);
  clock.advance(milliseconds{7});
  EXPECT_EQ(clock.wall(), from_ms(-4'993));
  EXPECT_EQ(clock.mono() - mono, milliseconds{7});
}

}  // namespace
}  // namespace ward
