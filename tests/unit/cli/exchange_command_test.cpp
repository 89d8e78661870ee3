#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <sstream>

#include "collector/notify/receiver.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

std::string fixture(const std::string& name) { return std::string(WARD_SOURCE_DIR) + "/tests/data/import/" + name; }
std::string read(const std::filesystem::path& path) {
  std::ostringstream out;
  out << std::ifstream(path).rdbuf();
  return out.str();
}

struct ExchangeCommand : testing::Test {
  const test::TempDir folder{"wardctl-exchange"};
  CliRun cli;
  std::string out(const std::string& name) { return (folder / name).string(); }
};

TEST_F(ExchangeCommand, WhatIsImportedPassesTheCheck) {
  for (const auto& [tool, file] :
       std::initializer_list<std::pair<std::string, std::string>>{{"sloth", "sloth-admission.yml"},
                                                                  {"sloth", "sloth-resource.yml"},
                                                                  {"pyrra", "pyrra-clinic.yml"},
                                                                  {"alertmanager", "alertmanager-hospital.yml"}}) {
    EXPECT_EQ(cli({"import", tool, fixture(file), "--out", out(file)}), 0) << cli.err;
    EXPECT_THAT(cli.out, IsEmpty());
    EXPECT_THAT(cli.err, AllOf(HasSubstr(file + ":"), HasSubstr(": lost: "))) << file;
    EXPECT_EQ(cli({"check", "--rules", out(file)}), 0) << cli.err;
  }
}

TEST_F(ExchangeCommand, ReceiversGoIntoTheirOwnFile) {
  EXPECT_EQ(cli({"import", "alertmanager", fixture("alertmanager-hospital.yml"), "--receivers", out("receivers.yaml")}), 0)
      << cli.err;
  EXPECT_THAT(cli.out, AllOf(HasSubstr("kind: Operations"), Not(HasSubstr("routing_key"))));
  EXPECT_THAT(read(out("receivers.yaml")),
              AllOf(HasSubstr("receivers:"), HasSubstr("secrets/database-pagerduty"), Not(HasSubstr("SECRET"))));
}

TEST_F(ExchangeCommand, ReceiversLoadOnceTheirSecretsAreThere) {
  ASSERT_EQ(cli({"import", "alertmanager", fixture("alertmanager-hospital.yml"), "--receivers", out("receivers.yaml")}), 0)
      << cli.err;
  auto text = read(out("receivers.yaml"));
  // What the notes ask for: the secrets, each in its file. The input's own file is kept as it is named there.
  std::filesystem::create_directories(folder / "secrets");
  for (std::size_t at = 0; (at = text.find("secrets/", at)) != std::string::npos; ++at) {
    const auto name = text.substr(at, text.find_first_of("}\n", at) - at);
    const bool address = name.find("slack") != std::string::npos || name.find("teams") != std::string::npos;
    folder.write(name, address ? "https://hooks.example/x" : "01234567890123456789012345678901");
  }
  const auto own = text.find("/etc/ward/slack-bot");
  ASSERT_NE(own, std::string::npos);
  text.replace(own, std::string("/etc/ward/slack-bot").size(), folder.write("slack-bot", "xoxb-1"));

  const auto parsed = config::load_yaml(folder.write("collector.yaml", text));
  ASSERT_TRUE(parsed) << parsed.error().what;
  config::Problems problems;
  config::Section root(parsed->front(), "", problems);
  const auto receivers = collector::read_receivers(root.children("receivers"));
  EXPECT_EQ(root.text("fallback_receiver"), "platform");
  EXPECT_TRUE(problems.empty()) << problems.to_text() << text;
  std::vector<std::string> names;
  for (const auto& receiver : receivers) names.push_back(receiver.name + ":" + std::string(receiver.kind));
  EXPECT_THAT(names, testing::ElementsAre("platform:webhook", "platform-slack:slack", "database:pagerduty",
                                          "database-webhook:webhook", "database-webhook-2:webhook", "application:opsgenie",
                                          "clinic-a:teams", "mail:email", "bot:slack", "null:webhook"));
}

TEST_F(ExchangeCommand, WithoutAFileTheReceiversAreAComment) {
  EXPECT_EQ(cli({"import", "alertmanager", fixture("alertmanager-hospital.yml")}), 0) << cli.err;
  EXPECT_THAT(cli.out, AllOf(HasSubstr("# receivers:"), HasSubstr("#   - {name: database, "), Not(HasSubstr("SECRET"))));
  EXPECT_THAT(cli.err, Not(HasSubstr("SECRET")));
}

TEST_F(ExchangeCommand, WritesOverNothing) {
  const auto there = folder.write("rules.yaml", "mine");
  EXPECT_EQ(cli({"import", "pyrra", fixture("pyrra-clinic.yml"), "--out", there}), 2);
  EXPECT_THAT(cli.err, HasSubstr("is there already"));
  EXPECT_EQ(read(there), "mine");
}

TEST_F(ExchangeCommand, RefusesWhatHoldsNothing) {
  EXPECT_EQ(cli({"import", "sloth", fixture("pyrra-clinic.yml")}), 2);
  EXPECT_THAT(cli.err, AllOf(HasSubstr("no Sloth file"), HasSubstr("nothing of the input")));
  EXPECT_EQ(cli({"import", "sloth", out("none.yml")}), 2);
  EXPECT_EQ(cli({"import", "nagios", "x"}), 2);
  EXPECT_EQ(cli({"export", "openslo", folder.write("empty.yaml", "groups: []\n")}), 2);
}

TEST_F(ExchangeCommand, ExportsWhatItImported) {
  ASSERT_EQ(cli({"import", "sloth", fixture("sloth-admission.yml"), "--out", out("slos.yaml")}), 0) << cli.err;
  EXPECT_EQ(cli({"export", "openslo", out("slos.yaml")}), 0) << cli.err;
  EXPECT_THAT(cli.out, AllOf(HasSubstr("kind: AlertCondition"), HasSubstr("name: admission-desk-requests"),
                             Not(HasSubstr("BurnPolicy"))));
  EXPECT_THAT(cli.err, HasSubstr("is now 4 AlertPolicies"));
}

}  // namespace
}  // namespace ward::cli
