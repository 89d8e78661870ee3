#include "collector/store/sqlite/journal.hpp"

#include <gmock/gmock.h>
#include <numeric>
#include <set>

#include "tests/sim/disk.hpp"
#include "tests/support/processes.hpp"
#include "tests/support/replay.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

StreamKey key(std::uint8_t incarnation, const std::string& agent = "node-1") {
  StreamKey out{TenantId{"clinic-a"}, AgentId{agent}, {}};
  out.incarnation.bytes[0] = incarnation;
  return out;
}

ReceivedRecord record(StreamRow row, std::uint64_t seq, std::vector<std::uint32_t> ids, std::uint64_t refused = 0) {
  ReceivedRecord out;
  out.stream = row;
  out.refused = refused;
  out.record.seq = Sequence{seq};
  out.record.t_min = out.record.t_max = from_ms(static_cast<std::int64_t>(seq));
  for (const auto id : ids) out.record.samples.push_back({id, out.record.t_min, 0.5 + static_cast<double>(seq)});
  out.record.digest = wire::digest(out.record.samples);
  return out;
}

struct Replayed {
  std::map<SeriesId, Labels> series;
  std::map<SeriesId, std::int64_t> days;
  std::vector<wire::IdSample> samples;
  std::optional<SeriesId> highest;
  std::uint64_t damaged = 0;
};

class JournalFile : public testing::Test {
 protected:
  JournalFile() { open(); }
  void open() {
    journal_.reset();
    disk_.bury();
    journal_ = std::move(SqliteJournal::open({"journal.db", disk_.vfs()}).value());
  }
  StreamState stream(const StreamKey& of) {
    const std::vector<std::uint64_t> boots{3};
    return journal_->open_streams(std::span{&of, 1}, boots).value().at(0);
  }
  Status commit(std::vector<JournalEntry> entries, std::vector<NewSeries> series = {}) {
    return journal_->commit(series, entries);
  }
  Replayed replay() {
    Replayed out;
    Journal::KnownSeries into;
    into.series = [&](SeriesId id, Labels labels) { out.series.emplace(id, std::move(labels)); };
    into.day = [&](StoredDay stored) { out.days[stored.series] = stored.day; };
    const auto read = test::replay(*journal_, into, [&](const std::vector<wire::IdSample>& samples) {
                        out.samples.insert(out.samples.end(), samples.begin(), samples.end());
                      }).value();
    out.damaged = read.damaged;
    out.highest = read.highest;
    return out;
  }
  sqlite::Database raw() {
    journal_.reset();
    sqlite::OpenOptions file;
    file.path = "journal.db";
    file.vfs = disk_.vfs();
    return std::move(sqlite::Database::open(file).value());
  }
  /// Uses up what room the log still has.
  void fill_up() {
    disk_.set_full(true);
    const auto row = stream(key(99)).row;
    std::uint64_t seq = 1;
    while (commit({record(row, seq, std::vector<std::uint32_t>(500, 0))})) ++seq;
  }

  sim::Disk disk_{"journal-test", 1};
  std::unique_ptr<SqliteJournal> journal_;
};

TEST_F(JournalFile, KeepsRecordsMarksAndCountsOfACommit) {
  const auto row = stream(key(1)).row;
  ASSERT_TRUE(commit({record(row, 1, {0, 1}), record(row, 2, {0}, 4),
                      ReceivedGap{row, {Sequence{3}, Sequence{9}, 77, GapReason::spool_full, from_ms(1), from_ms(2)}}},
                     {{0, Labels{{"__name__", "a"}}}, {1, Labels{{"__name__", "b"}}}}));
  open();
  const auto state = stream(key(1));
  EXPECT_EQ(state.row, row);
  EXPECT_EQ(state.boot, 3U);
  EXPECT_EQ(state.durable, Sequence{9});
  EXPECT_EQ(state.stored, 3U);
  EXPECT_EQ(state.refused, 4U);
  EXPECT_EQ(state.lost, 77U);
  const auto all = replay();
  EXPECT_EQ(all.damaged, 0U);
  EXPECT_THAT(all.series, SizeIs(2));
  ASSERT_THAT(all.samples, SizeIs(3));
  EXPECT_EQ(all.samples[2].v, 2.5);
}

