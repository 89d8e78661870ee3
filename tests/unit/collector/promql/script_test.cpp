#include "tests/unit/collector/promql/script.hpp"

#include <algorithm>
#include <fstream>
#include <gtest/gtest.h>

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

TEST(PromqlScriptReader, ReportsFileAndLineOfWhatDoesNotHold) {
  const auto file = std::filesystem::path{testing::TempDir()} / "wrong.test";
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

}  // namespace
}  // namespace ward::promql::test
