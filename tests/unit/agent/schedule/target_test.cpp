// What agent.yaml says of its targets, and which of two files' targets are the same.
#include "agent/schedule/target.hpp"

#include <gmock/gmock.h>

#include "tests/support/processes.hpp"

namespace ward::agent {
namespace {

using std::chrono::seconds;
using testing::SizeIs;

struct Read {
  std::vector<Target> targets;
  std::string problems;
};

Read read_file(const std::string& text, const std::string& file = "agent.yaml") {
  const auto documents = config::parse_yaml(text, file);
  if (!documents) throw std::logic_error(documents.error().what);
  config::Problems problems;
  config::Section root(documents->front(), "", problems);
  Read out;
  out.targets = read_targets(root.children("targets"), TenantId{"clinic-a"});
  root.close();
  out.problems = problems.to_text();
  return out;
}
Read read(const std::string& targets) { return read_file("targets:\n" + targets); }

TEST(Target, TakesRhythmJobAndTenantFromTheProbeAndTheAgentUnlessItNamesThem) {
  const auto got = read(
      "- {probe: tcp, name: a, address: '127.0.0.1:1'}\n"
      "- {probe: tcp, name: b, address: '127.0.0.1:1', interval: 20s, deadline: 4s, job: gate,\n"
      "   tenant: clinic-b, labels: {service: odoo}}\n");
  ASSERT_EQ(got.problems, "");
  ASSERT_THAT(got.targets, SizeIs(2));
  const auto& a = got.targets[0];
  EXPECT_EQ(a.interval, a.kind->interval);
  EXPECT_EQ(a.deadline, a.kind->deadline);
  EXPECT_EQ(a.tenant, TenantId{"clinic-a"});
  EXPECT_EQ(a.labels, (Labels{{"instance", "a"}, {"job", "blackbox"}}));
  const auto& b = got.targets[1];
  EXPECT_EQ(b.interval, seconds(20));
  EXPECT_EQ(b.deadline, seconds(4));
  EXPECT_EQ(b.tenant, TenantId{"clinic-b"});
  EXPECT_EQ(b.labels, (Labels{{"instance", "b"}, {"job", "gate"}, {"service", "odoo"}}));
}

TEST(Target, TellsItsProbeWhatItMeasuresFor) {
  const auto got = read("- {probe: scrape, name: a, url: 'http://127.0.0.1:1/metrics', deadline: 4s}\n");
  ASSERT_EQ(got.problems, "");
  ASSERT_THAT(got.targets, SizeIs(1));
  EXPECT_THAT(got.targets[0].probe->on_deadline(), testing::Contains(Reading{"scrape_duration_seconds", {}, 4}));
}

TEST(Target, HasNoDeadlineBeyondItsInterval) {
  const auto got = read("- {probe: tcp, name: a, address: '127.0.0.1:1', interval: 2s}\n");
  ASSERT_THAT(got.targets, SizeIs(1));
  EXPECT_EQ(got.targets[0].deadline, seconds(2));
}

struct Mistake {
  std::string name, targets, line;
};
std::ostream& operator<<(std::ostream& out, const Mistake& m) { return out << m.name; }

const std::string kGood = "- {probe: tcp, name: a, address: '127.0.0.1:1'";

std::string probe_names() {
  std::string names;
  for (const auto& kind : probes::all_probes()) names += (names.empty() ? "" : ", ") + std::string(kind.name);
  return names;
}

class TargetMistake : public testing::TestWithParam<Mistake> {};

TEST_P(TargetMistake, IsOneLineWithThePlaceAndTheMend) { EXPECT_EQ(read(GetParam().targets).problems, GetParam().line); }

INSTANTIATE_TEST_SUITE_P(
    All, TargetMistake,
    testing::Values(
        Mistake{"NoProbe", "- {name: a}\n", "agent.yaml:2:3: the key 'probe' is missing in 'targets[0]'. Add it."},
        Mistake{"UnknownProbe", "- {probe: tpc, name: a}\n",
                "agent.yaml:2:11: there is no probe 'tpc'; did you mean 'tcp'? Use one of: " + probe_names() + "."},
        Mistake{"NoName", "- {probe: tcp, address: '127.0.0.1:1'}\n",
                "agent.yaml:2:3: the key 'name' is missing in 'targets[0]'. Add it."},
        Mistake{"UnknownKey", kGood + ", intervall: 5s}\n",
                "agent.yaml:2:49: unknown key 'intervall' in 'targets[0]'; did you mean 'interval'? Correct or remove it."},
        Mistake{"BadInterval", kGood + ", interval: often}\n",
                "agent.yaml:2:59: 'interval' must be a duration, but is 'often'. Write it like 15s, 500ms, 1h30m or 2w."},
        Mistake{"ShortInterval", kGood + ", interval: 10ms}\n",
                "agent.yaml:2:59: 'interval' is 10ms, shorter than 100ms. Set it to 100ms or more."},
        Mistake{"ZeroDeadline", kGood + ", deadline: 0s}\n",
                "agent.yaml:2:59: 'deadline' is 0s, shorter than 50ms. Set it to 50ms or more."},
        Mistake{"DeadlineBeyondInterval", kGood + ", interval: 1s, deadline: 2s}\n",
                "agent.yaml:2:73: the deadline is longer than the interval. Set deadline to at most the interval, so that "
                "runs never overlap."},
        Mistake{"BadTenant", kGood + ", tenant: Clinic A}\n",
                "agent.yaml:2:57: tenant name 'Clinic A' is not allowed. Use 1 to 63 of a-z, 0-9, '-' and '.', starting and "
                "ending with a letter or digit."},
        Mistake{"ReservedLabel", kGood + ", labels: {instance: x}}\n",
                "agent.yaml:2:58: label name 'instance' is not allowed. Use letters, digits and '_', not starting with a "
                "digit; job, instance, tenant, agent and probe are set by Ward."},
        Mistake{"BadLabel", kGood + ", labels: {a-b: x}}\n",
                "agent.yaml:2:58: label name 'a-b' is not allowed. Use letters, digits and '_', not starting with a digit; "
                "job, instance, tenant, agent and probe are set by Ward."},
        Mistake{"SameNameTwice", kGood + "}\n" + kGood + "}\n",
                "agent.yaml:3:22: a second target 'a' of probe tcp. Give each target of a probe its own name."},
        Mistake{"NotAMapping", "- tcp\n",
                "agent.yaml:2:3: 'targets[0]' must be a mapping, not a single value. Write it as 'key: value' lines."},
        Mistake{"NoAddress", "- {probe: tcp, name: a}\n",
                "agent.yaml:2:3: the key 'address' is missing in 'targets[0]'. Add it."}),
    [](const auto& tested) { return tested.param.name; });

TEST(Target, MayShareItsNameWithATargetOfAnotherProbe) {
  EXPECT_EQ(read(kGood + "}\n- {probe: dns, name: a, query: x.example}\n").problems, "");
}

bool same(const std::string& before, const std::string& after) {
  const auto a = read(before), b = read(after);
  if (a.targets.size() != 1 || b.targets.size() != 1) throw std::logic_error(a.problems + b.problems);
  return same_target(a.targets[0], b.targets[0]);
}

TEST(Target, IsTheSameWhenItsSectionSaysTheSame) {
  EXPECT_TRUE(same(kGood + "}\n", "# a comment\n\n- probe: tcp\n  name: a\n  address: '127.0.0.1:1'\n"));
  EXPECT_FALSE(same(kGood + "}\n", kGood + ", interval: 1m}\n"));
  EXPECT_FALSE(same(kGood + "}\n", kGood + ", expect: hello}\n"));
  EXPECT_FALSE(same(kGood + "}\n", kGood + ", labels: {service: odoo}}\n"));
}

TEST(Target, IsAnotherWhenTheSecretItNamesHasChanged) {
  const test::TempDir folder("target");
  folder.write("password", "first");
  const std::string text = "targets:\n- {probe: redis, name: a, host: localhost, password: {file: password}}\n";
  const auto file = (folder / "agent.yaml").string();
  const auto before = read_file(text, file), again = read_file(text, file);
  ASSERT_EQ(before.problems, "");
  EXPECT_TRUE(same_target(before.targets[0], again.targets[0]));
  folder.write("password", "second");
  const auto after = read_file(text, file);
  EXPECT_FALSE(same_target(before.targets[0], after.targets[0]));
  EXPECT_TRUE(same_series(before.targets[0], after.targets[0]));
}

}  // namespace
}  // namespace ward::agent
