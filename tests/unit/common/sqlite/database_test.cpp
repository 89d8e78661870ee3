#include "common/sqlite/database.hpp"

#include <cmath>
#include <fstream>
#include <gmock/gmock.h>
#include <limits>
#include <vector>

#include "tests/support/temp_dir.hpp"

namespace ward::sqlite {
namespace {

using testing::HasSubstr;

class DatabaseTest : public testing::Test {
 protected:
  [[nodiscard]] OpenOptions options() const {
    OpenOptions out;
    out.path = folder_ / "a.db";
    return out;
  }
  Database open(OpenOptions with) {
    auto db = Database::open(with);
    if (!db) throw std::runtime_error(db.error().what);
    return std::move(*db);
  }
  Database open() { return open(options()); }
  test::TempDir folder_{"sqlite"};
};

TEST_F(DatabaseTest, StatementsKeepValuesOfEveryKind) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE t(i, r, s, b, n)"));
  const std::vector<std::uint8_t> blob{0, 1, 255};
  const std::string text("nul\0inside", 10);
  auto put = db.prepare("INSERT INTO t VALUES(?,?,?,?,?)");
  ASSERT_TRUE(put);
  put->bind(1, std::numeric_limits<std::int64_t>::min())
      .bind(2, -0.25)
      .bind(3, std::string_view{text})
      .bind(4, Bytes{blob})
      .bind_null(5);
  ASSERT_TRUE(put->run());
  auto get = db.prepare("SELECT i, r, s, b, n FROM t");
  ASSERT_TRUE(get);
  ASSERT_TRUE(get->step().value());
  EXPECT_EQ(get->integer(0), std::numeric_limits<std::int64_t>::min());
  EXPECT_EQ(get->real(1), -0.25);
  EXPECT_EQ(get->text(2), text);
  EXPECT_THAT(get->blob(3), testing::ElementsAreArray(blob));
  EXPECT_TRUE(get->is_null(4));
  EXPECT_FALSE(get->is_null(0));
  EXPECT_FALSE(get->step().value());
}

TEST_F(DatabaseTest, EmptyTextAndBlobAreNotNull) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE t(s NOT NULL, b NOT NULL)"));
  auto put = db.prepare("INSERT INTO t VALUES(?,?)");
  put->bind(1, std::string_view{}).bind(2, Bytes{});
  ASSERT_TRUE(put->run());
  auto get = db.prepare("SELECT s, b FROM t");
  ASSERT_TRUE(get->step().value());
  EXPECT_EQ(get->text(0), "");
  EXPECT_TRUE(get->blob(1).empty());
  EXPECT_FALSE(get->is_null(0));
}

TEST_F(DatabaseTest, BoundTextMayGoBeforeItIsUsed) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE t(s)"));
  auto put = db.prepare("INSERT INTO t VALUES(?)");
  {
    std::string gone(1'000, 'x');
    put->bind(1, std::string_view{gone});
    gone.assign(1'000, 'y');
  }
  ASSERT_TRUE(put->run());
  EXPECT_EQ(db.scalar("SELECT s = '" + std::string(1'000, 'x') + "' FROM t"), 1);
}

TEST_F(DatabaseTest, AStatementForgetsItsValuesWhenReset) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE t(a)"));
  auto put = db.prepare("INSERT INTO t VALUES(?)");
  ASSERT_TRUE(put->bind(1, std::int64_t{1}).run());
  ASSERT_TRUE(put->run());
  EXPECT_EQ(db.scalar("SELECT count(*) FROM t WHERE a IS NULL"), 1);
}

TEST_F(DatabaseTest, ScalarOfNothingIsZero) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE t(a)"));
  EXPECT_EQ(db.scalar("SELECT a FROM t"), 0);
  EXPECT_EQ(db.scalar("SELECT 7"), 7);
}

TEST_F(DatabaseTest, TellsTheLastRowAndTheNumberOfChanges) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE t(id INTEGER PRIMARY KEY, a); INSERT INTO t VALUES(41, 0); INSERT INTO t(a) VALUES(1)"));
  EXPECT_EQ(db.last_insert_id(), 42);
  ASSERT_TRUE(db.run("UPDATE t SET a = 5"));
  EXPECT_EQ(db.changes(), 2);
}

TEST_F(DatabaseTest, ATransactionThatIsNotCommittedNeverHappened) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE t(a)"));
  {
    auto transaction = Transaction::begin(db);
    ASSERT_TRUE(transaction);
    ASSERT_TRUE(db.run("INSERT INTO t VALUES(1)"));
    EXPECT_EQ(db.scalar("SELECT count(*) FROM t"), 1);
  }
  EXPECT_EQ(db.scalar("SELECT count(*) FROM t"), 0);
  auto transaction = Transaction::begin(db);
  ASSERT_TRUE(transaction) << "the one before is over";
  ASSERT_TRUE(db.run("INSERT INTO t VALUES(2)"));
  auto moved = std::move(*transaction);
  ASSERT_TRUE(moved.commit());
  EXPECT_EQ(db.scalar("SELECT count(*) FROM t"), 1);
}

