// Group commit: order, one at a time, and what happens while the disk is full.
#include "collector/ingest/commit_loop.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gmock/gmock.h>

#include "tests/unit/collector/ingest/fake_journal.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Fault = FakeJournal::Fault;

struct CommitLoopOverAFakeJournal : testing::Test {
  CommitLoop::Callbacks callbacks() {
    return {[this](const std::vector<Committed>& c) {
              for (const auto& [row, durable, arrived] : c)
                said.push_back("durable " + std::to_string(row.get()) + ":" + std::to_string(durable.get()));
            },
            [this](const Error& e) { said.push_back("lost: " + e.what); },
            [this](const Error&) { said.emplace_back("full"); }, [this] { said.emplace_back("not full"); },
            [this] { return may_write ? Status{} : fail(Errc::full, "the reserve is given up", ""); }};
  }
  /// Runs everything that is ready; returns when `until` holds, after 5 s at the latest.
  bool run(const std::function<bool()>& until) {
    io.restart();
    for (int i = 0; i < 5'000 && !until(); ++i) io.run_one_for(std::chrono::milliseconds{1});
    return until();
  }
  bool run_until_said(const std::string& what) {
    return run([&] { return std::find(said.begin(), said.end(), what) != said.end(); });
  }
  bool settle() {
    return run([this] { return loop.idle(); });
  }
  void note(const std::string& what) {
    loop.look([this] { ++looked; }, [this, what] { said.push_back(what); });
  }

  boost::asio::io_context io;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work = boost::asio::make_work_guard(io);
  FakeJournal journal;
  Catalogue catalogue{{}};
  FakeSink sink;
  Recorder recorder{journal, catalogue, sink};
  async::BlockingPool pool{async::BlockingPool::Options{1, std::chrono::seconds{1}}};
  std::vector<std::string> said;
  std::atomic<int> looked{0};
  std::atomic<bool> may_write{true};
  CommitLoop loop{io.get_executor(), pool, recorder, callbacks(), {.retry_every = milliseconds{2}}};
};

TEST_F(CommitLoopOverAFakeJournal, CommitsWhatArrivesMeanwhileAsOneGroup) {
  for (std::uint64_t i = 1; i <= 5; ++i) loop.submit(received(1, i));
  EXPECT_EQ(loop.waiting(), 4U);  // the first one is on its way
  ASSERT_TRUE(settle());
  EXPECT_THAT(journal.calls.all(), ElementsAre("commit 1", "commit 4"));
  EXPECT_THAT(said, ElementsAre("durable 1:1", "durable 1:5"));
}

TEST_F(CommitLoopOverAFakeJournal, ASenderThatIsAloneWaitsForNothing) {
  CommitLoop patient{io.get_executor(), pool, recorder, callbacks(), {.gather = std::chrono::hours{1}}};
  for (std::uint64_t i = 1; i <= 3; ++i) {
    patient.submit(received(1, i));
    ASSERT_TRUE(run_until_said("durable 1:" + std::to_string(i)));
  }
}

TEST_F(CommitLoopOverAFakeJournal, SendersThatWereAnsweredTogetherAreCommittedTogetherAgain) {
  CommitLoop patient{io.get_executor(), pool, recorder, callbacks(), {.gather = std::chrono::hours{1}}};
  patient.submit({received(1, 1), received(2, 1), received(3, 1)});
  ASSERT_TRUE(run_until_said("durable 3:1"));
  patient.submit(received(1, 2));
  patient.submit(received(2, 2));
  EXPECT_EQ(patient.waiting(), 2U);
  patient.submit(received(3, 2));
  ASSERT_TRUE(run_until_said("durable 3:2"));
  EXPECT_THAT(journal.calls.all(), ElementsAre("commit 3", "commit 3"));
}

TEST_F(CommitLoopOverAFakeJournal, WhoDoesNotComeAgainIsNotWaitedForLong) {
  CommitLoop brief{io.get_executor(), pool, recorder, callbacks(), {.gather = milliseconds{2}}};
  brief.submit({received(1, 1), received(2, 1)});
  ASSERT_TRUE(run_until_said("durable 2:1"));
  brief.submit(received(1, 2));
  EXPECT_TRUE(run_until_said("durable 1:2"));
}

TEST_F(CommitLoopOverAFakeJournal, RunsAJobAfterEverythingSubmittedBefore) {
  loop.submit(received(1, 1));
  loop.exclusive([this] { journal.calls.add("job"); }, [this] { said.emplace_back("done"); });
  loop.submit(received(1, 2));
  ASSERT_TRUE(settle());
  EXPECT_THAT(journal.calls.all(), ElementsAre("commit 1", "commit 1", "job"));
  EXPECT_THAT(said, ElementsAre("durable 1:1", "durable 1:2", "done"));
}

TEST_F(CommitLoopOverAFakeJournal, ALostGroupTakesWhatStandsBehindItAlong) {
  journal.fault = Fault::broken_before;
  loop.submit(received(1, 1));
  loop.submit(received(1, 2));
  ASSERT_TRUE(settle());
  EXPECT_THAT(said, ElementsAre("lost: disk I/O error"));
  EXPECT_THAT(journal.stored[StreamRow{1}], IsEmpty());
}

TEST_F(CommitLoopOverAFakeJournal, KeepsARefusedGroupAndCommitsItWhenThereIsRoom) {
  journal.fault = Fault::full;
  loop.submit(received(1, 1));
  ASSERT_TRUE(run_until_said("full"));
  EXPECT_TRUE(loop.is_full());
  loop.submit(received(1, 2));
  // Tried again and again; between two tries both groups wait, during one of them the first does not.
  ASSERT_TRUE(run([this] { return journal.calls.size() > 3 && loop.waiting() == 2; }));
  EXPECT_THAT(said, ElementsAre("full"));  // told once, however often it is tried
  journal.fault = Fault::none;
  ASSERT_TRUE(settle());
  EXPECT_FALSE(loop.is_full());
  EXPECT_THAT(said, ElementsAre("full", "not full", "durable 1:1", "durable 1:2"));
  EXPECT_THAT(journal.stored[StreamRow{1}], ElementsAre(1, 2));
}

TEST_F(CommitLoopOverAFakeJournal, DoesNotWriteWhileItMayNot) {
  may_write = false;
  loop.submit(received(1, 1));
  ASSERT_TRUE(run_until_said("full"));
  EXPECT_THAT(journal.calls.all(), IsEmpty());
  may_write = true;
  ASSERT_TRUE(settle());
  EXPECT_THAT(journal.calls.all(), ElementsAre("commit 1"));
}

TEST_F(CommitLoopOverAFakeJournal, ALookDoesNotWaitForRoom) {
  journal.fault = Fault::full;
  loop.submit(received(1, 1));
  note("looked with the group");
  ASSERT_TRUE(run_until_said("looked with the group"));
  note("looked later");
  ASSERT_TRUE(run_until_said("looked later"));
  EXPECT_THAT(said, ElementsAre("full", "looked with the group", "looked later"));
  journal.fault = Fault::none;
  ASSERT_TRUE(settle());
  EXPECT_EQ(looked, 2);
}

TEST_F(CommitLoopOverAFakeJournal, AJobThatNeedsRoomWaitsForIt) {
  journal.fault = Fault::full;
  loop.submit(received(1, 1));
  loop.exclusive([] {}, [this] { said.emplace_back("chunks"); });
  ASSERT_TRUE(run([this] { return journal.calls.size() > 3; }));
  EXPECT_THAT(said, ElementsAre("full"));
  journal.fault = Fault::none;
  ASSERT_TRUE(settle());
  EXPECT_THAT(said, ElementsAre("full", "not full", "durable 1:1", "chunks"));
}

TEST_F(CommitLoopOverAFakeJournal, ReliefComesWhileTheDiskIsFullAndWhatWaitedGoesOnAtOnce) {
  std::vector<std::string>& told = said;
  CommitLoop patient{io.get_executor(), pool, recorder, callbacks(), {.retry_every = std::chrono::hours{1}}};
  journal.fault = Fault::full;
  patient.submit(received(1, 1));
  ASSERT_TRUE(run_until_said("full"));
  patient.exclusive([] {}, [&told] { told.emplace_back("needed room"); });
  patient.submit(received(1, 2));
  patient.relieve([this] { (void)journal.drop_before(Time{}); }, [&told] { told.emplace_back("dropped"); });
  patient.relieve([this] { journal.calls.add("chunks"); }, [] {});
  ASSERT_TRUE(run([&] { return patient.idle(); }));
  EXPECT_THAT(journal.calls.all(), ElementsAre("commit 1", "drop_before", "chunks", "commit 1", "commit 1"));
  EXPECT_THAT(said, ElementsAre("full", "dropped", "not full", "durable 1:1", "durable 1:2", "needed room"));
}

TEST_F(CommitLoopOverAFakeJournal, ReliefThatMadeNoRoomIsFollowedByOneAttemptAndTheTimer) {
  CommitLoop patient{io.get_executor(), pool, recorder, callbacks(), {.retry_every = std::chrono::hours{1}}};
  journal.fault = Fault::full;
  patient.submit(received(1, 1));
  ASSERT_TRUE(run_until_said("full"));
  patient.relieve([] {}, [this] { said.emplace_back("relieved"); });
  ASSERT_TRUE(run([this] { return journal.calls.size() == 2; }));
  for (int i = 0; i < 20; ++i) io.run_one_for(std::chrono::milliseconds{1});
  EXPECT_THAT(journal.calls.all(), ElementsAre("commit 1", "commit 1"));
  EXPECT_THAT(said, ElementsAre("full", "relieved"));
  EXPECT_TRUE(patient.is_full());
}

TEST_F(CommitLoopOverAFakeJournal, ReliefWaitsForWhatWasSubmittedBeforeWhileThereIsRoom) {
  loop.submit(received(1, 1));
  loop.submit(received(1, 2));
  loop.relieve([this] { journal.calls.add("chunks"); }, [this] { said.emplace_back("done"); });
  ASSERT_TRUE(settle());
  EXPECT_THAT(journal.calls.all(), ElementsAre("commit 1", "commit 1", "chunks"));
  EXPECT_THAT(said, ElementsAre("durable 1:1", "durable 1:2", "done"));
}

TEST_F(CommitLoopOverAFakeJournal, WhatIsForgottenIsNotCommittedAndTheRestIs) {
  journal.fault = Fault::full;
  loop.submit(received(1, 1));
  ASSERT_TRUE(run_until_said("full"));
  loop.submit(received(2, 1));
  loop.submit(received_gap(1, 2, 3));
  StreamState first;
  first.row = StreamRow{1};
  loop.look([] {}, [this, first] { loop.forget(std::span{&first, 1}); });
  ASSERT_TRUE(run([this] { return loop.waiting() == 1; }));
  journal.fault = Fault::none;
  ASSERT_TRUE(settle());
  EXPECT_THAT(journal.stored[StreamRow{1}], IsEmpty());
  EXPECT_THAT(journal.stored[StreamRow{2}], ElementsAre(1));
  EXPECT_THAT(said, ElementsAre("full", "not full", "durable 2:1"));
}

TEST_F(CommitLoopOverAFakeJournal, LearnsOfRoomWhenNothingWaitsAnyMore) {
  journal.fault = Fault::full;
  loop.submit(received(1, 1));
  ASSERT_TRUE(run_until_said("full"));
  StreamState only;
  only.row = StreamRow{1};
  loop.look([] {}, [this, only] { loop.forget(std::span{&only, 1}); });
  ASSERT_TRUE(run([this] { return loop.waiting() == 0 && journal.calls.last() == "probe"; }));
  EXPECT_TRUE(loop.is_full());
  journal.fault = Fault::none;
  ASSERT_TRUE(settle());
  EXPECT_THAT(said, ElementsAre("full", "not full"));
}

TEST_F(CommitLoopOverAFakeJournal, ADiskThatBreaksWhileItIsFullIsNotFullAnyMore) {
  journal.fault = Fault::full;
  loop.submit(received(1, 1));
  ASSERT_TRUE(run_until_said("full"));
  journal.fault = Fault::broken_before;
  ASSERT_TRUE(settle());
  EXPECT_THAT(said, ElementsAre("full", "not full", "lost: disk I/O error"));
}

TEST_F(CommitLoopOverAFakeJournal, SaysNothingAfterItsStopAndLeavesTheJournalAlone) {
  bool stopped = false;
  // In one turn of the io thread, so that the commit cannot be answered between the two.
  const auto submit_and_stop = [this]() -> async::Task<void> {
    loop.submit(received(1, 1));
    co_await loop.stop();
  };
  boost::asio::co_spawn(io, submit_and_stop(), [&](const std::exception_ptr&) { stopped = true; });
  ASSERT_TRUE(run([&] { return stopped; }));
  EXPECT_THAT(journal.calls.all(), ElementsAre("commit 1"));  // what was under way has ended: the journal may go
  EXPECT_THAT(said, IsEmpty());
}

}  // namespace
}  // namespace ward::collector
