#include "collector/ingest/catalogue.hpp"

#include <gmock/gmock.h>

#include "common/wire/collector_session.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const TenantId kA{"clinic-a"};
const TenantId kB{"clinic-b"};
const AgentId kNode1{"node-1"};
const AgentId kNode2{"node-2"};

Labels series(int i) { return Labels{{"__name__", "m"}, {"i", std::to_string(i)}}; }

TEST(Catalogue, NumbersSeriesFromZeroAndKnowsThemAgain) {
  Catalogue catalogue{{}};
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(1)), 0U);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(2)), 1U);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(1)), 0U);
  EXPECT_EQ(catalogue.size(), 2U);
}

TEST(Catalogue, SetsTheTenantWhateverTheAgentWrote) {
  Catalogue catalogue{{}};
  const auto id = catalogue.resolve(kA, kNode1, series(1).with("tenant", "clinic-b"));
  EXPECT_EQ(catalogue.labels(id).get("tenant"), "clinic-a");
  EXPECT_NE(catalogue.resolve(kB, kNode2, series(1)), id);
}

TEST(Catalogue, HandsOutNewSeriesOnceAndAgainAfterAFailedCommit) {
  Catalogue catalogue{{}};
  (void)catalogue.resolve(kA, kNode1, series(1));
  (void)catalogue.resolve(kA, kNode1, series(2));
  auto taken = catalogue.take_new();
  ASSERT_THAT(taken, SizeIs(2));
  EXPECT_THAT(catalogue.take_new(), IsEmpty());
  (void)catalogue.resolve(kA, kNode1, series(3));
  catalogue.put_back(std::move(taken));
  const auto again = catalogue.take_new();
  ASSERT_THAT(again, SizeIs(3));
  EXPECT_EQ(again[0].id, 0U);  // in their old order, before what came later
  EXPECT_EQ(again[2].id, 2U);
}

TEST(Catalogue, GoesOnBehindWhatTheJournalKnows) {
  Catalogue catalogue{{}};
  catalogue.load(41, series(1).with("tenant", "clinic-a"));
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(1)), 41U);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(2)), 42U);
  EXPECT_THAT(catalogue.take_new(), SizeIs(1));
}

TEST(Catalogue, GivesNoNumberThatTheJournalHasSamplesUnder) {
  Catalogue catalogue{{}};
  catalogue.load(3, series(1).with("tenant", "clinic-a"));
  catalogue.reserve(9);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(2)), 10U);
  catalogue.reserve(5);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(3)), 11U);
}

TEST(Catalogue, RefusesNewSeriesAboveAnAgentsCapAndCountsThem) {
  Catalogue catalogue{{2, 100}};
  EXPECT_NE(catalogue.resolve(kA, kNode1, series(1)), wire::kRefusedSeries);
  EXPECT_NE(catalogue.resolve(kA, kNode1, series(2)), wire::kRefusedSeries);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(3)), wire::kRefusedSeries);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(4)), wire::kRefusedSeries);
  EXPECT_THAT(catalogue.refused(), ElementsAre(Pair("clinic-a", 2)));
  EXPECT_NE(catalogue.resolve(kA, kNode1, series(1)), wire::kRefusedSeries);  // known ones stay
  EXPECT_NE(catalogue.resolve(kA, kNode2, series(3)), wire::kRefusedSeries);  // its neighbour is not harmed
}

TEST(Catalogue, RefusesNewSeriesAboveATenantsCapWithoutHarmToOthers) {
  Catalogue catalogue{{100, 2}};
  (void)catalogue.resolve(kA, kNode1, series(1));
  (void)catalogue.resolve(kA, kNode2, series(2));
  EXPECT_EQ(catalogue.resolve(kA, kNode2, series(3)), wire::kRefusedSeries);
  EXPECT_NE(catalogue.resolve(kB, kNode1, series(3)), wire::kRefusedSeries);
}

