// What a review's proposals would have made of stored samples.
#include "cli/proposal_backtest.hpp"

#include <gmock/gmock.h>

#include "collector/tsdb/chunk.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::cli {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr Time kMidnight = from_ms(1'795'392'000'000);  // 2026-11-23

constexpr const char* kRules = R"(groups:
- name: g
  interval: 15s
  rules:
  - {alert: Down, expr: up == 0, for: 1m, labels: {class: actionable, owner: database, service: pg}}
---
kind: Operations
apiVersion: ward/v1
spec: {owners: {database: {receiver: pd-db}, platform: {receiver: pd-platform}}}
)";

/// Six hours of one series, with two outages: three minutes at 02:00 and twenty at 04:00.
class Outages final : public collector::SampleSource {
 public:
  Status open(Time from, std::function<bool(const Labels&)> wanted) override {
    ++plays;
    next_ = std::max(from, kMidnight - 2h);
    wanted_ = wanted(labels_);
    return {};
  }
  Status load(Time until, const Take& take) override {
    if (!wanted_) return {};
    while (next_ < until && next_ < kMidnight + 6h) {
      std::vector<Sample> samples;
      for (const auto end = next_ + 30min; next_ < end; next_ += 15s) {
        const auto t = next_ - kMidnight;
        const bool down = (t >= 2h && t < 2h + 3min) || (t >= 4h && t < 4h + 20min);
        samples.push_back({next_, down ? 0.0 : 1.0});
      }
      take(labels_, collector::encode_chunk(samples), samples);
    }
    return {};
  }
  int plays = 0;

 private:
  Labels labels_{{"__name__", "up"}, {"tenant", "a"}};
  bool wanted_ = false;
  Time next_;
};

class ProposalBacktest : public testing::Test {
 protected:
  Result<std::vector<TriedChange>> run(const std::vector<RuleChange>& changes, const char* rules = kRules) {
    TrialSetting setting{.patterns = {folder_.write("rules.yaml", rules)}, .options = {}, .external_url = {}, .time = {}};
    setting.time = {.since = kMidnight, .until = kMidnight + 6h, .step = 0ms};
    return try_changes(setting, changes, samples_);
  }
  const test::TempDir folder_{"proposals"};
  Outages samples_;
};

TEST_F(ProposalBacktest, ALongerForTellsOfTheLongOutageAlone) {
  const auto tried = run({{.rule = "Down", .remove = false, .hold = 5min}});
  ASSERT_TRUE(tried) << describe(tried.error());
  EXPECT_THAT(*tried, ElementsAre(TriedChange{.rule = "Down",
                                              .pages_before = 2,
                                              .pages_after = 1,
                                              .incidents_before = 2,
                                              .incidents_after = 1,
                                              .gone = 1,
                                              .fresh = 0}));
}

TEST_F(ProposalBacktest, WithoutTheRuleNothingIsTold) {
  const auto tried = run({{.rule = "Down", .remove = true, .hold = {}}});
  ASSERT_TRUE(tried) << describe(tried.error());
  ASSERT_EQ(tried->size(), 1U);
  EXPECT_EQ(tried->at(0).incidents_after, 0U);
  EXPECT_EQ(tried->at(0).gone, 2U);
}

TEST_F(ProposalBacktest, LeavesOutRulesThatAreNotThereAndPlaysNothingForThem) {
  EXPECT_THAT(run({{.rule = "Other", .remove = true, .hold = {}}}).value(), IsEmpty());
  EXPECT_EQ(samples_.plays, 0);
}

TEST_F(ProposalBacktest, SaysWhatIsWrongWithTheRules) {
  EXPECT_THAT(run({}, "groups: 7\n").error().what, HasSubstr("rules.yaml"));
  const auto nobody = run({}, "groups: []\n");
  ASSERT_FALSE(nobody);
  EXPECT_THAT(nobody.error().what, HasSubstr("nobody would be told of anything"));
}

}  // namespace
}  // namespace ward::cli
