// Files of other releases: set aside under a name that tells, never deleted, and never read as what they are not.
#include <gmock/gmock.h>

#include "common/sqlite/database.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/spool_bed.hpp"

namespace ward::agent {
namespace {

using testing::HasSubstr;

class SpoolSchema : public testing::Test {
 protected:
  sqlite::Database raw() {
    sqlite::OpenOptions file;
    file.path = path_;
    return std::move(sqlite::Database::open(file).value());
  }
  Result<std::unique_ptr<Spool>> open() {
    SpoolOptions options;
    options.path = path_;
    options.collectors = {"c1"};
    options.tenants = {TenantId{"clinic-a"}};
    return Spool::open(options, random_);
  }
  bool there(const std::string& suffix) const { return std::filesystem::exists(path_ + suffix); }

  test::TempDir dir_{"spool-schema"};
  std::string path_ = dir_ / "spool.db";
  test::SeededRandom random_;
};

TEST_F(SpoolSchema, ANewFileCarriesItsVersion) {
  ASSERT_TRUE(open());
  EXPECT_EQ(raw().scalar("PRAGMA user_version").value(), 2);
}

TEST_F(SpoolSchema, AFileOfThisReleaseIsReadOn) {
  open().value()->append(test::batch_of(3));
  auto again = open().value();
  EXPECT_TRUE(again->take_notices().empty());
  EXPECT_EQ(again->stats().records, 1U);
}

struct Foreign {
  const char* name;
  const char* sql;
  const char* aside;
};

class ForeignSchema : public SpoolSchema, public testing::WithParamInterface<Foreign> {};

TEST_P(ForeignSchema, IsSetAsideWholeAndTold) {
  ASSERT_TRUE(raw().run(GetParam().sql));
  auto spool = open();
  ASSERT_TRUE(spool) << spool.error().what;
  const auto notices = (*spool)->take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_THAT(notices[0].what, HasSubstr(GetParam().aside));
  EXPECT_THAT(notices[0].fix, HasSubstr("release of Ward"));
  (*spool)->append(test::batch_of(2));
  EXPECT_FALSE((*spool)->trouble());
  sqlite::OpenOptions file;
  file.path = path_ + GetParam().aside;
  EXPECT_EQ(sqlite::Database::open(file).value().scalar("SELECT count(*) FROM record").value(), 2);
}

INSTANTIATE_TEST_SUITE_P(
    All, ForeignSchema,
    testing::Values(
        Foreign{"FromBeforeVersions",
                "CREATE TABLE stream(id INTEGER PRIMARY KEY); CREATE TABLE series(id INTEGER PRIMARY KEY, labels BLOB);"
                "CREATE TABLE record(seq INTEGER); INSERT INTO record VALUES(1),(2)",
                ".schema-0"},
        Foreign{"FromANewerRelease",
                "CREATE TABLE stream(id INTEGER PRIMARY KEY, shard INTEGER); CREATE TABLE record(seq INTEGER);"
                "INSERT INTO record VALUES(1),(2); PRAGMA user_version=9",
                ".schema-9"}),
    [](const auto& foreign) { return std::string(foreign.param.name); });

TEST_F(SpoolSchema, TwoForeignFilesAreNotPutOverEachOther) {
  ASSERT_TRUE(raw().run("CREATE TABLE stream(id INTEGER PRIMARY KEY); PRAGMA user_version=9"));
  ASSERT_TRUE(open());
  std::filesystem::remove(path_);
  ASSERT_TRUE(raw().run("CREATE TABLE stream(id INTEGER PRIMARY KEY); PRAGMA user_version=9"));
  const auto refused = open();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
  EXPECT_THAT(refused.error().what, HasSubstr("spool.db.schema-9"));
  EXPECT_TRUE(there(""));
  EXPECT_TRUE(there(".schema-9"));
}

}  // namespace
}  // namespace ward::agent
