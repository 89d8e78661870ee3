// What a user gets wrong ends with status 2 and one line for each mistake: where it is and what to do.
#include <algorithm>
#include <csignal>
#include <functional>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/e2e/estate.hpp"

namespace ward::test {
namespace {

using std::chrono::seconds;

const std::string kTarget = "  - {probe: tcp, name: self, interval: 1s, address: \"127.0.0.1:1\"}\n";

/// The files of one start that will fail.
struct Scene {
  TempDir dir{"bad"};
  std::string program, text;
  std::vector<std::string> arguments;
  std::uint16_t stream = free_port(), http = free_port();
  std::vector<Process> helpers;

  void replace(const std::string& from, const std::string& to) {
    const auto at = text.find(from);
    if (at == std::string::npos) throw std::runtime_error("'" + from + "' is not in the configuration");
    text.replace(at, from.size(), to);
  }
  void use_rules(const std::string& rules) {
    dir.write("rules.yaml", rules);
    replace(std::string(WARD_SOURCE_DIR) + "/rules/postgres.yaml", (dir / "rules.yaml").string());
  }
};

enum class Program { agent, collector };

struct Mistake {
  std::string name;
  Program program;
  Estate::Transport transport;
  std::function<void(Scene&)> make;
  std::string place;  ///< part of the line that tells where
  std::string mend;   ///< part of the line that tells what to do
};

std::string rule(const std::string& lines) { return "groups:\n- name: g\n  rules:\n  - alert: A\n" + lines; }

constexpr auto kPlain = Estate::Transport::insecure;
constexpr auto kTls = Estate::Transport::mutual_tls;

std::vector<Mistake> mistakes_in_form() {
  return {
      {"UnknownFlagOfAgent", Program::agent, kPlain, [](Scene& s) { s.arguments.push_back("--confg"); }, "--confg",
       "--help"},
      {"UnknownFlagOfCollector", Program::collector, kPlain, [](Scene& s) { s.arguments.push_back("--verbose"); },
       "--verbose", "--help"},
      {"MissingFileOfAgent", Program::agent, kPlain,
       [](Scene& s) {
         s.arguments = {"--config", "/nonexistent/a.yaml"};
       },
       "/nonexistent/a.yaml", "Check the path"},
      {"MissingFileOfCollector", Program::collector, kPlain,
       [](Scene& s) {
         s.arguments = {"--config", "/nonexistent/c.yaml"};
       },
       "/nonexistent/c.yaml", "Check the path"},
      {"YamlSyntax", Program::agent, kPlain, [](Scene& s) { s.replace("agent: a1", "agent: [a1"); },
       "config.yaml:", "brackets"},
      {"UnclosedQuote", Program::collector, kPlain, [](Scene& s) { s.text += "external_url: \"http\n"; },
       "config.yaml:17:", "Close it"},
      {"UnknownKey", Program::agent, kPlain, [](Scene& s) { s.replace("interval: 1s", "intervall: 1s"); },
       "config.yaml:10:", "interval"},
      {"DuplicateKey", Program::collector, kPlain, [](Scene& s) { s.text += "insecure: true\n"; },
       "config.yaml:17:", "Keep one"},
      {"BadDuration", Program::agent, kPlain, [](Scene& s) { s.replace("interval: 1s", "interval: fast"); },
       "config.yaml:10:", "15s, 500ms"},
      {"UnknownProbe", Program::agent, kPlain, [](Scene& s) { s.replace("probe: tcp", "probe: tpc"); },
       "config.yaml:10:", "Use one of"},
  };
}

std::vector<Mistake> mistakes_in_rules_and_routes() {
  const auto with_rule = [](const std::string& lines) { return [lines](Scene& s) { s.use_rules(rule(lines)); }; };
  return {
      {"BadExpression", Program::collector, kPlain,
       with_rule(
           "    expr: sum(rate(up[5m])\n    labels: {class: informational, owner: platform, service: node, layer: data}\n"
           "    annotations: {summary: s, description: d}\n"),
       "rules.yaml:5:11:", "unclosed left parenthesis"},
      {"UrgentWithoutRunbook", Program::collector, kPlain,
       with_rule("    expr: up == 0\n    labels: {class: urgent, owner: platform, service: node, layer: data}\n"
                 "    annotations: {summary: s, description: d}\n"),
       "rules.yaml:", "runbook_url"},
      {"UnknownReceiver", Program::collector, kPlain,
       [](Scene& s) { s.replace("{receiver: platform}", "{receiver: nobody}"); },
       "config.yaml:", "Add it under 'receivers'"},
  };
}

std::vector<Mistake> mistakes_in_the_surroundings() {
  const auto squat = [](Scene& s, std::uint16_t port) {
    s.helpers.emplace_back(Process::Spec{{"python3", "-c",
                                          "import socket,time;s=socket.socket();s.bind(('127.0.0.1'," +
                                              std::to_string(port) + "));s.listen();time.sleep(60)"},
                                         {},
                                         "",
                                         "/",
                                         {}});
    if (!eventually(kPatience, [&] {
          std::string hex(4, '0');
          std::snprintf(hex.data(), hex.size() + 1, "%04X", port);
          return text_of("/proc/net/tcp").find("0100007F:" + hex + " 00000000:0000 0A") != std::string::npos;
        }))
      throw std::runtime_error("the port is not taken");
  };
  return {
      {"CertificateMissing", Program::agent, kTls, [](Scene& s) { std::filesystem::remove(s.dir / "pki/agent-a1.crt"); },
       "agent-a1.crt", "Set the path in the tls section"},
      {"KeyOpenToOthers", Program::collector, kTls,
       [](Scene& s) { ::chmod((s.dir / "pki/collector-c1.key").c_str(), 0644); }, "collector-c1.key", "chmod 600"},
      {"KeyOfAnotherCertificate", Program::agent, kTls, [](Scene& s) { s.replace("agent-a1.key", "collector-c1.key"); },
       "collector-c1.key", "key"},
      {"CaIsNoCertificate", Program::agent, kTls, [](Scene& s) { s.dir.write("pki/ca.crt", "nonsense\n"); }, "ca.crt",
       "Put the CA's PEM certificate into it"},
      {"StreamPortTaken", Program::collector, kPlain, [squat](Scene& s) { squat(s, s.stream); }, "127.0.0.1:", "listen"},
      {"HttpPortTakenForCollector", Program::collector, kPlain, [squat](Scene& s) { squat(s, s.http); },
       "127.0.0.1:", "listen"},
      {"HttpPortTakenForAgent", Program::agent, kPlain, [squat](Scene& s) { squat(s, s.http); }, "127.0.0.1:", "listen"},
      {"DataDirIsAFile", Program::agent, kPlain,
       [](Scene& s) {
         s.dir.write("file", "x");
         s.replace((s.dir / "agent").string(), (s.dir / "file").string() + "/data");
       },
       "data_dir", "writable"},
      {"DataDirOfCollectorIsAFile", Program::collector, kPlain,
       [](Scene& s) {
         s.dir.write("file", "x");
         s.replace((s.dir / "collector").string(), (s.dir / "file").string() + "/data");
       },
       "data_dir", "writable"},
  };
}

std::ostream& operator<<(std::ostream& out, const Mistake& mistake) { return out << mistake.name; }

/// Starts the program with the mistake in its files and gives what it printed; the status has to be 2.
std::string output_of(const Mistake& mistake, const std::vector<std::string>& more_arguments) {
  const bool agent = mistake.program == Program::agent;
  Scene scene;
  Estate::Options options;
  options.transport = mistake.transport;
  options.targets = kTarget;
  if (mistake.transport == kTls) make_pki(scene.dir.path());
  scene.text = agent ? agent_yaml(options, scene.stream, scene.http, scene.dir.path())
                     : collector_yaml(options, scene.stream, scene.http, scene.dir.path());
  scene.arguments = {"--config", (scene.dir / "config.yaml").string()};
  mistake.make(scene);
  scene.dir.write("config.yaml", scene.text);

  std::vector<std::string> argv{agent ? WARD_AGENT_PROGRAM : WARD_COLLECTOR_PROGRAM};
  argv.insert(argv.end(), scene.arguments.begin(), scene.arguments.end());
  argv.insert(argv.end(), more_arguments.begin(), more_arguments.end());
  Process process({argv, {}, "", "/", scene.dir / "output"});
  EXPECT_EQ(process.wait(kPatience), 2);
  return text_of(scene.dir / "output");
}

void expect_one_line(const std::string& output, const Mistake& mistake) {
  EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 1) << output;
  EXPECT_NE(output.find(mistake.place), std::string::npos) << output;
  EXPECT_NE(output.find(mistake.mend), std::string::npos) << output;
}

struct BadInput : testing::TestWithParam<Mistake> {};
TEST_P(BadInput, EndsTheStartWithOneLine) { expect_one_line(output_of(GetParam(), {}), GetParam()); }

/// What --check can see without touching the machine.
struct BadConfiguration : testing::TestWithParam<Mistake> {};
TEST_P(BadConfiguration, IsToldByCheckToo) { expect_one_line(output_of(GetParam(), {"--check"}), GetParam()); }

TEST(SeveralProblems, AreToldOnALineEach) {
  const Mistake three{"Three",
                      Program::agent,
                      kPlain,
                      [](Scene& s) {
                        s.replace("interval: 1s", "interval: fast");
                        s.replace("log: {level: info", "log: {level: loud");
                        s.text += "nonsense: 1\n";
                      },
                      "",
                      ""};
  const auto output = output_of(three, {});
  EXPECT_EQ(std::count(output.begin(), output.end(), '\n'), 3) << output;
  for (const char* part : {"config.yaml:4:", "'loud'", "config.yaml:10:", "'fast'", "config.yaml:11:", "'nonsense'"})
    EXPECT_NE(output.find(part), std::string::npos) << part << " in " << output;
}

std::string name_of(const testing::TestParamInfo<Mistake>& info) { return info.param.name; }
INSTANTIATE_TEST_SUITE_P(Form, BadInput, testing::ValuesIn(mistakes_in_form()), name_of);
INSTANTIATE_TEST_SUITE_P(Rules, BadInput, testing::ValuesIn(mistakes_in_rules_and_routes()), name_of);
INSTANTIATE_TEST_SUITE_P(Form, BadConfiguration, testing::ValuesIn(mistakes_in_form()), name_of);
INSTANTIATE_TEST_SUITE_P(Rules, BadConfiguration, testing::ValuesIn(mistakes_in_rules_and_routes()), name_of);
INSTANTIATE_TEST_SUITE_P(Surroundings, BadInput, testing::ValuesIn(mistakes_in_the_surroundings()), name_of);

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t count = 0;
  for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++count;
  return count;
}

