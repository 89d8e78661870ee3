#include "collector/foreign/foreign_alerts.hpp"

#include <gmock/gmock.h>

namespace ward::collector {
namespace {

using std::chrono::minutes;
using std::chrono::seconds;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

constexpr Time kNow = from_ms(1'790'000'000'000);

PostedAlert alert(Labels labels, std::optional<Time> ends = std::nullopt) {
  labels.set("alertname", "DiskFull");
  return {.labels = std::move(labels),
          .annotations = {},
          .starts_at = kNow - minutes(3),
          .ends_at = ends,
          .generator_url = "http://prometheus/graph"};
}

std::vector<std::string> lines(const std::vector<AlertEvent>& events) {
  std::vector<std::string> out;
  for (const auto& e : events)
    out.push_back(std::string(to_string(e.phase)) + " " + std::string(e.labels.get("class")) + " " +
                  std::string(e.labels.get("instance")));
  return out;
}

TEST(ForeignAlerts, FireUntilTheirEndIsPosted) {
  ForeignAlerts inbox;
  const auto began = inbox.post({alert({{"instance", "a"}, {"severity", "critical"}})}, "", kNow);
  ASSERT_TRUE(began);
  EXPECT_THAT(lines(*began), ElementsAre("firing urgent a"));
  EXPECT_EQ(began->front().active_at, kNow - minutes(3));
  EXPECT_TRUE(is_foreign(began->front()));
  EXPECT_THAT(inbox.current(), SizeIs(1));
  const auto ended = inbox.post({alert({{"instance", "a"}, {"severity", "critical"}}, kNow)}, "", kNow + seconds(30));
  EXPECT_THAT(lines(*ended), ElementsAre("resolved urgent a"));
  EXPECT_THAT(inbox.current(), IsEmpty());
}

TEST(ForeignAlerts, EndWhenNobodyRepeatsThem) {
  ForeignAlerts inbox;
  (void)inbox.post({alert({{"instance", "a"}}, kNow + minutes(4)), alert({{"instance", "b"}})}, "", kNow);
  EXPECT_THAT(*inbox.post({alert({{"instance", "b"}})}, "", kNow + minutes(3)), IsEmpty()) << "a repetition tells nothing";
  EXPECT_THAT(inbox.expire(kNow + minutes(4) - seconds(1)), IsEmpty());
  EXPECT_THAT(lines(inbox.expire(kNow + minutes(4))), ElementsAre("resolved actionable a"));
  EXPECT_THAT(lines(inbox.expire(kNow + minutes(8))), ElementsAre("resolved actionable b"));
  EXPECT_EQ(inbox.counts().expired, 2U);
}

TEST(ForeignAlerts, TakeTheClassTheySayElseThatOfTheirSeverity) {
  ForeignAlerts inbox;
  const auto told =
      inbox.post({alert({{"instance", "a"}, {"class", "executive"}, {"severity", "info"}}),
                  alert({{"instance", "b"}, {"severity", "page"}}), alert({{"instance", "c"}, {"severity", "none"}}),
                  alert({{"instance", "d"}, {"severity", "warning"}}), alert({{"instance", "e"}})},
                 "", kNow);
  EXPECT_THAT(lines(*told), ElementsAre("firing executive a", "firing urgent b", "firing informational c",
                                        "firing actionable d", "firing actionable e"));
}

TEST(ForeignAlerts, AreOfTheTenantWhoseTokenPostsThem) {
  ForeignAlerts inbox;
  const auto told = inbox.post({alert({{"tenant", "clinic-b"}})}, "clinic-a", kNow);
  EXPECT_EQ(told->front().labels.get("tenant"), "clinic-a");
}

TEST(ForeignAlerts, FireOnOverARestartUntilTheyCanBeRepeated) {
  ForeignAlerts first;
  const auto live = *first.post({alert({{"instance", "a"}})}, "", kNow);
  ForeignAlerts second;
  second.restore(live, kNow + minutes(10));
  EXPECT_THAT(second.current(), SizeIs(1));
  EXPECT_THAT(second.expire(kNow + minutes(14)), IsEmpty());
  EXPECT_THAT(second.expire(kNow + minutes(15)), SizeIs(1));
  auto own = live;
  own[0].generator = "pack.yaml: group \"g\", rule \"R\"";
  ForeignAlerts third;
  third.restore(own, kNow);
  EXPECT_THAT(third.current(), IsEmpty()) << "what a rule made is the rule's";
}

TEST(ForeignAlerts, RefuseWholeRequestsAndSayWhy) {
  const std::vector<std::pair<PostedAlert, std::string>> bad{
      {PostedAlert{}, "no label 'alertname'"},
      {alert({{"class", "grave"}}), "'DiskFull' has the class 'grave'"},
      {alert({{"service", "ward"}}), "of the service 'ward'"},
      {alert({{"text", std::string(3'000, 'x')}}), "'text' that is too long"},
  };
  for (const auto& [wrong, why] : bad) {
    ForeignAlerts inbox;
    const auto told = inbox.post({alert({{"instance", "a"}}), wrong}, "", kNow);
    ASSERT_FALSE(told) << why;
    EXPECT_THAT(told.error().what, HasSubstr(why));
    EXPECT_EQ(told.error().code, Errc::invalid);
    EXPECT_THAT(inbox.current(), IsEmpty());
    EXPECT_EQ(inbox.counts().refused, 2U);
  }
}

TEST(ForeignAlerts, AreBounded) {
  ForeignAlerts inbox(ForeignAlerts::Options{.most = 2});
  ASSERT_TRUE(inbox.post({alert({{"instance", "a"}}), alert({{"instance", "b"}})}, "", kNow));
  EXPECT_EQ(inbox.post({alert({{"instance", "c"}})}, "", kNow).error().code, Errc::overloaded);
}

}  // namespace
}  // namespace ward::collector
