// teams: an adaptive card for a Teams workflow ("post to a channel when a webhook request is received").
// Source: Microsoft's documentation of workflows' webhooks and of adaptive cards; facts: rules-and-slo section 4.3.
// Emits: version 1.2; the page as RichTextBlocks, whose text runs know no markup, so labels stay text; buttons for incident
// and runbook. Below 28 KB, Teams' limit. A workflow cannot change its message: every change is a new one.
// Errors: 200 and 202 are success unless the body tells of an HTTP error within, as connectors do.
#include <nlohmann/json.hpp>

#include "collector/notify/channel.hpp"
#include "collector/notify/http_target.hpp"
#include "collector/notify/text.hpp"
#include "common/base/parse.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;

constexpr std::size_t kMaxPage = 6'000;
constexpr std::size_t kMaxFallback = 500;

std::string_view color(const Notice& notice) {
  switch (notice.kind) {
    case NoticeKind::resolve: return "good";
    case NoticeKind::acknowledge: return "accent";
    case NoticeKind::fire:
    case NoticeKind::update:
    case NoticeKind::escalate: break;
  }
  switch (notice.incident.cls) {
    case AlertClass::informational: return "default";
    case AlertClass::actionable: return "warning";
    case AlertClass::urgent:
    case AlertClass::executive: return "attention";
  }
  return "attention";
}

json rich(json run) { return {{"type", "RichTextBlock"}, {"inlines", json::array({std::move(run)})}}; }

json body_of(const Message& message) {
  auto out = json::array();
  const auto page = lines(message.page, kMaxPage);
  std::string_view rest = page;
  std::string_view line;
  while (next_line(rest, line)) {
    json run{{"type", "TextRun"}, {"text", line}};
    if (out.empty()) {
      run["weight"] = "bolder";
      run["size"] = "medium";
      run["color"] = color(message.notice);
    }
    out.push_back(rich(std::move(run)));
  }
  return out;
}

json actions(const Message& message) {
  auto out = json::array();
  const auto add = [&](const std::string& url, const char* title) {
    if (auto link = safe_link(url); !link.empty())
      out.push_back({{"type", "Action.OpenUrl"}, {"title", title}, {"url", std::move(link)}});
  };
  add(incident_url(message.notice.incident, message.options), "Incident");
  add(runbook_url(message.notice.incident, message.options), "Runbook");
  return out;
}

std::string card(const Message& message) {
  const json content{{"$schema", "http://adaptivecards.io/schemas/adaptive-card.json"},
                     {"type", "AdaptiveCard"},
                     {"version", "1.2"},
                     {"fallbackText", one_line(first_line_of(message.page), kMaxFallback)},
                     {"msteams", {{"width", "full"}}},
                     {"body", body_of(message)},
                     {"actions", actions(message)}};
  const json attachment{
      {"contentType", "application/vnd.microsoft.card.adaptive"}, {"contentUrl", nullptr}, {"content", content}};
  return json{{"type", "message"}, {"attachments", json::array({attachment})}}.dump(-1, ' ', false,
                                                                                    json::error_handler_t::replace);
}

/// "... Microsoft Teams endpoint returned HTTP error 429 with ..." in an answer of status 200; 0 when there is none.
int status_within(std::string_view body) {
  constexpr std::string_view kMark = "HTTP error ";
  const auto at = body.find(kMark);
  if (at == std::string_view::npos) return 0;
  const auto number = to_u64(body.substr(at + kMark.size(), 3));
  return number && *number >= 400 ? static_cast<int>(*number) : 0;
}

class Teams final : public Channel {
 public:
  Teams(HttpTarget target, Secret address) : target_(std::move(target)), address_(std::move(address)) {}

  [[nodiscard]] Step next(const Message& message, std::span<const Reply> replies) const override {
    if (replies.empty()) return json_post(target_, address_.reveal(), card(message));
    const auto& reply = replies.front();
    if (!reply || reply->status < 200 || reply->status >= 300) return judge(reply);
    if (const int within = status_within(reply->body); within != 0)
      return judge_status(within, reply->header("retry-after"));
    return reply->status == 200 || reply->status == 202 ? SendOutcome{} : stranger(reply->status, "a Teams workflow");
  }

 private:
  HttpTarget target_;
  Secret address_;
};

std::shared_ptr<const Channel> read(config::Section& from, const std::string& whose) {
  HttpTarget target;
  // The address has its signature inside.
  auto address = required_secret(from, "webhook_url", whose);
  check_url(from, "webhook_url", address.reveal(), whose, Carries::secret);
  read_way(from, target);
  from.close();
  return std::make_shared<Teams>(std::move(target), std::move(address));
}

}  // namespace

ChannelKind teams_channel() {
  return {.name = "teams", .help = "Microsoft Teams: an adaptive card for a workflow's webhook", .read = read};
}

}  // namespace ward::collector
