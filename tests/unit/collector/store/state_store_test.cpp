#include "collector/store/sqlite/state_store.hpp"

#include <cmath>
#include <filesystem>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <limits>

#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using namespace std::chrono_literals;

constexpr Time kNow = from_ms(1'790'000'000'000);

class Folder : public test::TempDir {
 public:
  Folder() : TempDir("state") {}
  [[nodiscard]] sqlite::OpenOptions options(std::uint64_t max_bytes = 0) const {
    sqlite::OpenOptions o;
    o.path = (path() / "state.db").string();
    o.max_bytes = max_bytes;
    return o;
  }
};

SqliteStateStore open(const Folder& folder, std::uint64_t max_bytes = 0) {
  auto store = SqliteStateStore::open(folder.options(max_bytes));
  if (!store) throw std::runtime_error(describe(store.error()));
  return std::move(*store);
}

AlertEvent alert(std::string name) {
  AlertEvent a;
  a.labels = Labels{{"alertname", std::move(name)}, {"tenant", "clinic-a"}};
  a.annotations = Labels{{"summary", "it is \"down\"\nand \xc3\xa9"}};
  a.phase = AlertPhase::firing;
  a.active_at = kNow;
  a.fired_at = kNow + 1s;
  a.value = std::numeric_limits<double>::infinity();
  a.generator = "pack.yaml";
  return a;
}

IncidentRecord record(std::string id, IncidentPhase phase = IncidentPhase::open, Time resolved_at = {}) {
  IncidentRecord r;
  r.incident = {.id = std::move(id),
                .phase = phase,
                .cls = AlertClass::urgent,
                .owner = "database",
                .root_service = "pg-main",
                .root_alert = "PgPrimaryDown",
                .scope = Labels{{"tenant", "clinic-a"}},
                .opened_at = kNow,
                .resolved_at = resolved_at,
                .alerts = {alert("PgPrimaryDown"), alert("OdooWorkersBusy")},
                .reopened = 2,
                .merged_into = "",
                .workflows = {"billing"}};
  r.transitions = {kNow, kNow + 5s};
  r.flapping = true;
  r.quiet_since = kNow + 5s;
  r.root_quiet_since = kNow + 6s;
  return r;
}

DeliveryRow row(std::string key, std::string incident, DeliveryState state = DeliveryState::pending) {
  DeliveryRow r;
  r.delivery = {.key = std::move(key),
                .incident = std::move(incident),
                .kind = NoticeKind::escalate,
                .receiver = "pd-db",
                .body = R"({"a":1})",
                .created_at = kNow};
  r.state = state;
  r.attempts = 3;
  r.error = "HTTP 503";
  r.instead_of = "pd-app";
  r.updated_at = kNow + 9s;
  r.remembered = "1700000000.000100";
  return r;
}

StateChange everything() {
  StateChange c;
  c.alerts = {{.key = {"g", "A", "i1"}, .data = std::string("\0\xff data", 7)}, {.key = {"g", "A", "i2"}, .data = ""}};
  c.incidents = {record("I1")};
  c.watched = {{.alert = alert("OdooCronLate"), .seen_at = kNow + 2s}};
  c.notified = {{"I1", "pd-app"}, {"I1", "pd-db"}};
  c.decisions = {{.at = kNow, .incident = "I1", .alert = "a1", .what = "opened", .why = "nothing else fails"}};
  c.deliveries = {row("k1", "I1"), row("k2", "I1", DeliveryState::delivered)};
  return c;
}

TEST(StateStore, GivesBackWhatWasCommitted) {
  const Folder folder;
  const auto change = everything();
  ASSERT_TRUE(open(folder).commit(change));
  auto again = open(folder);
  const auto loaded = again.load(kNow).value();
  EXPECT_EQ(loaded.alerts, change.alerts);
  EXPECT_EQ(loaded.incidents.incidents, change.incidents);
  EXPECT_EQ(loaded.incidents.watched, *change.watched);
  EXPECT_EQ(loaded.notified, change.notified);
  EXPECT_EQ(loaded.deliveries, change.deliveries);
  EXPECT_EQ(again.decisions("I1").value(), change.decisions);
  EXPECT_EQ(again.decisions("a1").value(), change.decisions);
  EXPECT_EQ(again.incidents(kNow, 10).value(), (std::vector<Incident>{change.incidents[0].incident}));
}

