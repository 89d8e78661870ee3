// wardctl ack, unack, silence and audit: what they ask, and what they make of the answers.
#include <gmock/gmock.h>
#include <nlohmann/json.hpp>

#include "collector/event/audit.hpp"
#include "tests/unit/cli/cli_run.hpp"

namespace ward::cli {
namespace {

using nlohmann::json;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(WardctlAck, SaysWhoTakesTheIncidentOn) {
  CliRun cli;
  cli.environment["USER"] = "anna";
  cli.answer(200, R"({"incident":"I1","done":"acknowledged by anna"})");
  EXPECT_EQ(cli({"ack", "I1", "--note", "on it"}), 0) << cli.err;
  EXPECT_EQ(cli.out, "I1: acknowledged by anna\n");
  EXPECT_EQ(cli.asked.at(0).method, "POST");
  EXPECT_THAT(cli.asked[0].url, testing::EndsWith("/api/ward/v1/incidents/I1/ack"));
  EXPECT_EQ(json::parse(cli.asked[0].body), json({{"by", "anna"}, {"note", "on it"}}));
}

TEST(WardctlAck, GivesTheIncidentBack) {
  CliRun cli;
  cli.answer(200, R"({"incident":"I1","done":"nobody has it now"})");
  EXPECT_EQ(cli({"unack", "I1", "--by", "ben"}), 0) << cli.err;
  EXPECT_THAT(cli.asked.at(0).url, testing::EndsWith("/I1/unack"));
}

TEST(WardctlAck, ShowsWhyTheCollectorRefuses) {
  CliRun cli;
  cli.answer(404, R"({"title":"Not done","detail":"there is no open incident 'I1'."})");
  EXPECT_EQ(cli({"ack", "I1"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("there is no open incident 'I1'"));
  cli.answer(403, R"({"title":"Forbidden","detail":"The token 'x' does not have the scope 'acks'"})");
  EXPECT_EQ(cli({"ack", "I1"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("does not have the scope 'acks'"));
  cli.answer(200, "[]");
  EXPECT_EQ(cli({"ack", "I1"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("not understood"));
}

TEST(WardctlSilence, SendsMatchersAsAlertmanagerTakesThem) {
  CliRun cli;
  cli.answer(200, R"({"silenceID":"s1"})");
  EXPECT_EQ(
      cli({"silence", "add", "alertname=X", "tenant!~\"lab.*\"", "--comment", "work", "--author", "anna", "--for", "2h"}), 0)
      << cli.err;
  EXPECT_EQ(cli.out, "s1\n");
  EXPECT_EQ(json::parse(cli.asked.at(0).body), json::parse(R"({
    "matchers": [{"name": "alertname", "value": "X", "isRegex": false, "isEqual": true},
                 {"name": "tenant", "value": "lab.*", "isRegex": true, "isEqual": false}],
    "startsAt": "2026-11-22T10:42:07.000Z", "endsAt": "2026-11-22T12:42:07.000Z", "createdBy": "anna", "comment": "work"})"));
}

TEST(WardctlSilence, RefusesWhatItCannotSend) {
  const std::vector<std::vector<std::string>> lines{{"silence", "add", "alertname=X"},
                                                    {"silence", "add", "--comment", "c"},
                                                    {"silence", "add", "nonsense", "--comment", "c"},
                                                    {"silence", "add", "a=b", "--comment", "c", "--for", "soon"},
                                                    {"silence", "add", "a=b", "--comment", "c", "--start", "now"},
                                                    {"silence", "expire"},
                                                    {"silence"}};
  for (const auto& line : lines) {
    CliRun cli;
    EXPECT_EQ(cli(line), 2) << testing::PrintToString(line);
    EXPECT_THAT(cli.asked, IsEmpty());
    EXPECT_THAT(cli.err, testing::Not(IsEmpty()));
  }
}

TEST(WardctlSilence, ListsThoseThatCount) {
  CliRun cli;
  const auto list = R"([{"id":"s1","status":{"state":"active"},"comment":"work","createdBy":"anna",
    "endsAt":"2026-11-22T12:42:07.000Z","matchers":[{"name":"a","value":"b","isRegex":true,"isEqual":false}]},
    {"id":"s2","status":{"state":"expired"},"comment":"","createdBy":"","endsAt":"","matchers":[]}])";
  cli.answer(200, list);
  EXPECT_EQ(cli({"silence", "list"}), 0) << cli.err;
  EXPECT_THAT(cli.out, HasSubstr("a!~\"b\""));
  EXPECT_THAT(cli.out, testing::Not(HasSubstr("s2")));
  cli.answer(200, list);
  cli({"silence", "list", "--expired"});
  EXPECT_THAT(cli.out, HasSubstr("s2"));
  cli.answer(200, "{}");
  cli({"silence", "list"});
  cli.answer(200, "[1]");
  EXPECT_EQ(cli({"silence", "list"}), 2);
}

TEST(WardctlSilence, EndsEachThatIsNamed) {
  CliRun cli;
  cli.answer(200, "");
  cli.answer(404, R"("there is no silence 's2'")");
  EXPECT_EQ(cli({"silence", "expire", "s1", "s2"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("there is no silence 's2'"));
  ASSERT_THAT(cli.asked, SizeIs(2));
  EXPECT_EQ(cli.asked[0].method, "DELETE");
  EXPECT_THAT(cli.asked[0].url, testing::EndsWith("/api/v2/silence/s1"));
}

json chain(std::size_t count) {
  auto list = json::array();
  std::string hash;
  for (std::uint64_t n = 1; n <= count; ++n) {
    const collector::AuditEntry entry{
        .at = from_ms(7), .actor = "anna", .action = "ack", .subject = "I" + std::to_string(n)};
    hash = collector::audit_hash(hash, n, entry);
    list.push_back({{"number", n},
                    {"at_ms", 7},
                    {"actor", "anna"},
                    {"action", "ack"},
                    {"subject", entry.subject},
                    {"detail", ""},
                    {"hash", hash}});
  }
  return list;
}
std::string page(json list) { return json{{"records", std::move(list)}}.dump(); }

TEST(WardctlAudit, VerifiesTheWholeChainPageByPage) {
  CliRun cli;
  const auto all = chain(3);
  cli.answer(200, page({all[0], all[1]}));
  cli.answer(200, page({all[2]}));
  cli.answer(200, page(json::array()));
  EXPECT_EQ(cli({"audit", "verify"}), 0) << cli.err;
  EXPECT_EQ(cli.out, "3 records, all in their place; the last has the hash " + all[2]["hash"].get<std::string>() + "\n");
  EXPECT_THAT(cli.asked.at(1).url, HasSubstr("after=2"));
}

TEST(WardctlAudit, NamesTheFirstBrokenRecord) {
  CliRun cli;
  auto all = chain(3);
  all[1]["actor"] = "nobody";
  cli.answer(200, page(all));
  cli.answer(200, page(json::array()));
  EXPECT_EQ(cli({"audit", "verify"}), 2);
  EXPECT_THAT(cli.err, HasSubstr("broken at record 2"));
}

TEST(WardctlAudit, NoticesAnEndThatWasCutOff) {
  CliRun cli;
  const auto all = chain(3);
  cli.answer(200, page({all[0], all[1]}));
  cli.answer(200, page(json::array()));
  EXPECT_EQ(cli({"audit", "verify", "--head", all[2]["hash"].get<std::string>()}), 2);
  EXPECT_THAT(cli.err, HasSubstr("its end was cut off"));
}

}  // namespace
}  // namespace ward::cli
