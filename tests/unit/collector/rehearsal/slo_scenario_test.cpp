// SLOs from samples to pages, on virtual time: the scenarios of tests/data/slo, one file each.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <iterator>

#include "collector/rehearsal/test_run.hpp"

namespace ward::collector {
namespace {

namespace fs = std::filesystem;

std::vector<std::string> files(const std::string& folder, const std::string& ending) {
  std::vector<std::string> out;
  for (const auto& entry : fs::directory_iterator(WARD_SOURCE_DIR + folder))
    if (entry.path().string().ends_with(ending)) out.push_back(entry.path().string());
  std::sort(out.begin(), out.end());
  return out;
}

std::string text_of(const std::string& file) {
  std::ifstream in(file);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string name_of(const testing::TestParamInfo<std::string>& info) {
  auto out = fs::path(info.param).stem().string();
  std::replace_if(
      out.begin(), out.end(), [](unsigned char c) { return std::isalnum(c) == 0; }, '_');
  return out;
}

class SloScenario : public testing::TestWithParam<std::string> {};

TEST_P(SloScenario, PagesWhoItShould) {
  const auto result = run_test_file(text_of(GetParam()), GetParam(), {});
  EXPECT_THAT(result.errors, testing::IsEmpty());
  EXPECT_THAT(result.warnings, testing::IsEmpty());
  EXPECT_FALSE(result.tests.empty());
  for (const auto& test : result.tests)
    for (const auto& f : test.failures)
      ADD_FAILURE() << to_string(f.at) << ": " << test.name << " " << f.subject << "\nexpected\n"
                    << f.expected << "\nbut got\n"
                    << f.got << f.error << "\nwhy\n"
                    << f.why;
}

INSTANTIATE_TEST_SUITE_P(Data, SloScenario, testing::ValuesIn(files("/tests/data/slo", ".yaml")), name_of);

}  // namespace
}  // namespace ward::collector
