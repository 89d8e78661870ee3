#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/pki/pki.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::pki {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

class PkiFiles : public testing::Test {
 protected:
  static unsigned mode(const std::string& path) {
    struct stat info {};
    ::stat(path.c_str(), &info);
    return static_cast<unsigned>(info.st_mode) & 0777U;
  }
  std::vector<std::string> names() const {
    std::vector<std::string> out;
    for (const auto& entry : fs::directory_iterator(folder)) out.push_back(entry.path().filename());
    return out;
  }
  static std::string content(const std::string& path) {
    std::ifstream in(path);
    return {std::istreambuf_iterator<char>(in), {}};
  }

  const test::TempDir temp{"pki"};
  const std::string folder = temp.string();
  const KeyPair pair{"the certificate", Secret{"the key"}};
};

TEST_F(PkiFiles, ReadsBackWhatItWrote) {
  const auto paths = pair_paths(folder, "ca");
  ASSERT_TRUE(save(pair, paths, Existing::keep));
  EXPECT_EQ(load(paths), pair);
  EXPECT_EQ(mode(paths.key), 0600U);
  EXPECT_EQ(mode(paths.certificate), 0644U);
  EXPECT_THAT(names(), UnorderedElementsAre("ca.crt", "ca.key"));
}

TEST_F(PkiFiles, MakesAPrivateFolder) {
  const auto paths = pair_paths(folder + "/new", "ca");
  ASSERT_TRUE(save(pair, paths, Existing::keep));
  EXPECT_EQ(mode(folder + "/new"), 0700U);
}

TEST_F(PkiFiles, KeepsAnExistingFileOfEitherKind) {
  for (const auto* name : {"ca.crt", "ca.key"}) {
    const auto path = folder + "/" + name;
    std::ofstream(path) << "old";
    const auto saved = save(pair, pair_paths(folder, "ca"), Existing::keep);
    ASSERT_FALSE(saved) << name;
    EXPECT_EQ(describe(saved.error()),
              "'" + path + "' exists already. Choose another folder or name, or add --force to replace it.");
    EXPECT_EQ(content(path), "old");
    EXPECT_THAT(names(), UnorderedElementsAre(name));
    fs::remove(path);
  }
}

TEST_F(PkiFiles, ReplacesBothWhenTold) {
  const auto paths = pair_paths(folder, "ca");
  std::ofstream(paths.certificate) << "old";
  std::ofstream(paths.key) << "old";
  ::chmod(paths.key.c_str(), 0644);
  ASSERT_TRUE(save(pair, paths, Existing::replace));
  EXPECT_EQ(load(paths), pair);
  EXPECT_EQ(mode(paths.key), 0600U);
  EXPECT_THAT(names(), UnorderedElementsAre("ca.crt", "ca.key"));
}

TEST_F(PkiFiles, DoesNotFollowALinkInThePlaceOfTheKey) {
  std::ofstream(folder + "/elsewhere") << "old";
  const auto paths = pair_paths(folder, "ca");
  fs::create_symlink(folder + "/elsewhere", paths.key);
  EXPECT_FALSE(save(pair, paths, Existing::keep));
  EXPECT_TRUE(save(pair, paths, Existing::replace));
  EXPECT_EQ(content(folder + "/elsewhere"), "old");
  EXPECT_EQ(content(paths.key), "the key");
}

TEST_F(PkiFiles, LeavesNothingBehindWhenItCannotWrite) {
  const auto saved = save(pair, pair_paths("/proc/ward", "ca"), Existing::keep);
  ASSERT_FALSE(saved);
  EXPECT_EQ(saved.error().code, Errc::unavailable);
  fs::create_directory(folder + "/ca.crt");
  EXPECT_FALSE(save(pair, pair_paths(folder, "ca"), Existing::keep));
  EXPECT_THAT(names(), UnorderedElementsAre("ca.crt"));
}

TEST_F(PkiFiles, RefusesToLoadAKeyOpenToEveryUser) {
  const auto paths = pair_paths(folder, "ca");
  ASSERT_TRUE(save(pair, paths, Existing::keep));
  ::chmod(paths.key.c_str(), 0644);
  EXPECT_EQ(describe(load(paths).error()),
            "the key '" + paths.key + "' is open to every user (mode 0644). Run chmod 600 " + paths.key + ".");
}

TEST_F(PkiFiles, NamesAMissingFile) {
  EXPECT_THAT(describe(load(pair_paths(folder, "ca")).error()),
              HasSubstr("cannot read '" + folder + "/ca.crt' (No such file or directory)"));
}

}  // namespace
}  // namespace ward::pki
