// Requests whose series are known from earlier ones: what comes of them is what came of them then.
#include "collector/remote_write/batch.hpp"

#include <gmock/gmock.h>
#include <random>

#include "tests/support/remote_write_body.hpp"

namespace ward::collector {
namespace {

using remote_write::Message;
using remote_write::Refusal;
using remote_write::WriteRequest;
using test::body_v1;
using test::body_v2;
using test::SentSeries;
using testing::ElementsAre;

const TenantId kA{"clinic-a"};
const TenantId kB{"clinic-b"};
constexpr auto kUnknown = remote_write::Series::kUnknown;

std::uint64_t always_seven(std::string_view /*bytes*/, std::uint64_t /*seed*/) { return 7; }

SentSeries sent(std::vector<std::pair<std::string, std::string>> labels, std::int64_t time = 1'000) {
  return {std::move(labels), {{time, 0.5}}};
}
const SentSeries kUp = sent({{"__name__", "up"}, {"job", "node"}});
const SentSeries kLong = sent({{"__name__", "long"}, {"path", std::string(200, 'p')}, {"query", std::string(14'000, 'q')}});
const SentSeries kFewest = sent({{"__name__", "m"}});

/// A sender's requests to a catalogue of its own.
struct Sender {
  explicit Sender(LabelStore::Hash hash = hash_bytes) : catalogue({}, hash) {}
  RemoteWriteBatch send(const std::string& body, const TenantId& tenant = kA, Message message = Message::v1) {
    TenantSeries series(tenant, catalogue);
    auto decoded = remote_write::decode(message, body, {}, &series);
    EXPECT_TRUE(decoded) << describe(decoded.error());
    last = std::move(*decoded);
    last_known = 0;
    for (const auto& each : last.series) last_known += each.known != kUnknown ? 1 : 0;
    return make_batch(last, series);
  }
  /// The ids of the samples.
  std::vector<SeriesId> ids(const std::string& body, const TenantId& tenant = kA, Message message = Message::v1) {
    std::vector<SeriesId> out;
    for (const auto& record : send(body, tenant, message).batch.records)
      for (const auto& sample : record.samples) out.push_back(sample.id);
    return out;
  }
  Catalogue catalogue;
  WriteRequest last;
  std::size_t last_known = 0;
};

TEST(RemoteWriteBatch, ASeriesThatWasSentBeforeIsFoundByItsBytes) {
  Sender sender;
  const auto body = body_v1({kUp, kLong, kFewest});
  const auto first = sender.ids(body);
  EXPECT_EQ(sender.last_known, 0U);
  EXPECT_EQ(sender.ids(body), first);
  EXPECT_EQ(sender.last_known, 3U);
  EXPECT_THAT(sender.last.labels, testing::IsEmpty());
  EXPECT_EQ(sender.catalogue.size(), 3U);
}

TEST(RemoteWriteBatch, BothMessagesNameTheSameSeries) {
  Sender sender;
  const auto first = sender.ids(body_v2({kUp, kLong}), kA, Message::v2);
  EXPECT_EQ(sender.ids(body_v1({kUp, kLong})), first);
  EXPECT_EQ(sender.last_known, 2U);
}

TEST(RemoteWriteBatch, ASeriesThatAnAgentNamedIsLookedAtOnce) {
  Sender sender;
  const auto id = sender.catalogue.resolve(kA, AgentId{"node-1"}, Labels{{"__name__", "up"}, {"job", "node"}});
  EXPECT_THAT(sender.ids(body_v1({kUp})), ElementsAre(id));
  EXPECT_EQ(sender.last_known, 0U);
  EXPECT_THAT(sender.ids(body_v1({kUp})), ElementsAre(id));
  EXPECT_EQ(sender.last_known, 1U);
}

TEST(RemoteWriteBatch, TenantsNeverMix) {
  for (const auto hash : {LabelStore::Hash{hash_bytes}, LabelStore::Hash{always_seven}}) {
    Sender sender(hash);
    const auto body = body_v1({kUp, kFewest});
    const auto of_a = sender.ids(body, kA);
    const auto of_b = sender.ids(body, kB);
    EXPECT_EQ(sender.last_known, 0U);
    EXPECT_EQ(sender.ids(body, kA), of_a);
    EXPECT_EQ(sender.last_known, 2U);
    EXPECT_EQ(sender.ids(body, kB), of_b);
    EXPECT_EQ(sender.catalogue.size(), 4U);
    EXPECT_EQ(sender.catalogue.labels(of_b[0]).get("tenant"), "clinic-b");
  }
}

TEST(RemoteWriteBatch, ATenantLabelOfTheSenderGivesWayHoweverOftenItComes) {
  for (const auto* claimed : {"clinic-a", "clinic-b"}) {
    Sender sender;
    const auto id = sender.ids(body_v1({kUp}))[0];
    (void)sender.ids(body_v1({kUp}), kB);
    const auto body = body_v1({sent({{"__name__", "up"}, {"job", "node"}, {"tenant", claimed}})});
    EXPECT_THAT(sender.ids(body), ElementsAre(id));
    EXPECT_THAT(sender.ids(body), ElementsAre(id));
    EXPECT_EQ(sender.catalogue.size(), 2U);
  }
}

TEST(RemoteWriteBatch, WhatIsWrongWithLabelsIsRefusedThoughTheRightOnesAreKnown) {
  Sender sender;
  const auto good = body_v1({kUp});
  const struct {
    SentSeries series;
    Refusal refusal;
  } kBad[] = {{sent({{"job", "node"}, {"__name__", "up"}}), Refusal::unsorted_labels},
              {sent({{"__name__", "up"}, {"job", "node"}, {"job", "node"}}), Refusal::duplicate_label},
              {sent({{"__name__", "up"}, {"", "node"}}), Refusal::empty_label},
              {sent({{"job", "node"}}), Refusal::no_name},
              {sent({{"__name__", "up"}, {"job", "\xff"}}), Refusal::not_utf8}};
  for (const auto& bad : kBad) {
    for (int again = 0; again < 2; ++again) {
      (void)sender.ids(good);
      EXPECT_THAT(sender.ids(body_v1({bad.series})), testing::IsEmpty());
      EXPECT_EQ(sender.last.refused[bad.refusal].series, 1U) << to_string(bad.refusal);
    }
  }
  EXPECT_EQ(sender.catalogue.size(), 1U);
}

TEST(RemoteWriteBatch, ALabelWithoutAValueIsAbsentAlsoOfAKnownSeries) {
  Sender sender;
  const auto id = sender.ids(body_v1({kUp}))[0];
  EXPECT_THAT(sender.ids(body_v1({sent({{"__name__", "up"}, {"job", "node"}, {"zone", ""}})})), ElementsAre(id));
}

TEST(RemoteWriteBatch, LabelsBehindTheSamplesArePartOfTheSeries) {
  std::string body;
  {
    protozero::pbf_writer request(body);
    protozero::pbf_writer series(request, 1);
    const auto label = [&](const char* name, const char* value) {
      protozero::pbf_writer writer(series, 1);
      writer.add_string(1, name);
      writer.add_string(2, value);
    };
    label("__name__", "up");
    {
      protozero::pbf_writer sample(series, 2);
      sample.add_double(1, 1);
      sample.add_int64(2, 1'000);
    }
    label("job", "node");
  }
  Sender sender;
  const auto shorter = sender.ids(body_v1({sent({{"__name__", "up"}})}))[0];
  const auto id = sender.ids(body)[0];
  EXPECT_NE(id, shorter);
  EXPECT_THAT(sender.ids(body), ElementsAre(id)) << "its first bytes are those of the shorter one";
  EXPECT_EQ(sender.last.samples.size(), 1U);
}

TEST(RemoteWriteBatch, AKnownSeriesWithAnImpossibleTimeIsNamed) {
  Sender sender;
  (void)sender.ids(body_v1({kUp}));
  EXPECT_THAT(sender.ids(body_v1({sent(kUp.labels, std::numeric_limits<std::int64_t>::max())})), testing::IsEmpty());
  EXPECT_EQ(sender.last.refused[Refusal::bad_time].samples, 1U);
  EXPECT_THAT(sender.last.first_refused, testing::HasSubstr("(up)"));
}

TEST(RemoteWriteBatch, LimitsHoldForKnownSeries) {
  Sender sender;
  std::vector<SentSeries> all;
  for (int i = 0; i < 100; ++i) all.push_back(sent({{"__name__", "m"}, {"i", std::to_string(i)}}));
  const auto body = body_v1(all);
  (void)sender.ids(body);
  TenantSeries series(kA, sender.catalogue);
  for (const auto& [most_series, most_samples] : {std::pair{99, 1'000}, std::pair{1'000, 99}}) {
    remote_write::Limits limits;
    limits.series = static_cast<std::size_t>(most_series);
    limits.samples = static_cast<std::size_t>(most_samples);
    const auto decoded = remote_write::decode(Message::v1, body, limits, &series);
    ASSERT_FALSE(decoded);
    EXPECT_EQ(decoded.error().code, Errc::overloaded);
  }
  EXPECT_TRUE(remote_write::decode(Message::v1, body, {}, &series));
}

TEST(RemoteWriteBatch, AQuietSeriesThatWasRetiredOrErasedIsFoundAgainRightly) {
  Sender sender;
  const auto id = sender.ids(body_v1({kUp}))[0];
  (void)sender.catalogue.take_new();
  sender.catalogue.retire(std::vector{id});
  EXPECT_THAT(sender.ids(body_v1({kUp})), ElementsAre(id));
  EXPECT_EQ(sender.last_known, 0U) << "it has to count again";
  EXPECT_EQ(sender.catalogue.take_new().size(), 1U);
  sender.catalogue.retire(std::vector{id});
  sender.catalogue.retire({});
  sender.catalogue.erase(sender.catalogue.unused());
  EXPECT_EQ(sender.catalogue.size(), 0U);
  const auto fresh = sender.ids(body_v1({kUp}))[0];
  EXPECT_GT(fresh, id);
  EXPECT_EQ(sender.last_known, 0U);
  EXPECT_THAT(sender.ids(body_v1({kUp})), ElementsAre(fresh));
  EXPECT_EQ(sender.last_known, 1U);
}

TEST(RemoteWriteBatch, ABatchKeepsItsSeriesUntilItIsCommitted) {
  Sender sender;
  (void)sender.send(body_v1({kUp}));
  auto batch = sender.send(body_v1({kUp}));
  EXPECT_EQ(sender.last_known, 1U);
  const auto id = batch.batch.records[0].samples[0].id;
  sender.catalogue.retire(std::vector{id});
  sender.catalogue.retire({});
  EXPECT_THAT(sender.catalogue.unused(), testing::IsEmpty());
  batch = {};
  EXPECT_THAT(sender.catalogue.unused(), ElementsAre(id));
}

TEST(RemoteWriteBatch, IsTheSameWhetherSeriesAreKnownOrNotAndHoweverHashesCollide) {
  std::mt19937_64 random(20'261'123);
  Sender quick;
  Sender colliding(always_seven);
  for (int round = 0; round < 300; ++round) {
    std::vector<SentSeries> all;
    for (auto n = random() % 90; n > 0; --n) {
      SentSeries series{{{"__name__", "m" + std::to_string(random() % 3)}}, {}};
      for (const auto* name : {"a", "ab", "b", "tenant"})
        if (random() % 3 != 0) series.labels.emplace_back(name, std::string(random() % 4, 'a'));
      if (random() % 9 == 0) std::swap(series.labels.front(), series.labels.back());
      for (auto samples = random() % 3; samples > 0; --samples)
        series.samples.emplace_back(static_cast<std::int64_t>(random() % 1'000), 1.5);
      all.push_back(std::move(series));
    }
    const auto body = body_v1(all);
    const auto& tenant = random() % 2 == 0 ? kA : kB;
    const auto plain = remote_write::decode(Message::v1, body, {});
    const auto ids = quick.ids(body, tenant);
    ASSERT_EQ(colliding.ids(body, tenant), ids);
    ASSERT_EQ(quick.last.samples, plain->samples);
    ASSERT_EQ(quick.last.refused, plain->refused);
    ASSERT_EQ(quick.last.first_refused, plain->first_refused);
    std::size_t at = 0;
    for (const auto& series : plain->series) {
      std::vector<Label> labels;
      for (const auto& [name, value] : plain->labels_of(series)) labels.emplace_back(name, value);
      const auto expected = Labels(std::move(labels)).with("tenant", tenant.get());
      for (std::uint32_t i = 0; i < series.samples; ++i) ASSERT_EQ(quick.catalogue.labels(ids[at++]), expected);
    }
    ASSERT_EQ(at, ids.size());
    if (round % 50 == 49) {
      for (auto* sender : {&quick, &colliding}) {
        sender->catalogue.retire(ids);
        sender->catalogue.retire({});
        if (round % 100 == 99) sender->catalogue.erase(sender->catalogue.unused());
      }
    }
  }
  EXPECT_GT(quick.last_known, 0U);
}

}  // namespace
}  // namespace ward::collector
