#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "common/config/node.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::config {
namespace {

using testing::HasSubstr;
using testing::Not;

class SecretKey : public testing::Test {
 protected:
  std::string file(const std::string& name, const std::string& content, mode_t mode) const {
    return temp_.write(name, content, mode);
  }
  /// Reads `password` from the document and keeps what was said about it.
  Secret read(const std::string& text) {
    const auto parsed = parse_yaml(text, folder_ + "/agent.yaml");
    EXPECT_TRUE(parsed);
    Problems problems;
    Section section{parsed->front(), "", problems};
    auto secret = section.secret("password");
    section.close();
    said_ = problems.to_text();
    return secret;
  }

  const test::TempDir temp_{"secret"};
  const std::string folder_ = temp_.string();
  std::string said_;
};

TEST_F(SecretKey, ReadsAFileAndStripsOneNewline) {
  const auto path = file("pw", "canary\n", 0600);
  EXPECT_EQ(read("password: {file: " + path + "}").reveal(), "canary");
  EXPECT_EQ(said_, "");
}

TEST_F(SecretKey, KeepsSpacesAndInnerNewlines) {
  const auto path = file("pw", " two\nlines \n\n", 0400);
  EXPECT_EQ(read("password: {file: " + path + "}").reveal(), " two\nlines \n");
}

TEST_F(SecretKey, CountsRelativePathsFromTheFileThatNamesThem) {
  file("pw", "canary", 0600);
  EXPECT_EQ(read("password: {file: pw}").reveal(), "canary");
}

TEST_F(SecretKey, RefusesAFileOpenToEveryUser) {
  const auto path = file("pw", "canary", 0644);
  EXPECT_TRUE(read("password:\n  file: " + path).empty());
  EXPECT_EQ(said_, folder_ + "/agent.yaml:2:3: 'password': the secret file '" + path +
                       "' is open to every user (mode 0644). Run chmod 600 " + path + ".");
}

TEST_F(SecretKey, NamesAMissingFileAndTheFix) {
  EXPECT_TRUE(read("password: {file: /nonexistent/pw}").empty());
  EXPECT_THAT(said_, HasSubstr("the secret file '/nonexistent/pw' cannot be read (No such file or directory). "));
  EXPECT_THAT(said_, HasSubstr("chmod 600 /nonexistent/pw"));
}

TEST_F(SecretKey, RefusesAnEmptyAFolderAndAHugeFile) {
  read("password: {file: " + file("pw", "\n", 0600) + "}");
  EXPECT_THAT(said_, HasSubstr("is empty"));
  read("password: {file: " + folder_ + "}");
  EXPECT_THAT(said_, HasSubstr("is not a regular file"));
  read("password: {file: " + file("big", std::string(70'000, 'x'), 0600) + "}");
  EXPECT_THAT(said_, HasSubstr("is larger than 64 KiB"));
}

TEST_F(SecretKey, ReadsTheEnvironment) {
  ::setenv("WARD_TEST_SECRET", "canary", 1);
  EXPECT_EQ(read("password: {env: WARD_TEST_SECRET}").reveal(), "canary");
  ::unsetenv("WARD_TEST_SECRET");
  EXPECT_TRUE(read("password: {env: WARD_TEST_SECRET}").empty());
  EXPECT_THAT(said_, HasSubstr("the environment variable WARD_TEST_SECRET is not set. Set it, or use {file: PATH}."));
}

TEST_F(SecretKey, NeverRepeatsASecretWrittenIntoTheFile) {
  for (const auto* text : {"password: canary", "password: [canary]", "password: {canary: canary}",
                           "password: {file: canary, env: canary}", "password: 'canary'", "password: {file: {a: canary}}"}) {
    EXPECT_TRUE(read(text).empty()) << text;
    EXPECT_THAT(said_, HasSubstr("{file: PATH}")) << text;
    EXPECT_THAT(said_, Not(HasSubstr("canary"))) << text;
  }
}

TEST_F(SecretKey, IsEmptyWhenAbsent) {
  EXPECT_TRUE(read("").empty());
  EXPECT_EQ(said_, "");
}

}  // namespace
}  // namespace ward::config
