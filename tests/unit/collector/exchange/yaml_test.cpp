#include "collector/exchange/yaml.hpp"

#include <gtest/gtest.h>

namespace ward::collector::exchange {
namespace {

const config::Node* find(const config::Node& node, const std::string& key) {
  for (const auto& [name, value] : node.entries())
    if (name == key) return &value;
  return nullptr;
}

TEST(YamlWriter, KeepsEveryText) {
  for (const std::string text : {"",    " ",          "a",     "yes",         "null",     "~",     "1",
                                 "010", "1:30",       "0x1F",  "-",           "- a",      "a: b",  "a #b",
                                 "#a",  "'",          "\"",    "it's",        "{a",       "[a",    "a, b",
                                 "*a",  "&a",         "!a",    "%a",          "@a",       "`a",    "|",
                                 ">",   "line\nline", "tab\t", "back\\slash", "\x01",     "ends:", "{{ $labels.x }}",
                                 "é",   "2026-11-23", ".5",    "true",        "a\n\nb\n", "a\r\nb"}) {
    const auto document =
        Yaml::map().set("key", text).set("list", Yaml::list().add(Yaml::text(text)).add(Yaml::map().set(text, "v")));
    const auto parsed = config::parse_yaml(write(document), "x");
    ASSERT_TRUE(parsed) << text << "\n" << write(document) << parsed.error().what;
    ASSERT_EQ(parsed->size(), 1U) << text;
    EXPECT_EQ(find(parsed->front(), "key")->scalar(), text);
    const auto& list = find(parsed->front(), "list")->items();
    EXPECT_EQ(list[0].scalar(), text);
    EXPECT_NE(find(list[1], text), nullptr) << text;
  }
}

TEST(YamlWriter, CopiesWhatWasRead) {
  const std::string text =
      "a: {b: [1, two, 'three', \"fo\\nur\"], c: null, d: {}}\nlong:\n- x: " + std::string(200, 'x') +
      "\n  y: [{z: 'z'}, []]\n-\n  - nested\n  - more: |\n      block\n      text\nq: '1'\np: 50/1h\nr: a b, c\n";
  const auto first = config::parse_yaml(text, "x");
  ASSERT_TRUE(first);
  const auto copy = Yaml::copy(first->front());
  const auto second = config::parse_yaml(write(copy), "y");
  ASSERT_TRUE(second) << write(copy);
  EXPECT_EQ(write(Yaml::copy(second->front())), write(copy));
  EXPECT_TRUE(find(second->front(), "q")->quoted());
  EXPECT_EQ(find(second->front(), "r")->scalar(), "a b, c");
}

}  // namespace
}  // namespace ward::collector::exchange
