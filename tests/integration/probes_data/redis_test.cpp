#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/integration/probes_data/live_probe.hpp"

namespace ward::test {
namespace {

using probes::FailureReason;
using ::testing::HasSubstr;
using ::testing::Not;

const std::string kAclUser = "user ward on >monitoring resetkeys -@all +info +ping +slowlog|len +latency|latest";

std::string yaml_of(const RedisServer& server, const std::string& more = "") {
  return "host: 127.0.0.1\nport: " + std::to_string(server.port()) + "\n" + more;
}

std::string as_ward(const TempDir& secrets, const std::string& password = "monitoring") {
  return "user: ward\npassword: {file: " + secrets.write("redis.password", password + "\n") + "}\n";
}

TEST(RedisProbe, ReadsAPlainServerOverOneConnection) {
  const RedisServer server;
  std::ignore = server.cli({"SET", "session", "1"});
  LiveProbe probe("redis", yaml_of(server));
  const auto output = probe.run();
  EXPECT_FALSE(output.failure) << everything(output);
  EXPECT_EQ(value_of(output.readings, "redis_up"), 1);
  EXPECT_EQ(value_of(output.readings, "redis_db_keys", {{"db", "db0"}}), 1);
  EXPECT_EQ(value_of(output.readings, "redis_slowlog_length"), 0);
  EXPECT_EQ(value_of(output.readings, "redis_commands_total", {{"cmd", "set"}}), 1);
  EXPECT_EQ(value_of(output.readings, "redis_exporter_last_scrape_error"), 0);
  const auto again = probe.run();
  EXPECT_EQ(value_of(again.readings, "redis_connections_received_total"),
            value_of(output.readings, "redis_connections_received_total"));
}

TEST(RedisProbe, ReadsATlsServerAsTheLeastPrivilegedUser) {
  RedisServer::Options options;
  options.tls = true;
  options.lines = {kAclUser};
  const RedisServer server(options);
  const TempDir secrets("secrets");
  LiveProbe probe("redis", yaml_of(server, as_ward(secrets) + "tls: {ca: " + server.ca() + ", server_name: localhost}\n"));
  const auto output = probe.run();
  EXPECT_FALSE(output.failure) << everything(output);
  EXPECT_EQ(value_of(output.readings, "redis_up"), 1);
  EXPECT_EQ(count_of(output.readings, "ward_probe_part_missing"), 0U);
  EXPECT_GT(value_of(output.readings, "redis_config_maxclients").value_or(0), 0);
  EXPECT_FALSE(probe.run().failure) << "the connection is kept";

  LiveProbe wrong_name("redis", yaml_of(server, as_ward(secrets) + "tls: {ca: " + server.ca() + ", server_name: other}\n"));
  const auto misnamed = wrong_name.run();
  ASSERT_TRUE(misnamed.failure);
  EXPECT_EQ(misnamed.failure->reason, FailureReason::tls_name_mismatch);
  EXPECT_EQ(count_of(misnamed.readings, "redis_up"), 0U);

  LiveProbe unknown_ca("redis", yaml_of(server, as_ward(secrets) + "tls: {server_name: localhost}\n"));
  const auto untrusted = unknown_ca.run();
  ASSERT_TRUE(untrusted.failure);
  EXPECT_EQ(untrusted.failure->reason, FailureReason::tls_untrusted);
}

TEST(RedisProbe, ADeniedOptionalCommandCostsOnlyItsPart) {
  RedisServer::Options options;
  options.lines = {"user ward on >monitoring -@all +info"};
  const RedisServer server(options);
  const TempDir secrets("secrets");
  LiveProbe probe("redis", yaml_of(server, as_ward(secrets)));
  const auto output = probe.run();
  EXPECT_FALSE(output.failure) << everything(output);
  EXPECT_EQ(value_of(output.readings, "redis_up"), 1);
  EXPECT_EQ(value_of(output.readings, "ward_probe_part_missing", {{"part", "SLOWLOG LEN"}, {"reason", "permission"}}), 1);
  EXPECT_EQ(value_of(output.readings, "ward_probe_part_missing", {{"part", "LATENCY LATEST"}, {"reason", "permission"}}), 1);
}

TEST(RedisProbe, AWrongPasswordIsAuthAndSaysNothingAboutTheServer) {
  RedisServer::Options options;
  options.lines = {kAclUser, "requirepass ruler"};
  const RedisServer server(options);
  const TempDir secrets("secrets");
  LiveProbe wrong("redis", yaml_of(server, as_ward(secrets, "mistaken")));
  LiveProbe missing("redis", yaml_of(server));
  for (auto* probe : {&wrong, &missing}) {
    const auto output = probe->run();
    ASSERT_TRUE(output.failure);
    EXPECT_EQ(output.failure->reason, FailureReason::auth);
    EXPECT_EQ(count_of(output.readings, "redis_up"), 0U);
    EXPECT_THAT(everything(output), Not(HasSubstr("mistaken")));
  }
}

TEST(RedisProbe, AFullServerIsRefusedAndNotDown) {
  const RedisServer server;
  LiveProbe first("redis", yaml_of(server));
  EXPECT_FALSE(first.run().failure);
  std::ignore = server.cli({"CONFIG", "SET", "maxclients", "1"});
  LiveProbe second("redis", yaml_of(server));
  const auto output = second.run();
  ASSERT_TRUE(output.failure);
  EXPECT_EQ(output.failure->reason, FailureReason::probe_refused);
  EXPECT_EQ(count_of(output.readings, "redis_up"), 0U);
}

TEST(RedisProbe, AStoppedServerIsDownAndAReturnedOneIsUp) {
  RedisServer server;
  LiveProbe probe("redis", yaml_of(server));
  EXPECT_FALSE(probe.run().failure);
  server.stop();
  const auto down = probe.run();
  ASSERT_TRUE(down.failure);
  EXPECT_EQ(down.failure->reason, FailureReason::connect_refused);
  EXPECT_EQ(value_of(down.readings, "redis_up"), 0);
  EXPECT_EQ(value_of(down.readings, "redis_exporter_last_scrape_error", {{"err", "connect_refused"}}), 1);
  server.start();
  EXPECT_EQ(value_of(probe.run().readings, "redis_up"), 1);
}

TEST(RedisProbe, SlowCommandsAreCountedAndTimedButNeverRead) {
  RedisServer::Options options;
  options.lines = {"latency-monitor-threshold 1", "slowlog-log-slower-than 0"};
  const RedisServer server(options);
  std::ignore =
      server.cli({"EVAL", "local x = 0 for i = 1, 2000000 do x = x + i end return x", "0", "Quillfeather-078051120"});
  LiveProbe probe("redis", yaml_of(server));
  const auto output = probe.run();
  EXPECT_GT(value_of(output.readings, "redis_slowlog_length").value_or(0), 0);
  EXPECT_GT(value_of(output.readings, "redis_latency_spike_duration_seconds", {{"event_name", "command"}}).value_or(0), 0);
  EXPECT_GT(value_of(output.readings, "redis_latency_spike_last", {{"event_name", "command"}}).value_or(0), 1.6e9);
  EXPECT_THAT(everything(output), Not(HasSubstr("Quillfeather")));
}

}  // namespace
}  // namespace ward::test
