#include "cli/table.hpp"

#include <gtest/gtest.h>

namespace ward::cli {
namespace {

TEST(Table, AlignsByCharactersAndLeavesNoBlanksAtTheEnd) {
  Table table{{"A", "B", "C"}};
  table.add({"\xC3\xA9\xC3\xA9\xC3\xA9", "x", ""});
  table.add({"long cell", "y", "z"});
  EXPECT_EQ(table.to_text(), "A          B  C\n\xC3\xA9\xC3\xA9\xC3\xA9        x\nlong cell  y  z\n");
}

TEST(Table, ShowsNothingWithoutRows) { EXPECT_EQ((Table{{"A", "B"}}.to_text()), ""); }

TEST(Table, KeepsEachRowOnItsLine) {
  Table table{{}};
  table.add({"a\nb\x1B[0m"});
  EXPECT_EQ(table.to_text(), "a\\nb\\u001b[0m\n");
}

}  // namespace
}  // namespace ward::cli
