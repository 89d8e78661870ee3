// SLOs from samples to pages, on virtual time: the scenarios of tests/data/slo, one file each, and what the shipped packs
// promise of themselves (rules/tests/*.pages.yaml).
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
  // Scenarios page without a runbook; what is shipped does not.
  const bool shipped = GetParam().find("/rules/tests/") != std::string::npos;
  EXPECT_THAT(shipped ? result.warnings : std::vector<std::string>{}, testing::IsEmpty());
  EXPECT_FALSE(result.tests.empty());
  for (const auto& test : result.tests)
    for (const auto& f : test.failures)
      ADD_FAILURE() << to_string(f.at) << ": " << test.name << " " << f.subject << "\nexpected\n"
                    << f.expected << "\nbut got\n"
                    << f.got << f.error << "\nwhy\n"
                    << f.why;
}

/// The SLOs of the night that count as covered when only this test runs.
std::vector<std::string> covered_by(const std::string& test) {
  const std::string file = WARD_SOURCE_DIR "/tests/data/slo/low_traffic_night.yaml";
  TestRunOptions options;
  options.wanted = [&](const std::string& name) { return name.starts_with(test); };
  const std::vector<FileResult> results{run_test_file(text_of(file), file, options)};
  EXPECT_EQ(results[0].tests.size(), 1U);
  std::vector<std::string> out;
  for (const auto& rule : coverage_of(results)) {
    EXPECT_EQ(rule.kind, CoveredRule::Kind::slo);
    EXPECT_EQ(rule.cls, AlertClass::urgent);
    EXPECT_EQ(rule.file, file);
    if (rule.fired) out.push_back(rule.rule);
  }
  return out;
}

TEST(SloCoverage, CountsAnSloThatBurnedAsUrgentAndNoOther) {
  EXPECT_THAT(covered_by("a fifth fails"), testing::ElementsAre("scheduling-ok"));
  EXPECT_THAT(covered_by("without the gate"), testing::ElementsAre("scheduling-ungated"));
  EXPECT_THAT(covered_by("a night that is well"), testing::IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(Data, SloScenario, testing::ValuesIn(files("/tests/data/slo", ".yaml")), name_of);
INSTANTIATE_TEST_SUITE_P(Shipped, SloScenario, testing::ValuesIn(files("/rules/tests", ".pages.yaml")), name_of);

}  // namespace
}  // namespace ward::collector
