// collector.yaml: every mistake is one line with its place and its mend.
#include "collector/config.hpp"

#include <gmock/gmock.h>

#include "collector/app.hpp"
#include "tests/support/processes.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::string_view kGood = R"(data_dir: /tmp/c
insecure: true
listen: {stream: "127.0.0.1:9801", http: "127.0.0.1:9802"}
rules: []
receivers:
- {name: oncall, webhook: {url: "https://alerts.example/hook"}}
owners:
  platform: {receiver: oncall}
services:
  odoo: {owner: application}
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
/// One more line at the end: line 11.
std::vector<Change> more(const std::string& line) { return {{"application}\n", "application}\n" + line + "\n"}}; }

class CollectorConfigTest : public testing::Test {
 protected:
  Result<CollectorConfig> load(const std::string& text) {
    return load_collector_config(folder_.write("collector.yaml", text));
  }
  /// The problems without the folder of the file; "" when there are none.
  std::string problems(const std::string& text) {
    const auto config = load(text);
    if (config) return "";
    auto told = config.error().what;
    const auto folder = folder_.path().string() + "/";
    for (auto at = told.find(folder); at != std::string::npos; at = told.find(folder)) told.erase(at, folder.size());
    return told;
  }
  test::TempDir folder_{"collector-config"};
};

TEST_F(CollectorConfigTest, LoadsASmallFile) {
  const auto config = load(std::string(kGood));
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->stream_address, "127.0.0.1:9801");
  EXPECT_EQ(config->http_address, "127.0.0.1:9802");
  EXPECT_EQ(config->retention.samples, std::chrono::hours(24 * 32));
  EXPECT_EQ(config->max_sample_age, milliseconds(0));
  EXPECT_EQ(config->routing.fallback_receiver, "oncall");
  EXPECT_FALSE(config->watchdog);
}

TEST_F(CollectorConfigTest, TakesZeroAsKeepForEverAndAnyAge) {
  for (const auto* zero : {"0", "0s", "0d"}) {
    const auto config =
        load(good_with(more("retention: {samples: " + std::string(zero) + "}\ningest: {max_sample_age: " + zero + "}")));
    ASSERT_TRUE(config) << config.error().what;
    EXPECT_EQ(config->retention.samples, milliseconds(0));
    EXPECT_EQ(config->max_sample_age, milliseconds(0));
  }
}

TEST_F(CollectorConfigTest, FindsRulesBesideTheFileThatNamesThem) {
  const auto config = load(good_with({{"rules: []", "rules: [rules/*.yaml, /etc/ward/a.yaml]"}}));
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_THAT(config->rule_patterns, ElementsAre((folder_ / "rules/*.yaml").string(), "/etc/ward/a.yaml"));
}

TEST_F(CollectorConfigTest, TellsAllMistakesAtOnce) {
  const auto told =
      problems(good_with({{"data_dir: /tmp/c\n", ""}, {"9802", "high"}, {"{receiver: oncall}", "{receiver: x}"}}));
  EXPECT_EQ(std::count(told.begin(), told.end(), '\n'), 2) << told;
}

struct Mistake {
  std::string name;
  std::vector<Change> changes;
  std::string line;
};
std::ostream& operator<<(std::ostream& out, const Mistake& m) { return out << m.name; }

class CollectorMistake : public CollectorConfigTest, public testing::WithParamInterface<Mistake> {};

TEST_P(CollectorMistake, IsOneLineWithThePlaceAndTheMend) {
  EXPECT_EQ(problems(good_with(GetParam().changes)), GetParam().line);
}

