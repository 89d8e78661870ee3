#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/pki/pki.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class PkiCommand : public testing::Test {
 protected:
  int pki(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "pki");
    if (arguments.at(1) != "show") arguments.insert(arguments.end(), {"--dir", folder});
    return cli(std::move(arguments));
  }
  pki::CertificateInfo info(const std::string& name) const {
    return pki::inspect(pki::read_certificate(folder + "/" + name + ".crt").value()).value();
  }

  const test::TempDir temp{"pki"};
  const std::string folder = temp.string();
  CliRun cli;
};

TEST_F(PkiCommand, InitMakesAnAuthorityForTenYears) {
  EXPECT_EQ(pki({"init"}), 0) << cli.err;
  EXPECT_THAT(cli.out, HasSubstr("Created " + folder + "/ca.crt and " + folder + "/ca.key, valid until 2036-11-19.\n"));
  EXPECT_TRUE(info("ca").is_authority);
  EXPECT_EQ(info("ca").subject, "Ward CA");
}

TEST_F(PkiCommand, InitKeepsTheOldAuthorityUnlessForced) {
  pki({"init"});
  const auto serial = info("ca").serial;
  EXPECT_EQ(pki({"init"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("ca.key' exists already. Choose another folder or name, or add --force to replace it.\n"));
  EXPECT_THAT(cli.out, IsEmpty());
  EXPECT_EQ(info("ca").serial, serial);
  EXPECT_EQ(pki({"init", "--force"}), 0);
  EXPECT_NE(info("ca").serial, serial);
}

TEST_F(PkiCommand, IssuesForAnAgentOfSeveralTenants) {
  pki({"init"});
  EXPECT_EQ(pki({"issue", "--agent", "node-1", "--tenant", "clinic-a", "--tenant", "clinic-b"}), 0) << cli.err;
  EXPECT_EQ(cli.out,
            "Created " + folder + "/agent-node-1.crt and " + folder + "/agent-node-1.key, valid until 2027-11-22.\n");
  EXPECT_THAT(info("agent-node-1").uris, ElementsAre("ward://clinic-a/node-1", "ward://clinic-b/node-1"));
  EXPECT_EQ(info("agent-node-1").usage, pki::Usage::client);
}

TEST_F(PkiCommand, IssuesForACollector) {
  pki({"init"});
  EXPECT_EQ(pki({"issue", "--collector", "main", "--name", "ward.example", "--name", "10.0.0.7", "--days", "30"}), 0)
      << cli.err;
  const auto leaf = info("collector-main");
  EXPECT_THAT(leaf.hosts, ElementsAre("ward.example", "10.0.0.7"));
  EXPECT_THAT(leaf.uris, ElementsAre("ward://_collector/main"));
  EXPECT_EQ(leaf.validity.not_after, cli.clock.wall() + std::chrono::days{30});
}

TEST_F(PkiCommand, CannotReplaceTheAuthorityThroughALeafsName) {
  pki({"init"});
  const auto serial = info("ca").serial;
  EXPECT_EQ(pki({"issue", "--agent", "ca", "--tenant", "t", "--force"}), 0);
  EXPECT_EQ(info("ca").serial, serial);
}

TEST_F(PkiCommand, SaysWhatIsWrongWithARequest) {
  pki({"init", "--days", "400"});
  const auto said = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "issue");
    EXPECT_EQ(pki(std::move(arguments)), 2);
    EXPECT_THAT(cli.out, IsEmpty());
    return cli.err;
  };
  EXPECT_EQ(said({}), "A certificate is for one agent or one collector. Give either --agent or --collector.\n");
  EXPECT_EQ(said({"--agent", "a", "--collector", "c"}),
            "A certificate is for one agent or one collector. Give either --agent or --collector.\n");
  EXPECT_EQ(said({"--agent", "a"}), "agent 'a' has no tenant. Name one with --tenant.\n");
  EXPECT_EQ(said({"--agent", "a", "--tenant", "t", "--name", "x"}),
            "An agent's certificate has no host names. Remove --name.\n");
  EXPECT_EQ(said({"--collector", "c", "--tenant", "t"}), "A collector's certificate has no tenants. Remove --tenant.\n");
  EXPECT_EQ(said({"--collector", "c"}), "collector 'c' has no host name. Name what agents connect to with --name.\n");
  EXPECT_EQ(
      said({"--agent", "a", "--tenant", "t", "--days", "500"}),
      "The authority ends on 2027-12-27, before the certificate would. Ask for fewer --days, or make a new authority.\n");
  EXPECT_EQ(std::distance(fs::directory_iterator(folder), fs::directory_iterator{}), 2) << "nothing may be written";
}

TEST_F(PkiCommand, SaysHowToMakeTheMissingAuthority) {
  EXPECT_EQ(pki({"issue", "--agent", "a", "--tenant", "t"}), 2);
  EXPECT_EQ(cli.err, "cannot read '" + folder +
                         "/ca.crt' (No such file or directory). Run wardctl pki init, or name the folder with --dir.\n");
}

TEST_F(PkiCommand, ShowsACertificate) {
  pki({"init"});
  pki({"issue", "--collector", "main", "--name", "ward.example"});
  EXPECT_EQ(pki({"show", folder + "/collector-main.crt"}), 0) << cli.err;
  EXPECT_THAT(cli.out, testing::StartsWith("Subject  main\n"
                                           "Issuer   Ward CA\n"
                                           "Kind     leaf\n"
                                           "Use      server, client\n"
                                           "Name     ward://_collector/main\n"
                                           "Host     ward.example\n"
                                           "From     2026-11-22T10:37:07.000Z\n"
                                           "Until    2027-11-22T10:42:07.000Z (365 days left)\n"
                                           "Serial   "));
}

TEST_F(PkiCommand, ShowNamesWhatIsNoCertificate) {
  std::ofstream(folder + "/x") << "hello";
  EXPECT_EQ(pki({"show", folder + "/x"}), 2);
  EXPECT_EQ(cli.err, "'" + folder + "/x': this is not a PEM certificate. Give a file that begins with BEGIN CERTIFICATE.\n");
}

}  // namespace
}  // namespace ward::cli