TEST(StateStore, AppliesLaterChangesOnTop) {
  const Folder folder;
  auto store = open(folder);
  ASSERT_TRUE(store.commit(everything()));
  StateChange later;
  later.alerts = {{.key = {"g", "A", "i1"}, .data = "new"}};
  later.alerts_gone = {{"g", "A", "i2"}};
  auto closed = record("I1", IncidentPhase::resolved, kNow + 60s);
  later.incidents = {closed};
  later.watched.emplace();
  later.notified_gone = {"I1"};
  auto sent = row("k1", "I1", DeliveryState::delivered);
  sent.attempts = 4;
  sent.error = "";
  sent.remembered = "1700000000.000200";
  later.delivery_updates = {sent};
  auto stranger = row("k2", "I1");
  later.deliveries = {stranger};  // a known key stays as it is
  ASSERT_TRUE(store.commit(later));
  const auto loaded = store.load(kNow).value();
  EXPECT_EQ(loaded.alerts, later.alerts);
  EXPECT_EQ(loaded.incidents.incidents, later.incidents);
  EXPECT_TRUE(loaded.incidents.watched.empty());
  EXPECT_TRUE(loaded.notified.empty());
  EXPECT_EQ(loaded.deliveries, (std::vector<DeliveryRow>{sent, row("k2", "I1", DeliveryState::delivered)}));
}

TEST(StateStore, LoadsPendingRowsOfIncidentsLongClosed) {
  const Folder folder;
  auto store = open(folder);
  StateChange c;
  c.incidents = {record("I1", IncidentPhase::resolved, kNow), record("I2", IncidentPhase::resolved, kNow)};
  c.deliveries = {row("k1", "I1"), row("k2", "I2", DeliveryState::delivered)};
  ASSERT_TRUE(store.commit(c));
  const auto loaded = store.load(kNow + 1h).value();
  EXPECT_TRUE(loaded.incidents.incidents.empty());
  EXPECT_EQ(loaded.deliveries, (std::vector<DeliveryRow>{row("k1", "I1")}));
}

TEST(StateStore, KeepsTheOldStateWhole) {
  const Folder folder;
  auto store = open(folder, 256 << 10);
  ASSERT_TRUE(store.commit(everything()));
  const auto before = store.load(kNow).value();
  const auto decisions = store.decisions("I1").value();
  StateChange big;
  big.alerts_gone = {{"g", "A", "i1"}, {"g", "A", "i2"}};
  big.watched.emplace();
  big.decisions = {{.at = kNow, .incident = "I1", .alert = "", .what = "resolved", .why = "well"}};
  big.notified_gone = {"I1"};
  auto fat = row("k3", "I1");
  fat.delivery.body = std::string(1 << 20, 'x');
  big.deliveries = {fat};
  const auto refused = store.commit(big);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::full);
  EXPECT_FALSE(refused.error().fix.empty());
  EXPECT_EQ(store.load(kNow).value(), before);
  EXPECT_EQ(store.decisions("I1").value(), decisions);
  StateChange small;
  small.notified = {{"I1", "mail"}};
  EXPECT_TRUE(store.commit(small)) << "the store goes on when there is room again";
}

TEST(StateStore, TakesOverAFileFromBeforeChannelsRememberedAnything) {
  const Folder folder;
  {
    auto store = open(folder);
    StateChange c;
    c.deliveries = {row("k1", "I1")};
    ASSERT_TRUE(store.commit(c));
  }
  {
    auto db = sqlite::Database::open(folder.options()).value();
    ASSERT_TRUE(
        db.run("ALTER TABLE delivery DROP COLUMN remembered; DROP TABLE escalation; DROP TABLE silence; DROP TABLE audit; "
               "PRAGMA user_version=1"));
  }
  auto expected = row("k1", "I1");
  expected.remembered = "";
  EXPECT_EQ(open(folder).load(kNow).value().deliveries, (std::vector<DeliveryRow>{expected}));
}

TEST(StateStore, RefusesAFileOfANewerRelease) {
  const Folder folder;
  (void)open(folder);
  {
    auto db = sqlite::Database::open(folder.options()).value();
    ASSERT_TRUE(db.run("PRAGMA user_version=99"));
  }
  const auto store = SqliteStateStore::open(folder.options());
  ASSERT_FALSE(store);
  EXPECT_EQ(store.error().code, Errc::denied);
}