TEST(BrokenReload, KeepsTheRunningConfiguration) {
  Estate estate({kPlain, 1, kTarget, "", ""});
  estate.collector.start();
  estate.agent.start();
  ASSERT_TRUE(estate.flows()) << estate.logs();
  for (const char* file : {"collector.yaml", "agent.yaml"})
    estate.dir.write(file, text_of(estate.dir / file) + "nonsense: 1\n");
  estate.collector.reload();
  estate.agent.reload();
  const std::string refused = "The new configuration is refused; the old one stays";
  const auto both_say = [&] {
    return count_of(estate.collector.log(), refused) == 1 && count_of(estate.agent.log(), refused) == 1;
  };
  EXPECT_TRUE(eventually(kPatience, both_say)) << estate.logs();

  const auto evaluated = [&] { return http_get(estate.http_port, "/readyz").status == 200; };
  const auto samples = estate.collector_metric("ward_tsdb_samples").value_or(0);
  const auto taken = estate.agent_metric("ward_agent_samples_total").value_or(0);
  EXPECT_TRUE(
      eventually(kPatience, [&] { return estate.collector_metric("ward_tsdb_samples").value_or(0) > samples + 10; }));
  EXPECT_TRUE(
      eventually(kPatience, [&] { return estate.agent_metric("ward_agent_samples_total").value_or(0) > taken + 10; }));
  EXPECT_TRUE(evaluated());
  EXPECT_TRUE(both_say()) << estate.logs();
}

