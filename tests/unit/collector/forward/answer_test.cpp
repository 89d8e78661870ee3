#include "collector/forward/answer.hpp"

#include <gtest/gtest.h>

namespace ward::collector {
namespace {

using Kind = ForwardVerdict::Kind;
using remote_write::Message;
using std::chrono::seconds;

constexpr Time kNow = from_ms(784'111'777'000);  // Sun, 06 Nov 1994 08:49:37 GMT

tl::expected<http::Response, http::Failure> status(int code, http::Headers headers = {}) {
  http::Response response;
  response.status = code;
  response.headers = std::move(headers);
  return response;
}

ForwardVerdict verdict(int code, http::Headers headers = {}, Message message = Message::v1) {
  return judge(status(code, std::move(headers)), message, 10, kNow);
}

TEST(RetryAfter, TakesSecondsAndDatesUpToAnHour) {
  EXPECT_EQ(retry_after("7", kNow), seconds{7});
  EXPECT_EQ(retry_after("0", kNow), seconds{0});
  EXPECT_EQ(retry_after("99999999999", kNow), seconds{3'600});
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:47 GMT", kNow), seconds{10});
  EXPECT_EQ(retry_after("Sun, 06 Nov 1994 08:49:27 GMT", kNow), seconds{0});
  EXPECT_EQ(retry_after("Sun, 06 Nov 2094 08:49:37 GMT", kNow), seconds{3'600});
}

TEST(RetryAfter, TakesNothingElse) {
  for (const auto* text : {"", "-1", "7s", "soon", "Sun, 06 Nov 1994 08:49:47", "Sun, 06 Nov 1994 08:49:47 CET",
                           "Sun, 36 Nov 1994 08:49:47 GMT", "Sun, 06 Nix 1994 08:49:47 GMT", "Sun, 06 Nov 1994 28:49:47 GMT",
                           "Sunday, 06-Nov-94 08:49:37 GMT"})
    EXPECT_FALSE(retry_after(text, kNow)) << text;
}

TEST(Judge, TriesAgainWhatMayHelpAndGivesUpWhatWillNot) {
  for (const int code : {200, 202, 204}) EXPECT_EQ(verdict(code).kind, Kind::taken) << code;
  for (const int code : {301, 307, 429, 500, 502, 503, 504}) EXPECT_EQ(verdict(code).kind, Kind::again) << code;
  for (const int code : {400, 401, 403, 404, 409, 413, 415, 422}) EXPECT_EQ(verdict(code).kind, Kind::refused) << code;
}

TEST(Judge, WaitsAsLongAsTheReceiverAsks) {
  EXPECT_EQ(verdict(429, {{"retry-after", "7"}}).wait, seconds{7});
  EXPECT_EQ(verdict(503, {{"retry-after", "Sun, 06 Nov 1994 08:49:47 GMT"}}).wait, seconds{10});
  EXPECT_EQ(verdict(503).wait, seconds{0});
}

TEST(Judge, KnowsWhichAttemptsMayHaveBeenStored) {
  const auto failed = [](http::FailureKind kind) {
    http::Failure failure;
    failure.kind = kind;
    return judge(tl::unexpected(failure), Message::v1, 10, kNow);
  };
  EXPECT_TRUE(failed(http::FailureKind::timeout).unsure);
  EXPECT_TRUE(failed(http::FailureKind::protocol).unsure);
  EXPECT_FALSE(failed(http::FailureKind::connect_refused).unsure);
  EXPECT_FALSE(failed(http::FailureKind::tls_untrusted).unsure);
  EXPECT_EQ(failed(http::FailureKind::tls_untrusted).kind, Kind::again);
  EXPECT_TRUE(verdict(502).unsure);
  EXPECT_FALSE(verdict(429).unsure);
  EXPECT_TRUE(verdict(400).conflict);
  EXPECT_TRUE(verdict(409).conflict);
  EXPECT_FALSE(verdict(401).conflict);
}

TEST(Judge, BelievesA20ReceiverWhatItWroteAndNoOther) {
  const http::Headers wrote{{"x-prometheus-remote-write-samples-written", "7"}};
  EXPECT_EQ(verdict(200, wrote, Message::v2).written, 7U);
  EXPECT_TRUE(verdict(200, wrote, Message::v2).unwritten);
  EXPECT_FALSE(verdict(200, {{"x-prometheus-remote-write-samples-written", "10"}}, Message::v2).unwritten);
  EXPECT_EQ(verdict(400, wrote, Message::v2).written, 7U);
  EXPECT_TRUE(verdict(204, {}, Message::v2).unwritten) << "it speaks 1.0";
  EXPECT_EQ(verdict(204).written, 10U);
  EXPECT_FALSE(verdict(204).unwritten);
}

}  // namespace
}  // namespace ward::collector
