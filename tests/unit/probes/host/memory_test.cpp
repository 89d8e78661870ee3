#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"
#include "tests/unit/probes/host/bad_texts.hpp"

namespace ward::test {
namespace {

using namespace probes::node;

TEST(MeminfoCollector, NamesFieldsAsNodeExporter) {
  Readings out;
  ASSERT_TRUE(
      parse_meminfo("MemTotal:       15666184 kB\nActive(anon):    9208920 kB\nCommitted_AS:    5000 kB\n"
                    "HugePages_Total:       7\nHugepagesize:       2048 kB\nDirectMap2M:    16011264 kB\n",
                    out));
  EXPECT_EQ(out, (Readings{{"node_memory_MemTotal_bytes", {}, 15666184.0 * 1024},
                           {"node_memory_Active_anon_bytes", {}, 9208920.0 * 1024},
                           {"node_memory_Committed_AS_bytes", {}, 5000.0 * 1024},
                           {"node_memory_HugePages_Total", {}, 7},
                           {"node_memory_Hugepagesize_bytes", {}, 2048.0 * 1024},
                           {"node_memory_DirectMap2M_bytes", {}, 16011264.0 * 1024}}));
}

TEST(MeminfoCollector, RefusesFieldsWithoutNumber) {
  expect_refused(parse_meminfo, {"", "no colon here\n", "MemTotal: kB\n", "MemTotal: 12x kB\n", "MemTotal: -1 kB\n"});
}

TEST(VmstatCollector, KeepsFaultsPagingSwapAndKills) {
  Readings out;
  ASSERT_TRUE(
      parse_vmstat("nr_free_pages 977769\npgpgin 7344136\npgpgout 1541180689\npswpin 1476\npswpout 35045\n"
                   "pgalloc_dma 0\npgfault 42\npgmajfault 7\noom_kill 3\npgsteal_kswapd 9\n",
                   out));
  EXPECT_EQ(out, (Readings{{"node_vmstat_pgpgin", {}, 7344136},
                           {"node_vmstat_pgpgout", {}, 1541180689},
                           {"node_vmstat_pswpin", {}, 1476},
                           {"node_vmstat_pswpout", {}, 35045},
                           {"node_vmstat_pgfault", {}, 42},
                           {"node_vmstat_pgmajfault", {}, 7},
                           {"node_vmstat_oom_kill", {}, 3}}));
}

TEST(VmstatCollector, RefusesFieldsWithoutNumber) { expect_refused(parse_vmstat, {"", "pgfault\n", "oom_kill many\n"}); }

TEST(PressureCollector, ReadsWaitingAndStalledTime) {
  Readings out;
  ASSERT_TRUE(parse_pressure("memory",
                             "some avg10=0.00 avg60=0.00 avg300=0.00 total=1250000\n"
                             "full avg10=0.00 avg60=0.00 avg300=0.00 total=500000\n",
                             out));
  EXPECT_EQ(out, (Readings{{"node_pressure_memory_waiting_seconds_total", {}, 1.25},
                           {"node_pressure_memory_stalled_seconds_total", {}, 0.5}}));
}

TEST(PressureCollector, LeavesOutTheAlwaysZeroStallOfProcessors) {
  FakeHost host{{"/proc/pressure/cpu", "some avg10=0.00 total=14036\nfull avg10=0.00 total=0\n"},
                {"/proc/pressure/io", "some total=1\nfull total=2\n"},
                {"/proc/pressure/memory", "some total=3\nfull total=4\n"},
                {"/proc/pressure/irq", "full avg10=0.00 avg60=0.00 avg300=0.00 total=2000000\n"}};
  Readings out;
  ASSERT_TRUE(collect_pressure(host, out));
  EXPECT_EQ(value_of(out, "node_pressure_cpu_waiting_seconds_total"), 0.014036);
  EXPECT_EQ(count_of(out, "node_pressure_cpu_stalled_seconds_total"), 0U);
  EXPECT_EQ(value_of(out, "node_pressure_irq_stalled_seconds_total"), 2);
  host.erase("/proc/pressure/irq");  // before Linux 6.1
  EXPECT_TRUE(collect_pressure(host, out));
  host.erase("/proc/pressure/io");
  EXPECT_FALSE(collect_pressure(host, out));
}

TEST(PressureCollector, RefusesTextWithoutTotals) {
  const auto parse = [](std::string_view text, Readings& out) { return parse_pressure("io", text, out); };
  expect_refused(parse, {"", "some avg10=0.00\n", "some total=x\n", "most total=5\n", "some total=\n"});
}

}  // namespace
}  // namespace ward::test
