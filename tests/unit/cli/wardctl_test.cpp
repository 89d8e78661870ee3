#include <algorithm>
#include <cstdio>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "cli/collector.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;

constexpr auto kEmptyVector = R"({"status":"success","data":{"resultType":"vector","result":[]}})";

TEST(Wardctl, AnswersEveryWrongCommandLineWithOneLineAndTwo) {
  const std::vector<std::vector<std::string>> lines{{},
                                                    {"--nonsense"},
                                                    {"nonsense"},
                                                    {"query"},
                                                    {"query", "up", "--nonsense"},
                                                    {"query", "up", "down"},
                                                    {"query", "up", "--collector"},
                                                    {"alerts", "extra"},
                                                    {"pki"},
                                                    {"pki", "issue", "--days", "soon"},
                                                    {"pki", "issue", "--days", "0"},
                                                    {"pki", "show"}};
  for (const auto& line : lines) {
    CliRun cli;
    EXPECT_EQ(cli(line), 2) << testing::PrintToString(line);
    EXPECT_THAT(cli.out, IsEmpty()) << testing::PrintToString(line);
    EXPECT_EQ(std::count(cli.err.begin(), cli.err.end(), '\n'), 1) << cli.err;
    EXPECT_THAT(cli.err, HasSubstr("See wardctl")) << testing::PrintToString(line);
  }
}

TEST(Wardctl, NamesTheUnknownFlagAndWhoseHelpToRead) {
  CliRun cli;
  cli({"query", "up", "--nonsense"});
  EXPECT_EQ(cli.err, "The following argument was not expected: --nonsense. See wardctl query --help.\n");
}

TEST(Wardctl, GuessesTheCommandThatWasMeant) {
  CliRun cli;
  EXPECT_EQ(cli({"statu"}), 2);
  EXPECT_EQ(cli.err, "'statu' is not a command; did you mean 'status'? See wardctl --help.\n");
}

TEST(Wardctl, ShowsHelpAndVersion) {
  CliRun cli;
  EXPECT_EQ(cli({"--help"}), 0);
  for (const auto* command : {"pki", "status", "query", "alerts"}) EXPECT_THAT(cli.out, HasSubstr(command));
  EXPECT_EQ(cli({"query", "--help"}), 0);
  EXPECT_THAT(cli.out, HasSubstr("--collector"));
  EXPECT_EQ(cli({"--version"}), 0);
  EXPECT_THAT(cli.out, HasSubstr("wardctl 0."));
  EXPECT_THAT(cli.err, IsEmpty());
}

TEST(Wardctl, AsksTheCollectorNextDoorUnlessTold) {
  CliRun cli;
  cli.answer(200, kEmptyVector);
  EXPECT_EQ(cli({"query", "sum(up{job=\"a b\"}) > 1"}), 0) << cli.err;
  EXPECT_EQ(cli.asked.at(0).url, "http://127.0.0.1:9802/api/v1/query?query=sum%28up%7Bjob%3D%22a%20b%22%7D%29%20%3E%201");
  cli.environment["WARD_COLLECTOR"] = "https://ward.example/";
  cli.answer(200, kEmptyVector);
  EXPECT_EQ(cli({"query", "up"}), 0);
  EXPECT_EQ(cli.asked.at(1).url, "https://ward.example/api/v1/query?query=up");
  cli.answer(200, kEmptyVector);
  EXPECT_EQ(cli({"query", "up", "--collector", "http://10.0.0.7:9802"}), 0);
  EXPECT_EQ(cli.asked.at(2).url, "http://10.0.0.7:9802/api/v1/query?query=up");
}

TEST(Wardctl, SaysWhenNoCollectorAnswers) {
  CliRun cli;
  cli.failure(http::FailureKind::connect_refused);
  EXPECT_EQ(cli({"status"}), 2);
  EXPECT_EQ(cli.err, "No collector answers at http://127.0.0.1:9802 (connection refused). Start it or set --collector.\n");
  EXPECT_THAT(cli.out, IsEmpty());
  cli.failure(http::FailureKind::dns_nxdomain);
  EXPECT_EQ(cli({"alerts", "--collector", "http://nowhere:9802"}), 2);
  EXPECT_EQ(cli.err, "No collector answers at http://nowhere:9802 (unknown host name). Start it or set --collector.\n");
}

TEST(Wardctl, SaysWhenTheCertificateIsNotTrusted) {
  CliRun cli;
  cli.failure(http::FailureKind::tls_untrusted);
  EXPECT_EQ(cli({"alerts", "--collector", "https://ward.example"}), 2);
  EXPECT_EQ(cli.err,
            "The certificate at https://ward.example is not signed by a trusted authority. "
            "Give the authority with --ca-file.\n");
}

struct BadAnswer {
  const char* name;
  int status;
  const char* body;
  const char* line;
};
void PrintTo(const BadAnswer& answer, std::ostream* out) { *out << answer.name; }

class BadAnswers : public testing::TestWithParam<BadAnswer> {};

TEST_P(BadAnswers, BecomeOneLine) {
  CliRun cli;
  cli.answer(GetParam().status, GetParam().body);
  EXPECT_EQ(cli({"query", "up"}), 2);
  EXPECT_EQ(cli.err, std::string(GetParam().line) + "\n");
  EXPECT_THAT(cli.out, IsEmpty());
}

