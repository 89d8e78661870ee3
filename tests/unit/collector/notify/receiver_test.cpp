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

TEST(Receivers, ReadsAWebhook) {
  const auto got = read("receivers: [{name: pd-db, webhook: {url: https://alerts.example/hook, ca_file: /etc/ca.pem}}]");
  EXPECT_EQ(got.problems, "");
  const Receiver expected{.name = "pd-db",
                          .channel = "webhook",
                          .url = "https://alerts.example/hook",
                          .token = Secret{},
                          .ca_file = "/etc/ca.pem",
                          .proxy = ""};
  EXPECT_EQ(got.receivers, (std::vector<Receiver>{expected}));
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
  };
  for (const auto& [yaml, message] : bad) EXPECT_THAT(read(yaml).problems, ::testing::HasSubstr(message)) << yaml;
}

}  // namespace
}  // namespace ward::collector
