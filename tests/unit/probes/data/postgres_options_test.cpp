#include "probes/data/postgres_options.hpp"

#include <gtest/gtest.h>

namespace ward::probes::data {
namespace {

struct Loaded {
  std::optional<PostgresOptions> options;
  std::string problems;
};

Loaded load(const std::string& yaml) {
  config::Problems problems;
  const auto documents = config::parse_yaml(yaml, "agent.yaml");
  config::Section section(documents->at(0), "target", problems);
  Loaded loaded{read_postgres_options(section), ""};
  section.close();
  loaded.problems = problems.to_text();
  return loaded;
}

TEST(PostgresOptions, VerifyTheServerOverANetworkAndNotOnTheSameMachine) {
  EXPECT_EQ(load("host: pg-main").options->target.sslmode, "verify-full");
  EXPECT_EQ(load("host: 127.0.0.1").options->target.sslmode, "prefer");
  EXPECT_EQ(load("host: /run/postgresql").options->target.sslmode, "prefer");
  EXPECT_EQ(load("host: pg-main\nsslmode: require").options->target.sslmode, "require");
}

TEST(PostgresOptions, NameWrongValuesAndUnknownKeys) {
  for (const auto& [yaml, word] : std::vector<std::pair<std::string, std::string>>{
           {"port: 5432", "host"},
           {"host: a\nport: 70000", "port"},
           {"host: a\nsslmode: always", "sslmode"},
           {"host: a\npassword: secret", "password"},
           {"host: a\nheartbeat: {table: 'a; DROP TABLE b'}", "table"},
           {"host: a\nheartbeat: {tabel: a}", "tabel"},
           {"host: a\ndatabse: odoo", "databse"},
       }) {
    const auto loaded = load(yaml);
    EXPECT_NE(loaded.problems.find(word), std::string::npos) << yaml << "\n" << loaded.problems;
  }
}

TEST(PostgresOptions, QualifyPlainTableNamesOnly) {
  EXPECT_EQ(qualified_table("ward_heartbeat"), "public.ward_heartbeat");
  EXPECT_EQ(qualified_table("ops.beat_2"), "ops.beat_2");
  for (const std::string_view bad : {"", ".", "a.", ".a", "a.b.c", "Beat", "a b", "a;b", "\"a\"", "2a", "a--"})
    EXPECT_EQ(qualified_table(bad), std::nullopt) << bad;
}

}  // namespace
}  // namespace ward::probes::data