TEST_F(JournalFile, OpensStreamsInTheOrderAskedAndKnowsThemAgain) {
  const std::vector<StreamKey> keys{key(2), key(1), key(2, "node-2")};
  const std::vector<std::uint64_t> boots{1, 1, 1};
  const auto first = journal_->open_streams(keys, boots).value();
  const auto again = journal_->open_streams(keys, boots).value();
  ASSERT_THAT(first, SizeIs(3));
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(first[i].key, keys[i]);
    EXPECT_EQ(first[i], again[i]);
  }
}

TEST_F(JournalFile, OpeningAStreamTakesNoRoomAndItsRowComesWithItsFirstCommit) {
  const auto known = stream(key(1)).row;
  ASSERT_TRUE(commit({record(known, 1, {0})}));
  fill_up();
  const auto writes = disk_.syncs();
  const auto row = stream(key(2)).row;
  EXPECT_EQ(stream(key(1)).durable, Sequence{1});
  EXPECT_EQ(disk_.syncs(), writes);
  EXPECT_EQ(commit({record(row, 1, std::vector<std::uint32_t>(500, 0))}).error().code, Errc::full);
  disk_.set_full(false);
  ASSERT_TRUE(commit({record(row, 1, {0})}));
  open();
  EXPECT_EQ(stream(key(2)).row, row);
  EXPECT_EQ(stream(key(2)).durable, Sequence{1});
}

TEST_F(JournalFile, AStreamThatNeverSentIsForgottenByARestart) {
  const auto row = stream(key(1)).row;
  open();
  EXPECT_THAT(journal_->streams().value(), IsEmpty());
  EXPECT_EQ(stream(key(2)).row, row);  // nothing refers to the number any more
}

TEST_F(JournalFile, SessionsKeepTheirNumbersWhenTheFileIsOpenedAgain) {
  const auto row = stream(key(1)).row;
  const auto fresh = stream(key(2)).row;
  disk_.fail_next_sync();
  EXPECT_EQ(commit({record(row, 1, {0})}).error().code, Errc::unavailable);
  ASSERT_TRUE(journal_->reopen());
  EXPECT_EQ(stream(key(2)).row, fresh);
  ASSERT_TRUE(commit({record(fresh, 1, {0})}));
  open();
  EXPECT_EQ(stream(key(2)).durable, Sequence{1});
}

TEST_F(JournalFile, AFullDiskChangesNothing) {
  const auto row = stream(key(1)).row;
  ASSERT_TRUE(commit({record(row, 1, {0})}));
  fill_up();
  const auto before = replay().samples.size();
  EXPECT_EQ(commit({record(row, 2, std::vector<std::uint32_t>(500, 0))}).error().code, Errc::full);
  EXPECT_EQ(stream(key(1)).durable, Sequence{1});
  EXPECT_EQ(replay().samples.size(), before);
  EXPECT_EQ(journal_->probe().has_value(), false);
  disk_.set_full(false);
  EXPECT_TRUE(journal_->probe());
  EXPECT_TRUE(commit({record(row, 2, {0})}));
}

