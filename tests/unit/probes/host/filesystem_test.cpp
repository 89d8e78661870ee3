#include <gtest/gtest.h>

#include "probes/host/node.hpp"
#include "tests/support/fake_host.hpp"

namespace ward::test {
namespace {

using namespace probes::node;
using probes::FsStats;

TEST(Mountinfo, ReadsDeviceTypePointAndReadOnly) {
  const auto got = parse_mountinfo(
      "36 35 98:0 /mnt1 /mnt\\0402 rw,noatime master:1 shared:7 - ext3 /dev/root rw,errors=continue\n"
      "37 35 98:1 / /data ro,relatime - xfs /dev/sdb ro\n"
      "38 35 0:40 / /back\\134slash rw - nfs4 server:/a\\011b rw,ro_none\n");
  ASSERT_TRUE(got);
  EXPECT_EQ(*got, (std::vector<MountEntry>{{"/dev/root", "ext3", "/mnt 2", false},
                                           {"/dev/sdb", "xfs", "/data", true},
                                           {"server:/a\tb", "nfs4", "/back\\slash", false}}));
}

TEST(Mountinfo, RefusesMalformedLines) {
  for (const auto* text :
       {"36 35 98:0 / /mnt rw ext3 /dev/root rw\n", "36 35 98:0 /\n", "36 35 98:0 / /mnt rw - ext3\n", "x\n"}) {
    const auto got = parse_mountinfo(text);
    ASSERT_FALSE(got) << text;
    EXPECT_EQ(got.error().code, Errc::invalid);
  }
}

TEST(MountFilter, KnowsTreesChildrenAndTypes) {
  const MountFilter filter{{"/dev", "/var/lib/docker/*", "tmpfs"}};
  const auto excluded = [&](std::string point, std::string type = "ext4") {
    return filter.excludes({"/dev/sda", std::move(type), std::move(point)});
  };
  EXPECT_TRUE(excluded("/dev"));
  EXPECT_TRUE(excluded("/dev/shm"));
  EXPECT_FALSE(excluded("/devices"));
  EXPECT_TRUE(excluded("/var/lib/docker/overlay2/a"));
  EXPECT_FALSE(excluded("/var/lib/docker"));
  EXPECT_TRUE(excluded("/anything", "tmpfs"));
  EXPECT_FALSE(excluded("/"));
}

/// Only the file system collector of the node probe.
probes::ProbeOutput collect_mounts(FakeHost& host) {
  probes::NodeOptions options;
  for (const auto name : probes::node_collectors())
    if (name != "filesystem") options.exclude.emplace(name);
  const auto probe = probes::make_node(std::move(options));
  return collect(*probe, host);
}

constexpr FsStats kRoot{.size_bytes = 1000, .free_bytes = 400, .avail_bytes = 300, .files = 50, .files_free = 20};
const Labels kRootLabels{{"device", "/dev/vda"}, {"fstype", "ext4"}, {"mountpoint", "/"}};

TEST(FilesystemCollector, ReportsSpaceAndInodes) {
  FakeHost host{{"/proc/1/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n23 22 0:21 / /proc rw - proc proc rw\n"}};
  host.mount("/", kRoot);
  const auto got = collect_mounts(host);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_size_bytes", kRootLabels), 1000);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_free_bytes", kRootLabels), 400);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_avail_bytes", kRootLabels), 300);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_files", kRootLabels), 50);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_files_free", kRootLabels), 20);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_readonly", kRootLabels), 0);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_device_error", kRootLabels), 0);
  EXPECT_EQ(host.touched("/proc"), 0);
}

TEST(FilesystemCollector, ReportsAHungMountAndAllOthers) {
  FakeHost host{{"/proc/1/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n24 22 0:30 / /backup rw - nfs4 nas:/b rw\n"}};
  host.mount("/", kRoot).mount("/backup", fail(Errc::timed_out, "/backup: the mount does not answer", ""));
  const auto got = collect_mounts(host);
  const Labels nfs{{"device", "nas:/b"}, {"fstype", "nfs4"}, {"mountpoint", "/backup"}};
  EXPECT_EQ(value_of(got.readings, "node_filesystem_device_error", nfs), 1);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_size_bytes", nfs), std::nullopt);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_size_bytes", kRootLabels), 1000);
  EXPECT_EQ(value_of(got.readings, "node_scrape_collector_success", {{"collector", "filesystem"}}), 1);
}

TEST(FilesystemCollector, AsksOnceForAPointMountedTwice) {
  FakeHost host{{"/proc/1/mountinfo", "22 1 8:1 / /data rw - ext4 /dev/old rw\n23 22 8:2 / /data ro - xfs /dev/new rw\n"}};
  host.mount("/data", kRoot);
  const auto got = collect_mounts(host);
  EXPECT_EQ(host.touched("/data"), 1);
  EXPECT_EQ(value_of(got.readings, "node_filesystem_readonly",
                     {{"device", "/dev/new"}, {"fstype", "xfs"}, {"mountpoint", "/data"}}),
            1);
  EXPECT_EQ(count_of(got.readings, "node_filesystem_size_bytes"), 1U);
}

TEST(FilesystemCollector, FallsBackToItsOwnMountsWhenProcessOneIsHidden) {
  FakeHost host{{"/proc/self/mountinfo", "22 1 254:0 / / rw - ext4 /dev/vda rw\n"}};
  host.break_path("/proc/1/mountinfo", {Errc::denied, "/proc/1/mountinfo: Permission denied", ""}).mount("/", kRoot);
  EXPECT_EQ(value_of(collect_mounts(host).readings, "node_filesystem_size_bytes", kRootLabels), 1000);
}

}  // namespace
}  // namespace ward::test
