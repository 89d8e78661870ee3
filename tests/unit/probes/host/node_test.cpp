#include "probes/host/node.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"
#include "tests/support/probe_config.hpp"

namespace ward::test {
namespace {

const std::string kMachine = std::string(WARD_SOURCE_DIR) + "/tests/data/proc/vm-debian12.txt";

FakeHost& recorded(FakeHost& host) {
  host.load(kMachine).mount("/", probes::FsStats{.size_bytes = 100, .free_bytes = 50});
  return host;
}

TEST(NodeProbe, ReportsEveryCollectorOfARecordedMachine) {
  FakeHost host;
  const auto probe = probes::make_node({});
  const auto got = collect(*probe, recorded(host));
  EXPECT_FALSE(got.failure) << got.failure->error.what;
  for (const auto name : probes::node_collectors()) {
    const double expected = name == "schedstat" || name == "mdadm" ? 0 : 1;  // this kernel has neither file
    EXPECT_EQ(value_of(got.readings, "node_scrape_collector_success", {{"collector", std::string(name)}}), expected) << name;
  }
}

TEST(NodeProbe, DescribesEveryMetricItEmits) {
  FakeHost host;
  const auto probe = probes::make_node({});
  const auto metrics = probes::node_metrics();
  for (const auto& reading : collect(*probe, recorded(host)).readings)
    EXPECT_NE(std::ranges::find(metrics, reading.metric, &MetricMeta::name), metrics.end()) << reading.metric;
}

TEST(NodeProbe, NamesEverySeriesOnce) {
  FakeHost host;
  const auto probe = probes::make_node({});
  auto readings = collect(*probe, recorded(host)).readings;
  for (auto& reading : readings) reading.labels.set(kNameLabel, reading.metric);
  std::ranges::sort(readings, {}, &Reading::labels);
  const auto twice = std::ranges::adjacent_find(readings, {}, &Reading::labels);
  EXPECT_EQ(twice, readings.end()) << to_string(twice->labels);
}

TEST(NodeProbe, ReadsProcStatOnce) {
  FakeHost host;
  const auto probe = probes::make_node({});
  collect(*probe, recorded(host));
  EXPECT_EQ(host.touched("/proc/stat"), 1);
}

TEST(NodeProbe, LosesOnlyTheReadingsOfABrokenCollector) {
  FakeHost host;
  recorded(host).set("/proc/meminfo", "MemTotal: 5 kB\nMemFree: broken kB\n");
  const auto probe = probes::make_node({});
  const auto got = collect(*probe, host);
  EXPECT_EQ(count_of(got.readings, "node_memory_MemTotal_bytes"), 0U);
  EXPECT_EQ(value_of(got.readings, "node_scrape_collector_success", {{"collector", "meminfo"}}), 0);
  EXPECT_EQ(count_of(got.readings, "node_load1"), 1U);
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->reason, probes::FailureReason::protocol);
  EXPECT_NE(got.failure->error.what.find("meminfo"), std::string::npos);
}

TEST(NodeProbe, DoesNotFailForWhatAMachineMayLack) {
  FakeHost host;
  recorded(host).erase("/proc/pressure").erase("/proc/sys/net/netfilter").erase("/sys/class/net");
  const auto probe = probes::make_node({});
  const auto got = collect(*probe, host);
  EXPECT_FALSE(got.failure);
  EXPECT_EQ(value_of(got.readings, "node_scrape_collector_success", {{"collector", "pressure"}}), 0);
}

TEST(NodeProbe, SaysWhyWhenTheMachineCannotBeRead) {
  FakeHost host;
  recorded(host).break_path("/proc/stat", {Errc::denied, "/proc/stat: Permission denied", ""});
  const auto probe = probes::make_node({});
  const auto got = collect(*probe, host);
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->reason, probes::FailureReason::permission);
}

TEST(NodeProbe, LeavesOutExcludedCollectors) {
  FakeHost host;
  probes::NodeOptions options;
  options.exclude = {"cpu", "netdev"};
  const auto probe = probes::make_node(options);
  const auto got = collect(*probe, recorded(host));
  EXPECT_EQ(count_of(got.readings, "node_cpu_seconds_total"), 0U);
  EXPECT_EQ(count_of(got.readings, "node_network_receive_bytes_total"), 0U);
  EXPECT_EQ(value_of(got.readings, "node_scrape_collector_success", {{"collector", "cpu"}}), std::nullopt);
}

TEST(NodeProbe, TakesItsExclusionsFromTheSection) {
  FakeHost host;
  const auto made =
      configure("node", "collectors: {exclude: [cpu]}\nfilesystem_exclude: [ext4, /backup]\nnetwork_exclude: [lo]\n");
  ASSERT_TRUE(made.probe) << made.problems;
  const auto got = collect(*made.probe, recorded(host));
  EXPECT_EQ(count_of(got.readings, "node_cpu_seconds_total"), 0U);
  EXPECT_EQ(count_of(got.readings, "node_filesystem_size_bytes"), 0U);
  EXPECT_EQ(value_of(got.readings, "node_network_receive_bytes_total", {{"device", "lo"}}), std::nullopt);
}

TEST(NodeProbe, RefusesAnUnknownCollector) {
  const auto made = configure("node", "collectors: {exclude: [cpus]}\n");
  EXPECT_FALSE(made.probe);
  EXPECT_NE(made.problems.find("'cpus' is no collector"), std::string::npos) << made.problems;
}

}  // namespace
}  // namespace ward::test
