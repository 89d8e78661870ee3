#include "collector/event/metadata.hpp"

#include <gmock/gmock.h>

namespace ward::collector {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using testing::SizeIs;

const TenantId kA{"clinic-a"};
const TenantId kB{"clinic-b"};
const MetricDescription kUp{MetricType::gauge, "1 when it answers", ""};
const MetricDescription kOldUp{MetricType::unknown, "Up.", ""};

TEST(MetricMetadata, TellsAllMetricsByNameOrOne) {
  MetricMetadata metadata;
  metadata.put(kA, "up", kUp);
  metadata.put(kA, "node_load1", {MetricType::gauge, "1m load average", ""});
  const auto all = metadata.read();
  ASSERT_THAT(all, SizeIs(2));
  EXPECT_EQ(all[0].metric, "node_load1");
  EXPECT_EQ(all[1], (MetricMetadata::Entry{"up", {kUp}}));
  EXPECT_THAT(metadata.read("up"), ElementsAre(all[1]));
  EXPECT_THAT(metadata.read("nothing"), IsEmpty());
}

TEST(MetricMetadata, FindsWhatATenantSaysOfASeries) {
  MetricMetadata metadata;
  const MetricDescription latency{MetricType::histogram, "Latency.", "seconds"};
  metadata.put(kA, "up", kUp);
  metadata.put(kA, "latency_seconds", latency);
  metadata.put(kA, "queue", {MetricType::gauge, "Length.", ""});
  EXPECT_EQ(metadata.find(kA, "up"), kUp);
  EXPECT_EQ(metadata.find(kB, "up"), std::nullopt);
  EXPECT_EQ(metadata.find(kA, "latency_seconds_bucket"), latency);
  EXPECT_EQ(metadata.find(kA, "latency_seconds_count"), latency);
  EXPECT_EQ(metadata.find(kA, "queue_sum"), std::nullopt) << "a gauge has no such series";
}

TEST(MetricMetadata, TenantsThatAgreeAreOneDescriptionAndOthersStandBesideIt) {
  MetricMetadata metadata;
  metadata.put(kA, "up", kUp);
  metadata.put(kB, "up", kUp);
  EXPECT_THAT(metadata.read("up").at(0).descriptions, ElementsAre(kUp));
  metadata.put(kB, "up", kOldUp);
  EXPECT_THAT(metadata.read("up").at(0).descriptions, ElementsAre(kUp, kOldUp));
  EXPECT_EQ(metadata.size(), 2U);
}

TEST(MetricMetadata, ATenantsLatestWordCounts) {
  MetricMetadata metadata;
  metadata.put(kA, "up", kOldUp);
  metadata.put(kA, "up", kUp);
  EXPECT_THAT(metadata.read("up").at(0).descriptions, ElementsAre(kUp));
  EXPECT_EQ(metadata.size(), 1U);
}

TEST(MetricMetadata, ATenantAtItsLimitLeavesTheRoomOfTheOthersAndMayCorrectWhatItHas) {
  MetricMetadata metadata(MetricMetadata::Limits{2, 100});
  for (const char* name : {"a", "b", "c", "d"}) metadata.put(kA, name, kOldUp);
  EXPECT_EQ(metadata.size(), 2U);
  EXPECT_EQ(metadata.refused(), 2U);
  metadata.put(kA, "a", kUp);
  EXPECT_THAT(metadata.read("a").at(0).descriptions, ElementsAre(kUp));
  metadata.put(kB, "c", kUp);
  EXPECT_THAT(metadata.read("c"), SizeIs(1));
  EXPECT_EQ(metadata.refused(), 2U);
}

TEST(MetricMetadata, TheWholeRoomIsBoundedToo) {
  MetricMetadata metadata(MetricMetadata::Limits{10, 3});
  for (const char* name : {"a", "b"}) metadata.put(kA, name, kUp);
  for (const char* name : {"a", "b"}) metadata.put(kB, name, kUp);
  EXPECT_EQ(metadata.size(), 3U);
  EXPECT_EQ(metadata.refused(), 1U);
}

TEST(MetricMetadata, WhatIsNoNameOfAMetricIsRefused) {
  MetricMetadata metadata;
  for (const char* name : {"", "1up", "u p", "up\"", "\xff", "up{}"}) metadata.put(kA, name, kUp);
  EXPECT_THAT(metadata.read(), IsEmpty());
  EXPECT_EQ(metadata.refused(), 6U);
}

}  // namespace
}  // namespace ward::collector
