// What commits survive, on the simulator's disk: its cache outlives a kill, only what was synced outlives a power loss.
#include <gmock/gmock.h>

#include "common/sqlite/database.hpp"
#include "tests/sim/disk.hpp"

namespace ward::sqlite {
namespace {

class DurabilityTest : public testing::Test {
 protected:
  Result<Database> try_open() {
    OpenOptions options;
    options.path = "/disk/a.db";
    options.vfs = disk_.vfs();
    options.checkpoint_pages = checkpoint_pages_;
    return Database::open(options);
  }
  Database open() {
    auto db = try_open();
    if (!db) throw std::runtime_error(db.error().what);
    return std::move(*db);
  }
  /// A database whose table t is safely on the disk.
  Database prepared() {
    auto db = open();
    if (auto made = db.run("CREATE TABLE t(a)"); !made) throw std::runtime_error(made.error().what);
    if (auto settled = db.settle(); !settled) throw std::runtime_error(settled.error().what);
    return db;
  }
  std::int64_t rows_after_power_loss() {
    disk_.power_loss();
    auto db = open();
    return db.scalar("SELECT count(*) FROM t").value();
  }
  sim::Disk disk_{"durability-test", 11};
  int checkpoint_pages_ = 1'000;
};

TEST_F(DurabilityTest, AFullCommitOutlivesPowerLoss) {
  {
    auto db = prepared();
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(db.run("INSERT INTO t VALUES(1)"));
    disk_.power_loss();
  }
  EXPECT_EQ(rows_after_power_loss(), 20);
}

TEST_F(DurabilityTest, NormalCommitsOutliveAKill) {
  {
    auto db = prepared();
    ASSERT_TRUE(db.set_durability(Durability::normal));
    for (int i = 0; i < 20; ++i) ASSERT_TRUE(db.run("INSERT INTO t VALUES(1)"));
    disk_.kill_writers();
  }
  auto db = open();
  EXPECT_EQ(db.scalar("SELECT count(*) FROM t"), 20);
}

TEST_F(DurabilityTest, NormalCommitsAreForcedByTheNextFullOne) {
  {
    auto db = prepared();
    ASSERT_TRUE(db.set_durability(Durability::normal));
    const auto before = disk_.syncs();
    for (int i = 0; i < 10; ++i) ASSERT_TRUE(db.run("INSERT INTO t VALUES(1)"));
    EXPECT_EQ(disk_.syncs(), before) << "the point of normal";
    ASSERT_TRUE(db.set_durability(Durability::full));
    ASSERT_TRUE(db.run("INSERT INTO t VALUES(2)"));
    EXPECT_GT(disk_.syncs(), before);
    disk_.power_loss();
  }
  EXPECT_EQ(rows_after_power_loss(), 11);
}

TEST_F(DurabilityTest, AFullDiskIsErrcFullAndChangesNothing) {
  auto db = prepared();
  ASSERT_TRUE(db.run("INSERT INTO t VALUES(1)"));
  disk_.set_full(true);
  const auto done = db.run("INSERT INTO t VALUES(zeroblob(100000))");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::full);
  EXPECT_EQ(db.scalar("SELECT count(*) FROM t"), 1);
  disk_.set_full(false);
  EXPECT_TRUE(db.run("INSERT INTO t VALUES(2)"));
}

TEST_F(DurabilityTest, AFailedSyncIsUnavailable) {
  auto db = prepared();
  disk_.fail_next_sync();
  const auto done = db.run("INSERT INTO t VALUES(1)");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unavailable);
}

TEST_F(DurabilityTest, SettleMakesWhatReadsWellAfterAFailedSyncSafe) {
  // The kernel forgot pages it never wrote: the row reads from its cache, and would be gone after a power loss.
  {
    auto db = prepared();
    disk_.fail_next_sync();
    ASSERT_FALSE(db.run("INSERT INTO t VALUES(1)"));
    disk_.kill_writers();
  }
  std::int64_t read = 0;
  {
    auto db = open();
    ASSERT_TRUE(db.settle());
    read = db.scalar("SELECT count(*) FROM t").value();
    ASSERT_TRUE(db.run("INSERT INTO t VALUES(2)"));
    disk_.power_loss();
  }
  EXPECT_EQ(rows_after_power_loss(), read + 1);
}

TEST_F(DurabilityTest, SettleEmptiesTheLog) {
  auto db = prepared();
  for (int i = 0; i < 50; ++i) ASSERT_TRUE(db.run("INSERT INTO t VALUES(randomblob(4000))"));
  const auto log = disk_.size("/disk/a.db-wal");
  ASSERT_TRUE(db.settle());
  EXPECT_LT(disk_.size("/disk/a.db-wal"), log / 4);
  EXPECT_EQ(db.scalar("SELECT count(*) FROM t"), 50);
}

TEST_F(DurabilityTest, ALongLogIsCopiedIntoTheFile) {
  checkpoint_pages_ = 20;
  auto db = prepared();
  for (int i = 0; i < 200; ++i) ASSERT_TRUE(db.run("INSERT INTO t VALUES(randomblob(3000))"));
  EXPECT_GT(disk_.size("/disk/a.db"), 400'000U);
  EXPECT_LT(disk_.size("/disk/a.db-wal"), 400'000U);
}

TEST_F(DurabilityTest, AFailedSyncOfACheckpointIsToldByTheCommitThatCausedIt) {
  checkpoint_pages_ = 4;
  auto db = prepared();
  ASSERT_TRUE(db.set_durability(Durability::normal));
  // Commits of this kind do not sync by themselves, so the failing one can only be the checkpoint's.
  disk_.fail_next_sync();
  Status done;
  for (int i = 0; i < 20 && done; ++i) done = db.run("INSERT INTO t VALUES(randomblob(3000))");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unavailable);
}

}  // namespace
}  // namespace ward::sqlite
