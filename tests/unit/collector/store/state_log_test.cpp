// The stored past as people ask for it, and verdicts on it.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "collector/store/sqlite/state_store.hpp"
#include "tests/support/temp_dir.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Time kNow = from_ms(1'790'000'000'000);

class StateLog : public testing::Test {
 protected:
  StateLog() {
    StateChange change;
    change.incidents = {record("1AAAB1", kNow), record("1AAAB2", kNow + std::chrono::hours(1)),
                        record("1AABB3", kNow + std::chrono::hours(2))};
    EXPECT_TRUE(store().commit(change));
  }
  SqliteStateStore store() { return std::move(*SqliteStateStore::open(options())); }
  [[nodiscard]] sqlite::OpenOptions options() const {
    sqlite::OpenOptions o;
    o.path = (folder_.path() / "state.db").string();
    return o;
  }
  static IncidentRecord record(std::string id, Time opened) {
    IncidentRecord r;
    r.incident.id = std::move(id);
    r.incident.opened_at = opened;
    r.incident.root_alert = "X";
    r.transitions = {opened};
    return r;
  }
  static std::vector<std::string> ids(const Result<std::vector<Incident>>& incidents) {
    std::vector<std::string> out;
    for (const auto& i : incidents.value()) out.push_back(i.id);
    return out;
  }
  static Verdict verdict() { return {.kind = VerdictKind::false_alarm, .by = "anna", .note = "a \"test\"", .at = kNow}; }
  void judge(const std::string& id) {
    StateChange change;
    change.verdicts = {{id, verdict()}};
    ASSERT_TRUE(store().commit(change));
  }
  /// With the store closed, for it holds the file for itself.
  void run(const char* sql) { ASSERT_TRUE(sqlite::Database::open(options())->run(sql)); }
  std::optional<Verdict> judged(const std::string& id) { return store().named(id, 1).value().at(0).verdict; }

 private:
  test::TempDir folder_{"state_log"};
};

TEST_F(StateLog, FindsIncidentsByTheBeginningOfTheirIds) {
  EXPECT_THAT(ids(store().named("1AAA", 9)), ElementsAre("1AAAB1", "1AAAB2"));
  EXPECT_THAT(ids(store().named("1AAAB1", 9)), ElementsAre("1AAAB1"));
  EXPECT_THAT(ids(store().named("1A", 2)), SizeIs(2));
  EXPECT_THAT(ids(store().named("1AAAB1Z", 9)), IsEmpty());
  EXPECT_THAT(ids(store().named("%", 9)), IsEmpty());
}

TEST_F(StateLog, ListsWhatWasOpenedInAStretchOfTime) {
  EXPECT_THAT(ids(store().opened(kNow, kNow + std::chrono::hours(2), 9)), ElementsAre("1AAAB2", "1AAAB1"));
  EXPECT_THAT(ids(store().opened(kNow, Time::max(), 1)), ElementsAre("1AABB3"));
}

TEST_F(StateLog, TellsDeliveriesWithoutTheirBodies) {
  StateChange change;
  DeliveryRow row;
  row.delivery = {
      .key = "k", .incident = "1AAAB1", .kind = NoticeKind::fire, .receiver = "dba", .body = "{}", .created_at = kNow};
  row.instead_of = "boss";
  row.updated_at = kNow;
  change.deliveries = {row};
  ASSERT_TRUE(store().commit(change));
  row.state = DeliveryState::delivered;
  row.attempts = 3;
  row.error = "was away";
  StateChange update;
  update.delivery_updates = {row};
  ASSERT_TRUE(store().commit(update));
  row.delivery.body.clear();
  EXPECT_THAT(store().deliveries("1AAAB1").value(), ElementsAre(row));
  EXPECT_THAT(store().deliveries("1AAAB2").value(), IsEmpty());
}

TEST_F(StateLog, KeepsAVerdictWithTheIncident) {
  judge("1AAAB1");
  EXPECT_EQ(judged("1AAAB1"), verdict());
  EXPECT_EQ(judged("1AAAB2"), std::nullopt);
  const auto loaded = store().load(kNow);
  EXPECT_EQ(loaded->incidents.incidents.at(0).transitions, std::vector{kNow}) << "the rest of the record stays";
}

TEST_F(StateLog, AVerdictOnWhatIsNotStoredHarmsNothing) {
  judge("NOBODY");
  EXPECT_THAT(ids(store().named("N", 9)), IsEmpty());
}

TEST_F(StateLog, AVerdictComesAfterTheIncidentsOfTheSameChange) {
  StateChange change;
  change.incidents = {record("1AAAB1", kNow)};
  change.verdicts = {{"1AAAB1", verdict()}};
  ASSERT_TRUE(store().commit(change));
  EXPECT_EQ(judged("1AAAB1"), verdict());
}

TEST_F(StateLog, ReadsRowsFromBeforeThereWereVerdictsAndUnknownOnes) {
  run(R"(UPDATE incident SET data=json_remove(data, '$.incident.verdict') WHERE id='1AAAB1')");
  EXPECT_EQ(judged("1AAAB1"), std::nullopt);
  judge("1AAAB2");
  run(R"(UPDATE incident SET data=json_set(data, '$.incident.verdict.kind', 'later') WHERE id='1AAAB2')");
  EXPECT_EQ(judged("1AAAB2"), std::nullopt);
  EXPECT_THAT(ids(store().named("1AAAB2", 1)), SizeIs(1)) << "the incident itself is read";
}

}  // namespace
}  // namespace ward::collector
