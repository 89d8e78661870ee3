#include "collector/store/postgres/pg_failure.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ward::collector {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const PgSide kSide{"db-1:5432", "ward", "shared"};

TEST(PgFailure, EveryCodeHasItsKind) {
  struct Row {
    std::string_view sqlstate;
    Errc code;
    std::string_view words;
  };
  for (const auto& [sqlstate, code, words] : std::vector<Row>{
           {"", Errc::unavailable, "ended the connection"},
           {"08006", Errc::unavailable, "ended the connection"},
           {"57P01", Errc::unavailable, "ended the connection"},
           {"57P03", Errc::unavailable, "ended the connection"},
           {"53100", Errc::unavailable, "no disk space"},
           {"53200", Errc::unavailable, "lacks resources"},
           {"25006", Errc::unavailable, "lets nobody write"},
           {"55P03", Errc::unavailable, "waiting for a lock"},
           {"57014", Errc::unavailable, "took too long"},
           {"40001", Errc::unavailable, "undid the transaction"},
           {"40P01", Errc::unavailable, "undid the transaction"},
           {"42P01", Errc::unavailable, "lost Ward's tables"},
           {"42501", Errc::invalid, "does not let role ward use Ward's tables in database shared"},
           {"XX001", Errc::corrupt, "data are damaged"},
           {"22003", Errc::internal, "SQLSTATE 22003"},
       }) {
    const auto error = pg_statement_failure(sqlstate, "to take the lease", kSide);
    EXPECT_EQ(error.code, code) << sqlstate;
    EXPECT_THAT(error.what, HasSubstr("PostgreSQL at db-1:5432"));
    EXPECT_THAT(error.what, HasSubstr(words)) << sqlstate;
    EXPECT_FALSE(error.fix.empty()) << sqlstate;
  }
}

TEST(PgFailure, AConnectThatFailedIsToldByItsCodeOrByLibpqsWords) {
  struct Row {
    std::string_view text;
    Errc code;
    std::string_view words;
  };
  for (const auto& [text, code, words] : std::vector<Row>{
           {"connection to server at \"db-1\", port 5432 failed: FATAL:  28P01\n", Errc::invalid,
            "does not let role ward in"},
           {"connection to server failed: FATAL:  3D000\n", Errc::invalid, "has no database shared"},
           {"connection to server failed: FATAL:  42501\n", Errc::invalid, "into database shared"},
           {"connection to server failed: FATAL:  53300\n", Errc::unavailable, "no connection left"},
           {"connection to server failed: FATAL:  57P03\n", Errc::unavailable, "is starting, recovering"},
           {"connection to server failed: FATAL:  58P01\n", Errc::unavailable, "SQLSTATE 58P01"},
           {"failed: Connection refused\n\tIs the server running", Errc::unavailable, "refuses connections"},
           {"failed: session is read-only\n", Errc::unavailable, "lets nobody write"},
           {"SSL error: certificate verify failed\n", Errc::invalid, "not trusted"},
           {"server closed the connection unexpectedly", Errc::unavailable, "closed the connection"},
       }) {
    const auto error = pg_connect_failure(text, kSide);
    EXPECT_EQ(error.code, code) << text;
    EXPECT_THAT(error.what, HasSubstr(words)) << text;
    EXPECT_THAT(error.what, Not(HasSubstr("\n")));
  }
}

TEST(PgFailure, ANameThatIsWrongAndNameServersThatAreSilentAreTwoThings) {
  EXPECT_EQ(pg_lookup_failure(Errc::not_found, kSide).code, Errc::invalid);
  EXPECT_EQ(pg_lookup_failure(Errc::timed_out, kSide).code, Errc::unavailable);
  EXPECT_EQ(pg_lookup_failure(Errc::unavailable, kSide).code, Errc::unavailable);
}

TEST(PgFailure, AConnectionIsKeptWhereOnlyTheStatementFailed) {
  for (const std::string_view kept : {"55P03", "57014", "40001", "53100"}) EXPECT_FALSE(pg_ends_connection(kept)) << kept;
  for (const std::string_view ended : {"", "08003", "57P01", "25006", "42P01", "42501", "XX000"})
    EXPECT_TRUE(pg_ends_connection(ended)) << ended;
}

}  // namespace
}  // namespace ward::collector
