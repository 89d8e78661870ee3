#include "probes/data/postgres_readers.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>
#include <sstream>

#include "probes/data/label_guard.hpp"
#include "tests/support/fake_host.hpp"

namespace ward::probes::data {
namespace {

using test::count_of;
using test::value_of;

/// The core batch of a real server, as tests/data/postgres/README.md tells.
Json recorded(const std::string& name) {
  std::ifstream in(std::string(WARD_SOURCE_DIR) + "/tests/data/postgres/" + name);
  std::ostringstream text;
  text << in.rdbuf();
  return parse_answer(text.str()).value();
}

Json json(const std::string& text) { return parse_answer(text).value(); }

template <class Read>
Readings read(Read reader) {
  DropCounts drops;
  ReadingSet set(drops);
  reader(set);
  return set.take();
}

TEST(PostgresAnswer, RefusesWhatIsNotJsonAndMendsForeignBytes) {
  for (const std::string_view bad : {"", "{", "[1,", "nonsense", "{\"a\":}"}) EXPECT_FALSE(parse_answer(bad)) << bad;
  const auto mended = parse_answer("{\"relname\": \"caf\xe9\"}");
  ASSERT_TRUE(mended);
  EXPECT_EQ(mended->at("relname"), "caf?");
}

TEST(PostgresIdentity, TellsVersionRoleAndColumns) {
  const auto facts = read_identity(
      R"({"num": 170002, "short": "17.2", "full": "PostgreSQL 17.2", "super": true, "statements": "public",
          "columns": {"pg_stat_bgwriter": ["buffers_clean"]}})");
  ASSERT_TRUE(facts);
  EXPECT_EQ(facts->version, 17);
  EXPECT_TRUE(facts->superuser);
  EXPECT_TRUE(facts->has("pg_stat_bgwriter", "buffers_clean"));
  EXPECT_FALSE(facts->has("pg_stat_bgwriter", "buffers_backend"));
  EXPECT_FALSE(read_identity(R"({"short": "17.2"})"));
}

TEST(PostgresReaders, ReadARecordedPrimary) {
  const auto batch = recorded("core_15_primary.json");
  ServerFacts facts;
  facts.short_version = "15.20";
  const auto databases = database_names(batch.at("databases"));
  TopTables tables;
  const auto readings = read([&](ReadingSet& out) {
    read_server(batch, facts, out);
    read_settings(batch.at("settings"), out);
    read_activity(batch.at("activity"), databases, out);
    read_locks(batch.at("locks"), databases, out);
    read_databases(batch.at("databases"), out);
    read_wraparound(batch.at("wraparound"), out);
    read_xmin(batch.at("oldest_xmin"), out);
    read_archiver(batch, out);
    read_checkpoints(batch, out);
    read_replication(batch, {"standby_1", "standby_2"}, out);
    tables.read(batch.at("tables"), MonoTime{}, out);
  });
  EXPECT_EQ(value_of(readings, "pg_settings_max_connections"), 40);
  EXPECT_EQ(value_of(readings, "pg_settings_checkpoint_timeout_seconds"), 300);
  EXPECT_EQ(value_of(readings, "pg_settings_autovacuum"), 1);
  EXPECT_EQ(value_of(readings, "pg_replication_is_replica"), 0);
  EXPECT_EQ(value_of(readings, "ward_pg_replication_connected", {{"application_name", "standby_1"}}), 1);
  EXPECT_EQ(value_of(readings, "ward_pg_replication_connected", {{"application_name", "standby_2"}}), 0);
  EXPECT_EQ(value_of(readings, "pg_locks_count", {{"datname", "postgres"}, {"mode", "sireadlock"}}), 0);
  EXPECT_GT(count_of(readings, "pg_stat_bgwriter_buffers_alloc_total"), 0U);
  EXPECT_GT(count_of(readings, "pg_stat_user_tables_n_dead_tup"), 0U);
  EXPECT_GT(count_of(readings, "ward_pg_checksum_failures_total") + count_of(readings, "pg_stat_archiver_failed_count"), 0U);
  EXPECT_EQ(count_of(readings, "ward_series_dropped_total"), 0U) << test::to_text(readings);
}

TEST(PostgresReaders, ReadARecordedStandby) {
  const auto batch = recorded("core_15_standby.json");
  const auto readings = read([&](ReadingSet& out) { read_replication(batch, {"standby_1"}, out); });
  EXPECT_EQ(value_of(readings, "pg_replication_is_replica"), 1);
  EXPECT_EQ(value_of(readings, "ward_pg_wal_receiver_up"), 1);
  EXPECT_EQ(count_of(readings, "pg_stat_wal_receiver_flushed_lsn"), 1U);
  EXPECT_EQ(count_of(readings, "ward_pg_replication_connected"), 0U);
}

TEST(PostgresReaders, AReplicaWithoutAReceiverIsNotUp) {
  const auto batch = json(R"({"server": {"rec": true}, "receiver": null, "lag": {"lag": 0, "replay": 36.1}})");
  const auto readings = read([&](ReadingSet& out) { read_replication(batch, {}, out); });
  EXPECT_EQ(value_of(readings, "ward_pg_wal_receiver_up"), 0);
  EXPECT_EQ(value_of(readings, "pg_replication_lag_seconds"), 0);
  EXPECT_EQ(value_of(readings, "pg_replication_lag"), 0);
}

TEST(PostgresReaders, ALostReceiverPartSaysNothingAboutTheReceiver) {
  const auto readings =
      read([&](ReadingSet& out) { read_replication(json(R"({"server": {"rec": true}})"), {"standby_1"}, out); });
  EXPECT_EQ(count_of(readings, "ward_pg_wal_receiver_up"), 0U);
  EXPECT_EQ(count_of(readings, "ward_pg_replication_connected"), 0U);
}

TEST(PostgresReaders, Version17GetsTheOldCheckpointNamesToo) {
  const auto batch = json(R"({"bgwriter": {"buffers_clean": 1, "maxwritten_clean": 2, "buffers_alloc": 3},
    "checkpointer": {"num_timed": 11, "num_requested": 12, "restartpoints_timed": 0, "restartpoints_req": 0,
                     "restartpoints_done": 0, "write_time": 1300, "sync_time": 14, "buffers_written": 15}})");
  const auto readings = read([&](ReadingSet& out) { read_checkpoints(batch, out); });
  EXPECT_EQ(value_of(readings, "pg_stat_checkpointer_num_timed_total"), 11);
  EXPECT_EQ(value_of(readings, "pg_stat_bgwriter_checkpoints_timed_total"), 11);
  EXPECT_EQ(value_of(readings, "pg_stat_bgwriter_checkpoints_req_total"), 12);
  EXPECT_EQ(value_of(readings, "pg_stat_bgwriter_checkpoint_write_time_total"), 1300)
      << "milliseconds, as the server counts";
  EXPECT_EQ(value_of(readings, "pg_stat_bgwriter_buffers_checkpoint_total"), 15);
  EXPECT_EQ(count_of(readings, "pg_stat_bgwriter_buffers_backend_total"), 0U);
}