TEST_F(DatabaseTest, TransactionsDoNotNest) {
  auto db = open();
  auto first = Transaction::begin(db);
  ASSERT_TRUE(first);
  const auto second = Transaction::begin(db);
  ASSERT_FALSE(second);
  EXPECT_TRUE(first->commit());
}

TEST_F(DatabaseTest, WhatIsCommittedIsThereAfterReopening) {
  {
    auto db = open();
    ASSERT_TRUE(db.run("CREATE TABLE t(a); INSERT INTO t VALUES(3)"));
  }
  auto db = open();
  EXPECT_EQ(db.scalar("SELECT a FROM t"), 3);
}

TEST_F(DatabaseTest, WritesAheadAndForcesEachCommit) {
  auto db = open();
  auto mode = db.prepare("PRAGMA journal_mode");
  ASSERT_TRUE(mode->step().value());
  EXPECT_EQ(mode->text(0), "wal");
  EXPECT_EQ(db.scalar("PRAGMA synchronous"), 2) << "FULL";
  ASSERT_TRUE(db.set_durability(Durability::normal));
  EXPECT_EQ(db.scalar("PRAGMA synchronous"), 1);
  ASSERT_TRUE(db.set_durability(Durability::full));
  EXPECT_EQ(db.scalar("PRAGMA synchronous"), 2);
}

TEST_F(DatabaseTest, ForeignKeysHold) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE a(id INTEGER PRIMARY KEY); CREATE TABLE b(a REFERENCES a(id))"));
  EXPECT_FALSE(db.run("INSERT INTO b VALUES(1)"));
}

TEST_F(DatabaseTest, ErrorsOfSqlNameTheFile) {
  auto db = open();
  const auto bad = db.run("SELEKT 1");
  ASSERT_FALSE(bad);
  EXPECT_EQ(bad.error().code, Errc::internal);
  EXPECT_THAT(bad.error().what, HasSubstr("a.db"));
  EXPECT_FALSE(db.prepare("SELECT nope FROM nowhere"));
  EXPECT_FALSE(db.scalar("SELECT nope"));
}

TEST_F(DatabaseTest, ErrorsNeverShowBoundValues) {
  auto db = open();
  ASSERT_TRUE(db.run("CREATE TABLE t(a UNIQUE)"));
  auto put = db.prepare("INSERT INTO t VALUES(?)");
  ASSERT_TRUE(put->bind(1, std::string_view{"Jane Doe"}).run());
  const auto twice = put->bind(1, std::string_view{"Jane Doe"}).run();
  ASSERT_FALSE(twice);
  EXPECT_THAT(describe(twice.error()), testing::Not(HasSubstr("Jane")));
  EXPECT_TRUE(put->bind(1, std::string_view{"other"}).run()) << "the statement is usable again";
}

