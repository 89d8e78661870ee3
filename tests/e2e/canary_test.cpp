// Secrets and contents that Ward meets stay where they are: none of them is in a log, a file, a metric or a page.
#include <algorithm>
#include <csignal>
#include <gtest/gtest.h>

#include "tests/e2e/estate.hpp"
#include "tests/e2e/page_receiver.hpp"

namespace ward::test {
namespace {

using std::chrono::seconds;

// Each stands for one kind of content; none is a word that Ward could know from elsewhere.
const std::string kDatabasePassword = "canaryDbPasswordQ7";
const std::string kRedisPassword = "canaryRedisPasswordQ7";
const std::string kQueryString = "canaryUrlTokenQ7";
const std::string kSqlText = "canarySqlTextQ7";
const std::string kRowValue = "canaryRowValueQ7";
const std::string kPatientNumber = "4711081547";
const std::string kWrongPassword = "canaryWrongPasswordQ7";

/// Every regular file below `dir` that holds `text`.
std::vector<std::string> files_with(const std::filesystem::path& dir, const std::string& text) {
  std::vector<std::string> out;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(dir))
    if (entry.is_regular_file() && text_of(entry.path()).find(text) != std::string::npos)
      out.push_back(entry.path().filename());
  return out;
}

bool is_in(const std::vector<std::string>& files, const std::string& start) {
  return std::any_of(files.begin(), files.end(), [&](const std::string& file) { return file.starts_with(start); });
}

/// What a user of the API or of /metrics could read, as files among the others.
void save_answers(const Estate& estate) {
  estate.dir.write("answer-agent-metrics", http_get(estate.agent_port, "/metrics").body);
  for (const char* name : {"metrics", "alerts", "agents", "incidents"}) {
    const auto path = std::string(name) == "metrics" ? "/metrics" : "/api/ward/v1/" + std::string(name);
    estate.dir.write("answer-collector-" + std::string(name), http_get(estate.http_port, path).body);
  }
  estate.dir.write("answer-query", http_get(estate.http_port, "/api/v1/query?query=%7B__name__%3D~%22.%2B%22%7D").body);
}

std::string targets(const TempDir& secrets, std::uint16_t postgres, std::uint16_t redis, std::uint16_t http) {
  const auto pg = "  - {probe: postgres, interval: 1s, host: 127.0.0.1, port: " + std::to_string(postgres);
  return pg + ", name: pg1, user: ward, password: {file: " + secrets.write("db", kDatabasePassword) +
         "}, lock_event_after: 1s, labels: {service: pg-main, role: primary}}\n" + pg +
         ", name: pg-refused, user: ward, password: {file: " + secrets.write("wrong", kWrongPassword) +
         "}, labels: {service: pg-main, role: standby}}\n" +
         "  - {probe: redis, name: redis1, interval: 1s, host: 127.0.0.1, port: " + std::to_string(redis) +
         ", password: {file: " + secrets.write("redis", kRedisPassword) + "}}\n" +
         "  - {probe: http, name: web, interval: 1s, url: \"http://127.0.0.1:" + std::to_string(http) +
         "/hook?token=" + kQueryString + "\"}\n" +
         "  - {probe: http, name: dead, interval: 1s, url: \"http://127.0.0.1:1/hook?token=" + kQueryString + "\"}\n";
}

TEST(Canary, NothingLeaks) {
  PostgresServer postgres;
  (void)postgres.sql("CREATE ROLE ward LOGIN PASSWORD '" + kDatabasePassword +
                     "'; GRANT pg_monitor TO ward; CREATE TABLE patient(name text); "
                     "INSERT INTO patient VALUES('" +
                     kRowValue + "')");
  const RedisServer redis({{"requirepass " + kRedisPassword}, false});
  const PageReceiver receiver;
  const TempDir secrets("secrets");
  Estate estate({Estate::Transport::insecure, receiver.port(),
                 targets(secrets, postgres.port(), redis.port(), receiver.port()), "", ""});
  const auto configuration = text_of(estate.dir / "agent.yaml");
  const auto holder = postgres.session("BEGIN; UPDATE patient SET name = '" + kRowValue + "'; SELECT pg_sleep(60)",
                                       "worker " + kPatientNumber);
  postgres.wait_for("SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'PgSleep'", "1");
  const auto waiter =
      postgres.session("UPDATE patient SET name = '" + kSqlText + "' -- " + kSqlText, "worker " + kPatientNumber);
  postgres.wait_for("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'", "1");
  estate.collector.start();
  estate.agent.start();
  ASSERT_TRUE(estate.flows()) << estate.logs();
  const auto seen = [&](const std::string& query, const std::string& part) {
    return eventually(kPatience, [&] {
      return http_get(estate.http_port, "/api/v1/query?query=" + query).body.find(part) != std::string::npos;
    });
  };
  ASSERT_TRUE(seen("pg_up", "\"pg1\"")) << estate.logs();
  // The worker whose name holds a number blocks the other one, and Ward says so without the name.
  ASSERT_TRUE(seen("ward_pg_root_blockers", "_redacted")) << estate.logs();
  ASSERT_TRUE(seen("redis_up==1", "\"redis1\"")) << estate.logs();
  ASSERT_TRUE(seen("probe_success", "\"web\"")) << estate.logs();
  // So does the event that follows a second later; nothing but the journal keeps it.
  const auto event_kept = [&] { return is_in(files_with(estate.dir.path(), "lock_blocked"), "journal.db"); };
  ASSERT_TRUE(eventually(kPatience, event_kept)) << estate.logs();
  postgres.signal(SIGQUIT);
  postgres.stop();
  ASSERT_TRUE(eventually(kPatience, [&] { return !receiver.pages("firing").empty(); })) << estate.logs();

  save_answers(estate);
  estate.dir.write("pages", receiver.text());
  // The agent's configuration is where the user wrote the address; it is no output.
  std::filesystem::remove(estate.dir / "agent.yaml");
  estate.agent.kill();
  estate.collector.kill();
  // What may be there is found, so the search works; a file's newest part may still lie in its log.
  for (const char* file : {"spool.db", "journal.db", "state.db", "agent.log", "answer-query", "pages"})
    EXPECT_TRUE(is_in(files_with(estate.dir.path(), "pg1"), file)) << file;
  for (const auto& marker :
       {kDatabasePassword, kRedisPassword, kQueryString, kSqlText, kRowValue, kPatientNumber, kWrongPassword})
    EXPECT_EQ(files_with(estate.dir.path(), marker), std::vector<std::string>{}) << marker;
}

}  // namespace
}  // namespace ward::test
