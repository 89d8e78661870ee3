#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"
#include "tests/unit/probes/host/bad_texts.hpp"

namespace ward::test {
namespace {

using namespace probes::node;

Readings disks_of(FakeHost& host, Disks& disks) {
  Readings out;
  const auto got = disks.collect(host, out);
  EXPECT_TRUE(got) << (got ? "" : got.error().what);
  return out;
}

TEST(DiskCollector, ReadsAllColumnsOfANewKernel) {
  FakeHost host{
      {"/proc/diskstats",
       " 254 0 vda 78610 13230 4702066 19784 35606 11578 3131672 7280 3 12648 27752 6970 57 959160 589 2231 98\n"}};
  Disks disks;
  const auto out = disks_of(host, disks);
  const Labels vda{{"device", "vda"}};
  EXPECT_EQ(value_of(out, "node_disk_reads_completed_total", vda), 78610);
  EXPECT_EQ(value_of(out, "node_disk_read_bytes_total", vda), 4702066.0 * 512);
  EXPECT_EQ(value_of(out, "node_disk_read_time_seconds_total", vda), 19.784);
  EXPECT_EQ(value_of(out, "node_disk_written_bytes_total", vda), 3131672.0 * 512);
  EXPECT_EQ(value_of(out, "node_disk_io_now", vda), 3);
  EXPECT_EQ(value_of(out, "node_disk_io_time_seconds_total", vda), 12.648);
  EXPECT_EQ(value_of(out, "node_disk_io_time_weighted_seconds_total", vda), 27.752);
  EXPECT_EQ(value_of(out, "node_disk_discarded_sectors_total", vda), 959160);
  EXPECT_EQ(value_of(out, "node_disk_flush_requests_time_seconds_total", vda), 0.098);
  EXPECT_EQ(out.size(), 18U);
}

TEST(DiskCollector, LeavesOutColumnsAnOldKernelDoesNotHave) {
  FakeHost host{{"/proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n"}};
  Disks disks;
  const auto out = disks_of(host, disks);
  EXPECT_EQ(count_of(out, "node_disk_io_time_weighted_seconds_total"), 1U);
  EXPECT_EQ(count_of(out, "node_disk_discards_completed_total"), 0U);
}

TEST(DiskCollector, CountsWholeDisksOnly) {
  for (const auto* whole : {"sda", "vdb", "xvda", "nvme0n1", "dm-0", "md127", "sr0", "mmcblk0p1", "drbd0"})
    EXPECT_TRUE(counted_disk(whole)) << whole;
  for (const auto* part : {"sda1", "vdb12", "xvda1", "hdc3", "nvme0n1p2", "loop7", "ram0", "zram0", "fd0"})
    EXPECT_FALSE(counted_disk(part)) << part;
}

TEST(DiskCollector, AsksUdevEveryFiveMinutes) {
  FakeHost host{{"/proc/diskstats", "8 0 sda 1 2 3 4 5 6 7 8 9 10 11\n"},
                {"/run/udev/data/b8:0", "S:disk/by-id/x\nE:ID_MODEL=SAMSUNG\nE:ID_SERIAL_SHORT=S3X\nE:ID_WWN=0x5002\n"}};
  Disks disks;
  const Labels info{{"device", "sda"},    {"major", "8"},    {"minor", "0"},
                    {"model", "SAMSUNG"}, {"serial", "S3X"}, {"wwn", "0x5002"}};
  EXPECT_EQ(value_of(disks_of(host, disks), "node_disk_info", info), 1);
  host.time().advance(std::chrono::minutes{4});
  disks_of(host, disks);
  EXPECT_EQ(host.touched("/run/udev/data/b8:0"), 1);
  host.time().advance(std::chrono::minutes{2});
  disks_of(host, disks);
  EXPECT_EQ(host.touched("/run/udev/data/b8:0"), 2);
}

TEST(DiskCollector, RefusesMalformedText) {
  const auto parse = [](std::string_view text, Readings& out) {
    FakeHost host{{"/proc/diskstats", std::string(text)}};
    return Disks{}.collect(host, out);
  };
  expect_refused(parse,
                 {"", "8 0\n", "8 0 sda 1 2 3\n", "8 0 sda 1 2 3 4 5 6 7 8 9 x 11\n", "8 0 sda 1 2 3 4 5 6 7 8 -9 10 11\n"});
}

TEST(MdadmCollector, ReportsMissingAndFailedMembers) {
  Readings out;
  ASSERT_TRUE(
      parse_mdstat("Personalities : [raid1] [raid6]\n"
                   "md0 : active raid1 sdb1[1](F) sda1[0]\n      1047552 blocks super 1.2 [2/1] [U_]\n\n"
                   "md1 : active raid6 sdd[4](S) sdc[2] sdb[1] sda[0]\n      2096128 blocks level 6 [4/3] [UUU_]\n"
                   "      [==>..................]  recovery = 12.6% (37043392/292945152) finish=127.5min\n\n"
                   "unused devices: <none>\n",
                   out));
  EXPECT_EQ(value_of(out, "node_md_disks_required", {{"device", "md0"}}), 2);
  EXPECT_EQ(value_of(out, "node_md_disks", {{"device", "md0"}, {"state", "active"}}), 1);
  EXPECT_EQ(value_of(out, "node_md_disks", {{"device", "md0"}, {"state", "failed"}}), 1);
  EXPECT_EQ(value_of(out, "node_md_state", {{"device", "md0"}, {"state", "active"}}), 1);
  EXPECT_EQ(value_of(out, "node_md_disks", {{"device", "md1"}, {"state", "spare"}}), 1);
  EXPECT_EQ(value_of(out, "node_md_state", {{"device", "md1"}, {"state", "recovering"}}), 1);
  EXPECT_EQ(value_of(out, "node_md_state", {{"device", "md1"}, {"state", "active"}}), 0);
}

TEST(MdadmCollector, CountsTheMembersOfAStripe) {
  Readings out;
  ASSERT_TRUE(parse_mdstat("md2 : active raid0 sda[0] sdb[1]\n      8 blocks super 1.2 64k chunks\n", out));
  EXPECT_EQ(value_of(out, "node_md_disks_required", {{"device", "md2"}}), 2);
  EXPECT_EQ(value_of(out, "node_md_disks", {{"device", "md2"}, {"state", "active"}}), 2);
}

}  // namespace
}  // namespace ward::test
