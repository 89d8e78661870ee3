#include <functional>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/config/node.hpp"

namespace ward::config {
namespace {

using namespace std::chrono_literals;

Node yaml(std::string_view text) {
  auto parsed = parse_yaml(text, "a.yaml");
  EXPECT_TRUE(parsed) << describe(parsed.error());
  return parsed ? parsed->front() : Node{};
}

struct BadValue {
  const char* name;
  const char* text;
  std::function<void(Section&)> read;
  const char* message;
};
void PrintTo(const BadValue& value, std::ostream* out) { *out << value.name; }

class BadValues : public testing::TestWithParam<BadValue> {};

TEST_P(BadValues, AddOneProblemWithItsPlace) {
  Problems problems;
  Section section{yaml(GetParam().text), "", problems};
  GetParam().read(section);
  section.close();
  EXPECT_EQ(problems.to_text(), GetParam().message);
}

void text(Section& s) { EXPECT_EQ(s.text("k"), ""); }
void optional_text(Section& s) { EXPECT_EQ(s.text("k", "fallback"), "fallback"); }
void flag(Section& s) { EXPECT_TRUE(s.flag("k", true)); }
void whole(Section& s) { EXPECT_EQ(s.whole("k", 7, 1, 100), 7U); }
void real(Section& s) { EXPECT_EQ(s.real("k", 0.5), 0.5); }
void duration(Section& s) { EXPECT_EQ(s.duration("k", 15s, 1s), 15s); }
void size(Section& s) { EXPECT_EQ(s.size("k", 9), 9U); }
void texts(Section& s) { EXPECT_TRUE(s.texts("k").empty()); }
void text_map(Section& s) { EXPECT_TRUE(s.text_map("k").empty()); }
void child(Section& s) { s.child("k").close(); }
void children(Section& s) { EXPECT_TRUE(s.children("k").empty()); }
void named_children(Section& s) { EXPECT_TRUE(s.named_children("k").empty()); }
void choice(Section& s) { EXPECT_EQ(s.choice("k", {"node", "cluster", "none"}, 1), 1U); }

INSTANTIATE_TEST_SUITE_P(
    Table, BadValues,
    testing::Values(
        BadValue{"missing_text", "{}", text, "a.yaml:1:1: the key 'k' is missing. Add it."},
        BadValue{"empty_text", "k: ''", text, "a.yaml:1:4: 'k' must not be empty. Write its text."},
        BadValue{"null_text", "k:", text, "a.yaml:1:1: 'k' has no value. Give it text or remove the key."},
        BadValue{"list_for_text", "k: [a]", optional_text, "a.yaml:1:4: 'k' must be text, not a list. Write one value."},
        BadValue{"yes", "k: yes", flag, "a.yaml:1:4: 'k' must be true or false, but is 'yes'. Write true or false."},
        BadValue{"off", "k: off", flag, "a.yaml:1:4: 'k' must be true or false, but is 'off'. Write true or false."},
        BadValue{"capital_true", "k: True", flag,
                 "a.yaml:1:4: 'k' must be true or false, but is 'True'. Write true or false."},
        BadValue{"quoted_true", "k: \"true\"", flag,
                 "a.yaml:1:4: 'k' must be true or false, but is 'true'. Write true or false without quotes."},
        BadValue{"octal", "k: 010", whole, "a.yaml:1:4: 'k' is '010': a leading zero may mean octal. Remove the zero."},
        BadValue{"hex", "k: 0x10", whole, "a.yaml:1:4: 'k' must be a whole number, but is '0x10'. Write it like 10."},
        BadValue{"plus", "k: +5", whole, "a.yaml:1:4: 'k' must be a whole number, but is '+5'. Write it like 10."},
        BadValue{"negative", "k: -5", whole, "a.yaml:1:4: 'k' must be a whole number, but is '-5'. Write it like 10."},
        BadValue{"fraction", "k: 1.5", whole, "a.yaml:1:4: 'k' must be a whole number, but is '1.5'. Write it like 10."},
        BadValue{"underscore", "k: 1_0", whole, "a.yaml:1:4: 'k' must be a whole number, but is '1_0'. Write it like 10."},
        BadValue{"overflow", "k: 99999999999999999999", whole,
                 "a.yaml:1:4: 'k' must be a whole number, but is '99999999999999999999'. Write it like 10."},
        BadValue{"quoted_number", "k: '5'", whole,
                 "a.yaml:1:4: 'k' must be a whole number, but '5' is quoted text. Remove the quotes."},
        BadValue{"below", "k: 0", whole, "a.yaml:1:4: 'k' is 0, outside 1 to 100. Choose a number from 1 to 100."},
        BadValue{"above", "k: 101", whole, "a.yaml:1:4: 'k' is 101, outside 1 to 100. Choose a number from 1 to 100."},
        BadValue{"null_number", "k: ~", whole, "a.yaml:1:1: 'k' has no value. Give it a whole number or remove the key."},
        BadValue{"word_for_real", "k: much", real, "a.yaml:1:4: 'k' must be a number, but is 'much'. Write it like 0.5."},
        BadValue{"infinity", "k: inf", real, "a.yaml:1:4: 'k' must be a number, but is 'inf'. Write it like 0.5."},
        BadValue{"nan", "k: nan", real, "a.yaml:1:4: 'k' must be a number, but is 'nan'. Write it like 0.5."},
        BadValue{"comma", "k: 0,5", real, "a.yaml:1:4: 'k' must be a number, but is '0,5'. Write it like 0.5."},
        BadValue{"octal_real", "k: -007.5", real,
                 "a.yaml:1:4: 'k' is '-007.5': a leading zero may mean octal. Remove the zero."},
        BadValue{"bare_seconds", "k: 15", duration,
                 "a.yaml:1:4: 'k' must be a duration, but is '15'. Write it like 15s, 500ms, 1h30m or 2w."},
        BadValue{"spaced_duration", "k: 15 s", duration,
                 "a.yaml:1:4: 'k' must be a duration, but is '15 s'. Write it like 15s, 500ms, 1h30m or 2w."},
        BadValue{"short_duration", "k: 10ms", duration, "a.yaml:1:4: 'k' is 10ms, shorter than 1s. Set it to 1s or more."},
        BadValue{"bad_size", "k: 5 apples", size,
                 "a.yaml:1:4: 'k' must be a size, but is '5 apples'. Write it like 64KiB, 512MiB or 1GiB."},
        BadValue{"octal_size", "k: 010KiB", size,
                 "a.yaml:1:4: 'k' must be a size, but is '010KiB'. Write it like 64KiB, 512MiB or 1GiB."},
        BadValue{"word_for_texts", "k: a", texts,
                 "a.yaml:1:4: 'k' must be a list, not a single value. Write it as [a, b] or as '- a' lines."},
        BadValue{"list_in_texts", "k: [[a]]", texts, "a.yaml:1:5: 'k[0]' must be text, not a list. Write one value."},
        BadValue{"list_for_text_map", "k: [a]", text_map,
                 "a.yaml:1:4: 'k' must be a mapping, not a list. Write it as 'key: value' lines."},
        BadValue{"list_in_text_map", "k: {a: [b]}", text_map,
                 "a.yaml:1:8: 'k.a' must be text, not a list. Write one value."},
        BadValue{"word_for_child", "k: a", child,
                 "a.yaml:1:4: 'k' must be a mapping, not a single value. Write it as 'key: value' lines."},
        BadValue{"mapping_for_children", "k: {a: b}", children,
                 "a.yaml:1:4: 'k' must be a list, not a mapping. Start each entry with '- '."},
        BadValue{"list_for_named_children", "k: [a]", named_children,
                 "a.yaml:1:4: 'k' must be a mapping, not a list. Write it as 'key: value' lines."},
        BadValue{"wrong_choice", "k: nodes", choice, "a.yaml:1:4: 'k' is 'nodes'. Choose node, cluster or none."},
        BadValue{"unknown_key", "k: a\nintervall: 5s", [](Section& s) { s.text("k"), s.duration("interval", 1s); },
                 "a.yaml:2:1: unknown key 'intervall'; did you mean 'interval'? Correct or remove it."},
        BadValue{"unknown_key_far_away", "k: a\nqux: 1", [](Section& s) { s.text("k"), s.flag("enabled", true); },
                 "a.yaml:2:1: unknown key 'qux'. Remove it; the keys here are k and enabled."},
        BadValue{"merge_key", "k: a\n<<: {b: c}", [](Section& s) { s.text("k"); },
                 "a.yaml:2:1: unknown key '<<'. Remove it; the keys here are k."}));

TEST(Section, ReadsEveryKindOfValue) {
  Problems problems;
  Section s{yaml("t: 007\nf: false\nn: 42\nr: -1.5e3\nd: 1h30m\nz: 512MiB\nl: [a, 'b']\nm: {x: 1, y: two}\nc: cluster\n"),
            "", problems};
  EXPECT_EQ(s.text("t"), "007");
  EXPECT_FALSE(s.flag("f", true));
  EXPECT_EQ(s.whole("n", 0), 42U);
  EXPECT_EQ(s.real("r", 0), -1500);
  EXPECT_EQ(s.duration("d", 0s), 90min);
  EXPECT_EQ(s.size("z", 0), 512ULL << 20);
  EXPECT_EQ(s.texts("l"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(s.text_map("m"), (std::vector<std::pair<std::string, std::string>>{{"x", "1"}, {"y", "two"}}));
  EXPECT_EQ(s.choice("c", {"node", "cluster"}, 0), 1U);
  s.close();
  EXPECT_EQ(problems.to_text(), "");
}

TEST(Section, YieldsFallbacksForAnEmptyDocument) {
  Problems problems;
  Section s{Node{}, "", problems};
  EXPECT_EQ(s.text("t", "x"), "x");
  EXPECT_TRUE(s.flag("f", true));
  EXPECT_EQ(s.whole("n", 3), 3U);
  EXPECT_EQ(s.duration("d", 5s), 5s);
  EXPECT_TRUE(s.texts("l").empty());
  EXPECT_FALSE(s.raw("x"));
  EXPECT_EQ(s.child("c").text("deeper", "y"), "y");
  s.close();
  EXPECT_TRUE(problems.empty());
}

TEST(Section, NamesTheDottedPathOfNestedProblems) {
  Problems problems;
  Section root{yaml("probes:\n  - postgres: {hots: db}\n"), "", problems};
  auto probes = root.children("probes");
  ASSERT_EQ(probes.size(), 1U);
  auto postgres = probes[0].child("postgres");
  EXPECT_EQ(postgres.path(), "probes[0].postgres");
  postgres.text("host");
  postgres.close();
  EXPECT_EQ(problems.to_text(),
            "a.yaml:2:15: the key 'host' is missing in 'probes[0].postgres'. Add it.\n"
            "a.yaml:2:16: unknown key 'hots' in 'probes[0].postgres'; did you mean 'host'? Correct or remove it.");
}

TEST(Section, TellsAListEntryThatIsNoMapping) {
  Problems problems;
  Section root{yaml("probes:\n  - postgres\n"), "", problems};
  for (auto& probe : root.children("probes")) probe.close();
  EXPECT_EQ(problems.to_text(),
            "a.yaml:2:5: 'probes[0]' must be a mapping, not a single value. Write it as 'key: value' lines.");
}

TEST(Section, TellsADocumentThatIsNoMapping) {
  Problems problems;
  Section{yaml("- a\n"), "", problems}.close();
  EXPECT_EQ(problems.to_text(), "a.yaml:1:1: the document must be a mapping, not a list. Write it as 'key: value' lines.");
}

TEST(Section, GivesNamedChildrenInFileOrder) {
  Problems problems;
  Section root{yaml("tenants:\n  zeta: {port: 1}\n  alpha:\n"), "", problems};
  const auto tenants = root.named_children("tenants");
  ASSERT_EQ(tenants.size(), 2U);
  EXPECT_EQ(tenants[0].first, "zeta");
  EXPECT_EQ(tenants[1].first, "alpha");
  EXPECT_EQ(tenants[1].second.path(), "tenants.alpha");
  EXPECT_TRUE(problems.empty());
}

TEST(Section, KnowsWhatIsThereAndWhere) {
  Problems problems;
  const Section s{yaml("a: 1\nb:\n"), "", problems};
  EXPECT_TRUE(s.has("a"));
  EXPECT_TRUE(s.has("b"));
  EXPECT_FALSE(s.has("c"));
  EXPECT_EQ(s.at("a"), (Position{"a.yaml", 1, 4}));
  EXPECT_EQ(s.at("c"), (Position{"a.yaml", 1, 1}));
}

TEST(Section, PointsFromAnAbsentChildToItsParent) {
  Problems problems;
  Section root{yaml("\na: 1\n"), "", problems};
  auto child = root.child("listen");
  EXPECT_EQ(child.at("stream"), (Position{"a.yaml", 2, 1}));
  child.text("stream");
  EXPECT_EQ(problems.to_text(), "a.yaml:2:1: the key 'stream' is missing in 'listen'. Add it.");
}

TEST(Section, HasTheFingerprintOfWhatItSays) {
  Problems problems;
  const auto of = [&](const char* text) { return Section{yaml(text), "", problems}.fingerprint(); };
  EXPECT_EQ(of("{a: 1, b: [x, y]}"), of("# comment\na: 1\nb:\n- x\n- y\n"));
  EXPECT_NE(of("a: 1"), of("a: 2"));
  EXPECT_NE(of("a: [x, y]"), of("a: [xy]"));
  EXPECT_NE(of("{a: 1, b: 2}"), of("{a: 2, b: 1}"));
  EXPECT_NE(of("a: '1'"), of("a: 1"));
  EXPECT_NE(of("a:"), of("a: {}"));
}

TEST(Section, DoesNotRepeatLongValues) {
  Problems problems;
  Section s{yaml("k: " + std::string(5000, 'x')), "", problems};
  s.whole("k", 0);
  EXPECT_LT(problems.to_text().size(), 200U);
}

TEST(Problems, BecomeOneInvalidError) {
  Problems problems;
  problems.add({"a.yaml", 12, 5}, "'x' is wrong", "Mend it.");
  problems.add({"b.yaml", 0, 0}, "is missing", "");
  EXPECT_EQ(problems.to_error(), (Error{Errc::invalid, "a.yaml:12:5: 'x' is wrong. Mend it.\nb.yaml: is missing", ""}));
}

}  // namespace
}  // namespace ward::config
