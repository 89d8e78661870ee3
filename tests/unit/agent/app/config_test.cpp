// agent.yaml: every mistake is one line with its place and its mend; all mistakes are told at once.
#include "agent/config.hpp"

#include <gmock/gmock.h>

#include "agent/app.hpp"
#include "tests/support/processes.hpp"

namespace ward::agent {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

/// Line numbers count from "agent:" = 1.
constexpr std::string_view kGood = R"(agent: node-1
tenant: clinic-a
data_dir: /tmp/a
insecure: true
collectors:
- {address: "127.0.0.1:9801"}
targets:
- {probe: tcp, name: self, address: "127.0.0.1:1"}
)";

struct Change {
  std::string from, to;
};
std::string good_with(const std::vector<Change>& changes) {
  std::string text(kGood);
  for (const auto& [from, to] : changes) {
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::logic_error("'" + from + "' is not in the configuration");
    text.replace(at, from.size(), to);
  }
  return text;
}

class AgentConfigTest : public testing::Test {
 protected:
  Result<AgentConfig> load(const std::string& text) { return load_agent_config(folder_.write("agent.yaml", text)); }
  /// The problems without the folder of the file; "" when there are none.
  std::string problems(const std::string& text) {
    const auto config = load(text);
    if (config) return "";
    auto told = config.error().what;
    const auto folder = folder_.path().string() + "/";
    for (auto at = told.find(folder); at != std::string::npos; at = told.find(folder)) told.erase(at, folder.size());
    return told;
  }
  test::TempDir folder_{"agent-config"};
};

TEST_F(AgentConfigTest, LoadsTheSmallestFile) {
  const auto config = load(std::string(kGood));
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->agent, AgentId{"node-1"});
  EXPECT_EQ(config->data_dir, "/tmp/a");
  EXPECT_EQ(config->spool_max_bytes, 1ULL << 30);
  EXPECT_EQ(config->http_address, "");
  ASSERT_EQ(config->collectors.size(), 1U);
  EXPECT_EQ(config->collectors[0].endpoint, (net::Endpoint{"127.0.0.1", 9801}));
  EXPECT_EQ(config->targets.size(), 1U);
}

TEST_F(AgentConfigTest, ListsTheTenantsOfAllTargetsWithTheAgentsOwnFirst) {
  const auto target = [](const char* name, const char* tenant) {
    return "\n- {probe: tcp, address: '127.0.0.1:1', name: " + std::string(name) + ", tenant: " + tenant + "}";
  };
  const auto config =
      load(good_with({{"targets:", "targets:" + target("x", "zebra") + target("y", "alpha") + target("z", "zebra")}}));
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_THAT(config->tenants, ElementsAre(TenantId{"clinic-a"}, TenantId{"alpha"}, TenantId{"zebra"}));
}

TEST_F(AgentConfigTest, HashesTheTextOfTheFile) {
  const auto a = load(std::string(kGood)), same = load(std::string(kGood)), other = load(good_with({{":1\"}", ":2\"}"}}));
  EXPECT_EQ(a->hash, same->hash);
  EXPECT_NE(a->hash, other->hash);
}

TEST_F(AgentConfigTest, TellsAllMistakesAtOnce) {
  const auto told = problems(good_with({{"agent: node-1", "agent: Node_1"}, {":9801", ""}, {"name: self", "nmae: self"}}));
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 3) << told;
  EXPECT_THAT(told, HasSubstr("agent.yaml:1:8: "));
  EXPECT_THAT(told, HasSubstr("agent.yaml:6:13: "));
  EXPECT_THAT(told, HasSubstr("agent.yaml:8:3: the key 'name' is missing"));
  EXPECT_THAT(told, HasSubstr("agent.yaml:8:16: unknown key 'nmae' in 'targets[0]'; did you mean 'name'?"));
}

struct Mistake {
  std::string name;
  std::vector<Change> changes;
  std::string line;
};
std::ostream& operator<<(std::ostream& out, const Mistake& m) { return out << m.name; }

class AgentMistake : public AgentConfigTest, public testing::WithParamInterface<Mistake> {};

TEST_P(AgentMistake, IsOneLineWithThePlaceAndTheMend) {
  EXPECT_EQ(problems(good_with(GetParam().changes)), GetParam().line);
}

const std::string kTwo = "- {address: \"127.0.0.1:9801\"}\n";

