#include <arpa/inet.h>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/integration/collector_store/shared_database.hpp"

namespace ward::test {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr seconds kLimit{2};
constexpr seconds kGenerous{20};  ///< far below forever; the machine may be crowded

/// A port that takes connections and never says a word.
class SilentPort {
 public:
  SilentPort() : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const raw = reinterpret_cast<sockaddr*>(&address);
    if (::bind(fd_, raw, size) != 0 || ::listen(fd_, 16) != 0 || ::getsockname(fd_, raw, &size) != 0)
      throw std::runtime_error("no silent port");
    port_ = ntohs(address.sin_port);
  }
  SilentPort(const SilentPort&) = delete;
  SilentPort& operator=(const SilentPort&) = delete;
  ~SilentPort() { ::close(fd_); }
  [[nodiscard]] std::string port() const { return std::to_string(port_); }

 private:
  int fd_;
  std::uint16_t port_ = 0;
};

class PgTroubleTest : public ::testing::Test {
 protected:
  PgSharedState impatient(const std::string& holder) const {
    auto options = database_.options(holder);
    options.timeout = kLimit;
    return PgSharedState(options);
  }
  static Result<LeaseAnswer> claim(PgSharedState& by) { return by.claim(hours{1}, false); }
  static void claim_in_time(PgSharedState& by) {
    in_time([&] { return claim(by); });
  }
  static void append_in_time(PgSharedState& by, std::int64_t number) {
    in_time([&] { return by.append(1, number, bytes_of("change")); });
  }
  void expect_failure(PgSharedState& by, Errc code, const std::string& words) const {
    const auto began = std::chrono::steady_clock::now();
    const auto answer = claim(by);
    EXPECT_LT(std::chrono::steady_clock::now() - began, kGenerous);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().code, code) << describe(answer.error());
    EXPECT_THAT(describe(answer.error()),
                AllOf(HasSubstr(words), HasSubstr("127.0.0.1:"), Not(HasSubstr("Quillfeather")), Not(HasSubstr("\n"))));
  }
  SharedDatabase database_;
};

TEST_F(PgTroubleTest, AStoppedServerIsUnavailableAndAReturnedOneWorks) {
  auto a = impatient("a");
  claim_in_time(a);
  append_in_time(a, 1);
  database_.server().stop();
  expect_failure(a, Errc::unavailable, "refuses connections");
  const auto descriptors = [] {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), std::filesystem::directory_iterator());
  };
  const auto before = descriptors();
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(a.fetch());
  EXPECT_EQ(descriptors(), before) << "failed connects leak sockets";
  database_.server().start();
  claim_in_time(a);
  append_in_time(a, 2);
  EXPECT_EQ(in_time([&] { return a.fetch(); })->number, 2);
}

/// A connection that the server ended while it was idle costs the next call nothing.
TEST_F(PgTroubleTest, AConnectionEndedWhileIdleIsMadeAgain) {
  auto a = database_.collector("a");
  claim_in_time(a);
  std::ignore = database_.sql(
      "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = 'ward-collector'");
  EXPECT_EQ(database_.backends(), "");
  EXPECT_TRUE(a.append(1, 1, bytes_of("one")));
}

TEST_F(PgTroubleTest, AServerThatTakesConnectionsAndSaysNothingIsUnavailable) {
  auto a = impatient("a");
  database_.server().signal(SIGSTOP);
  expect_failure(a, Errc::unavailable, "did not let Ward in within 2s");
  database_.server().signal(SIGCONT);
  claim_in_time(a);
}

TEST_F(PgTroubleTest, ABackendThatFallsSilentIsUnavailable) {
  auto a = impatient("a");
  claim_in_time(a);
  const Stopped stopped(database_.backends());
  expect_failure(a, Errc::unavailable, "did not answer within 2s when Ward asked it to take the lease");
  claim_in_time(a);
}

/// More than the sockets' buffers hold: the wait for room in them ends, too.
TEST_F(PgTroubleTest, ABackendThatFallsSilentBeforeALargeImageIsUnavailable) {
  auto a = impatient("a");
  claim_in_time(a);
  append_in_time(a, 1);
  const Stopped stopped(database_.backends());
  const ByteVector image(std::size_t{20} * 1024 * 1024);
  const auto began = std::chrono::steady_clock::now();
  const auto kept = a.keep(1, 1, image);
  EXPECT_LT(std::chrono::steady_clock::now() - began, kGenerous);
  ASSERT_FALSE(kept);
  EXPECT_EQ(kept.error().code, Errc::unavailable) << describe(kept.error());
}

TEST_F(PgTroubleTest, ALockThatSomebodyHoldsIsUnavailable) {
  auto a = impatient("a");
  claim_in_time(a);
  const auto holder =
      database_.server().session("BEGIN; LOCK TABLE ward_lease; SELECT pg_sleep(600); COMMIT", "holder", "ward");
  database_.wait_for("EXISTS (SELECT FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND granted)");
  expect_failure(a, Errc::unavailable, "lock");
}

/// A leader's large image locks the lease for as long as it takes to write.
TEST_F(PgTroubleTest, WhoDoesNotLeadWaitsForNoWriteOfTheLeader) {
  auto a = database_.collector("a");
  claim_in_time(a);
  auto b = database_.collector("b");
  claim_in_time(b);
  const auto writer =
      database_.server().session("BEGIN; SELECT FROM ward_lease FOR SHARE; SELECT pg_sleep(600); COMMIT", "writer", "ward");
  database_.wait_for("EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'writer' AND wait_event = 'PgSleep')");
  const auto answer = claim(b);
  ASSERT_TRUE(answer) << describe(answer.error());
  EXPECT_EQ(answer->holder, "a");
}

