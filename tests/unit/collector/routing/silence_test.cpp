#include "collector/routing/silence.hpp"

#include <gmock/gmock.h>

#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

using std::chrono::hours;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

const Time kNow = parse_time("2026-11-23T10:00:00Z").value();

AlertSilence silence(std::vector<SilenceMatcher> matchers = {{.name = "alertname", .value = "X"}}) {
  AlertSilence s;
  s.matchers = std::move(matchers);
  s.starts_at = kNow;
  s.ends_at = kNow + hours(1);
  s.created_by = "anna";
  s.comment = "work";
  return s;
}

TEST(SilenceBook, KnowsWhatIsPendingActiveAndExpired) {
  SilenceBook book;
  auto later = silence();
  later.starts_at = kNow + hours(1);
  later.ends_at = kNow + hours(2);
  ASSERT_TRUE(book.put(later, "s1", kNow));
  const Labels x{{"alertname", "X"}};
  EXPECT_EQ(state_of(*book.find("s1"), kNow), SilenceState::pending);
  EXPECT_EQ(book.covering(x, kNow + hours(1) - milliseconds(1)), nullptr);
  EXPECT_EQ(book.covering(x, kNow + hours(1))->id, "s1");
  EXPECT_EQ(book.covering(Labels{{"alertname", "Y"}}, kNow + hours(1)), nullptr);
  EXPECT_EQ(book.covering(x, kNow + hours(2)), nullptr);
  EXPECT_EQ(book.next_change(kNow), kNow + hours(1));
  EXPECT_EQ(book.next_change(kNow + hours(1)), kNow + hours(2));
  EXPECT_EQ(book.next_change(kNow + hours(2)), Time::max());
}

TEST(SilenceBook, CoversByAllFourKindsOfMatcher) {
  SilenceBook book;
  book.put(silence({{.name = "a", .value = "1"},
                    {.name = "b", .value = "2", .is_equal = false},
                    {.name = "c", .value = "3|4", .is_regex = true},
                    {.name = "d", .value = "5.*", .is_regex = true, .is_equal = false}}),
           "s1", kNow);
  EXPECT_THAT(book.all_covering(Labels{{"a", "1"}, {"c", "4"}}, kNow), ElementsAre("s1"));
  EXPECT_THAT(book.all_covering(Labels{{"a", "1"}, {"b", "2"}, {"c", "4"}}, kNow), IsEmpty());
  EXPECT_THAT(book.all_covering(Labels{{"a", "1"}, {"c", "34"}}, kNow), IsEmpty());
  EXPECT_THAT(book.all_covering(Labels{{"a", "1"}, {"c", "3"}, {"d", "55"}}, kNow), IsEmpty());
}

TEST(SilenceBook, ChangesOneInItsPlaceOnlyWhereWhatItCoversStays) {
  SilenceBook book;
  book.put(silence(), "s1", kNow);
  auto longer = silence();
  longer.id = "s1";
  longer.ends_at = kNow + hours(5);
  EXPECT_EQ(book.put(longer, "s2", kNow + hours(0))->id, "s1");
  EXPECT_EQ(book.find("s1")->ends_at, kNow + hours(5));
  auto other = longer;
  other.matchers = {{.name = "alertname", .value = "Y"}};
  const auto put = book.put(other, "s2", kNow + milliseconds(5));
  EXPECT_EQ(put->id, "s2");
  ASSERT_EQ(put->changed.size(), 2U);
  EXPECT_EQ(put->changed[0].id, "s1");
  EXPECT_TRUE(put->changed[0].ended);
  EXPECT_EQ(state_of(*book.find("s1"), kNow), SilenceState::expired);
  auto again = silence();
  again.id = "s1";
  EXPECT_EQ(book.put(again, "s3", kNow + milliseconds(6))->id, "s3");
}