TEST_F(DatabaseTest, ASizeCapIsAFullDiskAndChangesNothing) {
  auto capped = options();
  capped.max_bytes = 64 << 10;
  auto db = open(capped);
  ASSERT_TRUE(db.run("CREATE TABLE t(b)"));
  Status done;
  int rows = 0;
  const std::vector<std::uint8_t> block(4'096, 7);
  for (; rows < 100; ++rows) {
    auto put = db.prepare("INSERT INTO t VALUES(?)");
    done = put->bind(1, Bytes{block}).run();
    if (!done) break;
  }
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::full);
  EXPECT_THAT(done.error().fix, HasSubstr("Free space"));
  EXPECT_EQ(db.scalar("SELECT count(*) FROM t"), rows);
  ASSERT_TRUE(db.run("DELETE FROM t WHERE rowid < 5"));
  auto put = db.prepare("INSERT INTO t VALUES(?)");
  EXPECT_TRUE(put->bind(1, Bytes{block}).run()) << "room that was freed is used again";
}

TEST_F(DatabaseTest, AFileThatIsNoDatabaseIsCorrupt) {
  std::ofstream(options().path) << std::string(8'192, 'x');
  const auto db = Database::open(options());
  ASSERT_FALSE(db);
  EXPECT_EQ(db.error().code, Errc::corrupt);
  EXPECT_THAT(db.error().fix, HasSubstr("aside"));
}

TEST_F(DatabaseTest, DamageInsideIsFound) {
  {
    auto db = open();
    ASSERT_TRUE(
        db.run("CREATE TABLE t(a); WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<2000) "
               "INSERT INTO t SELECT hex(randomblob(50)) FROM n"));
    EXPECT_EQ(db.integrity_check(), "");
  }
  {
    std::fstream file(options().path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(3 * 4'096);
    file << std::string(4'096, '\xaa');
  }
  auto db = open();
  const auto verdict = db.integrity_check();
  EXPECT_TRUE(!verdict || !verdict->empty());
  const auto sum = db.scalar("SELECT sum(length(a)) FROM t");
  ASSERT_FALSE(sum);
  EXPECT_EQ(sum.error().code, Errc::corrupt);
}

TEST_F(DatabaseTest, AFolderThatIsMissingIsUnavailable) {
  auto nowhere = options();
  nowhere.path = folder_ / "no/such/a.db";
  const auto db = Database::open(nowhere);
  ASSERT_FALSE(db);
  EXPECT_EQ(db.error().code, Errc::unavailable);
  EXPECT_THAT(db.error().fix, HasSubstr("folder exists"));
}

TEST_F(DatabaseTest, AFileThatAnotherProcessHoldsIsOverloaded) {
  auto holder = open();
  ASSERT_TRUE(holder.run("CREATE TABLE t(a)"));
  const auto second = Database::open(options());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::overloaded);
  EXPECT_THAT(second.error().fix, HasSubstr("Stop the other process"));
}

TEST_F(DatabaseTest, ReadersMayShareAFileThatIsNotExclusive) {
  auto shared = options();
  shared.exclusive = false;
  auto writer = open(shared);
  ASSERT_TRUE(writer.run("CREATE TABLE t(a); INSERT INTO t VALUES(1)"));
  auto reader = open(shared);
  auto transaction = Transaction::begin(writer);
  ASSERT_TRUE(writer.run("INSERT INTO t VALUES(2)"));
  EXPECT_EQ(reader.scalar("SELECT count(*) FROM t"), 1);
  ASSERT_TRUE(transaction->commit());
  EXPECT_EQ(reader.scalar("SELECT count(*) FROM t"), 2);
}

using DatabaseDeathTest = DatabaseTest;

TEST_F(DatabaseDeathTest, BindingBehindTheLastParameterIsABug) {
  auto db = open();
  auto statement = db.prepare("SELECT ?");
  EXPECT_DEATH(statement->bind(2, std::int64_t{1}), "does not hold");
}

}  // namespace
}  // namespace ward::sqlite
