#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"
#include "tests/unit/probes/host/bad_texts.hpp"

namespace ward::test {
namespace {

using namespace probes::node;

constexpr std::string_view kStat =
    "cpu  301854 612 111922 8979004 3552 2 3944 44 36 0\n"
    "cpu0 44490 19 21045 1087069 220 1 3410 2 18 1\n"
    "cpu1 47869 23 16474 1110787 591 0 46 7 18 0\n"
    "intr 8885917 17 0 0 0\n"
    "ctxt 38014093\n"
    "btime 1418183276\n"
    "processes 26442\n"
    "procs_running 2\n"
    "procs_blocked 1\n"
    "softirq 5057579 250191 1481983\n";

TEST(CpuCollector, ReadsEachProcessorAndNotTheSum) {
  Readings out;
  ASSERT_TRUE(parse_cpu(kStat, out));
  EXPECT_EQ(count_of(out, "node_cpu_seconds_total"), 16U);
  EXPECT_EQ(value_of(out, "node_cpu_seconds_total", {{"cpu", "0"}, {"mode", "user"}}), 444.90);
  EXPECT_EQ(value_of(out, "node_cpu_seconds_total", {{"cpu", "1"}, {"mode", "steal"}}), 0.07);
  EXPECT_EQ(value_of(out, "node_cpu_guest_seconds_total", {{"cpu", "0"}, {"mode", "nice"}}), 0.01);
}

TEST(CpuCollector, RefusesTextThatIsNotProcStat) {
  expect_refused(parse_cpu, {"", "cpu  1 2 3 4 5 6 7 8\n", "cpu0 1 2 3\n", "cpu0 1 2 3 4 x 6 7 8\n", "intr 5\ncpu0 1\n",
                             "cpu0 -1 2 3 4 5 6 7 8\n", "cpu0 1 2 3 4 5 6 7 99999999999999999999999\n"});
}

TEST(StatCollector, ReadsKernelCounters) {
  Readings out;
  ASSERT_TRUE(parse_stat(kStat, out));
  EXPECT_EQ(out, (Readings{{"node_intr_total", {}, 8885917},
                           {"node_context_switches_total", {}, 38014093},
                           {"node_boot_time_seconds", {}, 1418183276},
                           {"node_forks_total", {}, 26442},
                           {"node_procs_running", {}, 2},
                           {"node_procs_blocked", {}, 1}}));
}

TEST(StatCollector, RefusesTextThatIsNotProcStat) { expect_refused(parse_stat, {"", "cpu 1 2\n", "ctxt many\n"}); }

TEST(LoadavgCollector, ReadsThreeAverages) {
  Readings out;
  ASSERT_TRUE(parse_loadavg("0.21 0.37 0.39 1/719 19737\n", out));
  EXPECT_EQ(out, (Readings{{"node_load1", {}, 0.21}, {"node_load5", {}, 0.37}, {"node_load15", {}, 0.39}}));
}

TEST(LoadavgCollector, RefusesTextThatIsNotThreeNumbers) {
  expect_refused(parse_loadavg, {"", "0.21", "0.21 0.37", "a b c", "0.21 0.37 0.39x", "0,21 0,37 0,39"});
}

TEST(SchedstatCollector, ReadsNanosecondsAsSeconds) {
  Readings out;
  ASSERT_TRUE(
      parse_schedstat("version 15\ntimestamp 15819019232\n"
                      "cpu0 498494191 0 3533438552 2553969831 3853684107 2465731542 2045936778163 343796328169 4767485306\n"
                      "domain0 00000000,00000003 212499247 210112015\n",
                      out));
  EXPECT_EQ(value_of(out, "node_schedstat_running_seconds_total", {{"cpu", "0"}}), 2045.936778163);
  EXPECT_EQ(value_of(out, "node_schedstat_waiting_seconds_total", {{"cpu", "0"}}), 343.796328169);
  EXPECT_EQ(value_of(out, "node_schedstat_timeslices_total", {{"cpu", "0"}}), 4767485306);
}

TEST(SchedstatCollector, RefusesShortLines) {
  expect_refused(parse_schedstat, {"", "version 15\n", "cpu0 1 2 3 4 5 6 7\n"});
}

TEST(SoftnetCollector, TakesTheProcessorFromItsColumn) {
  Readings out;
  ASSERT_TRUE(
      parse_softnet("00008e78 00000001 00000011 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
                    "00000000 00000000\n"
                    "000015c5 00000000 0000000f 00000000 00000000 00000000 00000000 00000000 00000000 00000000 00000000 "
                    "00000000 00000003\n",
                    out));
  EXPECT_EQ(value_of(out, "node_softnet_processed_total", {{"cpu", "0"}}), 36472);
  EXPECT_EQ(value_of(out, "node_softnet_dropped_total", {{"cpu", "0"}}), 1);
  EXPECT_EQ(value_of(out, "node_softnet_times_squeezed_total", {{"cpu", "3"}}), 15);
}

TEST(SoftnetCollector, CountsRowsOnOldKernels) {
  Readings out;
  ASSERT_TRUE(parse_softnet("00000001 00000000 00000000\n00000002 00000000 00000000\n", out));
  EXPECT_EQ(value_of(out, "node_softnet_processed_total", {{"cpu", "1"}}), 2);
}

TEST(SoftnetCollector, RefusesTextThatIsNotHexadecimal) {
  expect_refused(parse_softnet, {"", "0000 0001\n", "xyz 0 0\n", "1 2 0x3\n"});
}

}  // namespace
}  // namespace ward::test