std::vector<Mistake> mistakes_in_the_program() {
  return {
      {"NoDataDir", {{"data_dir: /tmp/c\n", ""}}, "collector.yaml:1:1: the key 'data_dir' is missing. Add it."},
      {"UnknownKey", more("retentoin: 1d"),
       "collector.yaml:11:1: unknown key 'retentoin'; did you mean 'retention'? Correct or remove it."},
      {"UnknownKeyInside", more("ingest: {max_sample_aeg: 1h}"),
       "collector.yaml:11:10: unknown key 'max_sample_aeg' in 'ingest'; did you mean 'max_sample_age'? Correct or remove "
       "it."},
      {"TenantRetainedTwice",
       more("retention: {tenants: [{tenant: clinic-a, samples: 1d}, {tenant: clinic-a, samples: 2d}]}"),
       "collector.yaml:11:65: tenant 'clinic-a' is listed twice. Keep one of the two."},
      {"BadRetention", more("retention: {samples: 1 day}"),
       "collector.yaml:11:22: 'samples' must be a duration, but is '1 day'. Write it like 15s, 500ms, 1h30m or 2w."},
      {"BadAge", more("ingest: {max_sample_age: -1h}"),
       "collector.yaml:11:26: 'max_sample_age' must be a duration, but is '-1h'. Write it like 15s, 500ms, 1h30m or 2w."},
      {"NoSeriesAllowed", more("ingest: {max_series_per_agent: 0}"),
       "collector.yaml:11:32: 'max_series_per_agent' is 0, outside 1 to 10000000. Choose a number from 1 to 10000000."},
      {"GreedyQuery", more("query: {memory: 64MiB, memory_per_query: 65MiB}"),
       "collector.yaml:11:42: one query may take more than all together, or nothing. Use a size up to query.memory, for "
       "example half of it."},
      {"NoPlaceForQueries", more("query: {max_concurrency: 0}"),
       "collector.yaml:11:26: 'max_concurrency' is 0, outside 1 to 256. Choose a number from 1 to 256."},
      {"BadJournalSize", more("ingest: {max_journal_size: 20 gigs}"),
       "collector.yaml:11:28: 'max_journal_size' must be a size, but is '20 gigs'. Write it like 64KiB, 512MiB or 1GiB."},
      {"HastyForgetting", more("ingest: {forget_after: 10m}"),
       "collector.yaml:11:24: agents would be forgotten, and their silence with them, within the hour. Use at least 1h, "
       "better days; 0s keeps them for ever."},
      {"RemoteWriteOfAnybody", more("remote_write_receiver: {receive: true}"),
       "collector.yaml:11:34: remote write is received, and no sender has a token. Add one under 'tokens', or name the "
       "tenant of senders without one in 'tenant'."},
      {"FastEvaluation", more("evaluation: {interval: 1ms}"),
       "collector.yaml:11:24: 'interval' is 1ms, shorter than 100ms. Set it to 100ms or more."},
      {"BadStream",
       {{"127.0.0.1:9801", "9801"}},
       "collector.yaml:3:18: '9801' is not an address. Write host:port, for example 0.0.0.0:9801."},
      {"BadHttp",
       {{"127.0.0.1:9802", "127.0.0.1:port"}},
       "collector.yaml:3:42: '127.0.0.1:port' is not an address. Write host:port, for example 127.0.0.1:9802."},
      {"InsecureOffLoopback",
       {{"127.0.0.1:9801", "0.0.0.0:9801"}},
       "collector.yaml:3:18: insecure is set and '0.0.0.0:9801' is not a loopback address. Remove 'insecure' and configure "
       "'tls', or listen on 127.0.0.1."},
      {"InsecureWithTheUsualListen",
       {{"listen: {stream: \"127.0.0.1:9801\", http: \"127.0.0.1:9802\"}\n", ""}},
       "collector.yaml:1:1: insecure is set and '0.0.0.0:9801' is not a loopback address. Remove 'insecure' and configure "
       "'tls', or listen on 127.0.0.1."},
      {"NoTls",
       {{"insecure: true\n", ""}},
       "collector.yaml:1:1: the section 'tls' is missing. Add it with ca, certificate and key ('wardctl pki' makes them), "
       "or "
       "set 'insecure: true' and listen on this machine alone."},
      {"HalfATls", more("tls: {ca: a, key: b}"), "collector.yaml:11:6: the key 'certificate' is missing in 'tls'. Add it."},
      {"RulesAreNoList",
       {{"rules: []", "rules: a.yaml"}},
       "collector.yaml:4:8: 'rules' must be a list, not a single value. Write it as [a, b] or as '- a' lines."},
  };
}