TEST(BrokenReload, KeepsTheRunningRulesUntilTheNewOnesAreMended) {
  Estate estate({kPlain, 1, kTarget, "", ""});
  const auto lines = [](const std::string& expression) {
    return rule("    expr: " + expression +
                "\n    labels: {class: informational, owner: platform, service: node, layer: data}\n"
                "    annotations: {summary: s, description: d}\n");
  };
  auto text = text_of(estate.dir / "collector.yaml");
  const auto shipped = std::string(WARD_SOURCE_DIR) + "/rules/postgres.yaml";
  text.replace(text.find(shipped), shipped.size(), estate.dir.write("rules.yaml", lines("vector(1)")));
  estate.dir.write("collector.yaml", text);
  estate.collector.start();
  const auto firing = [&](double count) {
    return eventually(kPatience, [&] { return estate.collector_metric("ward_alerting_alerts_firing") == count; });
  };
  ASSERT_TRUE(firing(1)) << estate.logs();
  estate.dir.write("rules.yaml", lines("vector(1"));
  estate.collector.reload();
  const auto says = [&](const std::string& what) {
    return eventually(kPatience, [&] { return count_of(estate.collector.log(), what) == 1; });
  };
  EXPECT_TRUE(says("The new configuration is refused; the old one stays")) << estate.logs();
  EXPECT_TRUE(firing(1)) << estate.logs();
  estate.dir.write("rules.yaml", lines("vector(1) > 2"));
  estate.collector.reload();
  EXPECT_TRUE(says("New rules and certificates are in force")) << estate.logs();
  EXPECT_TRUE(firing(0)) << estate.logs();
}

TEST(WrongAuthority, IsToldThoughTheCollectorWasDownBefore) {
  Estate estate({kTls, 1, kTarget, "", ""});
  const TempDir other("other");
  make_pki(other.path());
  for (const char* file : {"ca.crt", "agent-a1.crt", "agent-a1.key"})
    std::filesystem::copy_file(other / ("pki/" + std::string(file)), estate.dir / ("pki/foreign-" + std::string(file)));
  // Its own certificate is good, but it trusts another authority: it must not talk to this collector.
  auto text = text_of(estate.dir / "agent.yaml");
  text.replace(text.find("pki/ca.crt"), 10, "pki/foreign-ca.crt");
  estate.dir.write("agent.yaml", text);
  const auto told = [&](const std::string& what) {
    return eventually(kPatience, [&] { return estate.agent.log().find(what) != std::string::npos; });
  };
  estate.agent.start();
  ASSERT_TRUE(told("refused the connection")) << estate.logs();
  estate.collector.start();
  EXPECT_TRUE(told("certificate")) << estate.logs();
  EXPECT_EQ(estate.collector_metric("ward_ingest_agents_connected"), 0.0);
  EXPECT_TRUE(estate.agent.running());
}

}  // namespace
}  // namespace ward::test
