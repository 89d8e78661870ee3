#include "probes/data/redis_info.hpp"

#include <fstream>
#include <gtest/gtest.h>
#include <sstream>

#include "tests/support/fake_host.hpp"

namespace ward::probes::data {
namespace {

using test::count_of;
using test::value_of;

std::string recorded(const std::string& name) {
  std::ifstream in(std::string(WARD_SOURCE_DIR) + "/tests/data/redis/" + name);
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Readings read(const std::string& text) {
  DropCounts drops;
  ReadingSet set(drops);
  read_redis_info(RedisInfo(text), set);
  return set.take();
}

TEST(RedisInfo, ReadsARecordedServerUnderTheExportersNames) {
  const auto readings = read(recorded("info_7.0.15.txt"));
  EXPECT_EQ(value_of(readings, "redis_memory_used_bytes"), 1017320);
  EXPECT_EQ(value_of(readings, "redis_config_maxclients"), 10000);
  EXPECT_EQ(value_of(readings, "redis_config_maxmemory"), 0);
  EXPECT_EQ(value_of(readings, "redis_rdb_last_bgsave_status"), 1);
  EXPECT_EQ(value_of(readings, "redis_aof_enabled"), 0);
  EXPECT_EQ(value_of(readings, "redis_db_keys", {{"db", "db0"}}), 1);
  EXPECT_EQ(value_of(readings, "redis_commands_total", {{"cmd", "config|set"}}), 1);
  EXPECT_DOUBLE_EQ(value_of(readings, "redis_commands_duration_seconds_total", {{"cmd", "eval"}}).value_or(0), 0.026978);
  EXPECT_EQ(value_of(readings, "redis_latency_percentiles_usec", {{"cmd", "eval"}, {"quantile", "99.9"}}), 27000.831);
  EXPECT_EQ(value_of(readings, "redis_latency_percentiles_usec_sum", {{"cmd", "eval"}}), 26978);
  EXPECT_EQ(count_of(readings, "redis_instance_info"), 1U);
  EXPECT_EQ(count_of(readings, "redis_master_link_up"), 0U);
  EXPECT_EQ(count_of(readings, "ward_series_dropped_total"), 0U);
}

TEST(RedisInfo, ReadsBothEndsOfReplication) {
  const auto primary = read(
      "role:master\r\nconnected_slaves:1\r\nslave0:ip=10.0.0.7,port=6379,state=online,offset=42,lag=1\r\n"
      "slave_repl_offset:9\r\n");
  const Labels replica{{"slave_ip", "10.0.0.7"}, {"slave_port", "6379"}, {"slave_state", "online"}};
  EXPECT_EQ(value_of(primary, "redis_connected_slave_offset_bytes", replica), 42);
  EXPECT_EQ(value_of(primary, "redis_connected_slave_lag_seconds", replica), 1);
  const auto below = read(
      "role:slave\r\nmaster_host:redis-0\r\nmaster_port:6379\r\nmaster_link_status:down\r\n"
      "master_last_io_seconds_ago:-1\r\nmaster_sync_in_progress:1\r\n");
  const Labels master{{"master_host", "redis-0"}, {"master_port", "6379"}};
  EXPECT_EQ(value_of(below, "redis_master_link_up", master), 0);
  EXPECT_EQ(value_of(below, "redis_master_last_io_seconds_ago", master), -1);
  EXPECT_EQ(value_of(below, "redis_master_sync_in_progress", master), 1);
}

TEST(RedisInfo, OddLinesCostOnlyThemselves) {
  for (const std::string_view odd : {"", ":", "no colon", "used_memory:", "used_memory:many", "db0:keys",
                                     "db0:keys=", "cmdstat_get:", "cmdstat_get:calls",
                                     "slave0:ip=", "latency_percentiles_usec_get:p50=", "# Server", "\r"}) {
    const auto readings = read(std::string(odd) + "\r\nblocked_clients:3\r\n");
    EXPECT_EQ(value_of(readings, "redis_blocked_clients"), 3) << odd;
    EXPECT_EQ(count_of(readings, "redis_memory_used_bytes"), 0U) << odd;
  }
}

TEST(RedisInfo, AFailedSaveIsZero) {
  EXPECT_EQ(value_of(read("rdb_last_bgsave_status:err\r\n"), "redis_rdb_last_bgsave_status"), 0);
}

TEST(RedisLatency, TellsWhenAndHowLong) {
  using Kind = RedisReply::Kind;
  const RedisReply spike{Kind::list,
                         "",
                         0,
                         {{Kind::text, "command", 0, {}},
                          {Kind::integer, "", 1764000000, {}},
                          {Kind::integer, "", 443, {}},
                          {Kind::integer, "", 900, {}}}};
  const RedisReply broken{Kind::list, "", 0, {{Kind::text, "fork", 0, {}}}};
  DropCounts drops;
  ReadingSet set(drops);
  read_redis_latency({Kind::list, "", 0, {broken, spike}}, set);
  const auto readings = set.take();
  EXPECT_EQ(value_of(readings, "redis_latency_spike_last", {{"event_name", "command"}}), 1764000000);
  EXPECT_EQ(value_of(readings, "redis_latency_spike_duration_seconds", {{"event_name", "command"}}), 0.443);
}

TEST(RedisPersistence, IsProvenOrNotOrUnknown) {
  const auto now = from_ms(1'764'000'000'000);
  const auto proven = [&](const std::string& text) {
    return persistence_proven(RedisInfo(text), now, std::chrono::hours{2});
  };
  const std::string just = "rdb_last_save_time:1763999000\r\n";
  const std::string long_ago = "rdb_last_save_time:1763990000\r\n";
  EXPECT_EQ(proven("aof_enabled:1\r\n"), true);
  EXPECT_EQ(proven("rdb_changes_since_last_save:5\r\nrdb_saves:3\r\n" + just), true);
  EXPECT_EQ(proven("rdb_changes_since_last_save:5\r\nrdb_last_bgsave_time_sec:0\r\n" + just), true) << "Redis 6";
  EXPECT_EQ(proven("rdb_changes_since_last_save:5\r\nrdb_saves:0\r\n" + long_ago), false);
  EXPECT_EQ(proven("rdb_changes_since_last_save:5\r\nrdb_saves:9\r\n" + long_ago), false) << "switched off at run time";
  EXPECT_EQ(proven("rdb_changes_since_last_save:5\r\nrdb_saves:0\r\nrdb_last_bgsave_time_sec:-1\r\n" + just), std::nullopt);
  EXPECT_EQ(proven(""), std::nullopt);
}

}  // namespace
}  // namespace ward::probes::data
