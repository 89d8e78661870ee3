#include "tests/unit/collector/promql/script.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>
#include <re2/re2.h>

#include "collector/promql/function/function.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::promql::test {
namespace {

std::vector<std::filesystem::path> scripts() {
  std::vector<std::filesystem::path> out;
  for (const auto& entry : std::filesystem::directory_iterator(WARD_SOURCE_DIR "/tests/data/promql"))
    if (entry.path().extension() == ".test") out.push_back(entry.path());
  std::sort(out.begin(), out.end());
  return out;
}

class PromqlScript : public testing::TestWithParam<std::filesystem::path> {};

TEST_P(PromqlScript, Holds) {
  for (const auto& failure : run_script(GetParam())) ADD_FAILURE() << failure;
}

INSTANTIATE_TEST_SUITE_P(Data, PromqlScript, testing::ValuesIn(scripts()),
                         [](const auto& param) { return param.param.stem().string(); });

std::string all_scripts() {
  std::string out;
  for (const auto& path : scripts()) {
    std::ifstream in{path};
    for (std::string line; std::getline(in, line);)
      if (line.starts_with("eval")) out += line + "\n";
  }
  return out;
}

TEST(PromqlScripts, CoverEveryFunctionOperatorAndAggregation) {
  const auto text = all_scripts();
  for (const auto& f : functions())
    EXPECT_NE(text.find(std::string(f.name) + "("), std::string::npos) << f.name << " has no line under tests/data/promql";
  for (auto op = BinaryOp::add;; op = static_cast<BinaryOp>(static_cast<int>(op) + 1)) {
    EXPECT_NE(text.find(" " + std::string(to_string(op)) + " "), std::string::npos) << to_string(op);
    if (op == BinaryOp::lunless) break;
  }
  for (auto op = AggregateOp::sum;; op = static_cast<AggregateOp>(static_cast<int>(op) + 1)) {
    EXPECT_TRUE(re2::RE2::PartialMatch(text, "\\b" + std::string(to_string(op)) + "( by| without)? ?\\(")) << to_string(op);
    if (op == AggregateOp::limit_ratio) break;
  }
}

TEST(PromqlScriptReader, ReportsFileAndLineOfWhatDoesNotHold) {
  const ward::test::TempDir folder("script");
  const auto file = folder / "wrong.test";
  std::ofstream{file} << "# a comment\nload 1m\n  a{x=\"1\"} 1\n\neval instant at 0m a\n  a{x=\"1\"} 2\n  b 1\n"
                      << "eval instant at 0m a > 0\neval_fail instant at 0m a\nnonsense\n"
                      << "eval_fail instant at 0m a +\n  expected_fail_message other\n";
  const auto failures = run_script(file);
  const std::vector<std::string> expected{
      "wrong.test:6: got 1",
      "wrong.test:7: no element b",
      "wrong.test:8: unexpected element a{x=\"1\"} 1",
      "wrong.test:9: did not fail",
      "wrong.test:10: unknown command 'nonsense'",
      "wrong.test:12: expected the error 'other', got '1:4: parse error: unexpected end of input'"};
  EXPECT_EQ(failures, expected);
}

TEST(PromqlScriptReader, ReportsAnnotationsThatDoNotComeOrAreNotWanted) {
  const ward::test::TempDir folder("script");
  const auto file = folder / "notes.test";
  std::ofstream{file} << "load 1m\n  g 0+1x5\neval instant at 5m rate(g[5m])\n  expect no_info\n  expect warn\n"
                      << "  expect info msg: other\n  expect nonsense\n  {} 0.016666666666666666\n"
                      << "eval instant at 0m \"a\"\n  expect string \"b\"\noption nonsense\n";
  const std::string info =
      "'PromQL info: metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \"g\" (1:6)'";
  const std::vector<std::string> expected{
      "notes.test:7: unknown expectation 'nonsense'", "notes.test:5: no such warning among:",
      "notes.test:3: unexpected info: " + info,       "notes.test:6: no such info among: " + info,
      "notes.test:9: got the string \"a\"",           "notes.test:11: unknown option 'nonsense'"};
  EXPECT_EQ(run_script(file), expected);
}

}  // namespace
}  // namespace ward::promql::test