TEST_F(JournalFile, ASettledBatchTakesTheRowsItCoversAndKeepsItsSeries) {
  const auto row = stream(key(1)).row;
  ASSERT_TRUE(commit({record(row, 1, {0})}, {{0, Labels{{"__name__", "a"}}}}));
  EXPECT_EQ(journal_->rows_since_chunks(), 1U);
  EXPECT_EQ(journal_->batch().value(), 0);
  const std::vector<NewSeries> series{{1, Labels{{"__name__", "own"}}}};
  const std::vector<StoredDay> days{{0, 20'780}, {1, 20'781}};
  ASSERT_TRUE(journal_->settle_chunks({1, series, days}));
  EXPECT_EQ(journal_->rows_since_chunks(), 0U);
  open();
  const auto all = replay();
  EXPECT_EQ(journal_->batch().value(), 1);
  EXPECT_THAT(all.samples, IsEmpty());
  EXPECT_THAT(all.series, SizeIs(2));
  EXPECT_EQ(all.days, (std::map<SeriesId, std::int64_t>{{0, 20'780}, {1, 20'781}}));
  EXPECT_EQ(stream(key(1)).durable, Sequence{1});
}

TEST_F(JournalFile, ARowOfASeriesWrittenAgainKeepsItsDay) {
  const std::vector<NewSeries> series{{0, Labels{{"__name__", "a"}}}};
  ASSERT_TRUE(commit({}, series));
  ASSERT_TRUE(journal_->settle_chunks({1, {}, std::vector<StoredDay>{{0, 7}}}));
  ASSERT_TRUE(commit({}, series));
  EXPECT_EQ(replay().days, (std::map<SeriesId, std::int64_t>{{0, 7}}));
  ASSERT_TRUE(commit({}, {{0, Labels{{"__name__", "a"}}, 9}, {1, Labels{{"__name__", "b"}}, 3}}));
  EXPECT_EQ(replay().days, (std::map<SeriesId, std::int64_t>{{0, 9}, {1, 3}}));
  ASSERT_TRUE(commit({}, {{0, Labels{{"__name__", "a"}}, 8}}));
  EXPECT_EQ(replay().days.at(0), 9);
}

TEST_F(JournalFile, HasANumberOfItsOwnForLife) {
  const auto number = journal_->identity().value();
  EXPECT_GT(number, 0);
  open();
  EXPECT_EQ(journal_->identity().value(), number);
  journal_.reset();
  disk_.wipe();
  open();
  EXPECT_NE(journal_->identity().value(), number);
}

TEST_F(JournalFile, AfterAFailedSyncTheNumberTellsWhetherTheBatchWasSettled) {
  for (std::uint64_t sync = 1; sync <= 4; ++sync) {
    SCOPED_TRACE(sync);
    journal_.reset();
    disk_.wipe();
    journal_ = std::move(SqliteJournal::open({"journal.db", disk_.vfs(), 0, 1}).value());  // each commit is checkpointed
    const auto row = stream(key(1)).row;
    ASSERT_TRUE(commit({record(row, 1, {0})}));
    disk_.fail_sync_after(sync);
    const bool failed = !journal_->settle_chunks({1, {}, {}});
    disk_.fail_sync_after(0);
    if (failed) {
      EXPECT_FALSE(journal_->batch()) << "nobody may rely on it before it was opened again";
    }
    ASSERT_TRUE(commit({record(row, 2, {0})}));
    const auto rows = replay().samples.size();
    EXPECT_EQ(rows, journal_->batch().value() == 1 ? 1U : 2U);
    EXPECT_EQ(journal_->rows_since_chunks(), rows);
  }
}

TEST_F(JournalFile, CountsTheRowsThatWaitForChunksAsTheFileHoldsThem) {
  const auto row = stream(key(1)).row;
  auto events = record(row, 2, {});
  events.record.kind = wire::RecordKind::events;
  events.record.events = {{from_ms(2), "oom", {}}};
  ASSERT_TRUE(
      commit({record(row, 1, {0}), events, ReceivedGap{row, {Sequence{3}, Sequence{4}, 7, GapReason::crash, {}, {}}}}));
  EXPECT_EQ(journal_->rows_since_chunks(), 1U);
  open();
  EXPECT_EQ(journal_->rows_since_chunks(), 1U);
}

