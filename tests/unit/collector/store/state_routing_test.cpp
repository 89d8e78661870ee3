// What routing remembers over a restart, and the chain of what people did.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/store/sqlite/state_store.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using testing::IsEmpty;
using testing::SizeIs;

constexpr Time kNow = from_ms(1'790'000'000'000);

class StateRouting : public testing::Test {
 protected:
  SqliteStateStore open() {
    auto store = SqliteStateStore::open(options());
    if (!store) throw std::runtime_error(describe(store.error()));
    return std::move(*store);
  }
  [[nodiscard]] sqlite::OpenOptions options() const {
    sqlite::OpenOptions o;
    o.path = (folder_.path() / "state.db").string();
    return o;
  }
  void run(const char* sql) { ASSERT_TRUE(sqlite::Database::open(options())->run(sql)); }
  static EscalationRecord escalation() {
    EscalationRecord r;
    r.incident = "I1";
    r.cls = AlertClass::executive;
    r.owner = "database";
    r.plan = "db-247";
    r.since = kNow;
    r.done = 2;
    r.repeats = 3;
    r.round = 1;
    r.owed = {{"b", 1}};
    r.ack = Acknowledgement{.by = "anna", .note = "on it", .at = kNow};
    r.mute = MuteKind::silenced;
    r.muted_by = "s1";
    r.muted_at = kNow;
    return r;
  }
  static AlertSilence silence() {
    AlertSilence s;
    s.id = "s1";
    s.matchers = {{.name = "a", .value = "x.*", .is_regex = true, .is_equal = false}};
    s.starts_at = kNow;
    s.ends_at = kNow + std::chrono::hours(1);
    s.updated_at = kNow;
    s.created_by = "anna \xc3\xa9";
    s.comment = "work \"now\"";
    s.ended = true;
    return s;
  }
  static AuditEntry entry(std::string action) {
    return {.at = kNow, .actor = "ops", .action = std::move(action), .subject = "I1", .detail = "why: \n\"so\""};
  }

 private:
  test::TempDir folder_{"state_routing"};
};

TEST_F(StateRouting, GivesBackEscalationsAndSilences) {
  StateChange change;
  change.escalations = {escalation()};
  change.silences = {silence()};
  ASSERT_TRUE(open().commit(change));
  const auto loaded = open().load(kNow);
  EXPECT_EQ(loaded->escalations, change.escalations);
  EXPECT_EQ(loaded->silences, change.silences);
  StateChange gone;
  gone.escalations_gone = {"I1"};
  gone.silences_gone = {"s1"};
  ASSERT_TRUE(open().commit(gone));
  EXPECT_THAT(open().load(kNow)->escalations, IsEmpty());
  EXPECT_THAT(open().load(kNow)->silences, IsEmpty());
}

TEST_F(StateRouting, ARowThatCannotBeReadCostsThatRowAlone) {
  for (const auto* damage : {"UPDATE escalation SET data='{'", "UPDATE silence SET data='{}'"}) {
    StateChange change;
    change.escalations = {escalation()};
    change.silences = {silence()};
    ASSERT_TRUE(open().commit(change));
    run(damage);
    const auto loaded = open().load(kNow);
    EXPECT_EQ(loaded->unreadable, 1U) << damage;
    EXPECT_EQ(loaded->escalations.size() + loaded->silences.size(), 1U) << damage;
  }
}

TEST_F(StateRouting, AFileOfTheFirstReleaseIsBroughtUpToDate) {
  (void)open();
  run("ALTER TABLE delivery DROP COLUMN remembered; DROP TABLE escalation; DROP TABLE silence; DROP TABLE audit; "
      "PRAGMA user_version=1");
  EXPECT_TRUE(open().load(kNow));
}

TEST_F(StateRouting, AppendsToOneChainOverCommitsAndRestarts) {
  StateChange change;
  change.audit = {entry("ack"), entry("unack")};
  ASSERT_TRUE(open().commit(change));
  ASSERT_TRUE(open().commit(change));
  const auto all = open().audit(0, 100).value();
  ASSERT_THAT(all, SizeIs(4));
  EXPECT_EQ(first_broken(all), std::nullopt);
  EXPECT_EQ(all[3].number, 4U);
  EXPECT_EQ(all[1].entry, entry("unack"));
  const auto later = open().audit(2, 1).value();
  ASSERT_THAT(later, SizeIs(1));
  EXPECT_EQ(first_broken(later, 2, all[1].hash), std::nullopt);
}

TEST_F(StateRouting, NamesTheRecordThatSomebodyHasChangedTakenOutOrPutIn) {
  const std::pair<const char*, std::uint64_t> cases[] = {
      {"UPDATE audit SET actor='nobody' WHERE number=2", 2},
      {"UPDATE audit SET at=at+1 WHERE number=3", 3},
      // A field's end moved into the next one.
      {"UPDATE audit SET actor='op', action='sack' WHERE number=1", 1},
      {"UPDATE audit SET hash=upper(hash) WHERE number=2", 2},
      {"DELETE FROM audit WHERE number=2", 2},
      {"DELETE FROM audit WHERE number=1", 1},
      {"UPDATE audit SET number=9 WHERE number=4", 4},
  };
  for (const auto& [damage, number] : cases) {
    run("DROP TABLE IF EXISTS audit; DROP TABLE IF EXISTS escalation; DROP TABLE IF EXISTS silence;");
    run("PRAGMA user_version=0");
    run("DROP TABLE IF EXISTS alert_state; DROP TABLE IF EXISTS incident; DROP TABLE IF EXISTS watched; DROP TABLE IF "
        "EXISTS notified; DROP TABLE IF EXISTS decision; DROP TABLE IF EXISTS delivery;");
    StateChange change;
    change.audit = {entry("ack"), entry("ack"), entry("ack"), entry("ack")};
    ASSERT_TRUE(open().commit(change));
    run(damage);
    EXPECT_EQ(first_broken(open().audit(0, 100).value()), number) << damage;
  }
}

TEST_F(StateRouting, KeepsTheAuditWhenOldStateIsDeleted) {
  StateChange change;
  change.audit = {entry("ack")};
  auto store = open();
  ASSERT_TRUE(store.commit(change));
  ASSERT_TRUE(store.prune(kNow + std::chrono::hours(10'000)));
  EXPECT_THAT(store.audit(0, 10).value(), SizeIs(1));
}

TEST(StateChange, ALaterStepTakesOutWhatAnEarlierOneWouldStore) {
  StateChange earlier, later;
  earlier.escalations.emplace_back().incident = "I1";
  earlier.escalations.emplace_back().incident = "I2";
  earlier.silences.emplace_back().id = "s1";
  later.escalations_gone = {"I1"};
  later.silences_gone = {"s1"};
  later.escalations.emplace_back().incident = "I2";
  later.escalations.back().done = 7;
  append(earlier, std::move(later));
  ASSERT_THAT(earlier.escalations, SizeIs(2));
  EXPECT_EQ(earlier.escalations[1].done, 7U);
  EXPECT_THAT(earlier.silences, IsEmpty());
}

}  // namespace
}  // namespace ward::collector
