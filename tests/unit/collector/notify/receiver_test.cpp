#include "collector/notify/receiver.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace ward::collector {
namespace {

struct Read {
  std::vector<Receiver> receivers;
  std::string problems;
};

Read read(const std::string& yaml) {
  const auto documents = config::parse_yaml(yaml, "collector.yaml").value();
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  Read out{.receivers = read_receivers(section.children("receivers")), .problems = ""};
  if (!problems.empty()) out.problems = problems.to_text();
  return out;
}

TEST(Receivers, ReadsNameAndChannel) {
  const auto got = read("receivers: [{name: pd-db, webhook: {url: https://alerts.example/hook, ca_file: /etc/ca.pem}}]");
  EXPECT_EQ(got.problems, "");
  ASSERT_EQ(got.receivers.size(), 1U);
  EXPECT_EQ(got.receivers[0].name, "pd-db");
  EXPECT_EQ(got.receivers[0].kind, "webhook");
  EXPECT_NE(got.receivers[0].channel, nullptr);
}

TEST(Receivers, NamesWhatIsWrong) {
  const std::pair<const char*, const char*> bad[] = {
      {"receivers: [{name: a}]", "has no channel"},
      {"receivers: [{webhook: {url: https://x}}]", "name"},
      {"receivers: [{name: a, webhook: {}}]", "url"},
      {"receivers: [{name: a, webhook: {url: ftp://x}}]", "has no http or https URL"},
      {"receivers: [{name: a, webhook: {url: https://x}}, {name: a, webhook: {url: https://y}}]", "is taken"},
      {"receivers: [{name: a, webhook: {url: https://x, token: abc}}]", "token"},
      {"receivers: [{name: a, webhok: {url: https://x}}]", "webhok"},
      {"receivers: [{name: a, webhook: {url: 'http://x', token: {env: HOME}}}]",
       "collector.yaml:1:38: the token of receiver 'a' would go out unencrypted. Use https."},
      {"receivers: [{name: a, webhook: {url: 'http://127.0.0.1.evil.example/', token: {env: HOME}}}]", "unencrypted"},
      {"receivers: [{name: a, webhook: {url: 'https://user:pw@x'}}]", "holds a user name or a password"},
      {"receivers: [{name: a, webhook: {url: https://x, tokn: {env: HOME}}}]", "did you mean 'token'?"},
  };
  for (const auto& [yaml, message] : bad) EXPECT_THAT(read(yaml).problems, ::testing::HasSubstr(message)) << yaml;
}

}  // namespace
}  // namespace ward::collector
