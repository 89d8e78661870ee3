#include "common/sqlite/changes.hpp"

#include <fstream>
#include <gmock/gmock.h>

#include "tests/support/temp_dir.hpp"

namespace ward::sqlite {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

constexpr const char* kTables =
    "CREATE TABLE a(id INTEGER PRIMARY KEY, text TEXT NOT NULL); CREATE TABLE b(k TEXT PRIMARY KEY, v BLOB) WITHOUT ROWID;";

class ChangesTest : public testing::Test {
 protected:
  Database open(const std::string& name) {
    OpenOptions options;
    options.path = folder_ / name;
    auto db = Database::open(options);
    if (!db) throw std::runtime_error(db.error().what);
    return std::move(*db);
  }
  /// What `sql` changes, as one transaction.
  static std::vector<std::uint8_t> change(Database& db, const std::string& sql) {
    auto transaction = Transaction::begin(db);
    auto recording = Recording::begin(db);
    EXPECT_TRUE(db.run(sql));
    auto out = recording->changes();
    EXPECT_TRUE(transaction->commit());
    return *out;
  }
  static std::vector<std::string> rows(Database& db) {
    std::vector<std::string> out;
    auto all = db.prepare("SELECT id || '=' || text FROM a UNION ALL SELECT k || '=' || v FROM b ORDER BY 1");
    while (all->step().value()) out.emplace_back(all->text(0));
    return out;
  }
  test::TempDir folder_{"changes"};
};

TEST_F(ChangesTest, ACopyFollows) {
  auto from = open("from.db"), to = open("to.db");
  ASSERT_TRUE(from.run(kTables));
  ASSERT_TRUE(to.run(kTables));
  ASSERT_TRUE(apply_changes(to, change(from, "INSERT INTO a VALUES(1,'x'),(2,'y'); INSERT INTO b VALUES('k','v')")));
  ASSERT_TRUE(apply_changes(to, change(from,
                                       "UPDATE a SET text='z' WHERE id=1; DELETE FROM a WHERE id=2; "
                                       "INSERT OR REPLACE INTO b VALUES('k','w')")));
  EXPECT_THAT(rows(to), ElementsAre("1=z", "k=w"));
  EXPECT_EQ(rows(to), rows(from));
}

TEST_F(ChangesTest, NothingIsEmptyAndChangesNothing) {
  auto db = open("a.db");
  ASSERT_TRUE(db.run(kTables));
  const auto nothing = change(db, "DELETE FROM a");
  EXPECT_THAT(nothing, IsEmpty());
  EXPECT_TRUE(apply_changes(db, nothing));
}

TEST_F(ChangesTest, TheSameChangeTwiceIsTheSame) {
  auto from = open("from.db"), to = open("to.db");
  ASSERT_TRUE(from.run(kTables));
  ASSERT_TRUE(to.run(kTables));
  const auto first = change(from, "INSERT INTO a VALUES(1,'x')");
  const auto second = change(from, "UPDATE a SET text='y'; INSERT INTO a VALUES(2,'z')");
  for (const auto* each : {&first, &second, &second}) ASSERT_TRUE(apply_changes(to, *each));
  EXPECT_THAT(rows(to), ElementsAre("1=y", "2=z"));
}

TEST_F(ChangesTest, WhatIsGoneInTheCopyStaysGone) {
  auto from = open("from.db"), to = open("to.db");
  ASSERT_TRUE(from.run(kTables));
  ASSERT_TRUE(to.run(kTables));
  ASSERT_TRUE(apply_changes(to, change(from, "INSERT INTO a VALUES(1,'x'),(2,'y')")));
  ASSERT_TRUE(to.run("DELETE FROM a WHERE id=1"));
  ASSERT_TRUE(apply_changes(to, change(from, "UPDATE a SET text='z'")));
  EXPECT_THAT(rows(to), ElementsAre("2=z"));
}

TEST_F(ChangesTest, WhatIsNoChangesetIsRefusedWhole) {
  auto db = open("a.db");
  ASSERT_TRUE(db.run(kTables));
  auto bytes = change(db, "INSERT INTO a VALUES(1,'x')");
  ASSERT_TRUE(db.run("DELETE FROM a"));
  bytes.resize(bytes.size() / 2);
  const auto done = apply_changes(db, bytes);
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::corrupt);
  EXPECT_THAT(rows(db), IsEmpty());
}

TEST_F(ChangesTest, WhatHasNoPlaceIsRefusedAndNotSkipped) {
  auto from = open("from.db"), to = open("to.db");
  ASSERT_TRUE(from.run(kTables));
  ASSERT_TRUE(to.run(kTables));
  ASSERT_TRUE(from.run("ALTER TABLE a ADD COLUMN more TEXT; CREATE TABLE c(id INTEGER PRIMARY KEY)"));
  EXPECT_EQ(apply_changes(to, change(from, "INSERT INTO a VALUES(1,'x','y')")).error().code, Errc::corrupt);
  EXPECT_EQ(apply_changes(to, change(from, "INSERT INTO c VALUES(1)")).error().code, Errc::corrupt);
  EXPECT_THAT(rows(to), IsEmpty());
}

TEST_F(ChangesTest, AnImageIsTheFileWithAllThatIsCommitted) {
  auto db = open("a.db");
  ASSERT_TRUE(db.run(kTables));
  ASSERT_TRUE(db.run("INSERT INTO a VALUES(1,'in the log')"));
  const auto image = image_of(db);
  ASSERT_TRUE(image);
  std::ofstream(folder_ / "b.db", std::ios::binary)
      .write(reinterpret_cast<const char*>(image->data()), static_cast<std::streamsize>(image->size()));
  auto copy = open("b.db");
  EXPECT_THAT(rows(copy), ElementsAre("1=in the log"));
  EXPECT_EQ(copy.integrity_check().value(), "");
}

}  // namespace
}  // namespace ward::sqlite
