#include <gtest/gtest.h>

#include "tests/support/probe_config.hpp"

namespace ward::test {
namespace {

TEST(ScrapeConfig, ReadsATarget) {
  const auto made = configure("scrape",
                              "url: https://exporter.example:9113/metrics?module=a\nhonor_labels: true\nsample_limit: 2000\n"
                              "label_limit: 20\nbody_size_limit: 1MiB\nmax_redirects: 1\n"
                              "basic_auth: {username: ward, password: {env: PATH}}\ntls: {ca: /etc/ward/ca.pem}\n"
                              "metric_relabel:\n- {action: drop, source_labels: [__name__], regex: 'go_.*'}\n");
  EXPECT_EQ(made.problems, "");
  ASSERT_NE(made.probe, nullptr);
  EXPECT_GT(made.probe->caps().series_per_target, 2000U);
  EXPECT_GT(made.probe->caps().series_per_metric, 2000U) << "the agent must not cut what the limit allows";
}

TEST(ScrapeConfig, RefusesWrongTargets) {
  struct Case {
    std::string yaml, says;
  };
  const std::vector<Case> table{
      {"sample_limit: 5\n", "url"},
      {"url: exporter:9113\n", "the URL cannot be read"},
      {"url: http://u:p@x/\n", "user name or a password"},
      {"url: http://x/\nsample_limit: 0\n", "sample_limit"},
      {"url: http://x/\nsample_limit: 1000000\n", "sample_limit"},
      {"url: http://x/\nbearer_token: canary\n", "bearer_token"},
      {"url: http://x/\nbearer_token: {env: PATH}\nbasic_auth: {username: a, password: {env: PATH}}\n",
       "both 'basic_auth' and"},
      {"url: http://x/\nhonor_labels: yes\n", "honor_labels"},
      {"url: http://x/\nhonor_timestamps: true\n", "honor_timestamps"},
      {"url: http://x/\nmetric_relabel:\n- {action: keep}\n", "'source_labels' is missing"},
  };
  for (const auto& [yaml, says] : table) {
    const auto made = configure("scrape", yaml);
    EXPECT_NE(made.problems.find(says), std::string::npos) << yaml << "\n" << made.problems;
    EXPECT_EQ(made.problems.find("canary"), std::string::npos);
  }
}

}  // namespace
}  // namespace ward::test