TEST(Catalogue, SeriesOfFormerLivesCountForTheirTenant) {
  Catalogue catalogue{{100, 2}};
  catalogue.load(0, series(1).with("tenant", "clinic-a"));
  catalogue.load(1, series(2).with("tenant", "clinic-a"));
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(3)), wire::kRefusedSeries);
}

TEST(Catalogue, SeriesWithoutSamplesMakeRoomUnderTheCaps) {
  Catalogue catalogue{{2, 2}};
  const auto old = catalogue.resolve(kA, kNode1, series(1));
  (void)catalogue.resolve(kA, kNode1, series(2));
  EXPECT_FALSE(catalogue.has_room(kA, kNode1, 1));
  const SeriesId gone[] = {old, old, 99};
  catalogue.retire(gone);
  EXPECT_TRUE(catalogue.has_room(kA, kNode1, 1));
  EXPECT_NE(catalogue.resolve(kA, kNode1, series(3)), wire::kRefusedSeries);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(1)), wire::kRefusedSeries) << "it is as new as any other";
}

TEST(Catalogue, AShareOfTheCapIsRoomHoweverManyWereRefused) {
  Catalogue catalogue{{80, 1'000}};
  std::vector<SeriesId> held;
  for (int n = 0; n < 80; ++n) held.push_back(catalogue.resolve(kA, kNode1, series(n)));
  const auto free_up = [&](std::size_t places) {
    catalogue.retire(std::span{held}.first(places));
    held.erase(held.begin(), held.begin() + static_cast<std::ptrdiff_t>(places));
  };
  free_up(9);
  EXPECT_TRUE(catalogue.has_room(kA, kNode1, 9));
  EXPECT_FALSE(catalogue.has_room(kA, kNode1, 30'000)) << "a new session for hardly any of them";
  free_up(1);
  EXPECT_TRUE(catalogue.has_room(kA, kNode1, 30'000)) << "all of them never fit";
}

TEST(Catalogue, ARetiredSeriesThatSpeaksAgainHasItsNumberAndCountsAndItsRowIsWrittenAnew) {
  Catalogue catalogue{{100, 2}};
  const auto first = catalogue.resolve(kA, kNode1, series(1));
  const auto second = catalogue.resolve(kA, kNode1, series(2));
  (void)catalogue.take_new();
  const SeriesId gone[] = {first, second};
  catalogue.retire(gone);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(1)), first);
  EXPECT_EQ(catalogue.revive(second).name(), series(2).name());
  EXPECT_FALSE(catalogue.revive(second).empty());
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(3)), wire::kRefusedSeries);
  const auto rows = catalogue.take_new();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(rows[0].id, first);
  EXPECT_EQ(rows[1].id, second);
}

TEST(Catalogue, SeriesOfFormerLivesCountForTheAgentThatNamesThemAgain) {
  Catalogue catalogue{{2, 100}};
  catalogue.load(0, series(1).with("tenant", "clinic-a"));
  catalogue.load(1, series(2).with("tenant", "clinic-a"));
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(1)), 0U);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(1)), 0U);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(2)), 1U);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(3)), wire::kRefusedSeries);
  EXPECT_NE(catalogue.resolve(kA, kNode2, series(3)), wire::kRefusedSeries);
}

TEST(Catalogue, ForgetsASeriesThatIsQuietForTwoRoundsAndThatNoSessionMaySend) {
  Catalogue catalogue{{}};
  const auto named = catalogue.resolve(kA, kNode1, series(1));
  const auto free = catalogue.resolve(kA, kNode1, series(2));
  const auto active = catalogue.resolve(kA, kNode1, series(3));
  catalogue.release(std::vector{free, active});
  catalogue.retire(std::vector{named, free});
  EXPECT_TRUE(catalogue.unused().empty());
  catalogue.retire({});
  EXPECT_EQ(catalogue.unused(), std::vector{free});
  catalogue.erase(catalogue.unused());
  EXPECT_TRUE(catalogue.labels(free).empty());
  EXPECT_EQ(catalogue.size(), 2U);
  catalogue.release(std::vector{named});
  EXPECT_EQ(catalogue.unused(), std::vector{named});
  EXPECT_GT(catalogue.resolve(kA, kNode1, series(2)), active) << "a number is given once in a life";
}