INSTANTIATE_TEST_SUITE_P(
    Table, BadAnswers,
    testing::Values(
        BadAnswer{"promql_error", 400,
                  R"({"status":"error","errorType":"bad_data","error":"1:3: parse error:\nunexpected )\""})",
                  "The collector refuses: 1:3: parse error: unexpected )\". Correct the request."},
        BadAnswer{"problem_json", 422, R"({"title":"Bad","detail":"too many samples"})",
                  "The collector refuses: too many samples. Correct the request."},
        BadAnswer{
            "no_token", 401, "{}",
            "The collector at http://127.0.0.1:9802 refuses access (401). Give a token that may do this with --token-file."},
        BadAnswer{"no_right", 403, R"({"detail":"scope read is missing"})",
                  "The collector at http://127.0.0.1:9802 refuses access (403): scope read is missing. "
                  "Give a token that may do this with --token-file."},
        BadAnswer{"another_server", 404, "<html>404</html>",
                  "http://127.0.0.1:9802 answers, but knows no /api/v1/query. Name a Ward collector in --collector."},
        BadAnswer{"broken_server", 500, "oops",
                  "The collector at http://127.0.0.1:9802 answers 500. Look into the collector's log."},
        BadAnswer{"not_json", 200, "<html>",
                  "The collector's answer to the query is not understood. Use wardctl and collector of one version."},
        BadAnswer{"other_json", 200, R"({"data":{"resultType":"vector","result":[{"metric":{"a":1},"value":[1,"2"]}]}})",
                  "The collector's answer to the query is not understood. Use wardctl and collector of one version."},
        BadAnswer{"list", 200, "[]",
                  "The collector's answer to the query is not understood. Use wardctl and collector of one version."}));

TEST(Wardctl, RefusesAnAnswerThatWasCutOff) {
  CliRun cli;
  cli.answer(200, kEmptyVector);
  cli.answers.back()->truncated = true;
  EXPECT_EQ(cli({"query", "up", "--json"}), 2);
  EXPECT_EQ(cli.err, "The answer is larger than 64 MiB. Ask for fewer series or a shorter range.\n");
}

TEST(Wardctl, RefusesAddressesThatAreNoUrl) {
  for (const auto* bad : {"ward.example", "ftp://x", "http://", "http://user:pw@x", "http://x?a", "http://a b", "/"}) {
    CliRun cli;
    EXPECT_EQ(cli({"query", "up", "--collector", bad}), 2) << bad;
    EXPECT_THAT(cli.err, HasSubstr("is not an http or https URL")) << bad;
    EXPECT_THAT(cli.err, testing::Not(HasSubstr("pw"))) << bad;
    EXPECT_THAT(cli.asked, IsEmpty()) << bad;
  }
}

class Token : public testing::Test {
 protected:
  const test::TempDir folder{"cli-token"};
  const std::string path = folder.write("token", "canary\n");
  CliRun cli;
};

TEST_F(Token, TravelsAsBearer) {
  cli.answer(200, kEmptyVector);
  EXPECT_EQ(cli({"query", "up", "--token-file", path, "--collector", "https://ward.example"}), 0) << cli.err;
  EXPECT_THAT(cli.asked.at(0).headers, testing::Contains(Pair("Authorization", "Bearer canary")));
}

TEST_F(Token, ComesFromTheEnvironmentToo) {
  cli.environment["WARD_TOKEN_FILE"] = path;
  cli.answer(200, kEmptyVector);
  EXPECT_EQ(cli({"query", "up"}), 0) << cli.err;
  EXPECT_THAT(cli.asked.at(0).headers, testing::Contains(Pair("Authorization", "Bearer canary")));
}

TEST_F(Token, NeverTravelsInTheClear) {
  for (const auto* url : {"http://ward.example", "http://127.0.0.1.evil.example", "http://localhostile"}) {
    EXPECT_EQ(cli({"query", "up", "--token-file", path, "--collector", url}), 2) << url;
    EXPECT_EQ(cli.err, "A token is not sent unencrypted to " + std::string(url) + ". Use https in --collector.\n");
  }
  EXPECT_THAT(cli.asked, IsEmpty());
}

TEST_F(Token, MustNotBeOpenToEveryUser) {
  ::chmod(path.c_str(), 0644);
  EXPECT_EQ(cli({"query", "up", "--token-file", path}), 2);
  EXPECT_THAT(cli.err, HasSubstr("Run chmod 600 " + path));
}

TEST(Wardctl, ShowsTheAnswerAsItCameWithJson) {
  CliRun cli;
  cli.answer(200, kEmptyVector);
  EXPECT_EQ(cli({"query", "up", "--json"}), 0);
  EXPECT_EQ(cli.out, std::string(kEmptyVector) + "\n");
  cli.answer(200, R"({"v":1})");
  cli.answer(200, "[]");
  EXPECT_EQ(cli({"status", "--json"}), 0);
  EXPECT_EQ(cli.out, "{\"status\":{\"v\":1},\"agents\":[]}\n");
  EXPECT_EQ(cli.asked.at(1).url, "http://127.0.0.1:9802/api/ward/v1/status");
  EXPECT_EQ(cli.asked.at(2).url, "http://127.0.0.1:9802/api/ward/v1/agents");
}

}  // namespace
}  // namespace ward::cli
