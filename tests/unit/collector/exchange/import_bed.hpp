#pragma once
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/alerting/promql_expression.hpp"
#include "collector/exchange/imported.hpp"
#include "collector/promql/engine.hpp"
#include "collector/promql/parser.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/tsdb/head.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/collector/slo/engine_bed.hpp"

namespace ward::collector::exchange::test {

inline InputFile fixture(const std::string& name) {
  auto text = read_rule_file(std::string(WARD_SOURCE_DIR) + "/tests/data/import/" + name);
  EXPECT_TRUE(text) << name;
  return {name, text ? *text : std::string{}};
}

/// The rulebook that a text makes; its errors are the test's.
inline std::shared_ptr<const Rulebook> load(const std::string& text) {
  static ward::test::ManualClock clock{from_ms(0)};
  static const promql::Engine engine(clock);
  static const Head nothing;
  static const PromqlCompiler compiler(engine, nothing);
  const RuleText file{"out.yaml", text};
  const auto load = parse_rulebook({&file, 1}, compiler, RulebookOptions{}, read_rule_file);
  for (const auto& error : load.errors) ADD_FAILURE() << to_string(error) << "\n" << text;
  return load.book;
}
inline std::shared_ptr<const Rulebook> load(const Imported& made) { return load(write(made.documents)); }

inline const slo::SloSpec& slo_of(const Rulebook& book, const std::string& name) {
  for (const auto& spec : book.slos.slos)
    if (spec.name == name) return spec;
  ADD_FAILURE() << "no SLO " << name;
  static const slo::SloSpec kNone;
  return kNone;
}

/// "file:12: lost: ...", by file and line.
inline std::vector<std::string> lines(const Notes& notes) {
  std::vector<std::string> out;
  for (const auto& note : notes.sorted()) out.push_back(to_string(note));
  return out;
}

/// Three hours of counters, a sample a minute: {metric with labels -> growth a minute}.
struct Traffic {
  std::map<Labels, double> growth;
  /// The bad share of a tenant (or of all, "") that the SLO engine counts for `spec`.
  double counted(const slo::SloSpec& spec, const std::string& tenant = "") {
    slo::test::Bed bed({spec});
    fill(bed);
    for (const auto& budget : bed.engine->budgets())
      if (budget.group.get("tenant") == tenant) return budget.bad_events / budget.events;
    ADD_FAILURE() << "nothing counted";
    return -1;
  }
  /// What Prometheus' way of asking yields over the same samples.
  double asked(const std::string& query, const std::string& tenant = "") {
    slo::test::Bed bed(std::vector<slo::SloSpec>{});
    fill(bed);
    ward::test::ManualClock clock{bed.now};
    const promql::Engine engine(clock);
    const auto expr = promql::parse(query);
    EXPECT_TRUE(expr) << query;
    const auto value = engine.instant(*expr, bed.history, bed.now);
    EXPECT_TRUE(value) << query;
    for (const auto& element : std::get<promql::Vector>(*value))
      if (element.labels.get("tenant") == tenant) return element.value;
    ADD_FAILURE() << "nothing answered: " << query;
    return -1;
  }

 private:
  void fill(slo::test::Bed& bed) const {
    bed.start();
    std::map<Labels, double> at;
    for (int minute = 0; minute <= 180; ++minute) {
      for (const auto& [labels, each] : growth) bed.put(labels, bed.now, at[labels] += each);
      bed.tick();
      bed.now += std::chrono::minutes{1};
    }
    bed.now -= std::chrono::minutes{1};
  }
};

inline Labels series(const std::string& name, std::vector<Label> labels) {
  labels.emplace_back("__name__", name);
  return Labels{std::move(labels)};
}

}  // namespace ward::collector::exchange::test
