#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include "tests/integration/probes_data/live_probe.hpp"

namespace ward::test {
namespace {

using probes::FailureReason;
using ::testing::HasSubstr;
using ::testing::Not;

class PostgresProbeTest : public ::testing::Test {
 protected:
  PostgresServer server_;
  TempDir secrets_{"secrets"};
  std::string yaml(const std::string& more = "") const { return postgres_yaml(server_, secrets_, more); }
  double connections_of_ward() const {
    return std::stod(server_.sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'ward'"));
  }
};

std::vector<std::string> lines_starting(const Readings& readings, std::string_view metric) {
  std::vector<std::string> found;
  for (const auto& r : readings)
    if (r.metric == metric) found.push_back(to_string(r.labels));
  return found;
}

TEST_F(PostgresProbeTest, SeesEveryPartWithThePgMonitorRoleAlone) {
  create_ward_role(server_);
  LiveProbe probe("postgres", yaml());
  const auto output = probe.run();
  EXPECT_FALSE(output.failure) << everything(output);
  EXPECT_THAT(lines_starting(output.readings, "ward_probe_part_missing"), ::testing::IsEmpty());
  EXPECT_THAT(lines_starting(output.readings, "ward_probe_missing_column"), ::testing::IsEmpty());
  EXPECT_EQ(value_of(output.readings, "pg_up"), 1);
  EXPECT_EQ(value_of(output.readings, "pg_exporter_last_scrape_error"), 0);
  EXPECT_EQ(value_of(output.readings, "pg_settings_max_connections"), 40);
  EXPECT_EQ(value_of(output.readings, "pg_settings_shared_buffers_bytes"), 16.0 * 1024 * 1024);
  EXPECT_EQ(value_of(output.readings, "ward_pg_archive_ready_files"), 0);
  for (const std::string_view metric :
       {"pg_static", "pg_stat_activity_count", "pg_stat_activity_max_tx_duration", "pg_locks_count",
        "pg_stat_database_xact_commit", "pg_stat_bgwriter_checkpoints_timed_total", "pg_wal_size_bytes",
        "pg_database_size_bytes", "pg_stat_archiver_archived_count", "pg_database_wraparound_age_datfrozenxid_seconds",
        "ward_pg_oldest_xmin_age_xids", "ward_pg_blocked_sessions", "pg_replication_lag_seconds", "pg_replication_lag"})
    EXPECT_GT(count_of(output.readings, metric), 0U) << metric;
}

/// A server that has just started may take longer than a statement may, on a crowded machine. That is no other failure.
probes::ProbeOutput run_in_time(LiveProbe& probe) {
  auto output = probe.run();
  for (int i = 0; i < 20 && output.failure && output.failure->reason == FailureReason::timeout; ++i) output = probe.run();
  return output;
}

TEST_F(PostgresProbeTest, KeepsOneConnectionAndComesBackAfterARestart) {
  create_ward_role(server_);
  LiveProbe probe("postgres", yaml());
  EXPECT_FALSE(probe.run().failure);
  EXPECT_FALSE(probe.run().failure);
  EXPECT_EQ(connections_of_ward(), 1);
  server_.stop();
  const auto down = probe.run();
  ASSERT_TRUE(down.failure);
  EXPECT_EQ(down.failure->reason, FailureReason::connect_refused);
  EXPECT_EQ(value_of(down.readings, "pg_up"), 0);
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(probe.run().failure);
  EXPECT_EQ(descriptors(), before) << "failed connects leak sockets";
  server_.start();
  const auto up = run_in_time(probe);
  EXPECT_FALSE(up.failure) << everything(up);
  EXPECT_EQ(value_of(up.readings, "pg_up"), 1);
  // A restart between two runs kills the kept connection: the run reconnects once instead of crying wolf.
  server_.stop();
  server_.start();
  const auto after = run_in_time(probe);
  EXPECT_FALSE(after.failure) << everything(after);
  EXPECT_EQ(connections_of_ward(), 1);
}

TEST_F(PostgresProbeTest, RoleLimitReachedIsRefusedAndNotDown) {
  create_ward_role(server_, "0");
  LiveProbe probe("postgres", yaml());
  const auto output = probe.run();
  ASSERT_TRUE(output.failure);
  EXPECT_EQ(output.failure->reason, FailureReason::probe_refused);
  EXPECT_EQ(count_of(output.readings, "pg_up"), 0U);
  EXPECT_THAT(output.failure->error.fix, HasSubstr("CONNECTION LIMIT"));
}

TEST_F(PostgresProbeTest, WrongPasswordIsAuthWithAnOrderToTheUser) {
  create_ward_role(server_);
  std::ignore = server_.sql("ALTER ROLE ward PASSWORD 'another'");
  LiveProbe probe("postgres", yaml());
  const auto output = probe.run();
  ASSERT_TRUE(output.failure);
  EXPECT_EQ(output.failure->reason, FailureReason::auth);
  EXPECT_EQ(count_of(output.readings, "pg_up"), 0U);
  EXPECT_THAT(output.failure->error.what, HasSubstr("role ward"));
  EXPECT_THAT(output.failure->error.fix, HasSubstr("'password'"));
  EXPECT_THAT(everything(output), Not(HasSubstr("monitoring")));
}

TEST_F(PostgresProbeTest, RefusesASuperuserUnlessToldOtherwise) {
  const auto target = "host: 127.0.0.1\nuser: postgres\nport: " + std::to_string(server_.port()) + "\n";
  LiveProbe strict("postgres", target);
  const auto refused = strict.run();
  ASSERT_TRUE(refused.failure);
  EXPECT_THAT(refused.failure->error.what, HasSubstr("superuser"));
  EXPECT_EQ(value_of(refused.readings, "pg_up"), 1);
  EXPECT_EQ(count_of(refused.readings, "pg_stat_activity_count"), 0U);
  LiveProbe allowed("postgres", target + "allow_superuser: true\n");
  EXPECT_FALSE(allowed.run().failure);
}

TEST_F(PostgresProbeTest, ARoleWithoutGrantsLosesOnlyTheGuardedParts) {
  std::ignore = server_.sql("CREATE ROLE ward LOGIN PASSWORD 'monitoring'");
  LiveProbe probe("postgres", yaml());
  const auto output = probe.run();
  EXPECT_FALSE(output.failure);
  EXPECT_EQ(value_of(output.readings, "pg_up"), 1);
  EXPECT_EQ(value_of(output.readings, "ward_probe_part_missing", {{"part", "ready"}, {"reason", "permission"}}), 1);
  EXPECT_GT(count_of(output.readings, "pg_stat_database_xact_commit"), 0U);
  EXPECT_GT(count_of(output.readings, "pg_locks_count"), 0U);
}

TEST_F(PostgresProbeTest, ThreeBlockedSessionsHaveOneRootBlocker) {
  create_ward_role(server_);
  std::ignore = server_.sql("CREATE TABLE beds (id int)");
  auto root = server_.session("BEGIN; LOCK beds; SELECT pg_sleep(60)", "odoo-4711");
  server_.wait_for(
      "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'beds'::regclass", "1");
  std::vector<Process> waiting;
  waiting.reserve(3);
  for (int i = 0; i < 3; ++i) waiting.push_back(server_.session("SELECT count(*) FROM beds", "report-" + std::to_string(i)));
  server_.wait_for("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "3");
  LiveProbe probe("postgres", yaml("lock_event_after: 0s\n"));
  const auto output = probe.run();
  EXPECT_EQ(value_of(output.readings, "ward_pg_blocked_sessions", {{"datname", "postgres"}}), 3);
  EXPECT_EQ(value_of(output.readings, "ward_pg_root_blockers", {{"datname", "postgres"}, {"application_name", "odoo"}}), 1);
  EXPECT_EQ(count_of(output.readings, "ward_pg_root_blockers"), 1U);
  EXPECT_GT(value_of(output.readings, "ward_pg_blocked_max_seconds", {{"datname", "postgres"}}).value_or(0), 0);
  ASSERT_EQ(output.events.size(), 1U);
  EXPECT_EQ(output.events[0].kind, "lock_blocked");
  EXPECT_EQ(output.events[0].attributes.get("blocker"), "odoo");
  EXPECT_EQ(output.events[0].attributes.get("blocked"), "3");
  EXPECT_THAT(probe.run().events, ::testing::IsEmpty()) << "a blocker is told once";
}

TEST_F(PostgresProbeTest, AnExclusivelyLockedTableDoesNotDelayTheBatch) {
  create_ward_role(server_);
  std::ignore = server_.sql("CREATE TABLE beds (id int); INSERT INTO beds SELECT generate_series(1, 100); DELETE FROM beds");
  auto lock = server_.session("BEGIN; LOCK beds IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)", "migration");
  server_.wait_for(
      "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted AND relation = 'beds'::regclass", "1");
  LiveProbe probe("postgres", yaml());
  // A part that waited for the lock would be missing: the role's lock_timeout ends it.
  const auto output = probe.run();
  EXPECT_FALSE(output.failure) << everything(output);
  EXPECT_THAT(lines_starting(output.readings, "ward_probe_part_missing"), ::testing::IsEmpty());
  EXPECT_EQ(value_of(output.readings, "pg_stat_user_tables_n_dead_tup",
                     {{"datname", "postgres"}, {"schemaname", "public"}, {"relname", "beds"}}),
            100);
}

TEST_F(PostgresProbeTest, NoPatientLeavesTheServer) {
  create_ward_role(server_);
  const std::string name = "Zephyrine Quillfeather";
  const std::string number = "078-05-1120";
  std::ignore = server_.sql("CREATE TABLE beds (id int)");
  auto query = server_.session("BEGIN; LOCK beds; SELECT '" + name + " " + number + "', pg_sleep(60)", name + " " + number);
  auto record = server_.session("SELECT '" + name + "', pg_sleep(60)", "Quillfeather_078051120");
  auto mail = server_.session("SELECT pg_sleep(60)", "zephyrine.quillfeather@clinic");
  server_.wait_for("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep(60)%' AND wait_event = 'PgSleep'",
                   "3");
  auto victim = server_.session("SELECT '" + number + "' FROM beds", name + " " + number);
  server_.wait_for("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1");
  LiveProbe probe("postgres", yaml("lock_event_after: 0s\n"));
  const auto output = probe.run();
  const auto text = everything(output);
  EXPECT_EQ(output.events.size(), 1U);
  for (const std::string& marker : {std::string("Zephyrine"), std::string("zephyrine"), std::string("Quillfeather"),
                                    std::string("quillfeather"), number, std::string("078051120"), std::string("1120")})
    EXPECT_THAT(text, Not(HasSubstr(marker)));
  EXPECT_THAT(text, HasSubstr("_redacted"));
}

TEST_F(PostgresProbeTest, AFrozenServerIsDownByTimeoutWithoutASecondConnection) {
  create_ward_role(server_);
  LiveProbe probe("postgres", yaml());
  EXPECT_FALSE(probe.run().failure);
  server_.signal(SIGSTOP);  // the postmaster alone: no new connection gets in
  LiveProbe other("postgres", yaml());
  const auto output = other.run();
  server_.signal(SIGCONT);
  ASSERT_TRUE(output.failure);
  EXPECT_EQ(output.failure->reason, FailureReason::timeout);
  EXPECT_EQ(value_of(output.readings, "pg_up"), 0);
}

TEST_F(PostgresProbeTest, ARunCutOffAtItsDeadlineLeavesNoHangingCall) {
  create_ward_role(server_, "1");
  auto probe = std::make_unique<LiveProbe>("postgres", yaml());
  EXPECT_FALSE(probe->run().failure);
  const auto backend = std::stoi(server_.sql("SELECT pid FROM pg_stat_activity WHERE usename = 'ward'"));
  ::kill(backend, SIGSTOP);
  EXPECT_TRUE(probe->run_cut_off_after(std::chrono::milliseconds{300}));
  // The call has ended although its backend never answers: the pool can be joined, and the next run tries once more and
  // is turned away, because the frozen backend still holds the role's only connection.
  const auto next = probe->run();
  ASSERT_TRUE(next.failure);
  EXPECT_THAT(next.failure->reason, ::testing::AnyOf(FailureReason::probe_refused, FailureReason::timeout));
  probe.reset();
  ::kill(backend, SIGCONT);
}

// A connection that is open and about which nothing is known yet: after a first question that failed, or a run that was cut
// off before its answer.
TEST_F(PostgresProbeTest, WhatTheServerIsIsAskedUntilItIsKnown) {
  create_ward_role(server_);
  LiveProbe probe("postgres", yaml());
  {
    auto lock = server_.session("BEGIN; LOCK pg_extension IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(60)", "upgrade");
    server_.wait_for(
        "SELECT count(*) FROM pg_locks WHERE relation = 'pg_extension'::regclass AND mode = 'AccessExclusiveLock' AND "
        "granted",
        "1");
    for (int i = 0; i < 2; ++i) {
      const auto blocked = probe.run();
      ASSERT_TRUE(blocked.failure) << everything(blocked);
      EXPECT_EQ(value_of(blocked.readings, "pg_up"), 1);
    }
  }
  std::ignore = server_.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'upgrade'");
  server_.wait_for("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'upgrade'", "0");
  const auto after = probe.run();
  EXPECT_FALSE(after.failure) << everything(after);
}

TEST_F(PostgresProbeTest, CountsStatementsWithoutTheirText) {
  create_ward_role(server_);
  server_.stop();
  std::ofstream(server_.directory() / "data" / "postgresql.conf", std::ios::app)
      << "shared_preload_libraries = 'pg_stat_statements'\n";
  server_.start();
  std::ignore = server_.sql("CREATE EXTENSION pg_stat_statements; CREATE TABLE beds (id int)");
  LiveProbe probe("postgres", yaml());
  EXPECT_FALSE(probe.run().failure);
  for (int i = 0; i < 5; ++i) std::ignore = server_.sql("INSERT INTO beds VALUES (1)");
  probe.host().time().advance(std::chrono::minutes{2});
  const auto output = probe.run();
  const Labels postgres{{"datname", "postgres"}, {"user", "postgres"}};
  EXPECT_EQ(value_of(output.readings, "pg_stat_statements_calls_total", postgres), 5) << everything(output);
  EXPECT_GE(value_of(output.readings, "ward_pg_query_seconds_bucket", {{"datname", "postgres"}, {"le", "+Inf"}}), 5);
  EXPECT_EQ(value_of(output.readings, "ward_pg_statements_dealloc_total"), 0);
}

}  // namespace
}  // namespace ward::test
