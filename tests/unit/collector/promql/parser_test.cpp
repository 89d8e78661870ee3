#include "collector/promql/parser.hpp"

#include <cmath>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/promql/engine.hpp"
#include "collector/promql/number.hpp"

namespace ward::promql {
namespace {

struct BadQuery {
  std::string query;
  std::string error;
};

// Checked against promtool 2.42 where it words them alike, else against Prometheus 3's own parser tests.
const std::vector<BadQuery> kBadQueries{
    {R"_(sum(up) + )_", R"_(1:11: parse error: unexpected end of input)_"},
    {R"_(()_", R"_(1:2: parse error: unclosed left parenthesis)_"},
    {R"_(foo))_", R"_(1:5: parse error: unexpected right parenthesis ')')_"},
    {R"_(foo{)_", R"_(1:5: parse error: unexpected end of input inside braces)_"},
    {R"_(foo{a)_", R"_(1:6: parse error: unexpected end of input inside braces)_"},
    {R"_(foo{a=)_", R"_(1:7: parse error: unexpected end of input inside braces)_"},
    {R"_(foo{a="1")_", R"_(1:10: parse error: unexpected end of input inside braces)_"},
    {R"_(foo{a="1" b="2"})_", R"_(1:11: parse error: unexpected identifier "b" in label matching, expected "," or "}")_"},
    {R"_(foo{1="x"})_", R"_(1:5: parse error: unexpected character inside braces: '1')_"},
    {R"_(foo{a=1})_", R"_(1:7: parse error: unexpected character inside braces: '1')_"},
    {R"_(foo{a==b})_", R"_(1:7: parse error: unexpected "=" in label matching, expected string)_"},
    {R"_(foo{{)_", R"_(1:5: parse error: unexpected left brace '{')_"},
    {R"_(foo})_", R"_(1:4: parse error: unexpected character: '}')_"},
    {R"_(foo[5m)_", R"_(1:7: parse error: unclosed left bracket)_"},
    {R"_(foo[5m]])_", R"_(1:8: parse error: unexpected right bracket ']')_"},
    {R"_(foo[5m:)_", R"_(1:8: parse error: unclosed left bracket)_"},
    {R"_(foo[5m:1m)_", R"_(1:10: parse error: unclosed left bracket)_"},
    {R"_(foo[0s])_", R"_(1:5: parse error: duration must be greater than 0)_"},
    {R"_((foo)[5m])_", R"_(1:6: parse error: ranges only allowed for vector selectors)_"},
    {R"_(foo offset 1m[5m])_", R"_(1:14: parse error: no offset modifiers allowed before range)_"},
    {R"_(foo @ 1 [5m])_", R"_(1:9: parse error: no @ modifiers allowed before range)_"},
    {R"_(foo @ x)_", R"_(1:7: parse error: unexpected identifier "x" in @, expected timestamp)_"},
    {R"_(foo @ start)_", R"_(1:12: parse error: unexpected end of input in @, expected timestamp)_"},
    {R"_(foo @ start()_", R"_(1:13: parse error: unclosed left parenthesis)_"},
    {R"_(sum some)_", R"_(1:5: parse error: unexpected identifier "some")_"},
    {R"_(sum())_", R"_(1:1: parse error: no arguments for aggregate expression provided)_"},
    {R"_(sum(a, b))_",
     R"_(1:1: parse error: wrong number of arguments for aggregate expression provided, expected 1, got 2)_"},
    {R"_(topk(a))_",
     R"_(1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 1)_"},
    {R"_(topk(5, a, b))_",
     R"_(1:1: parse error: wrong number of arguments for aggregate expression provided, expected 2, got 3)_"},
    {R"_(sum by a (x))_", R"_(1:8: parse error: unexpected identifier "a" in grouping opts, expected "(")_"},
    {R"_(sum by (a b) (x))_", R"_(1:11: parse error: unexpected identifier "b" in grouping opts, expected "," or ")")_"},
    {R"_(sum by (1) (x))_", R"_(1:9: parse error: unexpected number "1" in grouping opts, expected label)_"},
    {R"_(unknownfn(x))_", R"_(1:1: parse error: unknown function with name "unknownfn")_"},
    {R"_(rate(foo))_", R"_(1:6: parse error: expected type range vector in call to function "rate", got instant vector)_"},
    {R"_(rate(foo[5m], 1))_", R"_(1:1: parse error: expected 1 argument(s) in call to "rate", got 2)_"},
    {R"_(rate())_", R"_(1:1: parse error: expected 1 argument(s) in call to "rate", got 0)_"},
    {R"_(round(a,b,c,d))_", R"_(1:1: parse error: expected at most 2 argument(s) in call to "round", got 4)_"},
    {R"_(label_join(a))_", R"_(1:1: parse error: expected at least 3 argument(s) in call to "label_join", got 1)_"},
    {R"_(sum(1))_", R"_(1:5: parse error: expected type instant vector in aggregation expression, got scalar)_"},
    {R"_(sum("x"))_", R"_(1:5: parse error: expected type instant vector in aggregation expression, got string)_"},
    {R"_(topk("x", a))_", R"_(1:6: parse error: expected type scalar in aggregation parameter, got string)_"},
    {R"_(count_values(1, a))_", R"_(1:14: parse error: expected type string in aggregation parameter, got scalar)_"},
    {R"_(1 == 1)_", R"_(1:3: parse error: comparisons between scalars must use BOOL modifier)_"},
    {R"_(1 and 1)_", R"_(1:1: parse error: set operator "and" not allowed in binary scalar expression)_"},
    {R"_(a and 1)_", R"_(1:1: parse error: set operator "and" not allowed in binary scalar expression)_"},
    {R"_(1 + "x")_", R"_(1:5: parse error: binary expression must contain only scalar and instant vector types)_"},
    {R"_(a + bool b)_", R"_(1:3: parse error: bool modifier can only be used on comparison operators)_"},
    {R"_(a + on(x) 1)_", R"_(1:1: parse error: vector matching only allowed between instant vectors)_"},
    {R"_(a and on(x) group_left b)_", R"_(1:1: parse error: no grouping allowed for "and" operation)_"},
    {R"_(a + on(x) group_left(x) b)_", R"_(1:3: parse error: label "x" must not occur in ON and GROUP clause at once)_"},
    {R"_(-"x")_",
     R"_(1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "string")_"},
    {R"_(-foo[5m])_",
     R"_(1:1: parse error: unary expression only allowed on expressions of type scalar or instant vector, got "range vector")_"},
    {R"_(foo[5m][5m])_", R"_(1:8: parse error: ranges only allowed for vector selectors)_"},
    {R"_(foo[5m][5m:1m])_", R"_(1:1: parse error: subquery is only allowed on instant vector, got matrix instead)_"},
    {R"_(1[5m:1m])_", R"_(1:1: parse error: subquery is only allowed on instant vector, got scalar instead)_"},
    {R"_({})_", R"_(1:1: parse error: vector selector must contain at least one non-empty matcher)_"},
    {R"_({a=""})_", R"_(1:1: parse error: vector selector must contain at least one non-empty matcher)_"},
    {R"_({a=~".*"})_", R"_(1:1: parse error: vector selector must contain at least one non-empty matcher)_"},
    {R"_(foo{__name__="bar"})_", R"_(1:1: parse error: metric name must not be set twice: "foo" or "bar")_"},
    {R"_(foo @ 1e30)_",
     R"_(1:1: parse error: timestamp out of bounds for @ modifier: 1000000000000000019884624838656.000000)_"},
    {R"_(foo @ 1 @ 2)_", R"_(1:1: parse error: @ <timestamp> may not be set multiple times)_"},
    {R"_(foo offset 1m offset 2m)_", R"_(1:1: parse error: offset may not be set multiple times)_"},
    {R"_(1 offset 1m)_",
     R"_(1:1: parse error: offset modifier must be preceded by an instant vector selector or range vector selector or a subquery)_"},
    {R"_(1 @ 5)_",
     R"_(1:1: parse error: @ modifier must be preceded by an instant vector selector or range vector selector or a subquery)_"},
    {R"_("abc)_", R"_(1:1: parse error: unterminated quoted string)_"},
    {R"_('a\z')_", R"_(1:1: parse error: unknown escape sequence U+007A 'z')_"},
    {R"_("\xZZ")_", R"_(1:1: parse error: illegal character U+005A 'Z' in escape sequence)_"},
    {R"_(`abc)_", R"_(1:1: parse error: unterminated raw string)_"},
    {R"_(a = b)_", R"_(1:3: parse error: unexpected "=")_"},
    {R"_(a =~ b)_", R"_(1:3: parse error: unexpected character after '=': '~')_"},
    {R"_(a ! b)_", R"_(1:3: parse error: unexpected character after '!': ' ')_"},
    {R"_(a $ b)_", R"_(1:3: parse error: unexpected character: '$')_"},
    {R"_(5mm)_", R"_(1:1: parse error: bad number or duration syntax: "5mm")_"},
    {R"_(0b1)_", R"_(1:1: parse error: bad number or duration syntax: "0")_"},
    {R"_(foo bar)_", R"_(1:5: parse error: unexpected identifier "bar")_"},
    {R"_(1 2)_", R"_(1:3: parse error: unexpected number "2")_"},
    {R"_(foo()_", R"_(1:5: parse error: unclosed left parenthesis)_"},
    {R"_(foo(a,))_", R"_(1:6: parse error: trailing commas not allowed in function call args)_"},
    {R"_(rate(foo[5m]) rate(x[5m]))_", R"_(1:15: parse error: unexpected identifier "rate")_"},
    {R"_(on)_", R"_(1:1: parse error: unexpected <on>)_"},
    {R"_(bool)_", R"_(1:1: parse error: unexpected <bool>)_"},
    {R"_(a on b)_", R"_(1:3: parse error: unexpected <on>)_"},
    {R"_(a + on b)_", R"_(1:8: parse error: unexpected identifier "b" in grouping opts, expected "(")_"},
    {R"_(a + on(x) group_left()_", R"_(1:22: parse error: unclosed left parenthesis)_"},
    {R"_(a + group_left b)_", R"_(1:5: parse error: unexpected <group_left>)_"},
    {"a\n  + \n b +", R"_(3:5: parse error: unexpected end of input)_"},
    {R"_(# only comment)_", R"_(1:1: parse error: no expression found in input)_"},
    {R"_(time(5))_", R"_(1:1: parse error: expected 0 argument(s) in call to "time", got 1)_"},
    {R"_(abs(a, b))_", R"_(1:1: parse error: expected 1 argument(s) in call to "abs", got 2)_"},
    {R"_(vector(a))_", R"_(1:8: parse error: expected type scalar in call to function "vector", got instant vector)_"},
    {R"_(scalar(1))_", R"_(1:8: parse error: expected type instant vector in call to function "scalar", got scalar)_"},
    {R"_(absent(foo[5m]))_",
     R"_(1:8: parse error: expected type instant vector in call to function "absent", got range vector)_"},
    {R"_(abs(foo[5m:1m]))_",
     R"_(1:5: parse error: expected type instant vector in call to function "abs", got range vector)_"},
    {R"_(histogram_quantile(a, b))_",
     R"_(1:20: parse error: expected type scalar in call to function "histogram_quantile", got instant vector)_"},
    {R"_(label_replace(a, b, c, d, e))_",
     R"_(1:18: parse error: expected type string in call to function "label_replace", got instant vector)_"},
    {R"_(start())_", R"_(1:6: parse error: unexpected "(")_"},
    {R"_(a unless bool b)_", R"_(1:3: parse error: bool modifier can only be used on comparison operators)_"},
    {R"_(foo{,})_", R"_(1:5: parse error: unexpected "," in label matching, expected identifier or "}")_"},
    {R"_(foo{a="x",,})_", R"_(1:11: parse error: unexpected "," in label matching, expected identifier or "}")_"},
    {R"_(avg by (a) without (b) (x))_", R"_(1:12: parse error: unexpected <without> in aggregation)_"},
    {R"_(a atan2)_", R"_(1:8: parse error: unexpected end of input)_"},
    {R"_(1 + 2 3)_", R"_(1:7: parse error: unexpected number "3")_"},
    {R"_(min_over_time(foo))_",
     R"_(1:15: parse error: expected type range vector in call to function "min_over_time", got instant vector)_"},
    {R"_(sum(foo[5m]))_", R"_(1:5: parse error: expected type instant vector in aggregation expression, got range vector)_"},
    {R"_(foo[5m] offset)_", R"_(1:15: parse error: unexpected end of input in offset, expected number or duration)_"},
    {R"_(foo[])_", R"_(1:5: parse error: unexpected "]" in subquery or range selector, expected number or duration)_"},
    {R"_(foo[5m 1m])_", R"_(1:8: parse error: unexpected duration "1m" in subquery or range, expected ":" or "]")_"},
    {R"_(foo[5m:1m 2m])_", R"_(1:11: parse error: unexpected duration "2m" in subquery selector, expected "]")_"},
    {R"_(foo[5m1h])_", R"_(1:5: parse error: not a valid duration string: "5m1h")_"},
    {R"_(foo[5mm])_", R"_(1:5: parse error: bad number or duration syntax: "5mm")_"},
    {R"_(foo[5m1])_", R"_(1:5: parse error: bad number or duration syntax: "5m1")_"},
    {R"_(foo[99999999999])_", R"_(1:5: parse error: duration out of range)_"},
    {R"_(foo{a=~"("})_", R"_(1:5: parse error: error parsing regexp: missing closing ): `^(?s:()$`)_"},
    {R"_(foo{a=~"["})_", R"_(1:5: parse error: error parsing regexp: missing closing ]: `[`)_"},
    {R"_(1_0.5)_", R"_(1:1: parse error: error parsing number: strconv.ParseFloat: parsing "1_0.5": invalid syntax)_"},
    {R"_(sum without(==)(some_metric))_", R"_(1:13: parse error: unexpected <op:==> in grouping opts, expected label)_"},
    {R"_(sum without(foo,,)(m))_", R"_(1:17: parse error: unexpected "," in grouping opts, expected label)_"},
    {R"_(a_very_long_metric_name "a long string")_", R"_(1:25: parse error: unexpected string "\"a long st"...)_"},
};

TEST(Parser, WordsItsErrorsAsPrometheusDoes) {
  for (const auto& bad : kBadQueries) {
    const auto expr = parse(bad.query);
    ASSERT_FALSE(expr) << bad.query;
    EXPECT_EQ(expr.error().what, bad.error) << bad.query;
    EXPECT_EQ(expr.error().code, Errc::invalid);
  }
}

TEST(Parser, AcceptsEveryFormOfTheGrammar) {
  for (const std::string query : {R"_(sum)_",
                                  R"_(sum(x) by (a,))_",
                                  R"_(a == bool b)_",
                                  R"_(by)_",
                                  R"_(sum{a="b"})_",
                                  R"_(foo{a="x",})_",
                                  R"_(foo[5])_",
                                  R"_(foo offset 5)_",
                                  R"_(foo offset -5m)_",
                                  R"_(foo @ -1)_",
                                  R"_(foo @ 1m)_",
                                  R"_(a_metric)_",
                                  R"_(a:b:c)_",
                                  R"_({"a.b"})_",
                                  R"_({"a.b", c="d"})_",
                                  R"_(sum by ("a b") (x))_",
                                  R"_(sum by (sum, on, bool) (x))_",
                                  R"_(1h)_",
                                  R"_(-1h30m)_",
                                  R"_(foo[1h:30])_",
                                  R"_(foo[1h:])_",
                                  R"_(limitk(1, a))_",
                                  R"_(limit_ratio(0.5, a))_",
                                  R"_(info(a, {b="c"}))_",
                                  R"_(foo{a=~`\d+`})_",
                                  R"_(0x1f)_",
                                  R"_(0755)_",
                                  R"_(1e5)_",
                                  R"_(.5)_",
                                  R"_(5.)_",
                                  R"_(Inf)_",
                                  R"_(nan)_",
                                  R"_(+Inf)_"}) {
    const auto expr = parse(query);
    EXPECT_TRUE(expr) << query << ": " << expr.error().what;
  }
}

struct Printed {
  std::string query;
  std::string printed;
};

const std::vector<Printed> kPrinted{
    {"1 + 2*3", "1 + 2 * 3"},
    {"-a ^ 2", "-a ^ 2"},
    {"(a)", "(a)"},
    {"Inf", "+Inf"},
    {"-5.50", "-5.5"},
    {"1h30m", "1h30m"},
    {"0x10", "16"},
    {R"('a"b')", R"("a\"b")"},
    {"`raw\\n`", R"("raw\\n")"},
    {R"("\u00e4\x41\101")", R"("äAA")"},
    {"foo { a = 'b' , }", R"(foo{a="b"})"},
    {R"({"a.b", "c d"=~"e"})", R"({__name__="a.b","c d"=~"e"})"},
    {"foo[5m] OFFSET 1h @ 10", "foo[5m] @ 10.000 offset 1h"},
    {"foo @ start() offset -1m", "foo @ start() offset -1m"},
    {"foo[1h:30s] @ end()", "foo[1h:30s] @ end()"},
    {"foo[1h:]", "foo[1h:]"},
    {"foo[90]", "foo[1m30s]"},
    {"SUM(a) BY (b,c)", "sum by (b, c) (a)"},
    {"sum without() (a)", "sum without () (a)"},
    {"sum by () (a)", "sum(a)"},
    {"topk by (x) (5, a)", "topk by (x) (5, a)"},
    {R"(sum by ("a b") (x))", R"(sum by ("a b") (x))"},
    {"a + ON(x) GROUP_LEFT(y) b", "a + on (x) group_left (y) b"},
    {"a * ignoring(x) group_right b", "a * ignoring (x) group_right () b"},
    {"a > bool b", "a > bool b"},
    {"a and on() b", "a and on () b"},
    {"a or b and c unless d", "a or b and c unless d"},
    {"rate(x[5m]) / 2 # comment", "rate(x[5m]) / 2"},
    {"time()", "time()"},
    {"count_values('v', a)", R"(count_values("v", a))"},
};

TEST(Parser, PrintsWhatItRead) {
  for (const auto& c : kPrinted) {
    const auto expr = parse(c.query);
    ASSERT_TRUE(expr) << c.query << ": " << expr.error().what;
    EXPECT_EQ(to_string(*expr), c.printed);
    const auto again = parse(c.printed);
    ASSERT_TRUE(again) << c.printed << ": " << again.error().what;
    EXPECT_EQ(to_string(*again), c.printed);
  }
}

/// The shape of a query in full parentheses.
std::string shape(const Node& node) {
  if (const auto* b = std::get_if<Binary>(&node.data))
    return "(" + shape(*b->lhs) + std::string(to_string(b->op)) + shape(*b->rhs) + ")";
  if (const auto* u = std::get_if<Unary>(&node.data)) return (u->negative ? "-(" : "+(") + shape(*u->expr) + ")";
  return to_string(node);
}

TEST(Parser, BindsOperatorsByPrecedence) {
  const std::vector<Printed> cases{
      {"a + b * c", "(a+(b*c))"},
      {"a - b - c", "((a-b)-c)"},
      {"a ^ b ^ c", "(a^(b^c))"},
      {"-a ^ b", "-((a^b))"},
      {"-a * b", "(-(a)*b)"},
      {"a ^ -b * c", "((a^-(b))*c)"},
      {"a * -b ^ c", "(a*-((b^c)))"},
      {"a atan2 b + c", "((aatan2b)+c)"},
      {"a or b and c", "(aor(bandc))"},
      {"a and b or c unless d", "((aandb)or(cunlessd))"},
      {"a unless b and c", "((aunlessb)andc)"},
      {"a == b + c > d", "((a==(b+c))>d)"},
      {"a % b / c", "((a%b)/c)"},
      {"-foo @ 5", "-(foo @ 5.000)"},
  };
  for (const auto& c : cases) {
    const auto expr = parse(c.query);
    ASSERT_TRUE(expr) << c.query << ": " << expr.error().what;
    EXPECT_EQ(shape(expr->root()), c.printed) << c.query;
  }
}

TEST(Parser, KeepsPositionsOfNodes) {
  const auto expr = parse(" sum(foo{a=\"b\"}[5m:] offset 1m == 2)");
  ASSERT_FALSE(expr);
  const auto good = parse(" avg(foo{a=\"b\"} offset 1m + 2)");
  ASSERT_TRUE(good);
  EXPECT_EQ(good->root().pos, (PositionRange{1, 30}));
  const auto& binary = std::get<Binary>(std::get<Aggregate>(good->root().data).expr->data);
  EXPECT_EQ(binary.lhs->pos, (PositionRange{5, 25}));
  EXPECT_EQ(binary.rhs->pos, (PositionRange{28, 29}));
}

TEST(Parser, RefusesBottomlessNesting) {
  const std::string open(5'000, '(');
  EXPECT_NE(parse(open + "1" + std::string(5'000, ')')).error().what.find("nested"), std::string::npos);
  EXPECT_NE(parse(std::string(5'000, '-') + "a").error().what.find("nested"), std::string::npos);
  std::string chain = "a";
  for (int i = 0; i < 5'000; ++i) chain += " + a";
  EXPECT_NE(parse(chain).error().what.find("nested"), std::string::npos);
  EXPECT_TRUE(parse(std::string(300, '(') + "1" + std::string(300, ')')));
}

TEST(Parser, SurvivesEveryPrefixAndEveryLostByte) {
  const std::string query =
      R"(sum by (a, "b c") (rate(foo{x=~"\\d+",y!='z'}[5m:30s] offset -1m @ start())) / on (q) group_left (r) topk(0x1F, {`m`}))";
  ASSERT_TRUE(parse(query)) << parse(query).error().what;
  for (std::size_t n = 0; n < query.size(); ++n) {
    (void)parse(query.substr(0, n));
    auto broken = query;
    broken.erase(n, 1);
    (void)parse(broken);
    broken = query;
    broken[n] = '\xff';
    (void)parse(broken);
  }
}

TEST(ParseSelector, ReadsMatchersOnly) {
  const auto matchers = parse_selector(R"(up{job=~"a|b"})");
  ASSERT_TRUE(matchers);
  EXPECT_EQ(*matchers, (std::vector{*Matcher::make(Matcher::Op::regex, "job", "a|b"),
                                    *Matcher::make(Matcher::Op::equal, "__name__", "up")}));
  for (const std::string bad : {"", "up[5m]", "up offset 1m", "1", "sum(up)", "{}", "up{"})
    EXPECT_FALSE(parse_selector(bad)) << bad;
}

TEST(ParseNumber, ReadsEveryWriting) {
  const std::vector<std::pair<std::string, double>> cases{
      {"0x1F", 31}, {"0755", 493},   {"08", 8}, {"1e3", 1000},   {".5", 0.5},
      {"5.", 5},    {"1_000", 1000}, {"0", 0},  {"1E-3", 0.001}, {"9223372036854775808", 9223372036854775808.0}};
  for (const auto& [text, value] : cases) EXPECT_EQ(parse_number(text).value_or(-1), value) << text;
  EXPECT_TRUE(std::isnan(*parse_number("NaN")));
  EXPECT_TRUE(std::isinf(*parse_number("iNf")));
  for (const std::string bad : {"", "1__0", "x", "0x", "1e400", "--1"}) EXPECT_FALSE(parse_number(bad)) << bad;
}

TEST(FormatNumber, IsShortAndWithoutExponent) {
  EXPECT_EQ(format_number(0.1), "0.1");
  EXPECT_EQ(format_number(1e21), "1000000000000000000000");
  EXPECT_EQ(format_number(-1.0 / 0.0), "-Inf");
}

struct ReadCase {
  std::string query;
  std::vector<std::string> metrics;
  std::int64_t lookback_s;
};

TEST(Reads, NamesMetricsAndTheWidestLookback) {
  const std::vector<ReadCase> cases{
      {"up", {"up"}, 300},
      {"rate(b[10m]) / a", {"a", "b"}, 600},
      {"a offset 1h + a", {"a"}, 3900},
      {"max_over_time(rate(a[5m])[1h:1m] offset 10m)", {"a"}, 4500},
      {"sum(a) > on() vector(1)", {"a"}, 300},
      {R"({__name__="x"})", {"x"}, 300},
      {R"({__name__=~"x|y"} + z)", {}, 300},
      {R"({job="x"})", {}, 300},
      {"a offset -1h", {"a"}, 0},
      {"time()", {}, 0},
  };
  for (const auto& c : cases) {
    const auto expr = parse(c.query);
    ASSERT_TRUE(expr) << c.query;
    const auto reads = reads_of(*expr);
    EXPECT_EQ(reads.metrics, c.metrics) << c.query;
    EXPECT_EQ(reads.lookback, milliseconds{c.lookback_s * 1000}) << c.query;
  }
}

}  // namespace
}  // namespace ward::promql
