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
  const auto began = inbox.post({alert({{"instance", "a"}, {"severity", "critical"}})}, "", kNow).told;
  EXPECT_THAT(lines(began), ElementsAre("firing urgent a"));
  EXPECT_EQ(began.front().active_at, kNow - minutes(3));
  EXPECT_TRUE(is_foreign(began.front()));
  EXPECT_THAT(inbox.current(), SizeIs(1));
  const auto ended = inbox.post({alert({{"instance", "a"}, {"severity", "critical"}}, kNow)}, "", kNow + seconds(30));
  EXPECT_THAT(lines(ended.told), ElementsAre("resolved urgent a"));
  EXPECT_THAT(inbox.current(), IsEmpty());
}

TEST(ForeignAlerts, EndWhenNobodyRepeatsThem) {
  ForeignAlerts inbox;
  (void)inbox.post({alert({{"instance", "a"}}, kNow + minutes(4)), alert({{"instance", "b"}})}, "", kNow);
  EXPECT_THAT(inbox.post({alert({{"instance", "b"}})}, "", kNow + minutes(3)).told, IsEmpty())
      << "a repetition tells nothing";
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
                  alert({{"instance", "d"}, {"class", "gold"}, {"severity", "warning"}}), alert({{"instance", "e"}})},
                 "", kNow);
  EXPECT_THAT(lines(told.told), ElementsAre("firing executive a", "firing urgent b", "firing informational c",
                                            "firing actionable d", "firing actionable e"));
}

TEST(ForeignAlerts, AreOfTheTenantWhoseTokenPostsThem) {
  ForeignAlerts inbox;
  const auto told = inbox.post({alert({{"tenant", "clinic-b"}})}, "clinic-a", kNow);
  EXPECT_EQ(told.told.front().labels.get("tenant"), "clinic-a");
}

TEST(ForeignAlerts, FireOnOverARestartUntilTheyCanBeRepeated) {
  ForeignAlerts first;
  const auto live = first.post({alert({{"instance", "a"}})}, "", kNow).told;
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

TEST(ForeignAlerts, BeginAnewWhenTheyAreHeardOfAgainAfterALongTime) {
  ForeignAlerts inbox;
  const auto first = inbox.post({alert({{"instance", "a"}})}, "", kNow).told;
  (void)inbox.expire(kNow + minutes(5));
  const auto again = inbox.post({alert({{"instance", "a"}})}, "", kNow + minutes(30)).told;
  ASSERT_THAT(again, SizeIs(1));
  EXPECT_GT(again[0].active_at, first[0].active_at) << "the same beginning would be the incident of then";
}

TEST(ForeignAlerts, RefuseWhatCannotBeTakenAndTakeTheRest) {
  const std::vector<std::pair<PostedAlert, std::string>> bad{
      {PostedAlert{}, "no label 'alertname'"},
      {alert({{"service", "ward"}}), "of the service 'ward'"},
      {alert({{"text", std::string(3'000, 'x')}}), "'text' that is too long"},
  };
  for (const auto& [wrong, why] : bad) {
    ForeignAlerts inbox;
    const auto posted = inbox.post({wrong, alert({{"instance", "a"}})}, "", kNow);
    ASSERT_TRUE(posted.refused) << why;
    EXPECT_THAT(posted.refused->what, HasSubstr(why));
    EXPECT_EQ(posted.refused->code, Errc::invalid);
    EXPECT_THAT(lines(posted.told), ElementsAre("firing actionable a"));
    EXPECT_EQ(inbox.counts().refused, 1U);
  }
}

TEST(ForeignAlerts, AreBoundedAndTheirRepetitionsAndEndsAreTakenAllTheSame) {
  ForeignAlerts inbox(ForeignAlerts::Options{.most = 2});
  (void)inbox.post({alert({{"instance", "a"}}), alert({{"instance", "b"}})}, "", kNow);
  EXPECT_EQ(inbox.post({alert({{"instance", "c"}})}, "", kNow).refused->code, Errc::overloaded);
  const auto posted = inbox.post({alert({{"instance", "a"}}), alert({{"instance", "b"}}, kNow)}, "", kNow + seconds(1));
  EXPECT_FALSE(posted.refused);
  EXPECT_THAT(lines(posted.told), ElementsAre("resolved actionable b"));
}

TEST(ForeignAlerts, AClockThatIsSetBackKeepsNoneForLonger) {
  ForeignAlerts inbox;
  (void)inbox.expire(kNow);
  (void)inbox.post({alert({{"instance", "a"}}, kNow + minutes(4))}, "", kNow);
  EXPECT_THAT(inbox.expire(kNow - std::chrono::hours(1)), IsEmpty());
  EXPECT_THAT(inbox.expire(kNow - std::chrono::hours(1) + minutes(4)), SizeIs(1));
}

}  // namespace
}  // namespace ward::collector