TEST(StateStore, ARowThatCannotBeReadCostsThatRowAloneAndStaysInTheFile) {
  for (const auto* damage :
       {"UPDATE incident SET data='{'", "UPDATE incident SET data='[]'", "UPDATE watched SET data='7'",
        "UPDATE delivery SET state='lost' WHERE key='k1'", "UPDATE delivery SET kind='shout' WHERE key='k1'"}) {
    const Folder folder;
    ASSERT_TRUE(open(folder).commit(everything()));
    {
      auto db = sqlite::Database::open(folder.options()).value();
      ASSERT_TRUE(db.run(damage));
    }
    auto store = open(folder);
    const auto loaded = store.load(kNow);
    ASSERT_TRUE(loaded) << damage;
    EXPECT_EQ(loaded->unreadable, 1U) << damage;
    const auto& alerts = loaded->alerts;
    const auto& incidents = loaded->incidents;
    const auto& deliveries = loaded->deliveries;
    EXPECT_EQ(alerts.size() + incidents.incidents.size() + incidents.watched.size() + deliveries.size(), 5U) << damage;
    EXPECT_TRUE(store.incidents(kNow, 10)) << damage;
    StateChange next;
    next.watched = std::vector{WatchedAlert{.alert = alert("RedisDown"), .seen_at = kNow}};
    next.decisions = {{.at = kNow, .incident = "I2", .alert = "", .what = "opened", .why = "y"}};
    ASSERT_TRUE(store.commit(next)) << damage;
    ASSERT_TRUE(store.prune(kNow)) << damage;
    EXPECT_EQ(store.load(kNow)->unreadable, 1U) << "it stays for the release that wrote it: " << damage;
  }
}

TEST(StateStore, PrunesByAgeButNothingOpenOrUnsent) {
  const Folder folder;
  auto store = open(folder);
  StateChange c;
  c.incidents = {record("OLD", IncidentPhase::resolved, kNow), record("OPEN"),
                 record("UNSENT", IncidentPhase::resolved, kNow)};
  c.decisions = {{.at = kNow, .incident = "OLD", .alert = "", .what = "opened", .why = "x"},
                 {.at = kNow + 100h, .incident = "OPEN", .alert = "", .what = "opened", .why = "y"}};
  c.deliveries = {row("k1", "OLD", DeliveryState::delivered), row("k2", "OPEN", DeliveryState::delivered),
                  row("k3", "UNSENT")};
  ASSERT_TRUE(store.commit(c));
  ASSERT_TRUE(store.prune(kNow + 50h));
  const auto loaded = store.load(from_ms(0)).value();
  ASSERT_EQ(loaded.incidents.incidents.size(), 1U);
  EXPECT_EQ(loaded.incidents.incidents[0].incident.id, "OPEN");
  EXPECT_EQ(loaded.deliveries, (std::vector<DeliveryRow>{row("k2", "OPEN", DeliveryState::delivered), row("k3", "UNSENT")}));
  EXPECT_TRUE(store.decisions("OLD").value().empty());
  EXPECT_EQ(store.decisions("OPEN").value().size(), 1U);
}

TEST(StateChange, AppendedGivesTheSameAsOneByOne) {
  StateChange later;
  later.alerts = {{.key = {"g", "A", "i3"}, .data = "3"}};
  later.alerts_gone = {{"g", "A", "i1"}};
  later.incidents = {record("I1", IncidentPhase::resolved, kNow + 60s)};
  later.watched.emplace();
  later.notified_gone = {"I1"};
  later.delivery_updates = {row("k1", "I1", DeliveryState::delivered)};
  StateChange last;
  last.alerts = {{.key = {"g", "A", "i1"}, .data = "back"}};
  last.incidents = {record("I1")};
  last.notified = {{"I1", "mail"}};

  const Folder apart, together;
  auto one = open(apart), all = open(together);
  auto sum = everything();
  for (const auto& c : {everything(), later, last}) ASSERT_TRUE(one.commit(c));
  append(sum, later);
  append(sum, last);
  ASSERT_TRUE(all.commit(sum));
  EXPECT_EQ(all.load(kNow).value(), one.load(kNow).value());
}

}  // namespace
}  // namespace ward::collector
