// The packs under rules/ load with Ward's own loader and behave over a real store's face.
#include <algorithm>
#include <gmock/gmock.h>

#include "collector/alerting/engine.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/alerting/rule_file.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/collector/alerting/fake_expressions.hpp"

namespace ward::collector {
namespace {

using std::chrono::seconds;
using testing::ElementsAre;
using testing::IsEmpty;

/// A store that holds what the test put in.
class MemoryStore final : public Queryable {
 public:
  void add(const Labels& labels, Time t, double v) { series_[labels].push_back({t, v}); }
  [[nodiscard]] Result<std::vector<SeriesData>> select(std::span<const Matcher> matchers, Time from,
                                                       Time to) const override {
    std::vector<SeriesData> out;
    for (const auto& series : series_) {
      const auto& labels = series.first;  // Clang 14 takes no structured binding into a lambda
      const bool wanted =
          std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) { return m.matches(labels.get(m.name())); });
      SeriesData data{labels, {}};
      for (const auto& s : series.second)
        if (s.t >= from && s.t <= to) data.samples.push_back(s);
      if (wanted && !data.samples.empty()) out.push_back(std::move(data));
    }
    return out;
  }

 private:
  std::map<Labels, std::vector<Sample>> series_;
};

class ShippedRules : public testing::Test {
 protected:
  RuleLoad load(const std::string& pack) {
    const std::vector<std::string> patterns{std::string(WARD_SOURCE_DIR) + "/rules/" + pack};
    return load_rules(patterns, compiler_, {});
  }

  test::ManualClock clock_;
  MemoryStore store_;
  promql::Engine promql_{clock_};
  PromqlCompiler compiler_{promql_, store_};
  test::RecordedOutput output_;
};

TEST_F(ShippedRules, LoadWithoutProblem) {
  const auto loaded = load("*.yaml");
  ASSERT_THAT(loaded.errors, IsEmpty()) << loaded.to_error().what;
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_GE(loaded.rules->groups.size(), 10U);
}

TEST_F(ShippedRules, CarryAllThatAPageNeeds) {
  const auto loaded = load("*.yaml");
  ASSERT_NE(loaded.rules, nullptr);
  const auto has = [](const auto& texts, std::string_view name) {
    return std::any_of(texts.begin(), texts.end(), [&](const auto& t) { return t.first == name; });
  };
  for (const auto& group : loaded.rules->groups) {
    for (const auto& rule : group.rules) {
      if (rule.kind != Rule::Kind::alert) continue;
      for (const char* label : {"class", "layer", "owner", "service"})
        EXPECT_TRUE(has(rule.labels, label)) << rule.generator;
      for (const char* name : {"summary", "description", "runbook_url"})
        EXPECT_TRUE(has(rule.annotations, name)) << rule.generator;
    }
  }
}

TEST_F(ShippedRules, EvaluateUrgentOnesOnArrivalOfTheirMetrics) {
  const auto loaded = load("*.yaml");
  ASSERT_NE(loaded.rules, nullptr);
  RuleEngine engine(make_rule_context(compiler_, {}, {}), clock_, output_);
  engine.reload(loaded.rules, clock_.wall());
  for (const char* metric : {"pg_up", "redis_up", "probe_success", "odoo_up_listening", "ward_agent_last_seen_seconds"}) {
    const std::vector<std::string> metrics{metric};
    EXPECT_THAT(engine.groups_reading(metrics), testing::Not(IsEmpty())) << metric;
  }
}

TEST_F(ShippedRules, PageForAPrimaryThatStopsTheMomentItsHoldEnds) {
  const auto loaded = load("postgres.yaml");
  ASSERT_NE(loaded.rules, nullptr);
  RuleEngine engine(make_rule_context(compiler_, {}, {}), clock_, output_);
  engine.reload(loaded.rules, clock_.wall());
  const auto put = [&](const char* metric, const Labels& labels, double v) {
    store_.add(labels.with(kNameLabel, metric), clock_.wall(), v);
  };
  put("pg_up", {{"instance", "db1"}, {"role", "primary"}}, 0);
  put("pg_up", {{"instance", "db2"}, {"role", "standby"}}, 1);
  put("ward_probe_failure_info", {{"instance", "db1"}, {"probe", "postgres"}, {"reason", "connect_refused"}}, 1);

  const std::vector<std::string> arrived{"pg_up"};
  const auto groups = engine.groups_reading(arrived);
  ASSERT_THAT(groups, testing::SizeIs(1));
  auto events = engine.evaluate(groups[0], clock_.wall());
  ASSERT_EQ(events.size(), 1U);
  EXPECT_EQ(events[0].phase, AlertPhase::pending);
  const auto began = clock_.wall();
  while (engine.current()[0].phase == AlertPhase::pending) {
    clock_.advance(engine.next_wake(clock_.wall()) - clock_.wall());
    for (const auto group : engine.due(clock_.wall())) events = engine.evaluate(group, clock_.wall());
    ASSERT_LT(clock_.wall(), began + seconds(60));
  }
  const auto alert = engine.current()[0];
  EXPECT_EQ(alert.fired_at - alert.active_at, seconds(5));
  EXPECT_EQ(alert.labels.get("alertname"), "PgPrimaryDown");
  EXPECT_EQ(alert.annotations.get("description"),
            "The primary at db1 does not answer (connect_refused). Nobody can work in Odoo until it is back or a standby is "
            "promoted. Standby db2 answers.");
}

}  // namespace
}  // namespace ward::collector
