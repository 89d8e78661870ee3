#include <cstring>
#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"
#include "tests/unit/probes/host/bad_texts.hpp"

namespace ward::test {
namespace {

using namespace probes::node;

TEST(FilefdCollector, ReadsOpenFilesAndTheLimit) {
  Readings out;
  ASSERT_TRUE(parse_filefd("1024\t0\t1631329\n", out));
  EXPECT_EQ(out, (Readings{{"node_filefd_allocated", {}, 1024}, {"node_filefd_maximum", {}, 1631329}}));
  expect_refused(parse_filefd, {"", "1024\n", "1024 0\n", "a b c\n"});
}

TEST(OsCollector, ReadsQuotedValuesAndTheVersion) {
  Readings out;
  ASSERT_TRUE(parse_os_release(
      "# comment\nNAME=\"Ubuntu\"\nVERSION_ID='22.04'\nID=ubuntu\nID_LIKE=debian\nHOME_URL=\"https://x\"\n", out));
  EXPECT_EQ(
      value_of(out, "node_os_info", {{"name", "Ubuntu"}, {"version_id", "22.04"}, {"id", "ubuntu"}, {"id_like", "debian"}}),
      1);
  EXPECT_EQ(value_of(out, "node_os_version", {{"name", "Ubuntu"}, {"id", "ubuntu"}, {"id_like", "debian"}}), 22.04);
}

TEST(OsCollector, LeavesOutAVersionThatIsNoNumber) {
  Readings out;
  ASSERT_TRUE(parse_os_release("ID=arch\n", out));
  EXPECT_EQ(count_of(out, "node_os_version"), 0U);
  expect_refused(parse_os_release, {"", "no equals\n", "#ID=x\n"});
}

TEST(TimexCollector, TellsAnUnsynchronisedClock) {
  timex state{};
  state.maxerror = 16'000'000;
  Readings out;
  put_timex(state, TIME_ERROR, out);
  EXPECT_EQ(value_of(out, "node_timex_sync_status"), 0);
  EXPECT_EQ(value_of(out, "node_timex_maxerror_seconds"), 16);
}

TEST(TimexCollector, ReadsTheOffsetInTheUnitOfTheStatus) {
  timex state{};
  state.offset = 1500;
  Readings micro, nano;
  put_timex(state, TIME_OK, micro);
  state.status = STA_NANO;
  put_timex(state, TIME_OK, nano);
  EXPECT_EQ(value_of(micro, "node_timex_offset_seconds"), 0.0015);
  EXPECT_EQ(value_of(nano, "node_timex_offset_seconds"), 0.0000015);
  EXPECT_EQ(value_of(nano, "node_timex_sync_status"), 1);
}

TEST(TimeCollector, ReadsTheWallClockAndItsSource) {
  FakeHost host{{"/sys/devices/system/clocksource/clocksource0/available_clocksource", "tsc kvm-clock \n"},
                {"/sys/devices/system/clocksource/clocksource0/current_clocksource", "tsc\n"}};
  host.time().set_wall(from_ms(1'500));
  Readings out;
  ASSERT_TRUE(collect_time(host, out));
  EXPECT_EQ(value_of(out, "node_time_seconds"), 1.5);
  EXPECT_EQ(value_of(out, "node_time_clocksource_available_info", {{"clocksource", "kvm-clock"}, {"device", "0"}}), 1);
  EXPECT_EQ(value_of(out, "node_time_clocksource_current_info", {{"clocksource", "tsc"}, {"device", "0"}}), 1);
}

TEST(UnameCollector, NamesTheKernel) {
  utsname name{};
  std::strcpy(name.sysname, "Linux");
  std::strcpy(name.release, "6.1.0");
  std::strcpy(name.nodename, "node-3");
  Readings out;
  put_uname(name, out);
  EXPECT_EQ(out, (Readings{{"node_uname_info", {{"sysname", "Linux"}, {"release", "6.1.0"}, {"nodename", "node-3"}}, 1}}));
}

}  // namespace
}  // namespace ward::test