TEST(PostgresReaders, Version12HasNeitherWalStatusNorSafeSize) {
  const auto batch = json(R"({"server": {"rec": false}, "slots": [{"slot_name": "s1", "slot_type": "physical",
    "database": null, "active": false, "diff": 752000000, "lsn": 900000000, "confirmed": null}]})");
  const auto readings = read([&](ReadingSet& out) { read_replication(batch, {}, out); });
  EXPECT_EQ(value_of(readings, "pg_replication_slots_active", {{"slot_name", "s1"}}), 0);
  EXPECT_EQ(value_of(readings, "pg_replication_slots_pg_wal_lsn_diff", {{"slot_name", "s1"}}), 752000000);
  EXPECT_EQ(count_of(readings, "pg_replication_slots_wal_status"), 0U);
}

TEST(PostgresReaders, Version13TellsALostSlot) {
  const auto batch = json(R"({"server": {"rec": false}, "slots": [{"slot_name": "s1", "slot_type": "logical",
    "database": "odoo", "active": true, "diff": null, "lsn": 9, "confirmed": 7, "safe_wal_size": -1, "wal_status": "lost"}]})");
  const auto readings = read([&](ReadingSet& out) { read_replication(batch, {}, out); });
  EXPECT_EQ(value_of(readings, "pg_replication_slots_wal_status",
                     {{"slot_name", "s1"}, {"slot_type", "logical"}, {"wal_status", "lost"}}),
            1);
  EXPECT_EQ(value_of(readings, "pg_replication_slots_safe_wal_size_bytes", {{"slot_name", "s1"}, {"slot_type", "logical"}}),
            -1);
}

