// The stored past as the API reads it: by the beginning of an id, in pieces, and never two jobs at once on the store.
#include "collector/archive.hpp"

#include <gmock/gmock.h>

#include "collector/store/sqlite/state_store.hpp"
#include "tests/support/temp_dir.hpp"
#include "tests/unit/common/async/loop.hpp"

namespace ward::collector {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::SizeIs;

constexpr Time kNow = from_ms(1'790'000'000'000);

class Archive : public testing::Test {
 protected:
  Archive() : store_(*SqliteStateStore::open(options())), archive_(writer_, store_) {}
  void put(const std::string& id, Time opened) {
    StateChange change;
    IncidentRecord record;
    record.incident.id = id;
    record.incident.opened_at = opened;
    change.incidents = {record};
    change.decisions = {{opened, id, "alert-" + id, "opened", "because"}};
    DeliveryRow row;
    row.delivery = {
        .key = id, .incident = id, .kind = NoticeKind::fire, .receiver = "dba", .body = "{}", .created_at = opened};
    change.deliveries = {row};
    ASSERT_TRUE(store_.commit(change));
  }
  template <class T>
  T get(async::Task<T> task) {
    std::optional<T> out;
    async::run(io_, keep(std::move(task), &out));
    return std::move(*out);
  }
  template <class T>
  static async::Task<void> keep(async::Task<T> task, std::optional<T>* out) {
    *out = co_await std::move(task);
  }
  static std::vector<std::string> ids(const std::vector<Incident>& incidents) {
    std::vector<std::string> out;
    for (const auto& i : incidents) out.push_back(i.id);
    return out;
  }

 private:
  [[nodiscard]] sqlite::OpenOptions options() const {
    sqlite::OpenOptions out;
    out.path = (folder_ / "state.db").string();
    return out;
  }
  test::TempDir folder_{"archive"};
  async::asio::io_context io_;
  async::BlockingPool pool_;
  SqliteStateStore store_;
  StateWriter writer_{io_.get_executor(), pool_, store_};

 protected:
  StateArchive archive_;
};

TEST_F(Archive, FindsAnIncidentByTheBeginningOfItsIdInSmallLettersToo) {
  put("1AAAB1", kNow);
  put("1AAAB12", kNow);
  put("1AACC3", kNow);
  const auto file = get(archive_.file("1aac"));
  ASSERT_TRUE(file) << describe(file.error());
  EXPECT_EQ(file->incident.id, "1AACC3");
  EXPECT_THAT(file->decisions, SizeIs(1));
  EXPECT_THAT(file->deliveries, SizeIs(1));
  EXPECT_EQ(get(archive_.file("1AAAB1"))->incident.id, "1AAAB1") << "a whole id is no beginning of another";
}

TEST_F(Archive, SaysWhenAnIdIsUnknownOrTooShort) {
  put("1AAAB1", kNow);
  put("1AAAB2", kNow);
  const auto several = get(archive_.file("1AAA"));
  EXPECT_EQ(several.error().code, Errc::invalid);
  EXPECT_THAT(several.error().what, HasSubstr("1AAAB1, 1AAAB2"));
  EXPECT_EQ(get(archive_.file("9")).error().code, Errc::not_found);
}

TEST_F(Archive, ListsTheNewestFirstAcrossTheStretchesItReadsIn) {
  put("1A", kNow - hours(30));
  put("1B", kNow - hours(13));
  put("1C", kNow - minutes(1));
  put("1D", kNow);
  EXPECT_THAT(ids(get(archive_.incidents(kNow - hours(30), kNow, 9)).value()), ElementsAre("1C", "1B", "1A"));
  EXPECT_THAT(ids(get(archive_.incidents(kNow - hours(20), kNow + minutes(1), 2)).value()), ElementsAre("1D", "1C"));
  EXPECT_THAT(ids(get(archive_.incidents(kNow, kNow, 9)).value()), SizeIs(0));
}

TEST_F(Archive, LosesAndDoublesNothingOfAStormOrAQuietPast) {
  put("1OLD", kNow - hours(24 * 60));
  for (int i = 0; i < 130; ++i) put("1S" + std::to_string(1'000 + i), kNow);  // at one moment
  for (int i = 0; i < 90; ++i) put("1T" + std::to_string(1'000 + i), kNow + minutes(i));
  const auto found = get(archive_.incidents(kNow - hours(24 * 90), kNow + hours(24), 1'000));
  ASSERT_THAT(*found, SizeIs(221));
  const auto all = ids(*found);
  EXPECT_EQ(std::set<std::string>(all.begin(), all.end()).size(), 221U);
  EXPECT_EQ(all.front(), "1T1089");
  EXPECT_EQ(all.back(), "1OLD");
  EXPECT_THAT(*get(archive_.incidents(kNow - hours(24 * 90), kNow + hours(24), 100)), SizeIs(100)) << "the newest of them";
}

TEST_F(Archive, ReadsManyFilesInPieces) {
  for (int i = 0; i < 120; ++i) put("1" + std::to_string(1'000 + i), kNow + minutes(i));
  const auto files = get(archive_.files(kNow, kNow + hours(24), 1'000));
  ASSERT_TRUE(files);
  ASSERT_THAT(*files, SizeIs(120));
  for (const auto& file : *files) EXPECT_EQ(file.decisions.at(0).incident, file.incident.id);
  EXPECT_THAT(get(archive_.decisions("alert-11005")).value(), SizeIs(1));
}

}  // namespace
}  // namespace ward::collector
