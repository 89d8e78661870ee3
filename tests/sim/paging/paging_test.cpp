// Paging under everything that can go wrong (facts: reliability 4, P1 to P8): rules, incidents, escalations, silences and
// the outbox on a simulated disk, judged by what was broken and what receivers took; and the proof that the judge would
// notice: each planted bug must be found.
#include <gtest/gtest.h>
#include <iostream>

#include "common/base/planted.hpp"
#include "tests/sim/paging/paging_world.hpp"
#include "tests/sim/seeds.hpp"

namespace ward::sim::paging {
namespace {

std::set<std::string> violations(std::uint64_t seed) {
  PagingSettings settings;
  settings.seed = seed;
  PagingWorld world(settings);
  world.run();
  return world.oracle().violations();
}

TEST(Paging, KeepsItsInvariantsWhateverHappens) {
  const auto range = seeds(25);
  for (auto seed = range.first; seed <= range.last; ++seed)
    for (const auto& what : violations(seed)) ADD_FAILURE() << "seed " << seed << ": " << what;
}

TEST(Paging, RunsTheSameForTheSameSeed) {
  for (const std::uint64_t seed : {3U, 8U}) {
    PagingSettings settings;
    settings.seed = seed;
    PagingWorld once(settings);
    once.run();
    PagingWorld again(settings);
    again.run();
    EXPECT_EQ(once.oracle().trace(), again.oracle().trace()) << "seed " << seed;
    EXPECT_GT(once.oracle().pages_taken(), 0U);
    EXPECT_GT(once.lives(), 1U);
  }
}

struct Plant {
  Planted bug;
  const char* name;
  std::uint64_t found_by;  ///< the first seed that found it: tried first, for a search takes minutes
};

class PlantedPagingBug : public testing::TestWithParam<Plant> {
 protected:
  void TearDown() override { planted_bug = Planted::none; }
};

TEST_P(PlantedPagingBug, IsFoundWithinAThousandSeeds) {
  planted_bug = GetParam().bug;
  for (std::uint64_t i = 0; i <= 1'000; ++i) {
    const auto seed = i == 0 ? GetParam().found_by : i;
    const auto found = violations(seed);
    if (found.empty()) continue;
    std::cout << GetParam().name << ": seed " << seed << ": " << *found.begin() << '\n';
    return;
  }
  FAIL() << "no seed finds it: the checkers are blind to '" << GetParam().name << "'";
}

INSTANTIATE_TEST_SUITE_P(All, PlantedPagingBug,
                         testing::Values(Plant{Planted::forget_hold_on_reload, "forget_hold_on_reload", 9},
                                         Plant{Planted::forget_hold_at_restart, "forget_hold_at_restart", 3},
                                         Plant{Planted::accept_before_commit, "accept_before_commit", 1},
                                         Plant{Planted::step_apart, "step_apart", 64},
                                         Plant{Planted::end_unstored, "end_unstored", 7},
                                         Plant{Planted::forget_ack, "forget_ack", 2},
                                         Plant{Planted::ack_outlives_class, "ack_outlives_class", 5},
                                         Plant{Planted::step_counts_from_opening, "step_counts_from_opening", 52},
                                         Plant{Planted::forget_told, "forget_told", 1},
                                         Plant{Planted::silence_swallows_end, "silence_swallows_end", 31},
                                         Plant{Planted::end_for_first_alone, "end_for_first_alone", 1},
                                         Plant{Planted::dedup_follows_merge, "dedup_follows_merge", 7},
                                         Plant{Planted::update_replaces_page, "update_replaces_page", 17},
                                         Plant{Planted::page_in_flight_counts, "page_in_flight_counts", 56},
                                         Plant{Planted::second_channel_after_end, "second_channel_after_end", 57},
                                         Plant{Planted::drop_on_reload, "drop_on_reload", 8},
                                         Plant{Planted::give_up_retrying, "give_up_retrying", 14},
                                         Plant{Planted::record_before_reply, "record_before_reply", 1}),
                         [](const auto& plant) { return std::string(plant.param.name); });

}  // namespace
}  // namespace ward::sim::paging
