#include "collector/store/postgres/pg_target.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ward::collector {
namespace {

using std::chrono::milliseconds;
using ::testing::HasSubstr;
using ::testing::Not;

std::vector<PgTarget> targets(const std::string& connection) {
  auto made = pg_targets(connection, milliseconds{2500});
  if (!made) throw std::runtime_error(describe(made.error()));
  return *made;
}

TEST(PgTarget, KeywordsAndUriSayTheSame) {
  EXPECT_EQ(targets("host=db-1 port=6432 dbname=ward user=w sslmode=verify-full"),
            targets("postgresql://w@db-1:6432/ward?sslmode=verify-full"));
}

TEST(PgTarget, WhatIsLeftOpenIsSetAndWhatIsSaidStays) {
  const auto settings = targets("host=db-1 keepalives_idle=99 application_name=mine").at(0).settings;
  EXPECT_EQ(settings.at("tcp_user_timeout"), "2500");
  EXPECT_EQ(settings.at("connect_timeout"), "3");
  EXPECT_EQ(settings.at("target_session_attrs"), "read-write");
  EXPECT_EQ(settings.at("keepalives_idle"), "99");
  EXPECT_EQ(settings.at("application_name"), "ward-collector");
}

TEST(PgTarget, EachHostIsATargetOfItsOwn) {
  const auto two = targets("host=db-1,db-2 hostaddr=10.0.0.1,10.0.0.2 port=5432,6432");
  ASSERT_EQ(two.size(), 2U);
  EXPECT_EQ(two[0].place, "db-1:5432");
  EXPECT_EQ(two[1].place, "db-2:6432");
  EXPECT_EQ(two[1].settings.at("hostaddr"), "10.0.0.2");
  EXPECT_EQ(targets("host=db-1,db-2 port=7000").at(1).place, "db-2:7000");
  EXPECT_EQ(targets("hostaddr=10.0.0.1").at(0).place, "10.0.0.1:5432");
  EXPECT_EQ(targets("service=shared").at(0).place, "service shared");
}

TEST(PgTarget, WhatCannotBeUsedIsRefusedAndNeverPrinted) {
  for (const std::string bad :
       {"host=db-1 password=Quillfeather", "postgresql://w:Quillfeather@db-1/ward", "Quillfeather", "host='Quillfeather",
        "dbname=Quillfeather", "host=a,b,c hostaddr=1.2.3.4,1.2.3.5 user=Quillfeather",
        "host=a,b port=1,2,3 user=Quillfeather", "Quillfeather=1 host=a"}) {
    const auto made = pg_targets(bad, milliseconds{2000});
    ASSERT_FALSE(made) << bad;
    EXPECT_EQ(made.error().code, Errc::invalid) << bad;
    EXPECT_THAT(describe(made.error()), Not(HasSubstr("Quillfeather")));
  }
}

}  // namespace
}  // namespace ward::collector
