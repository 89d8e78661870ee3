// Nothing reaches the head or an acknowledgement that is not in the journal, and what is in the journal reaches both.
#include "collector/ingest/recorder.hpp"

#include <gmock/gmock.h>

#include "tests/unit/collector/ingest/fake_journal.hpp"

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Fault = FakeJournal::Fault;

struct RecorderOverAFakeJournal : testing::Test {
  Result<std::vector<Committed>> commit(std::vector<JournalEntry> entries) { return recorder.commit(entries); }
  SeriesId new_series() {
    return catalogue.resolve(TenantId{"a"}, AgentId{"n"}, Labels{{"__name__", "m" + std::to_string(catalogue.size())}});
  }
  FakeJournal journal;
  Catalogue catalogue{{}};
  FakeSink sink;
  Recorder recorder{journal, catalogue, sink};
};

TEST_F(RecorderOverAFakeJournal, CommitsSeriesWithTheirFirstSamplesAndThenHandsOn) {
  const auto id = new_series();
  const auto done = commit({received(1, 1, {id})});
  ASSERT_TRUE(done);
  EXPECT_THAT(*done, ElementsAre(Committed{StreamRow{1}, Sequence{1}}));
  EXPECT_THAT(journal.calls.all(), ElementsAre("series 1", "commit 1"));
  EXPECT_THAT(sink.got, ElementsAre("define 0", "sample 0"));
}

TEST_F(RecorderOverAFakeJournal, SaysTheHighestSequenceOfEachStreamGapsIncluded) {
  const auto done = commit({received(1, 1), received(2, 7), received_gap(1, 2, 9), received(2, 8)});
  EXPECT_THAT(done.value(), ElementsAre(Committed{StreamRow{1}, Sequence{9}}, Committed{StreamRow{2}, Sequence{8}}));
}

TEST_F(RecorderOverAFakeJournal, AFullDiskChangesNothingAndKeepsTheSeriesNew) {
  const auto id = new_series();
  journal.fault = Fault::full;
  const auto refused = commit({received(1, 1, {id})});
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Errc::full);
  EXPECT_THAT(sink.got, IsEmpty());
  journal.fault = Fault::none;
  ASSERT_TRUE(commit({received(1, 1, {id})}));
  EXPECT_THAT(sink.got, ElementsAre("define 0", "sample 0"));
}

TEST_F(RecorderOverAFakeJournal, ABrokenCommitThatDidNotHappenIsLost) {
  const auto id = new_series();
  journal.fault = Fault::broken_before;
  EXPECT_FALSE(commit({received(1, 1, {id})}));
  EXPECT_THAT(sink.got, IsEmpty());
  EXPECT_THAT(journal.calls.all(), ElementsAre("series 1", "commit 1", "reopen"));
  ASSERT_TRUE(commit({received(1, 1, {id})}));  // sent again: its series goes with it again
  EXPECT_THAT(sink.got, ElementsAre("define 0", "sample 0"));
}

TEST_F(RecorderOverAFakeJournal, ABrokenCommitThatHappenedAllTheSameReachesTheHeadOnce) {
  const auto id = new_series();
  journal.fault = Fault::broken_after;
  const auto done = commit({received(1, 1, {id}), received(1, 2, {id})});
  EXPECT_THAT(done.value(), ElementsAre(Committed{StreamRow{1}, Sequence{2}}));
  EXPECT_THAT(sink.got, ElementsAre("define 0", "sample 0", "sample 0"));
}

TEST_F(RecorderOverAFakeJournal, WhatTheHeadKnowsIsJournaledAndNotToldAgain) {
  const auto id = new_series();
  auto entry = received(1, 1, {id});
  std::get<ReceivedRecord>(entry).known = true;
  EXPECT_THAT(commit({entry}).value(), ElementsAre(Committed{StreamRow{1}, Sequence{1}, false}));
  EXPECT_THAT(journal.calls.all(), ElementsAre("series 1", "commit 1"));
  EXPECT_THAT(sink.got, ElementsAre("define 0"));
  std::get<ReceivedRecord>(entry).record.seq = Sequence{2};
  EXPECT_THAT(commit({entry, received(1, 3, {id})}).value(), ElementsAre(Committed{StreamRow{1}, Sequence{3}, true}));
}

TEST_F(RecorderOverAFakeJournal, ProbesWithoutTouchingTheHead) {
  EXPECT_TRUE(recorder.probe());
  journal.fault = Fault::full;
  EXPECT_EQ(recorder.probe().error().code, Errc::full);
  EXPECT_THAT(sink.got, IsEmpty());
}

/// Writes down what it is told, beside what the journal is.
struct FakeTap final : RecordTap {
  explicit FakeTap(Calls& to) : calls(to) {}
  void offer(std::span<const JournalEntry> entries) override { calls.add("offer " + std::to_string(entries.size())); }
  void confirm(std::span<const JournalEntry> entries) override { calls.add("confirm " + std::to_string(entries.size())); }
  Calls& calls;
};

struct RecorderWithATap : RecorderOverAFakeJournal {
  RecorderWithATap() : tap(journal.calls), tapped(journal, catalogue, sink, &tap) {}
  FakeTap tap;
  Recorder tapped;
};

TEST_F(RecorderWithATap, OffersBeforeTheJournalCommitsAndConfirmsAfter) {
  ASSERT_TRUE(tapped.commit(std::vector{received(1, 1), received(1, 2)}));
  EXPECT_THAT(journal.calls.all(), ElementsAre("offer 2", "commit 2", "confirm 2"));
}

TEST_F(RecorderWithATap, ConfirmsNothingThatTheJournalDoesNotHave) {
  journal.fault = Fault::full;
  EXPECT_FALSE(tapped.commit(std::vector{received(1, 1)}));
  journal.fault = Fault::broken_before;
  EXPECT_FALSE(tapped.commit(std::vector{received(1, 1)}));
  EXPECT_THAT(journal.calls.all(), ElementsAre("offer 1", "commit 1", "offer 1", "commit 1", "reopen"));
}

TEST_F(RecorderWithATap, ConfirmsWhatTurnsOutToHaveHappened) {
  journal.fault = Fault::broken_after;
  ASSERT_TRUE(tapped.commit(std::vector{received(1, 1)}));
  EXPECT_THAT(journal.calls.all(), ElementsAre("offer 1", "commit 1", "reopen", "confirm 1"));
}

}  // namespace
}  // namespace ward::collector
