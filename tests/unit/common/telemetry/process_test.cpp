#include "common/telemetry/process.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

namespace ward::telemetry {
namespace {

// proc(5): utime 150 and stime 50 ticks, start 1000 ticks after boot, 256 resident pages; a name made to confuse.
constexpr auto kStat =
    "42 (odd ) name) S 1 42 42 0 -1 4194560 100 0 0 0 150 50 0 0 20 0 3 0 1000 10000000 256 18446744073709551615 1 1 0";
constexpr auto kSystem = "cpu  1 2 3 4\nctxt 5\nbtime 1700000000\nprocesses 7\n";

TEST(ProcessStats, ReadsTheFieldsBehindTheName) {
  const auto stats = parse_process_stats(kStat, kSystem, {100, 4096});
  ASSERT_TRUE(stats);
  EXPECT_EQ(*stats, (ProcessStats{256 * 4096, 2, 1'700'000'010, 0}));
}

TEST(ProcessStats, RefusesWhatDoesNotLookLikeProc) {
  for (const auto* stat : {"", "42 (x", "42 (x) S 1 2", "42 (x) S a b c d e f g h i j k l m n o p q r s t u v w"})
    EXPECT_FALSE(parse_process_stats(stat, kSystem, {})) << stat;
  for (const auto* system : {"", "cpu 1\n", "btime\n", "btime soon\n"})
    EXPECT_FALSE(parse_process_stats(kStat, system, {})) << system;
}

TEST(ProcessStats, CountsAnOpenedFile) {
  const auto before = read_process_stats();
  const int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC);
  const auto after = read_process_stats();
  ::close(fd);
  ASSERT_TRUE(before && after);
  EXPECT_EQ(after->open_fds, before->open_fds + 1);
}

}  // namespace
}  // namespace ward::telemetry
