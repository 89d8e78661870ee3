#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/probes_data/live_probe.hpp"

namespace ward::test {
namespace {

/// A primary with a heartbeat table and one streaming standby.
class ReplicationTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    pair_ = std::make_unique<Pair>();
    create_ward_role(pair_->primary);
    std::ignore = pair_->primary.sql(
        "CREATE TABLE ward_heartbeat (id int PRIMARY KEY CHECK (id = 1), at timestamptz NOT NULL);"
        "GRANT SELECT ON ward_heartbeat TO ward; CREATE ROLE ward_writer LOGIN PASSWORD 'monitoring';"
        "GRANT SELECT, INSERT, UPDATE ON ward_heartbeat TO ward_writer;");
    PostgresServer::Options options;
    options.name = "standby_1";
    options.primary = &pair_->primary;
    pair_->standby.emplace(options);
    pair_->primary.wait_for("SELECT count(*) FROM pg_stat_replication WHERE state = 'streaming'", "1");
  }
  static void TearDownTestSuite() { pair_.reset(); }
  struct Pair {
    PostgresServer primary;
    std::optional<PostgresServer> standby;
    TempDir secrets{"secrets"};
  };
  static std::string yaml(const PostgresServer& server, const std::string& more = "") {
    return postgres_yaml(server, pair_->secrets, "expected_standbys: [standby_1, standby_2]\n" + more);
  }
  static std::string writing() {
    return "heartbeat: {table: ward_heartbeat, write_user: ward_writer, write_password: {file: " +
           pair_->secrets.write("writer.password", "monitoring\n") + "}}\n";
  }
  static void catch_up() {
    const auto here = pair_->primary.sql("SELECT pg_current_wal_lsn()");
    pair_->standby->wait_for("SELECT pg_last_wal_replay_lsn() >= '" + here + "'", "t");
  }
  static inline std::unique_ptr<Pair> pair_;
};

TEST_F(ReplicationTest, ThePrimarySeesWhoIsConnectedAndWhoIsNot) {
  LiveProbe probe("postgres", yaml(pair_->primary));
  const auto output = probe.run();
  EXPECT_FALSE(output.failure) << everything(output);
  EXPECT_EQ(value_of(output.readings, "pg_replication_is_replica"), 0);
  EXPECT_EQ(value_of(output.readings, "ward_pg_replication_connected", {{"application_name", "standby_1"}}), 1);
  EXPECT_EQ(value_of(output.readings, "ward_pg_replication_connected", {{"application_name", "standby_2"}}), 0);
  EXPECT_EQ(count_of(output.readings, "ward_pg_wal_receiver_up"), 0U);
}

TEST_F(ReplicationTest, AnIdlePairHasNoLag) {
  LiveProbe primary("postgres", yaml(pair_->primary, writing()));
  EXPECT_EQ(value_of(primary.run().readings, "ward_pg_heartbeat_written"), 1);
  catch_up();
  LiveProbe standby("postgres", yaml(pair_->standby.value(), "heartbeat: {table: ward_heartbeat}\n"));
  const auto output = standby.run();
  EXPECT_FALSE(output.failure) << everything(output);
  EXPECT_EQ(value_of(output.readings, "pg_replication_is_replica"), 1);
  EXPECT_EQ(value_of(output.readings, "pg_replication_lag_seconds"), 0);
  EXPECT_EQ(value_of(output.readings, "pg_replication_lag"), 0);
  EXPECT_EQ(value_of(output.readings, "ward_pg_wal_receiver_up"), 1);
  EXPECT_GT(count_of(output.readings, "pg_stat_wal_receiver_flushed_lsn"), 0U);
  EXPECT_LT(value_of(output.readings, "ward_pg_heartbeat_lag_seconds").value_or(99), 10);
  EXPECT_EQ(count_of(output.readings, "ward_pg_replication_connected"), 0U) << "a replica owes nobody a standby";
}

TEST_F(ReplicationTest, ADeadReceiverShowsAlthoughTheLagFormulaSaysZero) {
  auto& [primary, standby, secrets] = *pair_;
  std::ignore =
      standby->sql("ALTER SYSTEM SET primary_conninfo = 'host=127.0.0.1 port=" + std::to_string(free_port()) + "'");
  std::ignore = standby->sql("SELECT pg_reload_conf()");
  standby->wait_for("SELECT count(*) FROM pg_stat_wal_receiver", "0");
  LiveProbe writer("postgres", yaml(primary, writing()));
  std::ignore = primary.sql("SELECT pg_sleep(1.1)");
  const auto above = writer.run();
  EXPECT_EQ(value_of(above.readings, "ward_pg_replication_connected", {{"application_name", "standby_1"}}), 0);
  std::ignore = primary.sql("CREATE TABLE written AS SELECT generate_series(1, 1000)");
  LiveProbe reader("postgres", yaml(standby.value(), "heartbeat: {table: ward_heartbeat}\n"));
  const auto below = reader.run();
  EXPECT_FALSE(below.failure) << everything(below);
  EXPECT_EQ(value_of(below.readings, "pg_replication_lag_seconds"), 0);
  EXPECT_EQ(value_of(below.readings, "ward_pg_wal_receiver_up"), 0);
}

}  // namespace
}  // namespace ward::test
