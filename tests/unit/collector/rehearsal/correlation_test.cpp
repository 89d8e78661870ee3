// The correlation scenarios of tests/data/correlation, one file each: who is paged, for what, and that it ends.
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <iterator>

#include "collector/rehearsal/test_run.hpp"

namespace ward::collector {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> scenarios() {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(WARD_SOURCE_DIR "/tests/data/correlation"))
    if (entry.path().extension() == ".yaml") out.push_back(entry.path().stem().string());
  std::sort(out.begin(), out.end());
  return out;
}

class CorrelationScenario : public testing::TestWithParam<std::string> {};

TEST_P(CorrelationScenario, PagesWhoItShould) {
  const auto file = std::string(WARD_SOURCE_DIR "/tests/data/correlation/") + GetParam() + ".yaml";
  std::ifstream in(file);
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto result = run_test_file(text, file, {});
  EXPECT_THAT(result.errors, testing::IsEmpty());
  EXPECT_FALSE(result.tests.empty());
  for (const auto& test : result.tests)
    for (const auto& f : test.failures)
      ADD_FAILURE() << to_string(f.at) << ": " << test.name << "\nexpected\n"
                    << f.expected << "\nbut got\n"
                    << f.got << f.error << "\nwhy\n"
                    << f.why;
}

INSTANTIATE_TEST_SUITE_P(Data, CorrelationScenario, testing::ValuesIn(scenarios()),
                         [](const auto& param) { return param.param; });

}  // namespace
}  // namespace ward::collector
