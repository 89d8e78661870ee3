#include "probes/data/postgres_failure.hpp"

#include <gtest/gtest.h>

namespace ward::probes::data {
namespace {

PostgresTarget target() {
  PostgresTarget t;
  t.host = "pg-main";
  return t;
}

struct Case {
  std::string_view text;
  FailureReason reason;
  ServerState server;
};

TEST(PostgresConnectFailure, IsReadFromSqlstatesAndLibpqTexts) {
  constexpr std::string_view kAt = "connection to server at \"10.0.0.5\", port 5432 failed: ";
  for (const auto& [text, reason, server] : {
           Case{"FATAL:  53300\n", FailureReason::probe_refused, ServerState::unknown},
           Case{"FATAL:  28P01\n", FailureReason::auth, ServerState::unknown},
           Case{"FATAL:  28000\n", FailureReason::auth, ServerState::unknown},
           Case{"FATAL:  57P03\n", FailureReason::loading, ServerState::down},
           Case{"FATAL:  3D000\n", FailureReason::not_found, ServerState::unknown},
           Case{"SCHWERWIEGEND:  53300\n", FailureReason::probe_refused, ServerState::unknown},
           Case{"Connection refused\n\tIs the server running on that host and accepting TCP/IP connections?\n",
                FailureReason::connect_refused, ServerState::down},
           Case{"No route to host\n\tIs the server running on that host?\n", FailureReason::connect_failed,
                ServerState::down},
           Case{"timeout expired\n", FailureReason::timeout, ServerState::down},
           Case{"SSL error: certificate verify failed\n", FailureReason::tls_untrusted, ServerState::unknown},
           Case{"server certificate for \"a\" does not match host name \"b\"\n", FailureReason::tls_name_mismatch,
                ServerState::unknown},
           Case{"server does not support SSL, but SSL was required\n", FailureReason::tls_protocol, ServerState::unknown},
           Case{"fe_sendauth: no password supplied\n", FailureReason::auth, ServerState::unknown},
           Case{"server closed the connection unexpectedly\n", FailureReason::connect_failed, ServerState::down},
       }) {
    const auto failure = connect_failure(std::string(kAt) + std::string(text), target());
    EXPECT_EQ(failure.reason, reason) << text;
    EXPECT_EQ(failure.server, server) << text;
    EXPECT_TRUE(failure.connection_lost) << text;
    EXPECT_FALSE(failure.error.fix.empty()) << text;
  }
  const auto unknown_name =
      connect_failure("could not translate host name \"pg-main\" to address: Name or service not known\n", target());
  EXPECT_EQ(unknown_name.reason, FailureReason::dns_nxdomain);
  EXPECT_EQ(unknown_name.server, ServerState::unknown);
}

TEST(PostgresConnectFailure, TakesTheLastAttemptOfSslmodePrefer) {
  const auto failure =
      connect_failure("connection to server failed: FATAL:  28000\nconnection to server failed: FATAL:  53300\n", target());
  EXPECT_EQ(failure.sqlstate, "53300");
}

TEST(PostgresConnectFailure, NeverRepeatsWhatTheServerSaid) {
  const auto failure = connect_failure("FATAL: role \"Quillfeather\" is not wanted here\n", target());
  EXPECT_EQ(failure.error.what.find("Quillfeather"), std::string::npos);
}

TEST(PostgresStatementFailure, TellsALostServerFromALostStatement) {
  struct Statement {
    std::string_view sqlstate;
    FailureReason reason;
    ServerState server;
    bool lost;
  };
  for (const auto& [sqlstate, reason, server, lost] : {
           Statement{"", FailureReason::connect_failed, ServerState::down, true},
           Statement{"57P01", FailureReason::connect_failed, ServerState::down, true},
           Statement{"42501", FailureReason::permission, ServerState::up, false},
           Statement{"57014", FailureReason::timeout, ServerState::up, false},
           Statement{"55P03", FailureReason::timeout, ServerState::up, false},
           Statement{"42703", FailureReason::unsupported, ServerState::up, false},
           Statement{"53200", FailureReason::probe_refused, ServerState::up, false},
           Statement{"22P02", FailureReason::protocol, ServerState::up, false},
       }) {
    const auto failure = statement_failure(sqlstate, "slots", target());
    EXPECT_EQ(failure.reason, reason) << sqlstate;
    EXPECT_EQ(failure.server, server) << sqlstate;
    EXPECT_EQ(failure.connection_lost, lost) << sqlstate;
    EXPECT_NE(failure.error.what.find("slots"), std::string::npos);
  }
}

}  // namespace
}  // namespace ward::probes::data
