#include "collector/notify/answer.hpp"

#include <gtest/gtest.h>

namespace ward::collector {
namespace {

using namespace std::chrono_literals;
using Kind = SendOutcome::Kind;

TEST(JudgeStatus, SortsAnswersIntoDeliveredRetryAndRefused) {
  const std::pair<int, Kind> cases[] = {
      {200, Kind::delivered}, {202, Kind::delivered}, {204, Kind::delivered}, {301, Kind::refused},
      {307, Kind::refused},   {400, Kind::refused},   {401, Kind::refused},   {404, Kind::refused},
      {408, Kind::retry},     {410, Kind::refused},   {413, Kind::refused},   {425, Kind::retry},
      {429, Kind::retry},     {500, Kind::retry},     {503, Kind::retry},     {0, Kind::refused}};
  for (const auto& [status, kind] : cases) EXPECT_EQ(judge_status(status, "").kind, kind) << status;
}

TEST(JudgeStatus, ReadsRetryAfterInSecondsOnly) {
  EXPECT_EQ(judge_status(429, " 30 ").retry_after, 30s);
  EXPECT_EQ(judge_status(503, "99999999").retry_after, 24h);
  for (const auto* text : {"", "-1", "soon", "Wed, 21 Oct 2026 07:28:00 GMT", "1.5"})
    EXPECT_EQ(judge_status(503, text).retry_after, 0ms) << text;
}

TEST(JudgeFailure, RefusesOnlyWhatWaitingCannotMend) {
  const std::pair<http::FailureKind, Kind> cases[] = {
      {http::FailureKind::bad_url, Kind::refused},     {http::FailureKind::tls_untrusted, Kind::refused},
      {http::FailureKind::tls_expired, Kind::refused}, {http::FailureKind::tls_name_mismatch, Kind::refused},
      {http::FailureKind::dns_nxdomain, Kind::retry},  {http::FailureKind::connect_refused, Kind::retry},
      {http::FailureKind::timeout, Kind::retry},       {http::FailureKind::tls_protocol, Kind::retry},
      {http::FailureKind::cancelled, Kind::retry}};
  for (const auto& [kind, expected] : cases) {
    http::Failure failure;
    failure.kind = kind;
    EXPECT_EQ(judge_failure(failure).kind, expected) << to_string(kind);
  }
}

}  // namespace
}  // namespace ward::collector