TEST_F(JournalFile, RetentionDropsEventsThatAreOlder) {
  const auto row = stream(key(1)).row;
  auto events = record(row, 1, {});
  events.record.kind = wire::RecordKind::events;
  for (std::int64_t t = 0; t < 5'000; ++t) events.record.events.push_back({from_ms(t), "oom", {}});  // more than one slice
  ASSERT_TRUE(commit({events}));
  ASSERT_TRUE(journal_->drop_before(from_ms(4'998)));
  journal_.reset();
  EXPECT_EQ(raw().scalar("SELECT count(*) FROM event").value(), 2);
}

TEST_F(JournalFile, DropsRowsOfSeriesAlsoMoreThanOneSlice) {
  std::vector<NewSeries> series;
  std::vector<SeriesId> most;
  for (SeriesId id = 0; id < 5'000; ++id) {
    series.push_back({id, Labels{{"__name__", "m" + std::to_string(id)}}});
    if (id != 7) most.push_back(id);
  }
  ASSERT_TRUE(commit({}, series));
  ASSERT_TRUE(journal_->drop_series(most));
  const auto left = replay().series;
  ASSERT_THAT(left, SizeIs(1));
  EXPECT_EQ(left.begin()->first, 7U);
}

class SilentStreams : public JournalFile {
 protected:
  static constexpr std::chrono::hours kDay{24};
  SilentStreams() {
    quiet_ = stream(key(1)).row;
    busy_ = stream(key(2)).row;
    EXPECT_TRUE(
        commit({record(quiet_, 1, {0, 1}), ReceivedGap{quiet_, {Sequence{2}, Sequence{3}, 5, GapReason::crash, {}, {}}},
                record(busy_, 1, {0})}));
    EXPECT_TRUE(pass());
  }
  Status pass(std::vector<StreamRow> in_use = {}) { return journal_->forget_streams({now_, 7 * kDay, std::move(in_use)}); }
  std::vector<StreamRow> rows() {
    const auto all = journal_->streams().value();
    std::vector<StreamRow> out;
    out.reserve(all.size());
    for (const auto& state : all) out.push_back(state.row);
    return out;
  }
  Time now_ = from_ms(1'764'000'000'000);
  StreamRow quiet_, busy_;
};

TEST_F(SilentStreams, AreForgottenAfterTheHorizonAndStayForgottenAfterARestart) {
  now_ += 7 * kDay;
  ASSERT_TRUE(commit({record(busy_, 2, {0})}));
  ASSERT_TRUE(pass());
  EXPECT_THAT(rows(), ElementsAre(quiet_, busy_));
  now_ += kDay;
  ASSERT_TRUE(pass());
  EXPECT_THAT(rows(), ElementsAre(busy_));
  open();
  EXPECT_THAT(rows(), ElementsAre(busy_));
}

TEST_F(SilentStreams, TheSilenceIsRememberedAcrossRestarts) {
  now_ += 5 * kDay;
  open();
  ASSERT_TRUE(pass());
  now_ += 3 * kDay;
  open();
  ASSERT_TRUE(pass());
  EXPECT_THAT(rows(), IsEmpty());
}

TEST_F(SilentStreams, GoOnWhereTheyEndedWhenTheirAgentComesBack) {
  const auto before = stream(key(1));
  ASSERT_TRUE(pass());
  now_ += 30 * kDay;
  ASSERT_TRUE(pass());
  ASSERT_THAT(rows(), IsEmpty());
  for (const bool restarted : {false, true}) {
    SCOPED_TRACE(restarted);
    if (restarted) open();
    const auto again = stream(key(1));
    EXPECT_EQ(again.row, before.row);
    EXPECT_EQ(again.mark(), before.mark());
  }
  ASSERT_TRUE(commit({record(quiet_, 4, {0})}));
  open();
  EXPECT_THAT(rows(), ElementsAre(quiet_));
  EXPECT_EQ(stream(key(1)).stored, before.stored + 1);
  EXPECT_THAT(replay().samples, SizeIs(4));
}

TEST_F(SilentStreams, OfAnOpenSessionOrJustOpenedStay) {
  for (int week = 0; week < 4; ++week) {
    now_ += 8 * kDay;
    ASSERT_EQ(stream(key(1)).row, quiet_);
    ASSERT_TRUE(pass({busy_}));
    EXPECT_THAT(rows(), ElementsAre(quiet_, busy_));
  }
}

TEST_F(SilentStreams, TheirMarksGoInTheEndAndTheirNumbersAreNotGivenAgain) {
  now_ += 8 * kDay;
  ASSERT_TRUE(pass());
  now_ += Journal::kKeepMarks + kDay;
  ASSERT_TRUE(pass());
  EXPECT_EQ(raw().scalar("SELECT count(*) FROM stream").value(), 1);  // the newest holds its number
  open();
  const auto fresh = stream(key(1));
  EXPECT_GT(fresh.row, busy_);
  EXPECT_EQ(fresh.durable, Sequence{0});
}

TEST_F(SilentStreams, AreKeptWhenForgettingFailsAndSessionsGoOn) {
  now_ += 8 * kDay;
  disk_.fail_next_sync();
  EXPECT_EQ(pass().error().code, Errc::unavailable);
  ASSERT_TRUE(journal_->reopen());
  EXPECT_THAT(rows(), ElementsAre(quiet_, busy_));
  ASSERT_TRUE(commit({record(quiet_, 4, {0})}));
  ASSERT_TRUE(pass());
  EXPECT_THAT(rows(), ElementsAre(quiet_));
}

TEST_F(SilentStreams, AClockThatStoodAheadDoesNotKeepThemForEver) {
  now_ += 365 * kDay;
  ASSERT_TRUE(pass({quiet_, busy_}));
  now_ -= 365 * kDay;
  ASSERT_TRUE(pass());
  now_ += 8 * kDay;
  ASSERT_TRUE(pass());
  EXPECT_THAT(rows(), IsEmpty());
}

class CappedJournal : public JournalFile {
 protected:
  static constexpr std::uint64_t kCap = 512 << 10;
  CappedJournal() { open_capped(); }
  void open_capped() {
    journal_.reset();
    disk_.bury();
    journal_ = std::move(SqliteJournal::open({"journal.db", disk_.vfs(), kCap}).value());
    row_ = stream(key(1)).row;
  }
  Status send() {
    auto done = commit({record(row_, seq_, std::vector<std::uint32_t>(500, 0))});
    if (done) ++seq_;
    return done;
  }
  void fill_with_records() {
    auto done = send();
    while (done) done = send();
    ASSERT_EQ(done.error().code, Errc::full);
  }
  StreamRow row_;
  std::uint64_t seq_ = 1;
};

TEST_F(CappedJournal, ASettledBatchIsRoomForNewRecords) {
  fill_with_records();
  EXPECT_EQ(journal_->probe().error().code, Errc::full);
  const std::vector<NewSeries> series{{0, Labels{{"__name__", "a"}}}};
  ASSERT_TRUE(journal_->settle_chunks({1, series, {}}));
  EXPECT_TRUE(journal_->probe());
  const auto before = seq_;
  fill_with_records();
  EXPECT_GT(seq_, before + 100) << "the room of what was covered is not used";
  EXPECT_LE(disk_.size("journal.db"), kCap);
  open_capped();
  EXPECT_EQ(replay().damaged, 0U);
  EXPECT_THAT(replay().series, SizeIs(1));
  EXPECT_EQ(stream(key(1)).durable.get(), seq_ - 1);
}

TEST_F(JournalFile, KnowsAContradiction) {
  const auto row = stream(key(1)).row;
  const auto entry = record(row, 1, {0});
  ASSERT_TRUE(commit({entry}));
  EXPECT_FALSE(journal_->contradicts(row, Sequence{1}, entry.record.digest).value());
  EXPECT_TRUE(journal_->contradicts(row, Sequence{1}, entry.record.digest + 1).value());
  EXPECT_FALSE(journal_->contradicts(row, Sequence{2}, 5).value());
}

TEST_F(JournalFile, TellsTheHighestNumberThatHasSamplesThoughNoRowSaysWhose) {
  EXPECT_FALSE(replay().highest);
  const auto row = stream(key(1)).row;
  ASSERT_TRUE(commit({record(row, 1, {4, 2})}));
  EXPECT_EQ(replay().highest, 4U);
}

struct Flip {
  const char* name;
  const char* sql;
};

class DamagedRow : public JournalFile, public testing::WithParamInterface<Flip> {};

TEST_P(DamagedRow, IsCountedAndLeftOutAndTheOthersStay) {
  const auto row = stream(key(1)).row;
  ASSERT_TRUE(commit({record(row, 1, {0}), record(row, 2, {0, 1})},
                     {{0, Labels{{"__name__", "a"}}}, {1, Labels{{"__name__", "b"}}}}));
  const auto before = replay();
  ASSERT_TRUE(raw().run(GetParam().sql));
  open();
  const auto after = replay();
  EXPECT_EQ(after.damaged, 1U);
  EXPECT_EQ(before.series.size() + before.samples.size() - after.series.size() - after.samples.size(), 1U);
}

INSTANTIATE_TEST_SUITE_P(
    All, DamagedRow,
    testing::Values(Flip{"Payload", "UPDATE journal SET payload=substr(payload,1,length(payload)-1)||x'33' WHERE seq=1"},
                    Flip{"Labels", "UPDATE series SET labels=replace(labels,'b','c') WHERE id=1"},
                    Flip{"SeriesNumber", "UPDATE series SET id=2 WHERE id=1"},
                    Flip{"EmptiedPayload", "UPDATE journal SET payload=zeroblob(length(payload)) WHERE seq=1"}),
    [](const auto& flip) { return std::string(flip.param.name); });

TEST_F(JournalFile, AFileFromBeforeVersionsIsBroughtUpWithItsRows) {
  {
    auto db = raw();
    ASSERT_TRUE(
        db.run("DROP TABLE stream; DROP TABLE journal; DROP TABLE series; DROP TABLE identity; DROP TABLE highest; DROP "
               "TABLE chunk_batch;"
               "PRAGMA user_version=0;"
               "CREATE TABLE series(id INTEGER PRIMARY KEY, labels BLOB NOT NULL);"
               "CREATE TABLE journal(position INTEGER PRIMARY KEY, stream INTEGER NOT NULL, seq INTEGER NOT NULL,"
               "class INTEGER NOT NULL, t_min INTEGER NOT NULL, t_max INTEGER NOT NULL, digest INTEGER NOT NULL,"
               "payload BLOB NOT NULL);"
               "CREATE TABLE chunk(id INTEGER PRIMARY KEY, series INTEGER NOT NULL, t_min INTEGER NOT NULL,"
               "t_max INTEGER NOT NULL, count INTEGER NOT NULL, data BLOB NOT NULL);"
               "INSERT INTO series VALUES(7,x'0101610162')"));
  }
  open();
  const auto all = replay();
  EXPECT_EQ(all.damaged, 0U);
  EXPECT_EQ(all.series, (std::map<SeriesId, Labels>{{7, Labels{{"a", "b"}}}}));
  EXPECT_EQ(journal_->batch().value(), 0);
  ASSERT_TRUE(commit({record(stream(key(1)).row, 1, {0})}));
}

TEST_F(JournalFile, AFileOfANewerReleaseIsRefusedAndUntouched) {
  ASSERT_TRUE(raw().run("PRAGMA user_version=42"));
  const auto refused = SqliteJournal::open({"journal.db", disk_.vfs()});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::denied);
  EXPECT_THAT(refused.error().what, HasSubstr("schema 42"));
  EXPECT_THAT(refused.error().fix, HasSubstr("newer release"));
}

}  // namespace
}  // namespace ward::collector