TEST(Catalogue, ASeriesThatIsWantedWhileItsRowIsDroppedStaysAndIsWrittenAnew) {
  Catalogue catalogue{{}};
  const auto id = catalogue.resolve_own(series(1));
  (void)catalogue.take_new();
  catalogue.retire(std::vector{id});
  catalogue.retire({});
  const auto unused = catalogue.unused();
  ASSERT_EQ(unused, std::vector{id});
  EXPECT_EQ(catalogue.resolve_own(series(1)), id);
  catalogue.erase(unused);
  EXPECT_FALSE(catalogue.labels(id).empty());
  EXPECT_EQ(catalogue.take_new().size(), 1U);
}

TEST(Catalogue, ALeaseKeepsSeriesThatWereRetiredInItsTimeAndNoOthers) {
  Catalogue catalogue{{}};
  const LabelView quiet[] = {{"__name__", "quiet"}};
  const LabelView used[] = {{"__name__", "used"}};
  const auto before = catalogue.resolve_leased(kA, kNode1, quiet);
  catalogue.retire(std::vector{before});
  auto lease = catalogue.lease();
  const auto id = catalogue.resolve_leased(kA, kNode1, used);
  const auto copy = std::exchange(lease, catalogue.lease());
  catalogue.retire(std::vector{id});
  catalogue.retire({});
  EXPECT_EQ(catalogue.unused(), std::vector{before});
  catalogue.erase(std::vector{before, id});
  EXPECT_TRUE(catalogue.labels(before).empty());
  EXPECT_FALSE(catalogue.labels(id).empty());
  lease.reset();
  EXPECT_THAT(catalogue.unused(), IsEmpty()) << "the first lease has another holder";
}

TEST(Catalogue, ALeaseMayEndAfterTheCatalogue) {
  Leases::Lease lease;
  {
    const Catalogue catalogue{{}};
    lease = catalogue.lease();
  }
  lease.reset();
}

TEST(Catalogue, TheCollectorsOwnSeriesHaveNoCapAndNoTenant) {
  Catalogue catalogue{{0, 0}};
  const auto id = catalogue.resolve_own(series(1));
  EXPECT_NE(id, wire::kRefusedSeries);
  EXPECT_EQ(catalogue.labels(id), series(1));
  EXPECT_TRUE(catalogue.labels(99).empty());
}

TEST(Catalogue, OwnSeriesOfFormerLivesTakeNoPlaceOfTheTenantThatTheyName) {
  Catalogue catalogue{{100, 2}};
  const auto own = series(1).with("tenant", "clinic-a");
  catalogue.load(0, own);
  catalogue.load(1, series(2).with("tenant", "clinic-a"));
  EXPECT_EQ(catalogue.resolve_own(own), 0U);
  EXPECT_EQ(catalogue.resolve_own(own), 0U);
  EXPECT_NE(catalogue.resolve(kA, kNode1, series(3)), wire::kRefusedSeries);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(4)), wire::kRefusedSeries) << "one place came of it, not two";
}

TEST(Catalogue, AnOwnSeriesOfAFormerLifeThatFellSilentGivesItsPlaceBackOnce) {
  Catalogue catalogue{{100, 1}};
  const auto own = series(1).with("tenant", "clinic-a");
  catalogue.load(0, own);
  catalogue.retire(std::vector<SeriesId>{0});
  EXPECT_EQ(catalogue.resolve_own(own), 0U);
  EXPECT_NE(catalogue.resolve(kA, kNode1, series(2)), wire::kRefusedSeries);
  EXPECT_EQ(catalogue.resolve(kA, kNode1, series(3)), wire::kRefusedSeries);
}

}  // namespace
}  // namespace ward::collector
