// The delivery invariants D1-D9 and D12 (facts: reliability 3.7) over thousands of virtual seconds of trouble, and the
// proof that the simulator would notice: each planted bug must be found.
#include <gtest/gtest.h>
#include <iostream>

#include "tests/sim/seeds.hpp"
#include "tests/sim/world.hpp"

namespace ward::sim {
namespace {

std::set<std::string> violations(std::uint64_t seed) {
  Settings settings;
  settings.seed = seed;
  World world(settings);
  world.run();
  return world.oracle().violations();
}

TEST(Delivery, KeepsItsInvariantsWhateverHappens) {
  const auto range = seeds(100);
  for (auto seed = range.first; seed <= range.last; ++seed)
    for (const auto& what : violations(seed)) ADD_FAILURE() << "seed " << seed << ": " << what;
}

TEST(Delivery, RunsTheSameForTheSameSeed) {
  for (const std::uint64_t seed : {3U, 17U, 99U}) {
    Settings settings;
    settings.seed = seed;
    World once(settings);
    once.run();
    const auto first = once.trace();
    World again(settings);
    again.run();
    EXPECT_EQ(first, again.trace()) << "seed " << seed;
  }
}

struct Plant {
  Planted bug;
  const char* name;
};

class PlantedBug : public testing::TestWithParam<Plant> {
 protected:
  void TearDown() override { planted_bug = Planted::none; }
};

TEST_P(PlantedBug, IsFoundWithinAThousandSeeds) {
  planted_bug = GetParam().bug;
  for (std::uint64_t seed = 1; seed <= 1'000; ++seed) {
    const auto found = violations(seed);
    if (found.empty()) continue;
    std::cout << GetParam().name << ": seed " << seed << ": " << *found.begin() << '\n';
    return;
  }
  FAIL() << "no seed finds it: the checkers are blind to '" << GetParam().name << "'";
}

INSTANTIATE_TEST_SUITE_P(
    All, PlantedBug,
    testing::Values(Plant{Planted::ack_before_commit, "ack_before_commit"},
                    Plant{Planted::reuse_incarnation, "reuse_incarnation"}, Plant{Planted::trim_at_sent, "trim_at_sent"},
                    Plant{Planted::trim_at_first_ack, "trim_at_first_ack"},
                    Plant{Planted::drop_spool_on_damage, "drop_spool_on_damage"},
                    Plant{Planted::retry_failed_commit, "retry_failed_commit"},
                    Plant{Planted::ack_failed_commit, "ack_failed_commit"}, Plant{Planted::forget_doubt, "forget_doubt"},
                    Plant{Planted::skip_settle, "skip_settle"}, Plant{Planted::count_whole_gap, "count_whole_gap"},
                    Plant{Planted::trust_damaged_series, "trust_damaged_series"},
                    Plant{Planted::resume_at_newest, "resume_at_newest"}, Plant{Planted::watermark_apart, "watermark_apart"},
                    Plant{Planted::forget_gap, "forget_gap"}, Plant{Planted::miscount_gap, "miscount_gap"},
                    Plant{Planted::drop_silently, "drop_silently"}, Plant{Planted::starve_backlog, "starve_backlog"},
                    Plant{Planted::never_sync_spool, "never_sync_spool"}, Plant{Planted::forget_tail, "forget_tail"}),
    [](const auto& plant) { return std::string(plant.param.name); });

}  // namespace
}  // namespace ward::sim