TEST(PostgresSettings, AreInBaseUnits) {
  const auto answer = json(R"({"shared_buffers": ["2048", "8kB"], "max_wal_size": ["1024", "MB"],
    "checkpoint_timeout": ["300", "s"], "max_standby_streaming_delay": ["30000", "ms"], "max_slot_wal_keep_size": ["-1", "MB"],
    "fsync": ["off", null], "checkpoint_completion_target": ["0.9", null], "max_connections": ["many", null]})");
  const auto readings = read([&](ReadingSet& out) { read_settings(answer, out); });
  EXPECT_EQ(value_of(readings, "pg_settings_shared_buffers_bytes"), 16.0 * 1024 * 1024);
  EXPECT_EQ(value_of(readings, "pg_settings_max_wal_size_bytes"), 1024.0 * 1024 * 1024);
  EXPECT_EQ(value_of(readings, "pg_settings_checkpoint_timeout_seconds"), 300);
  EXPECT_EQ(value_of(readings, "pg_settings_max_standby_streaming_delay_seconds"), 30);
  EXPECT_EQ(value_of(readings, "pg_settings_max_slot_wal_keep_size_bytes"), -1);
  EXPECT_EQ(value_of(readings, "pg_settings_fsync"), 0);
  EXPECT_EQ(value_of(readings, "pg_settings_checkpoint_completion_target"), 0.9);
  EXPECT_EQ(count_of(readings, "pg_settings_max_connections"), 0U);
}

TEST(PostgresActivity, FoldsInstancesOfOneProgram) {
  const auto activity = json(R"([
    {"datname": "odoo", "state": "idle", "usename": "odoo", "app": "odoo-17", "backend_type": "client backend",
     "wait_event_type": "Client", "wait_event": "ClientRead", "n": 2, "tx": 0},
    {"datname": "odoo", "state": "idle", "usename": "odoo", "app": "odoo-18", "backend_type": "client backend",
     "wait_event_type": "Client", "wait_event": "ClientRead", "n": 3, "tx": 4.5}])");
  const auto readings = read([&](ReadingSet& out) { read_activity(activity, {"odoo"}, out); });
  const Labels labels{{"datname", "odoo"},
                      {"state", "idle"},
                      {"usename", "odoo"},
                      {"application_name", "odoo"},
                      {"backend_type", "client backend"},
                      {"wait_event_type", "Client"},
                      {"wait_event", "ClientRead"}};
  EXPECT_EQ(value_of(readings, "pg_stat_activity_count", labels), 5);
  EXPECT_EQ(value_of(readings, "pg_stat_activity_max_tx_duration", labels), 4.5);
  EXPECT_EQ(value_of(readings, "pg_stat_activity_count", {{"datname", "odoo"}, {"state", "active"}}), 0);
}

TEST(PostgresDatabases, PastAHundredShareOneName) {
  Json databases = Json::array();
  for (int i = 0; i < 300; ++i)
    databases.push_back({{"datname", "clinic" + std::to_string(i)}, {"datid", 16384 + i}, {"xact_commit", 1}});
  DropCounts drops;
  ReadingSet set(drops);
  read_databases(databases, set);
  const auto readings = set.take();
  EXPECT_EQ(count_of(readings, "pg_stat_database_xact_commit"), 101U);
  const std::string other(kOther);
  EXPECT_EQ(value_of(readings, "pg_stat_database_xact_commit", {{"datname", other}, {"datid", other}}), 200);
  EXPECT_EQ(drops.dropped["row_cap"], 200U);
}

Json table(int oid, int dead) {
  return {{"oid", oid},
          {"datname", "odoo"},
          {"schemaname", "public"},
          {"relname", "t" + std::to_string(oid)},
          {"n_dead_tup", dead}};
}

