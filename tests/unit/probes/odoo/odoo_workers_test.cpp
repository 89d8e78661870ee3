#include "probes/odoo/odoo_workers.hpp"

#include <algorithm>
#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"

namespace ward::test {
namespace {

class OdooWorkersTest : public ::testing::Test {
 protected:
  probes::ProbeOutput run() { return collect(*probe_, host_); }
  void load(std::string_view name) {
    host_.erase("/proc").load(std::string(WARD_SOURCE_DIR) + "/tests/data/proc/" + std::string(name) + ".txt");
  }
  static std::optional<double> of(const probes::ProbeOutput& got, std::string_view metric) {
    return value_of(got.readings, metric);
  }
  static std::optional<double> of(const probes::ProbeOutput& got, std::string_view metric, std::string kind) {
    return value_of(got.readings, metric, {{"kind", std::move(kind)}});
  }
  /// Worker `pid` is killed and the master forks `successor`.
  void replace_worker(const std::string& pid, const std::string& successor) {
    auto stat = *host_.read_file("/proc/" + pid + "/stat");
    stat.replace(0, pid.size(), successor);
    const auto start = stat.find(" 2006");
    stat.replace(start, 7, " 8630000");  // started 100 s before the recorded uptime of a day
    const auto cmdline = *host_.read_file("/proc/" + pid + "/cmdline");
    const auto limits = *host_.read_file("/proc/" + pid + "/limits");
    host_.erase("/proc/" + pid);
    host_.set("/proc/" + successor + "/stat", stat).set("/proc/" + successor + "/cmdline", cmdline);
    host_.set("/proc/" + successor + "/limits", limits).link("/proc/" + successor + "/fd/3", "socket:[5000]");
    host_.set("/proc/100/task/100/children", "102 103 104 " + successor + " ");
  }