TEST_F(PgTroubleTest, AWrongPasswordIsSaidAndNotPrinted) {
  auto options = database_.options("a");
  options.password = Secret("wrong-Quillfeather");
  PgSharedState a(options);
  expect_failure(a, Errc::invalid, "does not let role ward in (SQLSTATE 28P01)");
  options.password = Secret();
  PgSharedState b(options);
  expect_failure(b, Errc::invalid, "asks for a password and none is configured");
}

TEST_F(PgTroubleTest, AMissingDatabaseIsSaid) {
  auto options = database_.options("a");
  options.connection += " dbname=nowhere";
  PgSharedState a(options);
  expect_failure(a, Errc::invalid, "has no database nowhere");
}

TEST_F(PgTroubleTest, ARoleThatMayNotWriteIsToldWhatToGrant) {
  auto a = database_.collector("a");
  claim_in_time(a);
  std::ignore = database_.sql("CREATE ROLE reader LOGIN PASSWORD '" + std::string(SharedDatabase::kPassword) +
                              "'; GRANT SELECT ON ALL TABLES IN SCHEMA public TO reader");
  auto options = database_.options("b");
  options.connection += " user=reader";
  PgSharedState b(options);
  const std::string grant = "GRANT SELECT, INSERT, UPDATE, DELETE ON ward_lease, ward_state_image, ward_state_change";
  expect_failure(b, Errc::invalid, grant);
  std::ignore = database_.sql(grant + ", ward_shared_schema TO reader");
  EXPECT_FALSE(claim(b).value().mine);
}

TEST_F(PgTroubleTest, ARoleThatMayNotMakeTheTablesIsToldWhatToGrant) {
  std::ignore = database_.sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC; CREATE ROLE guest LOGIN PASSWORD '" +
                              std::string(SharedDatabase::kPassword) + "'");
  auto options = database_.options("b");
  options.connection += " user=guest";
  PgSharedState b(options);
  expect_failure(b, Errc::invalid, "GRANT CREATE, USAGE ON SCHEMA public TO guest");
  std::ignore = database_.sql("GRANT CREATE, USAGE ON SCHEMA public TO guest");
  EXPECT_TRUE(claim(b).value().mine);
}

TEST_F(PgTroubleTest, ARoleThatIsReadOnlyIsUnavailable) {
  std::ignore = database_.sql("ALTER ROLE ward SET default_transaction_read_only = on");
  auto a = database_.collector("a");
  expect_failure(a, Errc::unavailable, "lets nobody write");
}

TEST_F(PgTroubleTest, TablesOfALaterWardAreRefused) {
  auto a = database_.collector("a");
  claim_in_time(a);
  std::ignore = database_.sql("UPDATE ward_shared_schema SET version = 2");
  auto b = database_.collector("b");
  expect_failure(b, Errc::invalid, "have version 2, and this collector knows version 1");
}

TEST_F(PgTroubleTest, TablesThatSomebodyDroppedAreMadeAgain) {
  auto a = database_.collector("a");
  claim_in_time(a);
  for (const std::string dropped : {"ward_lease, ward_state_image, ward_state_change, ward_shared_schema", "ward_lease",
                                    "ward_shared_schema, ward_lease"}) {
    std::ignore = database_.sql("DROP TABLE " + dropped);
    expect_failure(a, Errc::unavailable, "has lost Ward's tables");
    EXPECT_TRUE(claim(a).value().mine) << dropped;
  }
}

TEST_F(PgTroubleTest, OfSeveralHostsTheOneThatAnswersIsUsed) {
  const SilentPort silent;
  auto options = database_.options("a");
  options.timeout = kLimit;
  options.connection = "host=127.0.0.1,127.0.0.1 port=" + silent.port() + "," + std::to_string(database_.server().port()) +
                       " dbname=ward user=ward";
  PgSharedState a(options);
  claim_in_time(a);
}

TEST_F(PgTroubleTest, ANameIsLookedUpAndAWrongOneIsSaid) {
  auto options = database_.options("a");
  const auto rest = " port=" + std::to_string(database_.server().port()) + " dbname=ward user=ward";
  options.connection = "host=localhost" + rest;  // ::1 comes first where there is one, and nothing listens there
  PgSharedState a(options);
  claim_in_time(a);
  options.connection = "host=nowhere.invalid" + rest;
  PgSharedState b(options);
  const auto answer = claim(b);
  ASSERT_FALSE(answer);
  EXPECT_THAT(describe(answer.error()), HasSubstr("DNS"));  // which of the two depends on the machine's name servers
}

TEST_F(PgTroubleTest, AStandbyIsNotWrittenTo) {
  PostgresServer::Options standby_options;
  standby_options.primary = &database_.server();
  const PostgresServer standby(standby_options);
  auto options = database_.options("a");
  options.connection = "host=127.0.0.1 port=" + std::to_string(standby.port()) + " dbname=ward user=ward";
  PgSharedState alone(options);
  expect_failure(alone, Errc::unavailable, "standby");
  options.connection = "host=127.0.0.1,127.0.0.1 port=" + std::to_string(standby.port()) + "," +
                       std::to_string(database_.server().port()) + " dbname=ward user=ward";
  PgSharedState both(options);
  claim_in_time(both);
}

}  // namespace
}  // namespace ward::test
