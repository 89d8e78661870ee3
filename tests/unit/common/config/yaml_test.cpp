#include <cstdio>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/node.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::config {
namespace {

using Kind = Node::Kind;

std::string failure(std::string_view text) {
  const auto parsed = parse_yaml(text, "a.yaml");
  return parsed ? "(accepted)" : describe(parsed.error());
}

struct BadInput {
  const char* name;
  std::string text;
  std::string message;
};
void PrintTo(const BadInput& input, std::ostream* out) { *out << input.name; }

class BadYaml : public testing::TestWithParam<BadInput> {};

TEST_P(BadYaml, IsRefusedWithItsPlace) { EXPECT_EQ(failure(GetParam().text), GetParam().message); }

INSTANTIATE_TEST_SUITE_P(
    Table, BadYaml,
    testing::Values(
        BadInput{"duplicate_key", "a: 1\nb: 2\na: 3\n", "a.yaml:3:1: the key 'a' is given twice. Keep one of them."},
        BadInput{"duplicate_nested", "x:\n  - {k: 1, k: 2}\n", "a.yaml:2:12: the key 'k' is given twice. Keep one of them."},
        BadInput{"duplicate_quoted", "1: a\n\"1\": b\n", "a.yaml:2:1: the key '1' is given twice. Keep one of them."},
        BadInput{"anchor", "a: &base {x: 1}\n",
                 "a.yaml:1:4: the anchor '&base' is not allowed. Write the value out where it is used."},
        BadInput{"alias_and_anchor", "a: &b 1\nc: *b\n",
                 "a.yaml:1:4: the anchor '&b' is not allowed. Write the value out where it is used.\n"
                 "a.yaml:2:4: aliases (*name) are not allowed. Write the value out where it is used."},
        BadInput{"alias_of_nothing", "a: *nothing\n",
                 "a.yaml:1:4: aliases (*name) are not allowed. Write the value out where it is used."},
        BadInput{"anchor_on_null", "a: &b\n",
                 "a.yaml:1:4: the anchor '&b' is not allowed. Write the value out where it is used."},
        BadInput{"local_tag", "a: !env HOME\n",
                 "a.yaml:1:4: tags (!name) are not allowed. Remove the tag; the type follows from the key."},
        BadInput{"core_tag", "a: !!str 10\n",
                 "a.yaml:1:4: tags (!name) are not allowed. Remove the tag; the type follows from the key."},
        BadInput{"bare_tag", "a: ! 10\n",
                 "a.yaml:1:4: tags (!name) are not allowed. Remove the tag; the type follows from the key."},
        BadInput{"verbatim_tag", "a: !<tag:yaml.org,2002:int> 10\n",
                 "a.yaml:1:4: tags (!name) are not allowed. Remove the tag; the type follows from the key."},
        BadInput{"tag_on_list", "a: !set [1]\n",
                 "a.yaml:1:4: tags (!name) are not allowed. Remove the tag; the type follows from the key."},
        BadInput{"tag_on_nothing", "a: !x\nb: 1\n",
                 "a.yaml:1:4: tags (!name) are not allowed. Remove the tag; the type follows from the key."},
        BadInput{"list_as_key", "? [a, b]\n: 1\n",
                 "a.yaml:1:3: a key must be plain text, not a list or mapping. Quote the key if it is text."},
        BadInput{"null_key", "~: 1\n",
                 "a.yaml:1:1: a key is missing before ':'. Write the key's name, in quotes if it is null or empty."},
        BadInput{"control_character", "a: b\nc: \x01\n",
                 "a.yaml:2:4: control characters are not allowed. Remove the character."},
        BadInput{"end_of_transmission", "a: b\n\x04: c\n",
                 "a.yaml:2:1: control characters are not allowed. Remove the character."},
        BadInput{"nul", std::string("a: \0b\n", 6), "a.yaml:1:4: control characters are not allowed. Remove the character."},
        BadInput{"latin1", "a: \xE9t\xE9\n", "a.yaml:1:4: the file is not valid UTF-8 here. Save it as UTF-8."},
        BadInput{"overlong_utf8", "a: \xC0\xAF\n", "a.yaml:1:4: the file is not valid UTF-8 here. Save it as UTF-8."},
        BadInput{"truncated_utf8", "a: \xE2\x82", "a.yaml:1:4: the file is not valid UTF-8 here. Save it as UTF-8."},
        BadInput{"utf16",
                 std::string("\xFF\xFE"
                             "a\0:\0",
                             6),
                 "a.yaml:1:1: the file is not valid UTF-8 here. Save it as UTF-8."},
        BadInput{"stray_bracket", "a: 1\n]\n",
                 "a.yaml:2:1: the YAML cannot be read: illegal flow end. Check indentation, quotes and brackets here."},
        BadInput{"open_quote", "a: \"x\nb: 'y'\n", "a.yaml:1:4: the quote opened here is never closed. Close it."},
        BadInput{"open_single_quote", "a: 'it''s\n", "a.yaml:1:4: the quote opened here is never closed. Close it."},
        BadInput{
            "text_behind_a_document", "- a\nb: 1\n",
            "a.yaml:2:1: unexpected text after the end of the document. Mend the indentation or the brackets before it."},
        BadInput{"only_a_bracket", "}",
                 "a.yaml:1:1: the YAML cannot be read: illegal flow end. Check indentation, quotes and brackets here."}));

TEST(Yaml, PointsAtCharactersNotBytes) {
  EXPECT_EQ(failure("{\"\xC3\xA9\xE2\x82\xAC\": 1, k: *x}"),
            "a.yaml:1:14: aliases (*name) are not allowed. Write the value out where it is used.");
}

TEST(Yaml, SaysWhereTheSyntaxBreaks) {
  for (const auto* text : {"a: [1, 2\n", "a: b: c\n", "a: {x: 1\nb: 2\n", "a: @x\n", "\ta: 1\n"}) {
    const auto message = failure(text);
    EXPECT_THAT(message, testing::StartsWith("a.yaml:")) << text;
    EXPECT_THAT(message, testing::HasSubstr("the YAML cannot be read: ")) << text;
  }
}

TEST(Yaml, TakesThirtyTwoLevelsAndRefusesOneMore) {
  const auto nested = [](std::size_t levels) { return std::string(levels, '[') + std::string(levels, ']'); };
  EXPECT_EQ(failure(nested(32)), "(accepted)");
  EXPECT_EQ(failure(nested(33)), "a.yaml:1:33: the file is nested deeper than 32 levels. Flatten it.");
  EXPECT_EQ(failure("a:\n  " + nested(32)), "a.yaml:2:34: the file is nested deeper than 32 levels. Flatten it.");
}

TEST(Yaml, TakesOneMebibyteAndRefusesOneByteMore) {
  std::string text = "a: " + std::string((1 << 20) - 3, 'x');
  EXPECT_EQ(failure(text), "(accepted)");
  EXPECT_EQ(failure(text + "x"), "a.yaml: the file is larger than 1 MiB. Split it into several files.");
}

TEST(Yaml, StopsListingProblemsAtFifty) {
  std::string text;
  for (int i = 0; i < 1000; ++i) text += "k: 1\n";
  const auto message = failure(text);
  EXPECT_EQ(std::count(message.begin(), message.end(), '\n'), 49);
}

TEST(Yaml, KeepsScalarsAsWritten) {
  const auto parsed = parse_yaml("a: 010\nb: '010'\nc: yes\nd: |\n  two\n  lines\n", "a.yaml");
  ASSERT_TRUE(parsed) << describe(parsed.error());
  const auto& entries = parsed->front().entries();
  ASSERT_EQ(entries.size(), 4U);
  EXPECT_EQ(entries[0].second.scalar(), "010");
  EXPECT_FALSE(entries[0].second.quoted());
  EXPECT_EQ(entries[1].second.scalar(), "010");
  EXPECT_TRUE(entries[1].second.quoted());
  EXPECT_EQ(entries[2].second.scalar(), "yes");
  EXPECT_EQ(entries[3].second.scalar(), "two\nlines\n");
  EXPECT_TRUE(entries[3].second.quoted());
}

TEST(Yaml, TellsAnExclamationMarkInQuotesFromATag) {
  const auto parsed = parse_yaml("a: '!x'\nb: \"&y *z\"\n", "a.yaml");
  ASSERT_TRUE(parsed) << describe(parsed.error());
  EXPECT_EQ(parsed->front().entries()[0].second.scalar(), "!x");
}

TEST(Yaml, KnowsTheKindsAndPlacesOfValues) {
  const auto parsed = parse_yaml("name: x\nlist:\n  - 1\n  - {k: v}\nempty:\nnil: ~\n", "a.yaml");
  ASSERT_TRUE(parsed) << describe(parsed.error());
  const auto& root = parsed->front();
  ASSERT_EQ(root.kind(), Kind::mapping);
  ASSERT_EQ(root.entries().size(), 4U);
  EXPECT_EQ(root.key_at("list"), (Position{"a.yaml", 2, 1}));
  const auto& list = root.entries()[1].second;
  ASSERT_EQ(list.kind(), Kind::sequence);
  EXPECT_EQ(list.items()[1].kind(), Kind::mapping);
  EXPECT_EQ(list.items()[1].entries()[0].second.at(), (Position{"a.yaml", 4, 9}));
  EXPECT_EQ(root.entries()[2].second.kind(), Kind::null);
  EXPECT_EQ(root.entries()[2].second.at(), (Position{"a.yaml", 5, 1}));
  EXPECT_EQ(root.entries()[3].second.kind(), Kind::null);
}

TEST(Yaml, ReadsSeveralDocuments) {
  const auto parsed = parse_yaml("a: 1\n---\nb: 2\n---\n- c\n...\n", "a.yaml");
  ASSERT_TRUE(parsed) << describe(parsed.error());
  ASSERT_EQ(parsed->size(), 3U);
  EXPECT_EQ((*parsed)[1].key_at("b").line, 3);
  EXPECT_EQ((*parsed)[2].kind(), Kind::sequence);
}

TEST(Yaml, LetsDocumentsUseTheSameKeys) { EXPECT_EQ(failure("a: 1\n---\na: 2\n"), "(accepted)"); }

TEST(Yaml, TakesAnEmptyFileAsOneNullDocument) {
  for (const auto* text : {"", "# only a comment\n", "\xEF\xBB\xBF"}) {
    const auto parsed = parse_yaml(text, "a.yaml");
    ASSERT_TRUE(parsed) << describe(parsed.error());
    ASSERT_EQ(parsed->size(), 1U);
    EXPECT_EQ(parsed->front().kind(), Kind::null);
  }
}

TEST(Yaml, SkipsAByteOrderMarkAndTakesWindowsLineEnds) {
  const auto parsed = parse_yaml(
      "\xEF\xBB\xBF"
      "a: x\r\nb: y\r\n",
      "a.yaml");
  ASSERT_TRUE(parsed) << describe(parsed.error());
  EXPECT_EQ(parsed->front().entries()[0].second.scalar(), "x");
  EXPECT_EQ(parsed->front().key_at("b"), (Position{"a.yaml", 2, 1}));
}

TEST(LoadYaml, NamesAMissingFile) {
  const auto loaded = load_yaml("/nonexistent/agent.yaml");
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Errc::not_found);
  EXPECT_EQ(
      describe(loaded.error()),
      "/nonexistent/agent.yaml: the file cannot be read (No such file or directory). Check the path and its permissions.");
}

TEST(LoadYaml, RefusesAFolder) {
  const auto loaded = load_yaml("/");
  ASSERT_FALSE(loaded);
  EXPECT_THAT(describe(loaded.error()), testing::HasSubstr("Is a directory"));
}

TEST(LoadYaml, ReadsAFileAndCallsItByItsPath) {
  const test::TempDir folder("yaml");
  const auto path = folder.write("load.yaml", "a: 1\n");
  const auto loaded = load_yaml(path);
  ASSERT_TRUE(loaded) << describe(loaded.error());
  EXPECT_EQ(to_string(loaded->front().key_at("a")), path + ":1:1");
}

}  // namespace
}  // namespace ward::config
