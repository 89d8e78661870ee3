#include "collector/rulebook/decision_tree.hpp"

#include <gmock/gmock.h>

namespace ward::collector {
namespace {

using testing::HasSubstr;

constexpr const char* kPgDown = R"(
pg-down:
  replica: {check: min(pg_lag_seconds) < 30, then: failover, else: restore, title: standby lag < 30 s}
  failover: {do: runbooks/pg.md#failover, approve: database, verify: max(pg_up) == 1}
  restore: {do: runbooks/pg.md#pitr, title: restore to a point in time}
)";

struct Read {
  DecisionTree tree;
  std::string problems;
};

Read read(const std::string& yaml) {
  const auto documents = config::parse_yaml(yaml, "ops.yaml").value();
  config::Problems problems;
  config::Section section(documents.front(), "", problems);
  const TreeChecks checks{.flaw_of_query = [](const std::string& query) -> std::optional<std::string> {
                            return query == "nonsense" ? std::optional<std::string>{"1:1: parse error"} : std::nullopt;
                          },
                          .flaw_of_runbook = [](const std::string& runbook) -> std::optional<std::string> {
                            return runbook.starts_with("runbooks/pg.md#") ? std::nullopt
                                                                          : std::optional<std::string>{"no such runbook"};
                          }};
  auto tree = read_decision_tree("pg-down", section, checks);
  return {std::move(tree), problems.to_text()};
}

TEST(DecisionTree, ReadsNodesInTheOrderOfTheFile) {
  const auto [tree, problems] = read(kPgDown);
  EXPECT_EQ(problems, "");
  ASSERT_EQ(tree.nodes.size(), 3U);
  EXPECT_EQ(tree.nodes.front().name, "replica");
  EXPECT_EQ(tree.nodes.front().yes, "failover");
  EXPECT_EQ(tree.find("failover")->verify, "max(pg_up) == 1");
}

TEST(DecisionTree, FollowsTheAnswers) {
  const auto tree = read(kPgDown).tree;
  const auto yes = walk(tree, [](const std::string&) { return std::optional{true}; });
  EXPECT_EQ(in_words(tree, yes),
            "Decision tree pg-down: standby lag < 30 s: yes -> runbooks/pg.md#failover; needs approval by database.");
  const auto no = walk(tree, [](const std::string&) { return std::optional{false}; });
  EXPECT_EQ(in_words(tree, no),
            "Decision tree pg-down: standby lag < 30 s: no -> restore to a point in time (runbooks/pg.md#pitr).");
}

TEST(DecisionTree, StopsWhereNobodyKnowsTheAnswer) {
  const auto tree = read(kPgDown).tree;
  const auto lost = walk(tree, [](const std::string&) -> std::optional<bool> { return std::nullopt; });
  EXPECT_EQ(lost.leaf, nullptr);
  EXPECT_EQ(in_words(tree, lost), "Decision tree pg-down: standby lag < 30 s: no data, so look there yourself.");
}

TEST(DecisionTree, GoesItsOwnWayWhereNothingIsKnownIfItHasOne) {
  const auto tree = read(R"(
pg-down:
  replica: {check: a > 1, then: x, else: x, unknown: y}
  x: {do: 'runbooks/pg.md#x'}
  y: {do: 'runbooks/pg.md#y'}
)")
                        .tree;
  const auto lost = walk(tree, [](const std::string&) -> std::optional<bool> { return std::nullopt; });
  ASSERT_NE(lost.leaf, nullptr);
  EXPECT_EQ(lost.leaf->name, "y");
}

TEST(DecisionTree, RefusesWhatLeadsNowhere) {
  const std::pair<const char*, const char*> bad[] = {
      {"pg-down: {}", "has no nodes"},
      {"pg-down: {a: {check: x > 1, then: b, else: b}}", "ops.yaml:1:14: 'a' leads to 'b', which is no node"},
      {"pg-down: {a: {check: x > 1, then: b, else: c}, b: {check: y, then: a, else: c}, c: {do: 'runbooks/pg.md#c'}}",
       "'b' leads back to 'a'"},
      {"pg-down: {a: {do: 'runbooks/pg.md#a'}, b: {do: 'runbooks/pg.md#b'}}", "nothing leads to the node 'b'"},
      {"pg-down: {a: {check: nonsense, then: b, else: b}, b: {do: 'runbooks/pg.md#b'}}",
       "could not parse expression: 1:1: parse error"},
      {"pg-down: {a: {do: 'runbooks/gone.md#a'}}", "no such runbook"},
      {"pg-down: {a: {do: 'runbooks/pg.md#a', check: x, then: a, else: a}}", "must either ask ('check') or say what to do"},
      {"pg-down: {a: {title: t}}", "must either ask ('check') or say what to do"},
      {"pg-down: {a: {check: x > 1, then: b}, b: {do: 'runbooks/pg.md#b'}}", "else"},
      {"pg-down: {a: {do: 'runbooks/pg.md#a', aprove: me}}", "aprove"},
  };
  for (const auto& [yaml, message] : bad) EXPECT_THAT(read(yaml).problems, HasSubstr(message)) << yaml;
}

}  // namespace
}  // namespace ward::collector
