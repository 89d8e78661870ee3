// When live data gets a stream beside the backlog, and when streams that found no place in a session get their turn.
#include "agent/uplink/outage.hpp"

#include <gtest/gtest.h>

#include "tests/support/spool_bed.hpp"

namespace ward::agent {
namespace {

using std::chrono::seconds;
using test::batch_of;
using test::SpoolBed;

constexpr MonoTime kStart{seconds{1'000}};
constexpr std::uint64_t kMuch = Outage::kLongBacklog;

TEST(Outage, LastsFromTheEndOfTheSessionThroughAllFailedAttempts) {
  Outage outage{kStart};
  (void)outage.opened(kStart, 0);
  outage.ended(kStart + seconds{5});
  for (int attempt = 1; attempt <= 20; ++attempt) outage.ended(kStart + seconds{5 + attempt});
  EXPECT_TRUE(outage.opened(kStart + seconds{26}, kMuch));
}

TEST(Outage, IsShortAfterAShortSilence) {
  Outage outage{kStart};
  (void)outage.opened(kStart, 0);
  outage.ended(kStart + seconds{60});
  EXPECT_FALSE(outage.opened(kStart + seconds{69}, kMuch));
}

TEST(Outage, NeedsNoNewStreamForAShortBacklog) {
  Outage outage{kStart};
  EXPECT_FALSE(outage.opened(kStart + seconds{60}, kMuch - 1));
}

TEST(Outage, GivesNewStreamsOnceOnly) {
  Outage outage{kStart};
  EXPECT_TRUE(outage.opened(kStart + seconds{60}, kMuch));
  outage.ended(kStart + seconds{61});  // the session is renewed to name them
  EXPECT_FALSE(outage.opened(kStart + seconds{62}, kMuch));
}

TEST(Outage, CountsFromTheStartOfAnAgentThatFindsNobody) {
  Outage outage{kStart};
  outage.ended(kStart + seconds{9});
  EXPECT_TRUE(outage.opened(kStart + seconds{10}, kMuch));
}

/// A spool with this many old streams of one record each, beside its live one.
void fill(SpoolBed& bed, std::size_t old_streams) {
  auto& spool = bed.start();
  for (std::size_t i = 0; i < old_streams; ++i) {
    spool.append(batch_of(1));
    spool.start_new_streams();
  }
}

TEST(Turn, IsNotOverBeforeTheLastNamedStreamIsDrained) {
  SpoolBed bed;
  fill(bed, 40);
  auto& source = bed.spool->source("c1");
  const auto named = source.streams();
  ASSERT_EQ(named.size(), wire::kMaxStreams);
  for (std::size_t i = 0; i + 2 < named.size(); ++i) bed.acknowledge(named[i], 1);  // all but one; the live one is last
  EXPECT_FALSE(turn_is_over(named, source.streams()));
  bed.acknowledge(named[named.size() - 2], 1);
  EXPECT_TRUE(turn_is_over(named, source.streams()));
}

TEST(Turn, IsNeverOverWhenNothingWasLeftOut) {
  SpoolBed bed;
  fill(bed, 5);
  auto& source = bed.spool->source("c1");
  const auto named = source.streams();
  EXPECT_FALSE(turn_is_over(named, source.streams()));
  for (const auto& stream : named)
    if (!stream.live) bed.acknowledge(stream, 1);
  EXPECT_FALSE(turn_is_over(named, source.streams()));
}

TEST(Turn, ComesToEveryStreamOfALongRow) {
  SpoolBed bed;
  fill(bed, 100);
  auto& source = bed.spool->source("c1");
  int sessions = 0;
  for (bool over = true; over; ++sessions) {
    const auto named = source.streams();
    for (const auto& stream : named)
      if (!stream.live) bed.acknowledge(stream, 1);
    over = turn_is_over(named, source.streams());
  }
  EXPECT_EQ(sessions, 4);
  EXPECT_FALSE(bed.has_old_stream());
}

}  // namespace
}  // namespace ward::agent
