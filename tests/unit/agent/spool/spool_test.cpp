// What the agent relies on: records in order, numbers that are never used twice, nothing trimmed that somebody still needs.
#include "agent/spool/spool.hpp"

#include <gmock/gmock.h>

#include "tests/support/spool_bed.hpp"

namespace ward::agent {
namespace {

using std::chrono::seconds;
using test::accounted;
using test::batch_of;
using test::kSpoolEpoch;
using test::SpoolBed;
using test::words;

TEST(Spool, GivesBackWhatWasAppended) {
  SpoolBed bed;
  auto& spool = bed.start();
  spool.append(batch_of(3, DataClass::sli, 7));
  const auto items = bed.items(bed.stream());
  ASSERT_EQ(items.size(), 1U);
  const auto& record = std::get<wire::Record>(items[0]);
  EXPECT_EQ(record.seq, Sequence{1});
  EXPECT_EQ(record.data_class, DataClass::sli);
  EXPECT_EQ(record.t_min, kSpoolEpoch + seconds{7});
  ASSERT_EQ(record.samples.size(), 3U);
  EXPECT_EQ(record.digest, wire::digest(record.samples));
  auto& source = spool.source("c1");
  EXPECT_EQ(source.series(record.samples[2].id), (Labels{{"__name__", "m"}, {"i", "2"}}));
  EXPECT_EQ(record.samples[2].v, 9.0);
}

TEST(Spool, CutsALargeBatchIntoRecords) {
  SpoolBed bed;
  bed.start().append(batch_of(9'000));
  EXPECT_EQ(words(bed.items(bed.stream())), "1:4096, 2:4096, 3:808");
}

TEST(Spool, KeepsEventsBesideSamplesAndTakesThemForPageRelevant) {
  SpoolBed bed;
  auto& spool = bed.start();
  auto batch = batch_of(2);
  batch.events.push_back({kSpoolEpoch + seconds{3}, "pod_killed", Labels{{"pod", "odoo-1"}}});
  spool.append(batch);
  const auto items = bed.items(bed.stream());
  ASSERT_EQ(items.size(), 2U);
  const auto& record = std::get<wire::Record>(items[1]);
  EXPECT_EQ(record.kind, wire::RecordKind::events);
  EXPECT_EQ(record.data_class, DataClass::page);
  EXPECT_EQ(record.events, batch.events);
}

TEST(Spool, ReadsFromAnyPositionAndNothingBeyondTheEnd) {
  SpoolBed bed;
  auto& spool = bed.start();
  for (int i = 1; i <= 4; ++i) spool.append(batch_of(static_cast<std::size_t>(i)));
  EXPECT_EQ(words(bed.items(bed.stream(), 3)), "3:3, 4:4");
  EXPECT_EQ(words(bed.items(bed.stream(), 5)), "");
  EXPECT_FALSE(spool.source("c1").read(bed.stream(), Sequence{99}).value());
}

TEST(Spool, GivesOneStreamToEachTenant) {
  SpoolBed bed;
  bed.options.tenants = {TenantId{"clinic-a"}, TenantId{"clinic-b"}};
  auto& spool = bed.start();
  spool.append(batch_of(1, DataClass::raw, 0, "clinic-b"));
  spool.append(batch_of(2, DataClass::raw, 0, "clinic-a"));
  const auto streams = spool.source("c1").streams();
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(words(bed.items(streams[0])), "1:2");
  EXPECT_EQ(words(bed.items(streams[1])), "1:1");
}

TEST(Spool, NamesNoStreamOfATenantThatIsNotConfiguredAnyMore) {
  SpoolBed bed;
  bed.options.tenants = {TenantId{"clinic-a"}, TenantId{"clinic-b"}};
  bed.start().append(batch_of(3, DataClass::raw, 0, "clinic-b"));
  bed.options.tenants = {TenantId{"clinic-a"}};
  auto& spool = bed.restart();
  for (const auto& stream : spool.source("c1").streams()) EXPECT_EQ(stream.tenant, TenantId{"clinic-a"});
}

TEST(Spool, DropsWhatNobodyHoldsOfARemovedTenantCountsItAndSaysSoOnce) {
  SpoolBed bed;
  bed.options.tenants = {TenantId{"clinic-a"}, TenantId{"clinic-b"}};
  auto& first = bed.start();
  for (std::size_t i = 1; i <= 4; ++i) first.append(batch_of(i, DataClass::raw, 0, "clinic-b"));
  first.append(batch_of(5));
  for (const auto& stream : first.source("c1").streams())
    if (stream.tenant == TenantId{"clinic-b"}) bed.acknowledge(stream, 2);
  first.maintain();
  bed.options.tenants = {TenantId{"clinic-a"}};
  auto& spool = bed.restart();
  spool.maintain();
  EXPECT_EQ(spool.stats().removed_tenant_samples, 3U + 4);
  EXPECT_EQ(spool.stats().records, 1U);
  const auto notices = spool.take_notices();
  ASSERT_EQ(notices.size(), 1U);
  EXPECT_THAT(notices[0].what, testing::HasSubstr("'clinic-b'"));
  spool.maintain();
  EXPECT_TRUE(spool.take_notices().empty());
  bed.restart().maintain();
  EXPECT_TRUE(bed.spool->take_notices().empty());
  EXPECT_EQ(words(bed.items(bed.stream(false))), "1:5");
}

TEST(Spool, TrimsWhatTheOnlyCollectorAcknowledged) {
  SpoolBed bed;
  auto& spool = bed.start();
  for (int i = 0; i < 5; ++i) spool.append(batch_of(10));
  bed.acknowledge(bed.stream(), 3);
  spool.maintain();
  const auto stream = bed.stream();
  EXPECT_EQ(stream.base, Sequence{4});
  EXPECT_EQ(stream.sampled_before_base, 30U);
  EXPECT_EQ(spool.stats().records, 2U);
}

TEST(Spool, KeepsWhatOneOfTwoCollectorsStillNeeds) {
  SpoolBed bed{{"c1", "c2"}};
  auto& spool = bed.start();
  for (int i = 0; i < 5; ++i) spool.append(batch_of(10));
  bed.acknowledge(bed.stream(), 5, "c1");
  spool.maintain();
  EXPECT_EQ(bed.stream().base, Sequence{1});
  bed.acknowledge(bed.stream(), 2, "c2");
  spool.maintain();
  EXPECT_EQ(bed.stream().base, Sequence{3});
}

TEST(Spool, NeverTakesAnAcknowledgementBack) {
  SpoolBed bed;
  auto& spool = bed.start();
  for (int i = 0; i < 5; ++i) spool.append(batch_of(1));
  bed.acknowledge(bed.stream(), 4);
  bed.acknowledge(bed.stream(), 2);
  spool.maintain();
  EXPECT_EQ(bed.stream().base, Sequence{5});
}

TEST(Spool, AcknowledgementsSurviveARestart) {
  SpoolBed bed{{"c1", "c2"}};
  auto& spool = bed.start();
  for (int i = 0; i < 5; ++i) spool.append(batch_of(1));
  bed.acknowledge(bed.stream(), 5, "c1");
  bed.acknowledge(bed.stream(), 1, "c2");
  spool.maintain();
  bed.restart();
  EXPECT_FALSE(bed.has_old_stream("c1"));  // c1 has nothing to get from it
  EXPECT_EQ(words(bed.items(bed.stream(false, "c2"), 1, "c2")), "2:1, 3:1, 4:1, 5:1");
}

TEST(Spool, ACollectorThatWasRemovedHoldsNothingBack) {
  SpoolBed bed{{"c1", "gone"}};
  bed.start().append(batch_of(1));
  bed.acknowledge(bed.stream(), 1, "c1");
  bed.spool->maintain();
  bed.options.collectors = {"c1"};
  auto& spool = bed.restart();
  bed.acknowledge(bed.stream(false), 1);  // as its next WELCOME does
  spool.maintain();
  EXPECT_EQ(spool.streams().size(), 1U);
}

TEST(Spool, ACollectorThatWasAddedGetsWhatIsStillThere) {
  SpoolBed bed;
  auto& spool = bed.start();
  for (int i = 0; i < 4; ++i) spool.append(batch_of(1));
  bed.acknowledge(bed.stream(), 2);
  spool.maintain();
  bed.options.collectors = {"c1", "new"};
  bed.restart();
  const auto stream = bed.stream(false, "new");
  EXPECT_EQ(stream.base, Sequence{3});
  EXPECT_EQ(words(bed.items(stream, 1, "new")), "3:1, 4:1");
}

TEST(Spool, EachLifeHasAStreamOfItsOwnAndTheOldOneKeepsItsNumbers) {
  SpoolBed bed;
  bed.start().append(batch_of(1));
  bed.spool->append(batch_of(2));
  const auto before = bed.stream();
  auto& spool = bed.restart();
  spool.append(batch_of(3));
  EXPECT_NE(bed.stream().incarnation, before.incarnation);
  EXPECT_EQ(bed.stream().boot, before.boot + 1);
  EXPECT_EQ(words(bed.items(bed.stream())), "1:3");
  const auto old = bed.stream(false);
  EXPECT_EQ(old.incarnation, before.incarnation);
  EXPECT_EQ(old.next, Sequence{3});
  EXPECT_EQ(words(bed.items(old)), "1:1, 2:2");
}

TEST(Spool, AnOldStreamGoesWhenItIsAcknowledged) {
  SpoolBed bed;
  bed.start().append(batch_of(1));
  auto& spool = bed.restart();
  bed.acknowledge(bed.stream(false), 1);
  spool.maintain();
  EXPECT_EQ(spool.streams().size(), 1U);
  EXPECT_EQ(spool.stats().records, 0U);
}

TEST(Spool, SeriesKeepTheirNumbersAsLongAsRecordsUseThem) {
  SpoolBed bed;
  auto& spool = bed.start();
  spool.append(batch_of(3));
  const auto before = std::get<wire::Record>(bed.items(bed.stream())[0]).samples;
  auto& again = bed.restart();
  again.append(batch_of(3));
  const auto after = std::get<wire::Record>(bed.items(bed.stream())[0]).samples;
  for (std::size_t i = 0; i < 3; ++i) EXPECT_EQ(after[i].id, before[i].id);
}

TEST(Spool, SeriesThatNoRecordUsesAreForgottenAtAStart) {
  SpoolBed bed;
  bed.start().append(batch_of(300));
  bed.acknowledge(bed.stream(), 1);
  bed.spool->maintain();
  auto& spool = bed.restart();
  Batch other;
  other.tenant = TenantId{"clinic-a"};
  other.time = kSpoolEpoch;
  other.values.push_back({Labels{{"__name__", "new"}}, 1});
  spool.append(other);
  EXPECT_EQ(std::get<wire::Record>(bed.items(bed.stream())[0]).samples[0].id, 0U);
}

TEST(Spool, KillAfterAppendLosesNothing) {
  SpoolBed bed;
  bed.start().append(batch_of(5));
  bed.spool->append(batch_of(6));
  bed.restart();
  EXPECT_EQ(words(bed.items(bed.stream(false))), "1:5, 2:6");
}

TEST(Spool, PowerLossTakesNothingThatWasForced) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SpoolBed bed{{"c1"}, seed};
    bed.start().append(batch_of(1));
    bed.spool->maintain();
    bed.spool->append(batch_of(2, DataClass::page));
    bed.lose_power();
    bed.start();
    EXPECT_EQ(words(bed.items(bed.stream(false))), "1:1, 2:2") << seed;
  }
}

TEST(Spool, ANewStreamWithinALifeLeavesTheBacklogToDrain) {
  SpoolBed bed;
  auto& spool = bed.start();
  for (int i = 0; i < 3; ++i) spool.append(batch_of(1));
  EXPECT_EQ(spool.live_backlog("c1"), 3U);
  spool.start_new_streams();
  EXPECT_EQ(spool.live_backlog("c1"), 0U);
  spool.append(batch_of(2));
  EXPECT_EQ(words(bed.items(bed.stream())), "1:2");
  EXPECT_EQ(words(bed.items(bed.stream(false))), "1:1, 2:1, 3:1");
}

TEST(Spool, ARejectedRecordBecomesAGapWithItsSamples) {
  SpoolBed bed;
  auto& spool = bed.start();
  for (int i = 1; i <= 3; ++i) spool.append(batch_of(static_cast<std::size_t>(i)));
  ASSERT_TRUE(spool.source("c1").reject(bed.stream(), Sequence{2}));
  EXPECT_EQ(words(bed.items(bed.stream())), "1:1, 2-2:2 rejected, 3:3");
  EXPECT_EQ(spool.stats().dropped_samples.at(GapReason::rejected), 2U);
}

TEST(Spool, OffersNoMoreStreamsThanASessionTakesAndTheLiveOneAlways) {
  SpoolBed bed;
  bed.start();
  for (std::size_t i = 0; i < wire::kMaxStreams + 8; ++i) {
    bed.spool->append(batch_of(1));
    bed.spool->start_new_streams();
  }
  const auto streams = bed.spool->source("c1").streams();
  EXPECT_EQ(streams.size(), wire::kMaxStreams);
  EXPECT_TRUE(streams.back().live);
}

}  // namespace
}  // namespace ward::agent