  FakeHost host_;
  std::unique_ptr<probes::Probe> probe_ = probes::make_odoo_workers({.memory_soft_bytes = 2147483648});
};

TEST_F(OdooWorkersTest, SeesAnIdleServer) {
  load("odoo19-idle");
  const auto got = run();
  EXPECT_FALSE(got.failure);
  EXPECT_EQ(of(got, "odoo_up_listening"), 1);
  EXPECT_EQ(of(got, "odoo_gevent_listening"), 1);
  EXPECT_EQ(of(got, "odoo_server_threaded"), 0);
  EXPECT_EQ(of(got, "odoo_workers", "http"), 2);
  EXPECT_EQ(of(got, "odoo_workers", "cron"), 1);
  EXPECT_EQ(of(got, "odoo_workers", "gevent"), 1);
  EXPECT_EQ(of(got, "odoo_workers", "other"), 0);
  EXPECT_EQ(of(got, "odoo_http_workers_busy"), 0);
  EXPECT_EQ(of(got, "odoo_http_backlog"), 0);
  EXPECT_EQ(of(got, "odoo_http_backlog_capacity"), 16);
  EXPECT_EQ(of(got, "odoo_http_saturated"), 0);
  EXPECT_TRUE(got.events.empty());
}

TEST_F(OdooWorkersTest, ReportsTheLargestWorkerAndItsLimits) {
  load("odoo19-idle");
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_worker_memory_virtual_bytes", "http"), 270532608);
  EXPECT_EQ(of(got, "odoo_worker_memory_virtual_bytes", "cron"), 240000000);
  EXPECT_EQ(value_of(got.readings, "odoo_worker_memory_limit_bytes", {{"limit", "hard"}}), 2684354560);
  EXPECT_EQ(value_of(got.readings, "odoo_worker_memory_limit_bytes", {{"limit", "soft"}}), 2147483648);
}

TEST_F(OdooWorkersTest, ReportsTheStartOfTheMaster) {
  load("odoo19-idle");
  host_.time().set_wall(from_ms(1'000'000'000));
  EXPECT_EQ(of(run(), "odoo_start_time_seconds"), 1'000'000 - 86'400 + 2'000);
}

TEST_F(OdooWorkersTest, CallsItSaturatedInTheSecondRunInARow) {
  load("odoo19-saturated");
  const auto first = run();
  EXPECT_EQ(of(first, "odoo_http_workers_busy"), 2);
  EXPECT_EQ(of(first, "odoo_http_backlog"), 10);
  EXPECT_EQ(of(first, "odoo_http_saturated"), 0);
  EXPECT_EQ(of(run(), "odoo_http_saturated"), 1);
  load("odoo19-idle");
  EXPECT_EQ(of(run(), "odoo_http_saturated"), 0);
}

TEST_F(OdooWorkersTest, SeesMoreWaitingThanTheQueueHolds) {
  load("odoo19-overflow");
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_http_backlog"), 17);
  EXPECT_EQ(of(got, "odoo_http_backlog_capacity"), 16);
  EXPECT_EQ(of(got, "odoo_http_workers_busy"), 2);
}

TEST_F(OdooWorkersTest, CutsTheCapacityAsTheKernelDoes) {
  load("odoo19-idle");
  host_.set("/proc/sys/net/core/somaxconn", "10\n");
  EXPECT_EQ(of(run(), "odoo_http_backlog_capacity"), 10);
}

TEST_F(OdooWorkersTest, SeesAMasterWithoutWorkers) {
  load("odoo19-no-workers");
  const auto got = run();
  EXPECT_FALSE(got.failure);
  EXPECT_EQ(of(got, "odoo_up_listening"), 1);
  EXPECT_EQ(of(got, "odoo_server_threaded"), 0);
  EXPECT_EQ(of(got, "odoo_workers", "http"), 0);
  EXPECT_EQ(of(got, "odoo_http_backlog"), 2);
  EXPECT_EQ(of(got, "odoo_http_backlog_capacity"), std::nullopt);
  EXPECT_EQ(of(got, "odoo_gevent_listening"), 0);
}

TEST_F(OdooWorkersTest, SaysWhenOdooIsGone) {
  load("odoo19-master-gone");
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_up_listening"), 0);
  EXPECT_EQ(of(got, "odoo_workers", "http"), 0);
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->reason, probes::FailureReason::not_found);
}

TEST_F(OdooWorkersTest, DoesNotCallItDownWhenProcIsClosed) {
  host_.break_path("/proc", {Errc::denied, "/proc: Permission denied", ""});
  const auto got = run();
  EXPECT_TRUE(got.readings.empty());
  ASSERT_TRUE(got.failure);
  EXPECT_EQ(got.failure->reason, probes::FailureReason::permission);
}

TEST_F(OdooWorkersTest, KnowsTheThreadedServer) {
  load("odoo19-threaded");
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_server_threaded"), 1);
  EXPECT_EQ(of(got, "odoo_http_connections"), 3);
  EXPECT_EQ(of(got, "odoo_http_saturated"), std::nullopt);
  EXPECT_EQ(of(got, "odoo_workers", "http"), std::nullopt);
}

TEST_F(OdooWorkersTest, ScansTheMachineOnlyWhenTheMasterIsUnknown) {
  load("odoo19-idle");
  run();
  run();
  EXPECT_EQ(host_.touched("/proc"), 1);
  EXPECT_EQ(host_.touched("/proc/60/cmdline"), 1);
  load("odoo19-master-gone");
  run();
  EXPECT_EQ(host_.touched("/proc"), 2);
}

TEST_F(OdooWorkersTest, ReadsOnlyTheTableOfItsListener) {
  load("odoo19-idle");
  run();
  host_.forget_touches();
  run();
  EXPECT_EQ(host_.touched("/proc/100/net/tcp"), 1);
  EXPECT_EQ(host_.touched("/proc/100/net/tcp6"), 0);
}

TEST_F(OdooWorkersTest, FollowsAListenerOnIpv6) {
  load("odoo19-saturated");
  const auto four = *host_.read_file("/proc/100/net/tcp");
  const auto head = four.substr(0, four.find('\n') + 1);
  for (const auto* pid : {"60", "100"}) {
    host_.set("/proc/" + std::string(pid) + "/net/tcp6", four);  // the parser takes addresses of any length
    host_.set("/proc/" + std::string(pid) + "/net/tcp", head);
  }
  run();
  host_.forget_touches();
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_http_backlog"), 10);
  EXPECT_EQ(of(got, "odoo_http_workers_busy"), 2);
  EXPECT_EQ(host_.touched("/proc/100/net/tcp"), 0);
}

TEST_F(OdooWorkersTest, LooksAtAWorkersDescriptorsOnlyWhileItIsNew) {
  load("odoo19-idle");
  for (int i = 0; i < 5; ++i) run();
  EXPECT_LE(host_.touched("/proc/101/fd"), 3);
}

TEST_F(OdooWorkersTest, CountsAndReportsAReplacedWorker) {
  load("odoo19-idle");
  run();
  replace_worker("101", "111");
  const auto gone = run();
  ASSERT_EQ(gone.events.size(), 1U);
  EXPECT_EQ(gone.events[0].kind, "worker_gone");
  EXPECT_EQ(gone.events[0].attributes, (Labels{{"kind", "http"}, {"age", "23h26m34s"}}));
  EXPECT_EQ(of(gone, "odoo_worker_replacements_total", "http"), 1);
  EXPECT_EQ(of(gone, "odoo_worker_replacements_total", "cron"), 0);
  EXPECT_EQ(of(gone, "odoo_workers", "http"), 2);
  const auto started = run();  // reported once it is clear what it is
  ASSERT_EQ(started.events.size(), 1U);
  EXPECT_EQ(started.events[0].kind, "worker_started");
  EXPECT_EQ(started.events[0].attributes, (Labels{{"kind", "http"}, {"age", "1m40s"}}));
  EXPECT_TRUE(run().events.empty());
}

TEST_F(OdooWorkersTest, KeepsAWorkerThatTheListOfChildrenLeftOut) {
  load("odoo19-idle");
  run();
  host_.set("/proc/100/task/100/children", "102 103 104 ");
  const auto got = run();
  EXPECT_TRUE(got.events.empty());
  EXPECT_EQ(of(got, "odoo_workers", "http"), 2);
}

TEST_F(OdooWorkersTest, SeesThroughACronWorkerThatStillHoldsTheSocket) {
  load("odoo19-idle");
  host_.link("/proc/103/fd/9", "socket:[5000]");  // the moment after fork()
  EXPECT_EQ(of(run(), "odoo_workers", "http"), 3);
  host_.erase("/proc/103/fd/9");
  const auto got = run();
  EXPECT_EQ(of(got, "odoo_workers", "http"), 2);
  EXPECT_EQ(of(got, "odoo_workers", "cron"), 1);
}

TEST_F(OdooWorkersTest, StartsOverWithANewMaster) {
  load("odoo19-idle");
  run();
  auto stat = *host_.read_file("/proc/100/stat");
  stat.replace(stat.find(" 200000 "), 8, " 300000 ");
  host_.set("/proc/100/stat", stat);
  const auto got = run();
  EXPECT_TRUE(got.events.empty());
  EXPECT_EQ(of(got, "odoo_worker_replacements_total", "http"), 0);
  EXPECT_EQ(of(got, "odoo_workers", "http"), 2);
}

TEST_F(OdooWorkersTest, DescribesEveryMetricItEmits) {
  const auto* kind = probes::find_probe("odoo_workers");
  ASSERT_NE(kind, nullptr);
  for (const auto* name : {"odoo19-saturated", "odoo19-threaded", "odoo19-master-gone"}) {
    load(name);
    for (const auto& reading : run().readings)
      EXPECT_NE(std::ranges::find(kind->metrics, reading.metric, &MetricMeta::name), kind->metrics.end()) << reading.metric;
  }
}

}  // namespace
}  // namespace ward::test
