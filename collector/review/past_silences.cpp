// Silences of the past, out of the chain of what people did.
#include <map>
#include <optional>

#include "collector/review/alert_report.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::review {
namespace {

/// The router's words: `{alertname="X"} from TIME to TIME by NAME: COMMENT`, behind "as NAME: " where somebody spoke for
/// another. A value may hold any of these words, so the first place that reads as times is taken.
std::optional<PastSilence> read(const std::string& detail) {
  constexpr std::string_view kFrom = "} from ";
  constexpr std::string_view kTo = " to ";
  constexpr std::string_view kBy = " by ";
  const auto open = detail.find('{');
  for (auto at = detail.find(kFrom); open != std::string::npos && at != std::string::npos; at = detail.find(kFrom, at + 1)) {
    const auto from_at = at + kFrom.size();
    const auto to_at = detail.find(kTo, from_at);
    if (to_at == std::string::npos) return std::nullopt;
    const auto by_at = detail.find(kBy, to_at);
    if (by_at == std::string::npos) return std::nullopt;
    const auto from = parse_time(detail.substr(from_at, to_at - from_at));
    const auto to = parse_time(detail.substr(to_at + kTo.size(), by_at - to_at - kTo.size()));
    if (!from || !to) continue;
    const auto by = detail.substr(by_at + kBy.size());
    return PastSilence{.id = "",
                       .matchers = detail.substr(open + 1, at - open - 1),
                       .by = by.substr(0, by.find(':')),
                       .from = *from,
                       .to = *to};
  }
  return std::nullopt;
}

}  // namespace

std::vector<PastSilence> silences_of(std::span<const AuditRecord> audit) {
  std::map<std::string, PastSilence> by_id;
  for (const auto& [number, entry, hash] : audit) {
    if (entry.action == "silence") {
      auto one = read(entry.detail);
      if (!one) continue;
      one->id = entry.subject;
      by_id.insert_or_assign(entry.subject, std::move(*one));
    } else if (entry.action == "silence ended") {
      if (const auto at = by_id.find(entry.subject); at != by_id.end()) at->second.to = std::min(at->second.to, entry.at);
    }
  }
  std::vector<PastSilence> out;
  for (auto& [id, one] : by_id)
    if (one.from < one.to) out.push_back(std::move(one));
  return out;
}

}  // namespace ward::collector::review