INSTANTIATE_TEST_SUITE_P(
    All, AgentMistake,
    testing::Values(
        Mistake{"NoAgent", {{"agent: node-1\n", ""}}, "agent.yaml:1:1: the key 'agent' is missing. Add it."},
        Mistake{
            "BadAgent",
            {{"node-1", "Node 1"}},
            "agent.yaml:1:8: agent name 'Node 1' is not allowed. Use 1 to 63 of a-z, 0-9, '-' and '.', starting and ending "
            "with a letter or digit."},
        Mistake{"NoTenant", {{"tenant: clinic-a\n", ""}}, "agent.yaml:1:1: the key 'tenant' is missing. Add it."},
        Mistake{"EmptyTenant",
                {{"tenant: clinic-a", "tenant: \"\""}},
                "agent.yaml:2:9: 'tenant' must not be empty. Write its text."},
        Mistake{"NoDataDir", {{"data_dir: /tmp/a\n", ""}}, "agent.yaml:1:1: the key 'data_dir' is missing. Add it."},
        Mistake{"UnknownKey",
                {{"insecure: true", "insecure: true\nspol: {}"}},
                "agent.yaml:5:1: unknown key 'spol'; did you mean 'spool'? Correct or remove it."},
        Mistake{"UnknownKeyInside",
                {{"insecure: true", "insecure: true\nlog: {levl: info}"}},
                "agent.yaml:5:7: unknown key 'levl' in 'log'; did you mean 'level'? Correct or remove it."},
        Mistake{"BadLevel",
                {{"insecure: true", "insecure: true\nlog: {level: loud}"}},
                "agent.yaml:5:14: 'level' is 'loud'. Choose debug, info, warn or error."},
        Mistake{"BadFlag",
                {{"insecure: true", "insecure: yes\ntls: {ca: a, certificate: b, key: c}"}},
                "agent.yaml:4:11: 'insecure' must be true or false, but is 'yes'. Write true or false."},
        Mistake{"TwoDocuments",
                {{"agent: node-1", "---\nagent: node-1"}, {"targets:", "targets: []\n---\ntargets:"}},
                "agent.yaml:10:1: a second YAML document. Keep one document in this file."},
        Mistake{"BadSize",
                {{"insecure: true", "insecure: true\nspool: {max_size: huge}"}},
                "agent.yaml:5:19: 'max_size' must be a size, but is 'huge'. Write it like 64KiB, 512MiB or 1GiB."},
        Mistake{"SmallSpool",
                {{"insecure: true", "insecure: true\nspool: {max_size: 64KiB}"}},
                "agent.yaml:5:19: spool.max_size is below 1MiB. Set it to 1MiB or more; 1GiB is the default."},
        Mistake{"NoTargets",
                {{"\n- {probe: tcp, name: self, address: \"127.0.0.1:1\"}", " []"}},
                "agent.yaml:7:10: there are no targets. List what to measure under 'targets'."},
        Mistake{"TargetsAreNoList",
                {{"\n- {probe: tcp, name: self, address: \"127.0.0.1:1\"}", " {probe: tcp}"}},
                "agent.yaml:7:10: 'targets' must be a list, not a mapping. Start each entry with '- '."},
        Mistake{"NoCollectors",
                {{"collectors:\n- {address: \"127.0.0.1:9801\"}\n", ""}},
                "agent.yaml:1:1: 0 collectors are configured. Name one collector, or two for high availability."},
        Mistake{"ThreeCollectors",
                {{kTwo, kTwo + "- {address: \"127.0.0.1:1\"}\n- {address: \"127.0.0.1:2\"}\n"}},
                "agent.yaml:6:1: 3 collectors are configured. Name one collector, or two for high availability."},
        Mistake{"CollectorTwice",
                {{kTwo, kTwo + kTwo}},
                "agent.yaml:7:13: the collector '127.0.0.1:9801' is named twice. Remove one of the two."},
        Mistake{"NoAddress",
                {{"address: \"127.0.0.1:9801\"", "server_name: x"}},
                "agent.yaml:6:3: the key 'address' is missing in 'collectors[0]'. Add it."},
        Mistake{"BadAddress",
                {{"127.0.0.1:9801", "nowhere"}},
                "agent.yaml:6:13: 'nowhere' is not an address. Write host:port, for example collector.example:7443 or "
                "[::1]:7443."},
        Mistake{
            "InsecureOffLoopback",
            {{"127.0.0.1:9801", "ward-1.example:9801"}},
            "agent.yaml:6:13: insecure is set and 'ward-1.example:9801' is not a loopback address. Remove 'insecure' and "
            "configure 'tls'."},
        Mistake{"InsecureToANameThatLooksLikeLoopback",
                {{"127.0.0.1:9801", "127.evil.example:9801"}},
                "agent.yaml:6:13: insecure is set and '127.evil.example:9801' is not a loopback address. Remove 'insecure' "
                "and configure 'tls'."},
        Mistake{"NoTls",
                {{"insecure: true\n", ""}},
                "agent.yaml:1:1: the section 'tls' is missing. Add it with ca, certificate and key ('wardctl pki' makes "
                "them), or set 'insecure: true' for a collector on this machine."},
        Mistake{"HalfATls",
                {{"insecure: true", "tls: {ca: a, certificate: b}"}},
                "agent.yaml:4:6: the key 'key' is missing in 'tls'. Add it."},
        Mistake{"BadListen",
                {{"insecure: true", "insecure: true\nlisten: {http: here}"}},
                "agent.yaml:5:16: 'here' is not an address. Write host:port, for example 127.0.0.1:9803."}),
    [](const auto& tested) { return tested.param.name; });

