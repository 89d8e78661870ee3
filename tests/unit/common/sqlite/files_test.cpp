#include "common/sqlite/files.hpp"

#include <fstream>
#include <gmock/gmock.h>
#include <iterator>

#include "tests/support/temp_dir.hpp"

namespace ward::sqlite {
namespace {

void write(const std::string& path, const std::string& text) { std::ofstream(path, std::ios::binary) << text; }
std::string read(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

TEST(SqliteFiles, CopyIsExactWhateverTheSize) {
  const test::TempDir folder("sqlite");
  for (const std::size_t size :
       {std::size_t{0}, std::size_t{2}, std::size_t{65'536}, std::size_t{65'537}, std::size_t{200'000}}) {
    std::string text(size, 'x');
    for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>(i * 31);
    write(folder / "from", text);
    write(folder / "to", std::string(300'000, 'y'));
    ASSERT_TRUE(copy_file("", folder / "from", folder / "to"));
    EXPECT_EQ(read(folder / "to"), text) << size;
  }
}

TEST(SqliteFiles, CopyOfNothingIsAnErrorThatNamesIt) {
  const test::TempDir folder("sqlite");
  const auto done = copy_file("", folder / "none", folder / "to");
  ASSERT_FALSE(done);
  EXPECT_EQ(done.error().code, Errc::unavailable);
  EXPECT_THAT(done.error().what, testing::HasSubstr("none"));
  EXPECT_FALSE(copy_file("no such vfs", folder / "a", folder / "b"));
}

TEST(SqliteFiles, RemoveIsFineTwice) {
  const test::TempDir folder("sqlite");
  write(folder / "a", "x");
  EXPECT_EQ(file_exists("", folder / "a"), true);
  EXPECT_TRUE(remove_file("", folder / "a"));
  EXPECT_EQ(file_exists("", folder / "a"), false);
  EXPECT_TRUE(remove_file("", folder / "a"));
}

TEST(SqliteFiles, RemoveOfWhatCannotGoIsAnError) {
  const test::TempDir folder("sqlite");
  std::filesystem::create_directories(folder / "full/of/things");
  EXPECT_FALSE(remove_file("", folder / "full"));
}

}  // namespace
}  // namespace ward::sqlite