std::vector<Mistake> mistakes_in_who_is_told() {
  const std::string receivers = "- {name: oncall, webhook: {url: \"https://alerts.example/hook\"}}";
  return {
      {"NoReceivers",
       {{"\n" + receivers, " []"}, {"  platform: {receiver: oncall}", "  platform: {}"}},
       "collector.yaml:5:12: there are no receivers, so nobody would be paged. Name at least one.\n"
       "collector.yaml:7:13: the key 'receiver' is missing in 'owners.platform'. Add it.\n"
       "collector.yaml:1:1: an incident of an unknown owner would reach nobody. Add the owner 'platform', or set "
       "fallback_receiver."},
      {"ReceiversAreNoList",
       {{"\n" + receivers, " oncall"},
        {"  platform: {receiver: oncall}\n", ""},
        {"owners:\n", ""},
        {"application}\n", "application}\nowners: {}\nfallback_receiver: \"\"\n"}},
       "collector.yaml:5:12: 'receivers' must be a list, not a single value. Start each entry with '- '.\n"
       "collector.yaml:1:1: an incident of an unknown owner would reach nobody. Add the owner 'platform', or set "
       "fallback_receiver."},
      {"UnknownReceiver",
       {{"{receiver: oncall}", "{receiver: nobody}"}},
       "collector.yaml:8:24: owner 'platform' goes to the receiver 'nobody', which does not exist. Add it under 'receivers' "
       "or "
       "name another."},
      {"UnknownFallbackReceiver", more("fallback_receiver: nobody"),
       "collector.yaml:11:20: the receiver 'nobody' does not exist. Add it under 'receivers' or name another."},
      {"UnknownFallbackOwner",
       {{"{receiver: oncall}", "{receiver: oncall, fallback: database}"}},
       "collector.yaml:8:42: owner 'platform' falls back to 'database', which is no owner here. Add 'database' under "
       "owners, or "
       "name one that is there."},
      {"ReceiverTwice",
       {{receivers, receivers + "\n" + receivers}},
       "collector.yaml:7:10: the receiver name 'oncall' is taken. Give each receiver its own name."},
      {"HeartbeatWithoutUrl", more("heartbeat: {}"),
       "collector.yaml:11:12: the key 'url' is missing in 'heartbeat'. Add it."},
      {"HeartbeatToNowhere", more("heartbeat: {url: beats.example}"),
       "collector.yaml:11:18: the heartbeat has no http or https URL. Write the whole address, for example "
       "https://beats.example/ward."},
      {"HeartbeatThatNeverBeats", more("heartbeat: {url: \"https://b.example\", stale_after: 0s}"),
       "collector.yaml:11:52: 'stale_after' is 0s, shorter than 1s. Set it to 1s or more."},
  };
}

const auto kName = [](const auto& tested) { return tested.param.name; };
INSTANTIATE_TEST_SUITE_P(Program, CollectorMistake, testing::ValuesIn(mistakes_in_the_program()), kName);
INSTANTIATE_TEST_SUITE_P(Told, CollectorMistake, testing::ValuesIn(mistakes_in_who_is_told()), kName);

TEST_F(CollectorConfigTest, ReceivesNoRemoteWriteUnlessToldTo) {
  EXPECT_FALSE(load(std::string(kGood))->remote_write_receiver);
  folder_.write("token", "a-token-of-some-length");
  EXPECT_FALSE(
      load(good_with(more("remote_write_receiver: {tokens: [{tenant: t1, token: {file: token}}]}")))->remote_write_receiver);
}

TEST_F(CollectorConfigTest, ReadsWhatQueriesMayTake) {
  const auto config = load(good_with(
      more("query: {timeout: 30s, max_samples: 7, lookback_delta: 1m, max_concurrency: 2, max_queued: 0, memory: 64MiB}")));
  ASSERT_TRUE(config) << config.error().what;
  EXPECT_EQ(config->query_limits.timeout, std::chrono::seconds{30});
  EXPECT_EQ(config->query_limits.max_samples, 7U);
  EXPECT_EQ(config->lookback_delta, std::chrono::minutes{1});
  EXPECT_EQ(config->query_gate.running, 2U);
  EXPECT_EQ(config->query_gate.waiting, 0U);
  EXPECT_EQ(config->query_gate.bytes, 64U << 20);
  EXPECT_EQ(config->query_gate.query_bytes, 64U << 20) << "one may take what there is";
}

TEST_F(CollectorConfigTest, ReadsRemoteWrite) {
  folder_.write("token", "a-token-of-some-length\n");
  const auto config =
      load(good_with(more("remote_write_receiver: {receive: true, max_body: 1MiB, max_series: 7, tokens: [{tenant: t1, "
                          "token: {file: token}}]}")));
  ASSERT_TRUE(config) << config.error().what;
  ASSERT_TRUE(config->remote_write_receiver);
  EXPECT_EQ(config->remote_write_receiver->max_body, 1U << 20);
  EXPECT_EQ(config->remote_write_receiver->limits.series, 7U);
  EXPECT_EQ(config->remote_write_receiver->open_tenant, std::nullopt);
  ASSERT_EQ(config->remote_write_receiver->tokens.size(), 1U);
  EXPECT_EQ(config->remote_write_receiver->tokens[0].token.reveal(), "a-token-of-some-length");
}

