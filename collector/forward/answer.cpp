#include "collector/forward/answer.hpp"

#include <algorithm>
#include <array>
#include <ctime>

#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

constexpr std::chrono::hours kLongestWait{1};
constexpr std::string_view kWritten = "x-prometheus-remote-write-samples-written";

/// "Sun, 06 Nov 1994 08:49:37 GMT", the one form of today's servers.
std::optional<Time> http_date(std::string_view text) {
  constexpr std::array<std::string_view, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  if (text.size() != 29 || !text.ends_with(" GMT") || text[3] != ',') return std::nullopt;
  const auto number = [&](std::size_t at, std::size_t length) { return to_u64(text.substr(at, length)); };
  const auto month = std::find(kMonths.begin(), kMonths.end(), text.substr(8, 3));
  const auto day = number(5, 2), year = number(12, 4), hour = number(17, 2), minute = number(20, 2), second = number(23, 2);
  if (month == kMonths.end() || !day || !year || !hour || !minute || !second) return std::nullopt;
  const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                         std::chrono::month{static_cast<unsigned>(month - kMonths.begin()) + 1},
                                         std::chrono::day{static_cast<unsigned>(*day)}};
  if (!date.ok() || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return Time{std::chrono::sys_days{date}} + std::chrono::hours{*hour} + std::chrono::minutes{*minute} +
         std::chrono::seconds{*second};
}

/// Whether the server may have got the request.
bool is_unsure(http::FailureKind kind) {
  switch (kind) {
    case http::FailureKind::timeout:
    case http::FailureKind::protocol:
    case http::FailureKind::cancelled: return true;
    case http::FailureKind::bad_url:
    case http::FailureKind::dns_nxdomain:
    case http::FailureKind::dns_timeout:
    case http::FailureKind::dns_failed:
    case http::FailureKind::connect_refused:
    case http::FailureKind::connect_timeout:
    case http::FailureKind::connect_failed:
    case http::FailureKind::tls_untrusted:
    case http::FailureKind::tls_expired:
    case http::FailureKind::tls_name_mismatch:
    case http::FailureKind::tls_protocol:
    case http::FailureKind::too_many_redirects: break;
  }
  return false;
}

}  // namespace

std::optional<milliseconds> retry_after(std::string_view header, Time now) {
  std::optional<milliseconds> out;
  if (const auto seconds = to_u64(header))
    out = std::chrono::seconds{static_cast<std::int64_t>(std::min<std::uint64_t>(*seconds, 3'600))};
  else if (const auto date = http_date(header))
    out = std::max(milliseconds{0}, *date - now);
  return out ? std::optional(std::min<milliseconds>(*out, kLongestWait)) : std::nullopt;
}

ForwardVerdict judge(const tl::expected<http::Response, http::Failure>& answer, remote_write::Message message,
                     std::uint64_t samples, Time now) {
  using Kind = ForwardVerdict::Kind;
  ForwardVerdict out;
  if (!answer) {
    out.unsure = is_unsure(answer.error().kind);
    out.why = answer.error().error.what;
    return out;
  }
  const int status = answer->status;
  std::optional<std::uint64_t> told;
  if (const auto number = to_u64(answer->header(kWritten)); number && message == remote_write::Message::v2) told = *number;
  out.why = "it answered " + std::to_string(status);
  if (status >= 200 && status < 300) {
    out.kind = Kind::taken;
    out.written = message == remote_write::Message::v2 ? std::min(told.value_or(0), samples) : samples;
    out.unwritten = out.written < samples;
    if (out.unwritten)
      out.why += told ? " and wrote " + std::to_string(*told) + " of " + std::to_string(samples) + " samples"
                      : " without saying what it wrote, as receivers of version 2.0 do";
    return out;
  }
  if (status == 429 || status >= 500 || (status >= 300 && status < 400) || status < 200) {
    out.wait = retry_after(answer->header("retry-after"), now).value_or(milliseconds{0});
    // What a proxy says of a server that did not answer in time tells nothing of the server.
    out.unsure = status >= 500;
    return out;
  }
  out.kind = Kind::refused;
  out.conflict = status == 400 || status == 409;
  out.written = std::min(told.value_or(0), samples);
  return out;
}

}  // namespace ward::collector
