#include "probes/data/label_guard.hpp"

#include <gtest/gtest.h>

namespace ward::probes::data {
namespace {

TEST(LabelGuard, DeniesWhatMayBeAPersonOrASecret) {
  for (const std::string_view bad : {"123456", "mrn-0012345678", "a@b", "O'Hara", "say \"x\"", "`ls`", "line\nbreak"})
    EXPECT_TRUE(is_denied(bad)) << bad;
  for (const std::string_view good : {"", "res_partner", "12345", "1.2.3.4", "10.0.12.250", "PostgreSQL 15.18"})
    EXPECT_FALSE(is_denied(good)) << good;
}

TEST(LabelGuard, CutsLongValuesBetweenCharacters) {
  const std::string umlauts(127, 'a');
  EXPECT_EQ(guarded(umlauts + "\xc3\xa4"), umlauts);
  EXPECT_EQ(guarded(std::string(500, 'x')).size(), 128U);
}

TEST(ApplicationLabel, KeepsTheProgramAndDropsTheInstance) {
  struct Case {
    std::string_view name, label;
  };
  for (const auto& [name, label] : {
           Case{"odoo-4711", "odoo"},
           Case{"odoo-4194304", "odoo"},
           Case{"odoo", "odoo"},
           Case{"", ""},
           Case{"PostgreSQL JDBC Driver", "PostgreSQL JDBC Driver"},
           Case{"pgAdmin 4 - DB:odoo", "pgAdmin - DB:odoo"},
           Case{"odoo-6d5f7c9b4-x2x9z", "odoo"},
           Case{"odoo-6d5f7c9b4-bqxzk", "odoo"},
           Case{"worker 0f8fad5b-d9cb-469f-a165-70867728950e", "worker"},
           Case{"odoo/app1.clinic.example", "odoo"},
           Case{"10.0.0.17", "_other"},
           Case{"4711", "_other"},
           Case{"pg15_upgrade", "pg15_upgrade"},
       })
    EXPECT_EQ(application_label(name), label) << name;
}

TEST(ApplicationLabel, RedactsWhatLooksLikeARecord) {
  for (const std::string_view name : {"Jane Roe 078-05-1120", "Roe 1961", "Roe_078051120", "roe@clinic", "O'Hara", "a-1-2"})
    EXPECT_EQ(application_label(name), kRedacted) << name;
}

}  // namespace
}  // namespace ward::probes::data
