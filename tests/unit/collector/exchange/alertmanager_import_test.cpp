#include "collector/routing/route_tree.hpp"
#include "tests/unit/collector/exchange/import_bed.hpp"

namespace ward::collector::exchange {
namespace {

using test::lines;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;
using testing::StartsWith;

Imported import(const InputFile& file) {
  auto made = import_alertmanager({&file, 1});
  EXPECT_TRUE(made) << (made ? "" : made.error().what);
  return made ? std::move(*made) : Imported{};
}
Imported hospital() { return import(test::fixture("alertmanager-hospital.yml")); }

/// Who hears at `at` of an incident whose root has these labels; as in the router, who is reached twice is told once, at the
/// times of the first.
std::vector<std::string> told(const Rulebook& book, const Labels& labels, Time at) {
  std::vector<std::string> out;
  std::set<std::string> reached;
  for (const auto* node : matching_routes(*book.routing.route, labels))
    if (reached.insert(node->receiver).second && !node->times.muted(at)) out.push_back(node->receiver);
  std::sort(out.begin(), out.end());
  return out;
}

const Time kMonday = from_ms(1'795'424'400'000);    // 2026-11-23T09:00:00Z, a Monday
const Time kSaturday = from_ms(1'795'833'000'000);  // 2026-11-28T02:30:00Z

TEST(AlertmanagerImport, TellsWhomAlertmanagerTells) {
  const auto book = test::load(hospital());
  ASSERT_TRUE(book);
  ASSERT_TRUE(book->routing.route);
  const std::vector<std::string> platform{"platform", "platform-slack"};
  struct Row {
    Labels labels;
    Time at;
    std::vector<std::string> who;
  };
  const Row rows[] = {
      {{{"alertname", "X"}}, kMonday, platform},
      {{{"severity", "critical"}, {"owner", "database"}}, kMonday, {"database", "database-webhook", "database-webhook-2"}},
      {{{"severity", "critical"}, {"service", "odoo-web"}}, kMonday, {"application"}},
      {{{"severity", "critical"}, {"service", "odoo"}, {"owner", "backup"}},
       kMonday,
       {"application", "database", "database-webhook", "database-webhook-2"}},
      {{{"severity", "critical"}, {"service", "odoo"}, {"tenant", "clinic-a"}}, kMonday, {"clinic-a"}},
      {{{"severity", "critical"}, {"service", "odoo"}, {"tenant", "clinic-a"}}, kSaturday, {}},
      {{{"severity", "critical"}, {"service", "odoo"}, {"tenant", "clinic-a"}, {"layer", "data"}}, kMonday, {"application"}},
      {{{"alertname", "Watchdog"}}, kMonday, {}},
      {{{"severity", "info"}}, kMonday, {"mail"}},
      {{{"severity", "info"}}, kSaturday, {}},
      {{{"team", "imaging"}}, kMonday, {"platform", "platform-slack"}},  // discord: the first route's receiver instead
  };
  for (const auto& row : rows) EXPECT_EQ(told(*book, row.labels, row.at), row.who) << to_string(row.labels);
}

TEST(AlertmanagerImport, KeepsInhibitionAndRepeats) {
  const auto book = test::load(hospital());
  ASSERT_TRUE(book);
  ASSERT_EQ(book->routing.inhibit_rules.size(), 1U);
  EXPECT_EQ(book->routing.inhibit_rules[0].equal, (std::vector<std::string>{"node", "cluster"}));
  EXPECT_TRUE(all_hold(book->routing.inhibit_rules[0].target, Labels{{"severity", "info"}}));
  EXPECT_EQ(book->routing.route->repeat, std::chrono::hours{4});
}

TEST(AlertmanagerImport, HandsOnNoSecret) {
  const auto made = hospital();
  const auto rules = write(made.documents);
  const auto receivers = write(made.collector);
  for (const auto& text : {rules, receivers}) EXPECT_THAT(text, Not(HasSubstr("SECRET")));
  for (const auto& line : lines(made.notes)) EXPECT_THAT(line, Not(HasSubstr("SECRET")));
  EXPECT_THAT(lines(made.notes), Contains(AllOf(StartsWith("alertmanager-hospital.yml:"),
                                                HasSubstr("secret: 'routing_key' of receiver 'database'"),
                                                HasSubstr("into the file secrets/database-pagerduty"))));
}

TEST(AlertmanagerImport, NamesEveryLoss) {
  const auto told = lines(hospital().notes);
  const auto has = [&](const char* start, const char* part) {
    EXPECT_THAT(told, Contains(AllOf(StartsWith(std::string("alertmanager-hospital.yml:") + start), HasSubstr(part))));
  };
  has("3: lost", "'resolve_timeout'");
  has("10: lost", "'templates'");
  has("13: lost", "'group_by'");
  has("14: lost", "'group_wait'");
  has("15: lost", "'group_interval'");
  has("31: changed", "imaging-chat");
  has("32: lost", "pod name");
  has("41: lost", "without conditions on both sides");
  has("", "'discord_configs'");
  has("", "'channel' of receiver 'platform'");
  has("", "'title' of slack_configs");
  has("", "'max_alerts'");
  has("", "'priority'");
  has("", "'headers'");
  has("", "an address of email_configs");
  has("", "receiver 'null' tells nobody");
  has("", "receiver 'database' is now 'database', 'database-webhook', 'database-webhook-2'");
  has("", "send_resolved: false");
}

TEST(AlertmanagerImport, UnknownKeysAreLosses) {
  const auto made = import({"am.yml", R"(
global: {new_thing: 1}
route: {receiver: a, colour: red}
receivers: [{name: a, webhook_configs: [{url: 'https://a.example/hook', shape: round, http_config: {tls_config: {insecure_skip_verify: true}}}]}]
extra: {}
)"});
  const auto told = lines(made.notes);
  for (const auto* key : {"'new_thing'", "'colour'", "'shape'", "'extra'", "'insecure_skip_verify'"})
    EXPECT_THAT(told, Contains(AllOf(HasSubstr(": lost: "), HasSubstr(key)))) << key;
}

TEST(AlertmanagerImport, CopiesOnlyPlainAddresses) {
  struct Row {
    const char* url;
    const char* out;
  };
  for (const auto& [url, out] :
       std::initializer_list<Row>{{"https://a.example/hook", "https://a.example/hook"},
                                  {"http://a.example:8080/api/v1/alerts", "http://a.example:8080/api/v1/alerts"},
                                  {"https://a.example/T0ken123", "https://a.example/replace-me"},
                                  {"https://a.example/hook?key=abc", "https://a.example/replace-me"},
                                  {"https://u:pw@a.example/hook", "https://a.example/replace-me"},
                                  {"https://a.example/0f8fad5b-d9cb-469f-a165-70867728950e", "https://a.example/replace-me"},
                                  {"<secret>", "https://replace-me.invalid/replace-me"}}) {
    const auto made = import(
        {"am.yml", "route: {receiver: a}\nreceivers: [{name: a, webhook_configs: [{url: '" + std::string(url) + "'}]}]\n"});
    const auto receivers = write(made.collector);
    EXPECT_THAT(receivers, HasSubstr(out)) << url;
  }
}

TEST(AlertmanagerImport, RefusesWhatIsNoConfiguration) {
  for (const auto* text : {"", "a: 1\n", "route: {receiver: a}\n", "route: {receiver: a}\nreceivers: [{name: a}]\n",
                           "route: {receiver: a}\nreceivers: [{name: a, sns_configs: [{}]}]\n", "a: [\n", "- 1\n",
                           "route: {receiver: a}\nreceivers: []\n---\nroute: {}\n"}) {
    const InputFile file{"am.yml", text};
    const auto made = import_alertmanager({&file, 1});
    ASSERT_FALSE(made) << text;
    EXPECT_FALSE(made.error().fix.empty()) << text;
  }
}

TEST(AlertmanagerImport, LeavesOutARouteThatItCannotSay) {
  const auto made = import({"am.yml", R"(
route:
  receiver: a
  routes:
  - {matchers: ['x=~"("'], receiver: a}
  - {matchers: ['y="1"'], receiver: nowhere, routes: [{matchers: [z], receiver: a}]}
receivers: [{name: a, webhook_configs: [{url: 'https://a.example/hook'}]}]
)"});
  const auto book = test::load(made);
  ASSERT_TRUE(book);
  ASSERT_EQ(book->routing.route->routes.size(), 1U);
  EXPECT_THAT(book->routing.route->routes[0].routes, IsEmpty());
  EXPECT_THAT(lines(made.notes), Contains(AllOf(HasSubstr("lost"), HasSubstr("regular expression"))));
}

TEST(AlertmanagerImport, ASilentFirstRouteTellsNobodyAndItsRoutesDo) {
  const auto made = import({"am.yml", R"(
route: {receiver: quiet, routes: [{matchers: ['x="1"'], receiver: a}]}
receivers: [{name: quiet}, {name: a, webhook_configs: [{url: 'https://a.example/hook'}]}]
)"});
  const auto book = test::load(made);
  ASSERT_TRUE(book);
  EXPECT_THAT(told(*book, Labels{{"x", "2"}}, kMonday), IsEmpty());
  EXPECT_THAT(told(*book, Labels{{"x", "1"}}, kMonday), ElementsAre("a"));
}

}  // namespace
}  // namespace ward::collector::exchange
