#include "probes/data/postgres_sql.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ward::probes::data {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

/// A server that has every column its version should have.
ServerFacts facts_of(int version) {
  ServerFacts facts;
  facts.version = version;
  for (const auto* view :
       {&database_view(), &tables_view(), &archiver_view(), &bgwriter_view(), &checkpointer_view(), &receiver_view()})
    for (const auto& column : view->columns)
      if (version >= column.since && version <= column.until)
        facts.columns[std::string(view->name)].insert(std::string(column.column));
  if (version >= 13) facts.columns["pg_replication_slots"] = {"safe_wal_size", "wal_status"};
  if (version >= 14) facts.columns["pg_locks"] = {"waitstart"};
  return facts;
}

std::string batch_for(int version, std::set<std::string>& missing) {
  return batch_sql(core_parts(facts_of(version), {}, missing));
}

TEST(PostgresSql, AsksEachVersionOnlyForWhatItHas) {
  std::set<std::string> missing;
  const auto v12 = batch_for(12, missing);
  const auto v13 = batch_for(13, missing);
  const auto v17 = batch_for(17, missing);
  EXPECT_THAT(missing, ::testing::IsEmpty());
  EXPECT_THAT(v12, Not(HasSubstr("safe_wal_size")));
  EXPECT_THAT(v12, Not(HasSubstr("flushed_lsn")));
  EXPECT_THAT(v12, Not(HasSubstr("waitstart")));
  EXPECT_THAT(v13, HasSubstr("safe_wal_size"));
  EXPECT_THAT(v13, Not(HasSubstr("pg_stat_checkpointer")));
  EXPECT_THAT(v17, HasSubstr("pg_stat_checkpointer"));
  EXPECT_THAT(v17, Not(HasSubstr("buffers_backend")));
}

TEST(PostgresSql, NamesAColumnThatShouldBeThereAndKeepsTheOthers) {
  auto facts = facts_of(15);
  facts.columns["pg_stat_bgwriter"].erase("buffers_alloc");
  std::set<std::string> missing;
  const auto batch = batch_sql(core_parts(facts, {}, missing));
  EXPECT_THAT(missing, ::testing::ElementsAre("pg_stat_bgwriter.buffers_alloc"));
  EXPECT_THAT(batch, Not(HasSubstr("buffers_alloc")));
  EXPECT_THAT(batch, HasSubstr("buffers_clean"));
}

TEST(PostgresSql, NeverSelectsQueryTextsNorWaitsForTableLocks) {
  auto facts = facts_of(17);
  facts.statements_schema = "public";
  facts.columns["pg_stat_statements"] = {"total_exec_time", "query"};
  std::set<std::string> missing;
  const auto all =
      batch_sql(core_parts(facts, {}, missing)) + statements_sql(facts) + wal_sql() + database_sizes_sql() + identity_sql();
  for (const std::string_view bad : {".query,", " query,", "query ", "conninfo", "pg_table_size", "pg_total_relation_size",
                                     "pg_indexes_size", "pg_switch_wal", "_reset"})
    EXPECT_THAT(all, Not(HasSubstr(bad)));
  EXPECT_THAT(all, HasSubstr("pg_stat_statements(false)"));
}

TEST(PostgresSql, KeepsStickyTablesInTheirPart) {
  std::set<std::string> missing;
  const std::vector<std::uint32_t> sticky{16384, 16390};
  EXPECT_THAT(batch_sql(core_parts(facts_of(15), sticky, missing)), HasSubstr("ARRAY[16384, 16390]::oid[]"));
}

TEST(PostgresSql, TimesStatementsUnderTheNameOfTheVersion) {
  auto facts = facts_of(12);
  facts.statements_schema = "public";
  facts.columns["pg_stat_statements"] = {"total_time", "blk_read_time"};
  const auto old = statements_sql(facts);
  EXPECT_THAT(old, HasSubstr("sum(s.total_time)"));
  EXPECT_THAT(old, HasSubstr("sum(s.blk_read_time)"));
  EXPECT_THAT(old, Not(HasSubstr("pg_stat_statements_info")));
  facts.columns["pg_stat_statements"] = {"total_exec_time", "shared_blk_read_time"};
  EXPECT_THAT(statements_sql(facts), HasSubstr("sum(s.shared_blk_read_time)"));
}

}  // namespace
}  // namespace ward::probes::data