TEST(SilenceBook, RefusesWhatWouldSilenceByMistake) {
  const auto refused = [](auto change) {
    SilenceBook book;
    auto s = silence();
    change(s);
    const auto put = book.put(s, "s1", kNow);
    EXPECT_FALSE(put);
    EXPECT_THAT(book.list(), IsEmpty());
    return put ? std::string() : describe(put.error());
  };
  EXPECT_THAT(refused([](AlertSilence& s) { s.comment = ""; }), HasSubstr("needs a comment"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.created_by = ""; }), HasSubstr("needs an author"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.matchers.clear(); }), HasSubstr("would cover everything"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.matchers = {{.name = "a", .value = ".*", .is_regex = true}}; }),
              HasSubstr("would cover everything"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.matchers = {{.name = "a", .value = "x", .is_equal = false}}; }),
              HasSubstr("would cover everything"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.matchers[0].name = "1a"; }), HasSubstr("label name"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.matchers = {{.name = "a", .value = "(", .is_regex = true}}; }),
              HasSubstr("no regular expression"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.ends_at = s.starts_at; }), HasSubstr("not after its start"));
  EXPECT_THAT(refused([](AlertSilence& s) {
                s.starts_at = kNow - hours(3);
                s.ends_at = kNow - hours(2);
              }),
              HasSubstr("endsAt"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.id = "unknown"; }), HasSubstr("there is no silence 'unknown'"));
  EXPECT_THAT(refused([](AlertSilence& s) { s.matchers.resize(51, s.matchers[0]); }), HasSubstr("more than 50"));
}

TEST(SilenceBook, NeverBeginsInThePast) {
  SilenceBook book;
  auto s = silence();
  s.starts_at = kNow - hours(3);
  book.put(s, "s1", kNow);
  EXPECT_EQ(book.find("s1")->starts_at, kNow);
}

TEST(SilenceBook, EndsOneOnce) {
  SilenceBook book;
  book.put(silence(), "s1", kNow);
  EXPECT_TRUE(book.expire("s1", kNow));
  EXPECT_EQ(book.expire("s1", kNow).error().code, Errc::invalid);
  EXPECT_EQ(book.expire("s2", kNow).error().code, Errc::not_found);
}

TEST(SilenceBook, ForgetsExpiredOnesAfterFiveDays) {
  SilenceBook book;
  book.put(silence(), "s1", kNow);
  EXPECT_THAT(book.forget(kNow + hours(120)), IsEmpty());
  EXPECT_THAT(book.forget(kNow + hours(122)), ElementsAre("s1"));
  EXPECT_EQ(book.find("s1"), nullptr);
}

TEST(SilenceBook, HasABoundAndForgetsTheOldestOfTooManyThatExpired) {
  SilenceBook book;
  for (std::size_t i = 0; i < SilenceBook::kMost; ++i) ASSERT_TRUE(book.put(silence(), "s" + std::to_string(i), kNow));
  EXPECT_EQ(book.put(silence(), "more", kNow).error().code, Errc::overloaded);
  auto change = silence();
  change.id = "s7";
  EXPECT_TRUE(book.put(change, "more", kNow)) << "a change adds none";
  for (std::size_t i = 0; i < SilenceBook::kMostExpired + 3; ++i) {
    ASSERT_TRUE(book.expire("s0", kNow + milliseconds(1)));
    auto next = silence();
    next.starts_at = kNow + milliseconds(i);
    ASSERT_TRUE(book.put(next, "t" + std::to_string(i), kNow + milliseconds(1)));
    ASSERT_TRUE(book.expire("t" + std::to_string(i), kNow + milliseconds(2 + i)));
    ASSERT_TRUE(book.put(silence(), "s0", kNow + milliseconds(1)));
  }
  EXPECT_THAT(book.forget(kNow + milliseconds(1)), testing::SizeIs(3));
  EXPECT_NE(book.find("s1"), nullptr);
}

TEST(SilenceBook, LeavesOutWhatItCannotUnderstand) {
  auto broken = silence({{.name = "a", .value = "(", .is_regex = true}});
  broken.id = "s1";
  EXPECT_THAT(SilenceBook({broken}).list(), IsEmpty());
}

}  // namespace
}  // namespace ward::collector