TEST_F(AgentConfigTest, TakesEveryLoopbackAddressWithoutTls) {
  for (const auto* address : {"localhost:1", "127.0.0.1:1", "127.8.9.1:1", "[::1]:1"})
    EXPECT_EQ(problems(good_with({{"127.0.0.1:9801", address}})), "") << address;
}

TEST_F(AgentConfigTest, NamesAMissingSecretFileAndNotItsContent) {
  const auto redis = [](const std::string& password) {
    return good_with({{"probe: tcp, name: self, address: \"127.0.0.1:1\"",
                       "probe: redis, name: self, host: localhost, password: " + password}});
  };
  EXPECT_THAT(problems(redis("{file: absent}")), testing::StartsWith("agent.yaml:8:57: 'password': the secret file 'absent' "
                                                                     "cannot be read (No such file or directory)."));
  EXPECT_THAT(problems(redis("hunter2")),
              testing::AllOf(HasSubstr("agent.yaml:8:57: 'password' must name where the secret is"),
                             testing::Not(HasSubstr("hunter2"))));
  const auto open = folder_.write("open", "hunter2");
  std::filesystem::permissions(open, std::filesystem::perms(0644));
  EXPECT_THAT(problems(redis("{file: open}")), testing::AllOf(HasSubstr("is open to every user (mode 0644)"),
                                                              HasSubstr("chmod 600"), testing::Not(HasSubstr("hunter2"))));
}

TEST_F(AgentConfigTest, SaysWhichFileIsMissing) {
  const auto config = load_agent_config((folder_ / "absent.yaml").string());
  ASSERT_FALSE(config);
  EXPECT_THAT(config.error().what, HasSubstr("absent.yaml"));
  EXPECT_FALSE(config.error().fix.empty());
}

std::string restart_for(const AgentConfig& running, void (*change)(AgentConfig&)) {
  AgentConfig next;
  next.collectors = running.collectors;
  change(next);
  return needs_restart(running, next);
}

TEST(AgentReload, NeedsNoRestartForTargetsTlsFilesAndTheLogLevel) {
  EXPECT_EQ(restart_for({},
                        [](AgentConfig& next) {
                          next.targets.emplace_back();
                          next.tls.certificate = "new.crt";
                          next.log.level = telemetry::LogLevel::debug;
                          next.hash = 7;
                        }),
            "");
}

TEST(AgentReload, NamesEveryKeyThatNeedsARestart) {
  EXPECT_EQ(restart_for({},
                        [](AgentConfig& next) {
                          next.data_dir = "/elsewhere";
                          next.tenants = {TenantId{"other"}};
                          next.http_address = "127.0.0.1:1";
                          next.spool_max_bytes = 5;
                        }),
            "tenants, data_dir, listen.http, spool.max_size");
}

class AgentCheck : public AgentConfigTest {};

TEST_F(AgentCheck, IsContentWithAGoodFile) { EXPECT_TRUE(check(folder_.write("agent.yaml", std::string(kGood)))); }

TEST_F(AgentCheck, ReadsTheCertificatesToo) {
  const auto path =
      folder_.write("agent.yaml", good_with({{"insecure: true", "tls: {ca: /absent/ca, certificate: b, key: c}"}}));
  const auto status = check(path);
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().what, HasSubstr("/absent/ca"));
  EXPECT_FALSE(status.error().fix.empty());
}

TEST_F(AgentCheck, MakesNothingOnDisk) {
  const auto data = (folder_ / "data").string();
  EXPECT_TRUE(check(folder_.write("agent.yaml", good_with({{"/tmp/a", data}}))));
  EXPECT_FALSE(std::filesystem::exists(data));
}

}  // namespace
}  // namespace ward::agent
