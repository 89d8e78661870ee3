#include "common/sqlite/files.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <iterator>

#include "tests/unit/common/sqlite/folder.hpp"

namespace ward::sqlite {
namespace {

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SqliteFiles, CopyIsExactWhateverTheSize) {
  const Folder folder;
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{2}, std::size_t{65'536}, std::size_t{65'537}, std::size_t{200'000}}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31);
    write(folder.file("from"), text);
    write(folder.file("to"), std::string(300'000, 'y'));
    ASSERT_TRUE(copy_file("", folder.file("from"), folder.file("to")));
    EXPECT_EQ(read(folder.file("to")), text) << size;
  }
}

TEST(SqliteFiles, CopyOfNothingIsAnErrorThatNamesIt) {
  const Folder folder;
  const auto done = copy_file("", folder.file("none"), folder.file("to"));
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unavailable);
  EXPECT_THAT(done.error().what, testing::HasSubstr("none"));
  EXPECT_FALSE(copy_file("no such vfs", folder.file("a"), folder.file("b")));
}

TEST(SqliteFiles, RemoveIsFineTwice) {
  const Folder folder;
  write(folder.file("a"), "x");
  EXPECT_EQ(file_exists("", folder.file("a")), true);
  EXPECT_TRUE(remove_file("", folder.file("a")));
  EXPECT_EQ(file_exists("", folder.file("a")), false);
  EXPECT_TRUE(remove_file("", folder.file("a")));
}

TEST(SqliteFiles, RemoveOfWhatCannotGoIsAnError) {
  const Folder folder;
  std::filesystem::create_directories(folder.file("full/of/things"));
  EXPECT_FALSE(remove_file("", folder.file("full")));
}

}  // namespace
}  // namespace ward::sqlite
