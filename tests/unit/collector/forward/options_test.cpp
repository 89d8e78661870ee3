#include "collector/forward/options.hpp"

#include <gmock/gmock.h>

#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;
using testing::SizeIs;

class ForwardOptions : public testing::Test {
 protected:
  std::vector<ForwardTarget> read(const std::string& yaml) {
    const auto path = dir_.write("collector.yaml", yaml);
    const auto documents = config::load_yaml(path);
    EXPECT_TRUE(documents);
    problems_ = config::Problems{};
    config::Section root(documents->front(), "", problems_);
    auto out = read_forward_targets(root, "remote_write");
    root.close();
    return out;
  }
  ward::test::TempDir dir_{"forward-options"};
  config::Problems problems_;
};

TEST_F(ForwardOptions, ReadsATargetWithTheDefaultsOfTheField) {
  const auto all = read("remote_write:\n- {name: long-term, url: \"https://mimir.example/api/v1/push\"}\n");
  ASSERT_TRUE(problems_.empty()) << problems_.to_text();
  ASSERT_THAT(all, SizeIs(1));
  const auto& target = all[0];
  EXPECT_EQ(target.name, "long-term");
  EXPECT_EQ(target.remote_timeout, seconds{30});
  EXPECT_EQ(target.message, remote_write::Message::v1);
  EXPECT_TRUE(target.metadata);
  EXPECT_EQ(target.queue.max_size, 1ULL << 30);
  EXPECT_EQ(target.queue.max_samples_per_send, 2'000U);
  EXPECT_EQ(target.queue.batch_send_deadline, seconds{5});
}

TEST_F(ForwardOptions, ReadsEveryKey) {
  dir_.write("token", "a-token\n");
  const auto all = read(
      "remote_write:\n- name: vm\n  url: https://vm.example/api/v1/write\n  remote_timeout: 10s\n"
      "  headers: {X-Scope-OrgID: clinics}\n  write_relabel_configs: [{action: drop, source_labels: [job], regex: noise}]\n"
      "  authorization: {type: Token, credentials: {file: token}}\n  tls: {ca: /ca.pem}\n  proxy: http://proxy:3128\n"
      "  protocol: \"2.0\"\n  metadata: false\n  queue: {max_size: 2MiB, max_age: 1h, shards: 2, max_samples_per_send: 50,\n"
      "    batch_send_deadline: 1s, min_backoff: 1s, max_backoff: 9s}\n");
  ASSERT_TRUE(problems_.empty()) << problems_.to_text();
  const auto& target = all.at(0);
  EXPECT_EQ(target.headers.at(0), (std::pair<std::string, std::string>{"X-Scope-OrgID", "clinics"}));
  EXPECT_THAT(target.write_relabel, SizeIs(1));
  EXPECT_EQ(target.authorization_type, "Token");
  EXPECT_EQ(target.authorization_credentials.reveal(), "a-token");
  EXPECT_EQ(target.tls.ca_file, "/ca.pem");
  EXPECT_EQ(target.message, remote_write::Message::v2);
  EXPECT_FALSE(target.metadata);
  EXPECT_EQ(target.queue.max_age, seconds{3'600});
  EXPECT_EQ(target.queue.shards, 2U);
}

struct Mistake {
  const char* yaml;
  const char* told;
};

TEST_F(ForwardOptions, TellsEachMistake) {
  dir_.write("token", "a-token\n");
  const Mistake mistakes[] = {
      {"- {url: \"https://x/\"}", "the key 'name' is missing"},
      {"- {name: \"a b\", url: \"https://x/\"}", "'a b' is no name"},
      {"- {name: a}", "the key 'url' is missing"},
      {"- {name: a, url: \"x:9009\"}", "has no http or https URL"},
      {"- {name: a, url: \"https://x/\", protocol: \"1.1\"}", "protocol"},
      {"- {name: a, url: \"https://x/\", headers: {Authorization: x}}", "is written by the sender itself"},
      {"- {name: a, url: \"https://x/\", headers: {\"X Y\": x}}", "is no HTTP header"},
      {"- {name: a, url: \"https://x/\", write_relabel_configs: [{action: keep}]}", "'source_labels' is missing"},
      {"- {name: a, url: \"https://x/\", queue: {max_size: 1KiB}}", "holds no outage"},
      {"- {name: a, url: \"https://x/\", queue: {shards: 0}}", "shards"},
      {"- {name: a, url: \"https://x/\", queue: {min_backoff: 9s, max_backoff: 1s}}", "max_backoff"},
      {"- {name: a, url: \"http://x/\", bearer_token: {file: token}}", "would go out unencrypted"},
      {"- {name: a, url: \"https://x/\", bearer_token: {file: token}, authorization: {credentials: {file: token}}}",
       "beside another way"},
      {"- {name: a, url: \"https://x/\"}\n- {name: a, url: \"https://y/\"}", "is taken by another target"},
      {"- {name: a, url: \"https://x/\", shards: 4}", "unknown key 'shards'"},
  };
  for (const auto& [yaml, told] : mistakes) {
    read("remote_write:\n" + std::string(yaml) + "\n");
    EXPECT_THAT(problems_.to_text(), HasSubstr(told)) << yaml;
  }
}

}  // namespace
}  // namespace ward::collector
