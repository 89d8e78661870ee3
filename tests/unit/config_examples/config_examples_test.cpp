// The commented examples under config/ are what users copy: they must load, and show every probe.
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>

#include "agent/config.hpp"
#include "collector/alerting/promql_expression.hpp"
#include "collector/config.hpp"
#include "collector/notify/channel.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "collector/tsdb/queryable.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/support/processes.hpp"

namespace ward {
namespace {

using testing::IsEmpty;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

/// A copy of one example in a folder where the secrets it names exist and `rules` is the shipped folder.
class Installed {
 public:
  explicit Installed(const std::string& name) : folder_("config-example") {
    const auto text = text_of(std::filesystem::path(WARD_SOURCE_DIR) / "config" / name);
    std::filesystem::create_directory(folder_ / "secrets");
    std::filesystem::create_directory_symlink(std::filesystem::path(WARD_SOURCE_DIR) / "rules", folder_ / "rules");
    constexpr std::string_view kSecret = "file: secrets/";
    for (auto at = text.find(kSecret); at != std::string::npos; at = text.find(kSecret, at + 1)) {
      const auto from = at + kSecret.size() - std::string_view("secrets/").size();
      const auto file = text.substr(from, text.find_first_not_of("abcdefghijklmnopqrstuvwxyz-/", from) - from);
      folder_.write(file, made_up(file));
    }
    path_ = folder_.write(name, text);
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  /// Some secrets have a form.
  static std::string made_up(const std::string& file) {
    if (file.ends_with("-url")) return "https://made.up.example/for/a/test\n";
    if (file.ends_with("-routing-key")) return "made-up-for-a-test-0123456789abc\n";
    return "made up for a test: " + file + "\n";
  }

  test::TempDir folder_;
  std::string path_;
};

class EmptyStore final : public collector::Queryable {
 public:
  [[nodiscard]] Result<std::vector<collector::SeriesData>> select(std::span<const collector::Matcher>, Time,
                                                                  Time) const override {
    return std::vector<collector::SeriesData>{};
  }
};

TEST(AgentExample, LoadsAndShowsEveryProbe) {
  const Installed example("agent.yaml");
  const auto config = agent::load_agent_config(example.path());
  ASSERT_TRUE(config) << config.error().what;
  std::vector<std::string_view> missing;
  for (const auto& kind : probes::all_probes())
    if (std::none_of(config->targets.begin(), config->targets.end(),
                     [&](const auto& t) { return t.kind->name == kind.name; }))
      missing.push_back(kind.name);
  EXPECT_THAT(missing, IsEmpty());
}

TEST(AgentExample, ShowsTheDefaultRhythmOfEveryProbe) {
  const Installed example("agent.yaml");
  const auto config = agent::load_agent_config(example.path());
  ASSERT_TRUE(config) << config.error().what;
  for (const auto& target : config->targets) {
    EXPECT_EQ(target.interval, target.kind->interval) << target.kind->name;
    EXPECT_EQ(target.deadline, target.kind->deadline) << target.kind->name;
    EXPECT_EQ(target.labels.get("job"), target.kind->job) << target.kind->name;
  }
}

TEST(CollectorExample, Loads) {
  const Installed example("collector.yaml");
  const auto config = collector::load_collector_config(example.path());
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_TRUE(config->watchdog.has_value());
}

TEST(CollectorExample, ShowsEveryChannel) {
  const Installed example("collector.yaml");
  const auto config = collector::load_collector_config(example.path());
  ASSERT_TRUE(config) << config.error().what;
  std::vector<std::string_view> missing;
  for (const auto& kind : collector::all_channels())
    if (std::none_of(config->receivers.begin(), config->receivers.end(), [&](const auto& r) { return r.kind == kind.name; }))
      missing.push_back(kind.name);
  EXPECT_THAT(missing, IsEmpty());
}

TEST(CollectorExample, ShowsTheDefaults) {
  const Installed example("collector.yaml");
  const auto config = collector::load_collector_config(example.path());
  ASSERT_TRUE(config) << config.error().what;
  const collector::CollectorConfig usual;
  EXPECT_EQ(config->retention.samples, usual.retention.samples);
  EXPECT_EQ(config->retention.size, usual.retention.size);
  EXPECT_EQ(config->retention.events, usual.retention.events);
  EXPECT_EQ(config->max_sample_age, usual.max_sample_age);
  EXPECT_EQ(config->caps.per_agent, usual.caps.per_agent);
  EXPECT_EQ(config->caps.per_tenant, usual.caps.per_tenant);
  EXPECT_EQ(config->evaluation_interval, usual.evaluation_interval);
  EXPECT_EQ(config->correlation, usual.correlation);
  EXPECT_EQ(config->heartbeat, usual.heartbeat);
}

TEST(CollectorExample, NamesRulesThatLoad) {
  const Installed example("collector.yaml");
  const auto config = collector::load_collector_config(example.path());
  ASSERT_TRUE(config) << config.error().what;
  const test::ManualClock clock;
  const EmptyStore store;
  promql::Engine engine{clock};
  const collector::PromqlCompiler compiler{engine, store};
  const auto loaded = collector::load_rulebook(config->rule_patterns, compiler, {});
  ASSERT_NE(loaded.book, nullptr) << loaded.to_error().what;
  EXPECT_THAT(loaded.warnings, IsEmpty());
  EXPECT_FALSE(loaded.book->rules->groups.empty());
}

}  // namespace
}  // namespace ward