TEST(TopTables, AMemberStaysForAnHour) {
  TopTables tables;
  DropCounts drops;
  const auto names = [&](const Json& rows, std::chrono::minutes at) {
    ReadingSet set(drops);
    tables.read(rows, MonoTime{at}, set);
    return count_of(set.take(), "pg_stat_user_tables_n_dead_tup");
  };
  Json top = Json::array();
  for (int i = 0; i < 20; ++i) top.push_back(table(100 + i, 1000 - i));
  EXPECT_EQ(names(top, std::chrono::minutes{0}), 20U);
  Json later = Json::array();
  for (int i = 0; i < 20; ++i) later.push_back(table(200 + i, 2000 - i));
  later.push_back(table(100, 1));
  EXPECT_EQ(names(later, std::chrono::minutes{59}), 21U);
  EXPECT_THAT(tables.members(), ::testing::Contains(100U));
  EXPECT_EQ(names(later, std::chrono::minutes{61}), 20U);
  EXPECT_THAT(tables.members(), ::testing::Not(::testing::Contains(100U)));
}

TEST(BlockTracker, FollowsChainsToTheirRoot) {
  // 30 waits for 20, which waits for 10, which works; 40 waits for a prepared transaction.
  const auto blocked = json(R"({
    "waiting": [{"pid": 20, "datname": "odoo", "app": "odoo-20", "s": 12},
                {"pid": 30, "datname": "odoo", "app": "report", "s": 3},
                {"pid": 40, "datname": "odoo", "app": "odoo-40", "s": 1}],
    "edges": [{"pid": 20, "by": [10]}, {"pid": 30, "by": [20]}, {"pid": 40, "by": [0]}],
    "blockers": [{"pid": 10, "datname": "odoo", "app": "pgAdmin 4", "state": "idle in transaction", "tx": 900},
                 {"pid": 20, "datname": "odoo", "app": "odoo-20", "state": "active", "tx": 12}]})");
  BlockTracker tracker(std::chrono::seconds{10});
  Events events;
  const auto readings = read([&](ReadingSet& out) { tracker.read(blocked, {"odoo"}, from_ms(5), out, events); });
  EXPECT_EQ(value_of(readings, "ward_pg_blocked_sessions", {{"datname", "odoo"}}), 3);
  EXPECT_EQ(value_of(readings, "ward_pg_blocked_max_seconds", {{"datname", "odoo"}}), 12);
  EXPECT_EQ(value_of(readings, "ward_pg_root_blockers", {{"datname", "odoo"}, {"application_name", "pgAdmin"}}), 1);
  EXPECT_EQ(value_of(readings, "ward_pg_root_blockers", {{"datname", "odoo"}, {"application_name", "prepared transaction"}}),
            1);
  ASSERT_EQ(events.size(), 1U) << "the prepared transaction's victim waits for too short a time";
  EXPECT_EQ(events[0], (Event{from_ms(5),
                              "lock_blocked",
                              {{"datname", "odoo"},
                               {"blocker", "pgAdmin"},
                               {"blocker_state", "idle in transaction"},
                               {"age_seconds", "900"},
                               {"blocked", "2"},
                               {"waiting_seconds", "12"},
                               {"waiting", "odoo, report"}}}));
}

TEST(BlockTracker, TellsARootAgainOnlyAfterItWasGone) {
  const auto blocked = json(R"({"waiting": [{"pid": 2, "datname": "odoo", "app": "a", "s": 60}],
    "edges": [{"pid": 2, "by": [1]}], "blockers": [{"pid": 1, "datname": "odoo", "app": "b", "tx": 60}]})");
  const auto quiet = json(R"({"waiting": null, "edges": null, "blockers": null})");
  BlockTracker tracker(std::chrono::seconds{1});
  Events events;
  for (const auto* state : {&blocked, &blocked, &quiet, &blocked})
    std::ignore = read([&](ReadingSet& out) { tracker.read(*state, {"odoo"}, from_ms(0), out, events); });
  EXPECT_EQ(events.size(), 2U);
}

TEST(BlockTracker, ADeadlockCycleHasNoRootAndEnds) {
  const auto cycle = json(R"({"waiting": [{"pid": 1, "datname": "odoo", "s": 1}, {"pid": 2, "datname": "odoo", "s": 1}],
    "edges": [{"pid": 1, "by": [2]}, {"pid": 2, "by": [1]}], "blockers": null})");
  BlockTracker tracker(std::chrono::seconds{0});
  Events events;
  const auto readings = read([&](ReadingSet& out) { tracker.read(cycle, {}, from_ms(0), out, events); });
  EXPECT_EQ(value_of(readings, "ward_pg_blocked_sessions", {{"datname", "odoo"}}), 2);
  EXPECT_EQ(count_of(readings, "ward_pg_root_blockers"), 0U);
}

}  // namespace
}  // namespace ward::probes::data