TEST_F(CollectorConfigTest, OpensRemoteWriteWithoutTokensOnLoopbackAlone) {
  const auto open = more("remote_write_receiver: {receive: true, tenant: t1}");
  ASSERT_TRUE(load(good_with(open)));
  EXPECT_EQ(load(good_with(open))->remote_write_receiver->open_tenant, TenantId{"t1"});
  auto outside = open;
  outside.push_back({"127.0.0.1:9802", "0.0.0.0:9802"});
  EXPECT_THAT(problems(good_with(outside)), HasSubstr("senders without a token would write for 't1'"));
}

TEST_F(CollectorConfigTest, WantsTokensThatAreLongAndOfOneSenderEach) {
  folder_.write("short", "hunter2");
  folder_.write("token", "a-token-of-some-length");
  const auto told =
      problems(good_with(more("remote_write_receiver: {receive: true, tokens: [{tenant: t1, token: {file: short}}, "
                              "{tenant: t1, token: {file: token}}, {tenant: T_2, token: {file: token}}]}")));
  EXPECT_THAT(told, HasSubstr("collector.yaml:11:69: the token is missing or has fewer than 16 characters."));
  EXPECT_THAT(told, HasSubstr("two senders have the same token."));
  EXPECT_THAT(told, HasSubstr("T_2"));
  EXPECT_THAT(told, testing::Not(HasSubstr("hunter2")));
}

TEST_F(CollectorConfigTest, SendsNoTokenInClear) {
  folder_.write("token", "hunter2");
  const auto told = problems(good_with(more("heartbeat: {url: \"http://b.example\", token: {file: token}}")));
  EXPECT_THAT(told, HasSubstr("collector.yaml:11:18: the token of the heartbeat would go out unencrypted. Use https."));
  EXPECT_THAT(told, testing::Not(HasSubstr("hunter2")));
}

class CollectorCheck : public CollectorConfigTest {
 protected:
  Status check_with(const std::string& text) {
    const auto checked = check(folder_.write("collector.yaml", text));
    return checked ? Status{} : fail(checked.error());
  }
};

TEST_F(CollectorCheck, IsContentWithAGoodFileAndMakesNothingOnDisk) {
  const auto data = (folder_ / "data").string();
  const auto status = check_with(good_with({{"/tmp/c", data}}));
  EXPECT_TRUE(status) << describe(status.error());
  EXPECT_FALSE(std::filesystem::exists(data));
}

TEST_F(CollectorCheck, ReadsTheRules) {
  folder_.write("bad.yaml", "groups: [{name: g, rules: [{alert: A, expr: 'sum('}]}]\n");
  const auto status = check_with(good_with({{"rules: []", "rules: ['*d.yaml']"}}));
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().what, HasSubstr("bad.yaml"));
}

TEST_F(CollectorCheck, MissesARuleFileThatIsNamed) {
  const auto status = check_with(good_with({{"rules: []", "rules: [absent.yaml]"}}));
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().what, HasSubstr("absent.yaml"));
}

TEST_F(CollectorCheck, ReadsTheCertificates) {
  const auto status = check_with(good_with({{"insecure: true", "tls: {ca: /absent/ca, certificate: b, key: c}"}}));
  ASSERT_FALSE(status);
  EXPECT_THAT(status.error().what, HasSubstr("/absent/ca"));
}

TEST_F(CollectorConfigTest, IsFineWithARulePatternThatMatchesNothingButSaysSo) {
  const auto file = folder_.write("collector.yaml", good_with({{"rules: []", "rules: [rules/*.yaml, other/*.yaml]"}}));
  std::filesystem::create_directory(folder_ / "other");
  folder_.write("other/empty.yaml", "groups: []\n");
  const auto checked = check(file);
  ASSERT_TRUE(checked) << describe(checked.error());
  ASSERT_THAT(*checked, testing::SizeIs(1));
  EXPECT_THAT(checked->at(0), testing::AllOf(HasSubstr((folder_ / "rules/*.yaml").string()),
                                             HasSubstr("put rule files there"), HasSubstr("W022")));
}

TEST_F(CollectorConfigTest, RefusesARuleFileThatIsNotThere) {
  const auto file = folder_.write("collector.yaml", good_with({{"rules: []", "rules: [rules/pg.yaml]"}}));
  const auto checked = check(file);
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().what, HasSubstr((folder_ / "rules/pg.yaml").string() + ": no such file; check the path"));
}

}  // namespace
}  // namespace ward::collector
