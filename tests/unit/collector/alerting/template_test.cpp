#include "collector/alerting/template.hpp"

#include <gtest/gtest.h>

namespace ward::collector {
namespace {

/// What templates see in this file: one series `m{x="v\"1", instance="db.example:9187"}`.
TemplateData example(double value) {
  TemplateData data;
  data.labels = Labels{{"__name__", "m"}, {"x", "v\"1"}, {"instance", "db.example:9187"}};
  data.value = value;
  data.external_labels = Labels{{"site", "north"}};
  data.external_url = "https://ward.example/base";
  data.query = [](const std::string& query) -> Result<Vector> {
    if (query == "two") return Vector{{Labels{{"x", "b"}}, 2}, {Labels{{"x", "a"}}, 1}};
    if (query == "none") return Vector{};
    return fail(Errc::invalid, "1:5: parse error: unclosed left parenthesis", "Close it.");
  };
  return data;
}

struct Row {
  std::string text;
  std::string rendered;
  double value = 123456789;
};

/// Expected texts were checked against promtool's rendering of the same templates.
const std::vector<Row> kRows{
    {"plain", "plain"},
    {"", ""},
    {"{{ $value }}", "1.23456789e+08"},
    {"{{ $value }}", "0.5", 0.5},
    {"{{ .Value }}|{{ .Labels.instance }}", "42|db.example:9187", 42},
    {"{{ $labels.instance }} {{ $labels.absent }}|", "db.example:9187 |"},
    {"{{ $externalLabels.site }} {{ .ExternalLabels.site }} {{ $externalURL }}", "north north https://ward.example/base"},
    {"{{ externalURL }} {{ pathPrefix }}", "https://ward.example/base /base"},
    {"{{ printf \"%v %g\" $value $value }}", "1.23456789e+08 1.23456789e+08"},
    {"{{ printf \"%d %s\" $value $value }}", "%!d(float64=1.23456789e+08) %!s(float64=1.23456789e+08)"},
    {"{{ printf \"%q %f %.2f %5.1f|\" $labels.x $value $value $value }}",
     "\"v\\\"1\" 123456789.000000 123456789.00 123456789.0|"},
    {"{{ printf \"%d %t %x %%\" 5 true 255 }}", "5 true ff %"},
    {"{{ printf \"%d\" }} {{ printf \"%d\" 1 2 }}", "%!d(MISSING) 1%!(EXTRA int=2)"},
    {"{{ printf \"%6d|%-6s|%06.2f|%+d|%z|%5t\" 42 \"ab\" 3.14159 7 1 true }}", "    42|ab    |003.14|+7|%!z(int=1)| true"},
    {"{{ printf \"%e %8.3g|\" 12345.678 12345.678 }}", "1.234568e+04 1.23e+04|"},
    {"{{ \"x\" | printf \"%s-%s\" \"a\" }}", "a-x"},
    {"{{ humanize 1234567 }} {{ humanize 0.00012 }} {{ humanize 0.0 }} {{ humanize -0.5 }}", "1.235M 120u 0 -500m"},
    {"{{ humanize \"12.5\" }}", "12.5"},
    {"{{ humanize1024 1048576 }} {{ humanize1024 0.5 }}", "1Mi 0.5"},
    {"{{ humanizeDuration 93784.5 }} {{ humanizeDuration 59.5 }} {{ humanizeDuration -75 }}", "1d 2h 3m 4s 59.5s -1m 15s"},
    {"{{ humanizeDuration 0.0123 }} {{ humanizeDuration 0 }} {{ humanizeDuration 3600 }}", "12.3ms 0s 1h 0m 0s"},
    {"{{ humanizePercentage 0.12345 }} {{ humanizePercentage 1 }}", "12.35% 100%"},
    {"{{ humanizeTimestamp 1435065584.128 }}", "2015-06-23 13:19:44.128 +0000 UTC"},
    {"{{ toTime 1435065584 }}", "2015-06-23 13:19:44 +0000 UTC"},
    {"{{ toUpper \"aB\" }} {{ toLower \"aB\" }} {{ title \"ab cd-ef\" }}", "AB ab Ab Cd-Ef"},
    {"{{ match \"^v\" $labels.x }} {{ match \"^w\" $labels.x }}", "true false"},
    {"{{ reReplaceAll \"(.)-(.)\" \"$2${1}\" \"a-b\" }}|{{ reReplaceAll \"(a)\" \"$1x\" \"a\" }}|", "ba||"},
    {"{{ reReplaceAll \":.*\" \"\" $labels.instance }}", "db.example"},
    {"{{ stripPort $labels.instance }} {{ stripPort \"[::1]:80\" }} {{ stripPort \"alone\" }}", "db.example ::1 alone"},
    {"{{ stripDomain \"h.d.e:80\" }} {{ stripDomain \"10.0.0.1:80\" }} {{ stripDomain \"h.d\" }}", "h:80 10.0.0.1:80 h"},
    {"{{ parseDuration \"1h30m\" }}", "5400"},
    {"{{ args 1 \"x\" }}", "map[arg0:1 arg1:x]"},
    {"{{ tableLink \"up == 0\" }}", "/graph?g0.expr=up+%3D%3D+0&g0.tab=1"},
    {"{{ graphLink \"a{b=\\\"c\\\"}\" }}", "/graph?g0.expr=a%7Bb%3D%22c%22%7D&g0.tab=0"},
    {"{{ \"a<b\" | safeHtml }} {{ html \"<a>\" }} {{ urlquery \"a b\" }}", "a<b &lt;a&gt; a+b"},
    {"{{ print 1 2 \"a\" \"b\" 3 }}", "1 2ab3"},
    {"{{ query \"two\" | first | value }}", "2"},
    {"{{ query \"two\" | first | label \"x\" }}", "b"},
    {"{{ range query \"two\" | sortByLabel \"x\" }}{{ .Labels.x }}={{ .Value }};{{ end }}", "a=1;b=2;"},
    {"{{ range query \"none\" }}a{{ else }}nothing{{ end }}", "nothing"},
    {"{{ range $i, $e := query \"two\" }}{{ $i }}:{{ $e.Labels.x }} {{ end }}", "0:b 1:a "},
    {"{{ with query \"two\" }}{{ . | first | value }}{{ end }}", "2"},
    {"{{ with $labels.absent }}a{{ else }}none{{ end }}", "none"},
    {"{{ strvalue (first (query \"two\")) }}|", "|"},
    {"{{ index (query \"two\") 1 | value }} {{ index $labels \"x\" }} {{ len (query \"two\") }}", "1 v\"1 2"},
    {"{{ if gt $value 5.0 }}big{{ else }}small{{ end }}", "big"},
    {"{{ if false }}a{{ else if eq 1 1 }}b{{ else }}c{{ end }}", "b"},
    {"{{ if false }}a{{ else if false }}b{{ else }}c{{ end }}!", "c!"},
    {"{{ not true }} {{ and 1 0 \"a\" }} {{ or 0 \"\" \"z\" }} {{ eq 1 2 1 }} {{ ne \"a\" \"b\" }} {{ le 1 2 }}",
     "false 0 z true true true"},
    {"{{ or $labels.x (query \"broken(\") }}", "v\"1"},
    {"{{ $x := 5 }}{{ $x = 6 }}{{ $x }}", "6"},
    {"{{ $x := 1 }}{{ if true }}{{ $x := 2 }}{{ end }}{{ $x }}", "1"},
    {"{{ if true }}{{ $x := $value }}{{ $x | humanize }}{{ end }}", "123.5M"},
    {"x {{- /* c */ -}} y {{- 3 }} z {{ 4 -}} \n w", "xy3 z 4w"},
    {"{{/* note */}}a", "a"},
    {"{{ 1000000.0 }} {{ 1e21 }} {{ 0.00001 }} {{ 0x1F }} {{ 1_000 }} {{ -3 }}", "1e+06 1e+21 1e-05 31 1000 -3"},
    {"{{ `raw \"text\"` }}", "raw \"text\""},
    {"{{ $labels }}", "map[__name__:m instance:db.example:9187 x:v\"1]"},
};

TEST(Template, RendersAsPrometheusDoes) {
  for (const auto& row : kRows) {
    const auto parsed = Template::parse("A", row.text);
    ASSERT_TRUE(parsed) << row.text << ": " << parsed.error().what;
    const auto text = parsed->render(example(row.value));
    ASSERT_TRUE(text) << row.text << ": " << text.error().what;
    EXPECT_EQ(*text, row.rendered) << row.text;
  }
}

TEST(Template, TakesLabelTextAsDataAndNeverAsATemplate) {
  TemplateData data;
  data.labels = Labels{{"x", "{{ $value }} {{ query \"secrets\" }}"}};
  EXPECT_EQ(Template::parse("A", "{{ $labels.x }}")->render(data), "{{ $value }} {{ query \"secrets\" }}");
}

struct Bad {
  std::string text;
  std::string error;
};

TEST(Template, RefusesBadSyntaxInPrometheusWords) {
  const std::vector<Bad> rows{
      {"{{ $label.x }}", "1: undefined variable \"$label\""},
      {"a\nb {{ nope 1 }}", "2: function \"nope\" not defined"},
      {"{{ }}", "1: missing value for command"},
      {"{{ | humanize }}", "1: unexpected \"|\" in command"},
      {"{{ $value | 5 }}", "1: non executable command in pipeline stage 2"},
      {"{{ \"abc }}", "1: unterminated quoted string"},
      {"{{ `abc }}", "1: unterminated raw quoted string"},
      {"{{ 'ab' }}", "1: malformed character constant: 'ab'"},
      {"{{ \"\\q\" }}", "1: invalid syntax"},
      {"{{ 1x }}", "1: bad number syntax: \"1x\""},
      {"{{ if }}", "1: missing value for if"},
      {"{{ range }}", "1: missing value for range"},
      {"{{ else }}", "1: unexpected {{else}}"},
      {"{{ end }}", "1: unexpected {{end}}"},
      {"{{ end x }}", "1: unexpected \"x\" in end"},
      {"{{ if true }}x", "1: unexpected EOF"},
      {"{{ if true }}a{{ else }}b{{ else }}c{{ end }}", "1: expected end; found {{else}}"},
      {"{{ if true }}a{{ end", "1: unclosed action"},
      {"{{ $value | humanize ", "1: unclosed action"},
      {"{{ (1 }}", "1: unclosed left paren"},
      {"{{ 1 ) }}", "1: unexpected \")\" in command"},
      {"{{ % }}", "1: unexpected \"%\" in command"},
      {"{{/* x */ }}", "1: comment ends before closing delimiter"},
      {"{{/* x }}", "1: unclosed comment"},
      {"{{ $a, $b := 1 }}", "1: too many declarations in command"},
      {"{{ range $i, $j, $k := . }}{{ end }}", "1: too many declarations in range"},
      {"{{ \"a\"\"b\" }}", "1: unexpected \"\\\"b\\\"\" in operand"},
      {"{{ with $x := 1 }}{{ end }}{{ $x }}", "1: undefined variable \"$x\""},
      {"{{ .Labels.x. }}", "1: unexpected <.> in operand"},
      {"{{ if $labels.x = \"a\" }}{{ end }}", "1: unexpected \"=\" in operand"},
      {"{{ $labels['x'] }}", "1: bad character U+005B '['"},
      {"{{ true.x }}", "1: unexpected . after term \"true\""},
      {"{{ template \"x\" }}", "1: function \"template\" not defined"},
  };
  for (const auto& row : rows) {
    const auto parsed = Template::parse("A", row.text);
    ASSERT_FALSE(parsed) << row.text;
    EXPECT_EQ(parsed.error().what, "template: __alert_A:" + row.error) << row.text;
  }
}

TEST(Template, SaysWhyRenderingFailed) {
  const std::vector<Bad> rows{
      {"{{ gt $value 5 }}", "error calling gt: incompatible types for comparison"},
      {"{{ humanize \"x\" }}", "error calling humanize: strconv.ParseFloat: parsing \"x\": invalid syntax"},
      {"{{ query \"none\" | first }}", "error calling first: first() called on vector with no elements"},
      {"{{ query \"sum(\" }}", "error calling query: 1:5: parse error: unclosed left parenthesis"},
      {"{{ match \"a\" }}", "wrong number of args for match: want 2 got 1"},
      {"{{ .Foo }}", "can't evaluate field Foo in type struct"},
      {"{{ $labels.x.y }}", "can't evaluate field y in type string"},
      {"{{ nil }}", "nil is not a command"},
      {"{{ 1 $value }}", "can't give argument to non-function 1"},
      {"{{ index $labels 1 }}", "error calling index: value has type int; should be string"},
      {"{{ index (query \"two\") 9 }}", "error calling index: index out of range: 9"},
      {"{{ first 5 }}", "error calling first: can't handle 5 for arg of type template.queryResult"},
      {"{{ $x = 1 }}", "undefined variable: $x"},
      {"{{ range $value }}{{ end }}", "range can't iterate over 7"},
      {"{{ match \"(\" \"x\" }}", "error calling match: error parsing regexp: missing ): ("},
      {"{{ parseDuration \"5x\" }}", "error calling parseDuration: not a valid duration string: \"5x\""},
  };
  for (const auto& row : rows) {
    const auto parsed = Template::parse("A", row.text);
    if (!parsed) {
      EXPECT_EQ(parsed.error().what, "template: __alert_A:1: " + row.error) << row.text;
      continue;
    }
    const auto text = parsed->render(example(7));
    ASSERT_FALSE(text) << row.text << " -> " << *text;
    EXPECT_EQ(text.error().what, "error executing template __alert_A: template: __alert_A: " + row.error) << row.text;
  }
}

TEST(Template, StopsWhenTheTextGrowsTooLong) {
  auto data = example(1);
  data.query = [](const std::string&) -> Result<Vector> { return Vector(10'000, VectorSample{Labels{{"x", "y"}}, 1}); };
  const auto text = Template::parse("A", "{{ range query \"all\" }}a long line for each of them {{ end }}")->render(data);
  ASSERT_FALSE(text);
  EXPECT_EQ(text.error().code, Errc::full);
}

TEST(Template, RefusesNestingThatWouldExhaustTheStack) {
  std::string deep;
  for (int i = 0; i < 5'000; ++i) deep += "{{ if true }}";
  EXPECT_FALSE(Template::parse("A", deep));
  EXPECT_FALSE(Template::parse("A", "{{ " + std::string(100'000, '(') + " }}"));
  std::string chain = "{{ if true }}";
  for (int i = 0; i < 5'000; ++i) chain += "{{ else if true }}";
  EXPECT_FALSE(Template::parse("A", chain + "{{ end }}"));
}

}  // namespace
}  // namespace ward::collector
