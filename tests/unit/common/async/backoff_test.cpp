#include "common/async/backoff.hpp"

#include <gtest/gtest.h>
#include <vector>

#include "tests/support/manual_clock.hpp"

namespace ward::async {
namespace {

using std::chrono::milliseconds;

/// Always the same fraction of the range.
class Fixed final : public Random {
 public:
  explicit Fixed(std::uint64_t value) : value_(value) {}
  std::uint64_t next() override { return value_; }

 private:
  std::uint64_t value_;
};

constexpr Backoff::Options kOptions{milliseconds{500}, milliseconds{60'000}};

TEST(Backoff, DoublesItsBoundUpToTheCap) {
  Fixed highest{~std::uint64_t{0}};
  Backoff backoff{kOptions, highest};
  for (const int bound : {500, 1'000, 2'000, 4'000, 8'000, 16'000, 32'000, 60'000, 60'000}) {
    const auto wait = backoff.next();
    EXPECT_LE(wait.count(), bound);
    EXPECT_GE(wait.count(), bound - 1);
  }
}

TEST(Backoff, NeverSpinsHoweverLucky) {
  Fixed zero{0};
  Backoff backoff{kOptions, zero};
  EXPECT_EQ(backoff.next(), milliseconds{50});
  for (int i = 0; i < 20; ++i) (void)backoff.next();
  EXPECT_EQ(backoff.next(), milliseconds{6'000});
}

TEST(Backoff, StaysInBoundsForEver) {
  test::SeededRandom random{3};
  Backoff backoff{kOptions, random};
  for (int i = 0; i < 10'000; ++i) {
    const auto wait = backoff.next();
    ASSERT_GE(wait, milliseconds{50}) << i;
    ASSERT_LE(wait, milliseconds{60'000}) << i;
  }
  EXPECT_EQ(backoff.failures(), 10'000);
}

TEST(Backoff, SpreadsManyOverTheWholeRange) {
  // A thousand agents that lose their collector at once: no tenth of the range may take more than twice its share.
  test::SeededRandom random{5};
  std::vector<int> tenths(10, 0);
  for (int agent = 0; agent < 1'000; ++agent) {
    Backoff backoff{kOptions, random};
    for (int i = 0; i < 7; ++i) (void)backoff.next();
    ++tenths[static_cast<std::size_t>(std::min<std::int64_t>(backoff.next().count() * 10 / 60'000, 9))];
  }
  EXPECT_EQ(tenths[0], 0) << "the floor";
  for (std::size_t i = 1; i < tenths.size(); ++i) {
    EXPECT_GT(tenths[i], 50) << i;
    EXPECT_LT(tenths[i], 250) << i;
  }
}

TEST(Backoff, BeginsAnewAfterReset) {
  Fixed highest{~std::uint64_t{0}};
  Backoff backoff{kOptions, highest};
  for (int i = 0; i < 5; ++i) (void)backoff.next();
  backoff.reset();
  EXPECT_EQ(backoff.failures(), 0);
  EXPECT_LE(backoff.next(), milliseconds{500});
}

}  // namespace
}  // namespace ward::async
