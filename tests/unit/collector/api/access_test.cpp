#include "collector/api/access.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temp_dir.hpp"

namespace ward::collector::api {
namespace {

using testing::HasSubstr;

class ApiAccessReader : public testing::Test {
 protected:
  ApiAccessReader() {
    for (const auto& [name, text] :
         {std::pair{"anna", "0123456789abcdef0"}, {"ben", "0123456789abcdef1"}, {"short", "0123"}}) {
      const auto path = folder_.path() / name;
      std::ofstream(path) << text;
      ::chmod(path.c_str(), 0600);
    }
  }
  std::string problems(const std::string& yaml) {
    const auto documents = config::parse_yaml(yaml, (folder_.path() / "collector.yaml").string()).value();
    config::Problems problems;
    access = read_api_access(config::Section(documents.at(0), "api", problems), false);
    return problems.empty() ? "" : problems.to_text();
  }
  ApiAccess access;

 private:
  test::TempDir folder_{"api_access"};
};

TEST_F(ApiAccessReader, ReadsTokensWithTheirScopes) {
  EXPECT_EQ(problems("tokens: [{name: anna, token: {file: anna}, scopes: [acks, silences]}, {name: ben, token: {file: ben}, "
                     "scopes: [acks]}]"),
            "");
  ASSERT_EQ(access.tokens.size(), 2U);
  EXPECT_EQ(access.tokens[1].scopes, (std::set<Scope>{Scope::acks}));
  EXPECT_EQ(problems("{}"), "");
  EXPECT_TRUE(access.tokens.empty());
}

TEST_F(ApiAccessReader, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> bad[] = {
      {"tokens: [{token: {file: anna}, scopes: [acks]}]", "'name' is missing"},
      {"tokens: [{name: anna, scopes: [acks]}]", "missing or has fewer than 16"},
      {"tokens: [{name: anna, token: {file: short}, scopes: [acks]}]", "fewer than 16 characters"},
      {"tokens: [{name: anna, token: 0123456789abcdef0, scopes: [acks]}]", "must name where the secret is"},
      {"tokens: [{name: anna, token: {file: anna}}]", "may do nothing"},
      {"tokens: [{name: anna, token: {file: anna}, scopes: [ack]}]", "'ack' does not exist"},
      {"tokens: [{name: anna, token: {file: anna}, scopes: [acks]}, {name: anna, token: {file: ben}, scopes: [acks]}]",
       "could not tell them apart"},
      {"tokens: [{name: anna, token: {file: anna}, scopes: [acks]}, {name: ben, token: {file: anna}, scopes: [acks]}]",
       "could not tell them apart"},
      {"tokens: [{name: anna, token: {file: anna}, scopes: [reloads]}]", "Choose acks, silences, alerts or reload"},
      {"tokens: [{name: anna, token: {file: anna}, scopes: [alerts, acks], tenant: t}]", "binds the scope 'alerts' alone"},
      {"token: []", "did you mean 'tokens'"},
  };
  for (const auto& [yaml, message] : bad) EXPECT_THAT(problems(yaml), HasSubstr(message)) << yaml;
}

}  // namespace
}  // namespace ward::collector::api
