// alertmanager: the incident's alerts to one Alertmanager or all members of a cluster, which route on as they always did.
// Source: Alertmanager's OpenAPI v2, postAlerts; Prometheus' notifier (endsAt in the future, said again while it fires).
// Emits: the root alone or all members, at most 500, with their labels, `ward_incident` (to group by) and the configured
// ones; names that Alertmanager does not take are spelled with '_'. `ward_class`, `ward_owner`, `ward_role` are annotations,
// for labels that change would make another alert. endsAt is `expires` from now while the incident is open, so that alerts
// end by themselves only when Ward is gone for good, and the time of the end afterwards. Said again every `refresh`.
// Errors: one member that takes it is enough; 4xx of all goes to the fallback.
#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>

#include "collector/notify/channel.hpp"
#include "collector/notify/http_target.hpp"
#include "collector/notify/text.hpp"
#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

using nlohmann::json;
using Kind = SendOutcome::Kind;
using namespace std::chrono_literals;

constexpr std::size_t kMaxAlerts = 500;
constexpr std::size_t kMaxPage = 8'000;

enum class Members : std::uint8_t { root, all };

struct Settings {
  std::vector<std::string> urls;
  HttpTarget way;
  Members members = Members::all;
  std::vector<std::pair<std::string, std::string>> labels;
  milliseconds refresh{1min};
  milliseconds expires{30min};
};

std::string label_name(std::string_view name) {
  std::string out(name);
  for (auto& c : out)
    if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_')) c = '_';
  if (out.empty() || (out[0] >= '0' && out[0] <= '9')) out.insert(out.begin(), '_');
  return out;
}

json labels_of(const Labels& labels) {
  auto out = json::object();
  for (const auto& [name, value] : labels)
    if (!value.empty()) out.emplace(label_name(name), value);
  return out;
}

class Alertmanager final : public Channel {
 public:
  explicit Alertmanager(Settings settings) : settings_(std::move(settings)) {}

  [[nodiscard]] Step next(const Message& message, std::span<const Reply> replies) const override {
    if (message.notice.kind == NoticeKind::acknowledge) return SendOutcome{};  // it knows silences only
    if (replies.size() < settings_.urls.size()) {
      auto request = json_post(settings_.way, join_url(settings_.urls[replies.size()], "api/v2/alerts"),
                               alerts(message).dump(-1, ' ', false, json::error_handler_t::replace));
      if (!settings_.way.token.empty())
        request.headers.emplace_back("Authorization", "Bearer " + settings_.way.token.reveal());
      return request;
    }
    return judged(message, replies);
  }

  [[nodiscard]] milliseconds refresh() const override { return settings_.refresh; }

 private:
  [[nodiscard]] SendOutcome judged(const Message& message, std::span<const Reply> replies) const {
    std::optional<SendOutcome> worst;
    std::size_t taken = 0;
    for (const auto& reply : replies) {
      auto outcome = judge(reply);
      if (reply && outcome.kind == Kind::delivered && reply->status != 200)
        outcome = stranger(reply->status, "Alertmanager");
      if (outcome.kind == Kind::delivered) {
        ++taken;
      } else if (!worst || outcome.kind == Kind::retry) {
        worst = std::move(outcome);
      }
    }
    if (taken == 0 && worst) return *worst;
    SendOutcome out;
    if (worst)
      out.error =
          std::to_string(taken) + " of " + std::to_string(replies.size()) + " Alertmanagers took it; " + worst->error;
    if (settings_.members == Members::root) out.remembered = root_labels(message).dump();
    return out;
  }

  [[nodiscard]] json root_labels(const Message& message) const {
    const auto& i = message.notice.incident;
    return i.alerts.empty() ? json::object() : all_labels(message, i.alerts.front());
  }

  [[nodiscard]] json all_labels(const Message& message, const AlertEvent& alert) const {
    auto out = labels_of(alert.labels);
    for (const auto& [name, value] : settings_.labels) out[name] = value;
    out["ward_incident"] = message.notice.incident.id;
    return out;
  }

  [[nodiscard]] json entry(const Message& message, const AlertEvent& alert, bool is_root) const {
    const auto& i = message.notice.incident;
    auto annotations = labels_of(alert.annotations);
    annotations["ward_class"] = to_string(i.cls);
    annotations["ward_owner"] = i.owner;
    annotations["ward_role"] = is_root ? "root" : "member";
    if (is_root) {
      annotations["ward_page"] = lines(message.page, kMaxPage);
      if (const auto url = safe_link(runbook_url(i, message.options)); !url.empty()) annotations["runbook_url"] = url;
      const auto shown = settings_.members == Members::root ? i.alerts.size() : std::min(i.alerts.size(), kMaxAlerts);
      if (i.alerts.size() > shown) annotations["ward_left_out"] = std::to_string(i.alerts.size() - shown);
    }
    return json{{"labels", all_labels(message, alert)},
                {"annotations", std::move(annotations)},
                {"startsAt", format_time(alert.active_at)},
                {"endsAt", format_time(std::max(end_of(message, alert), alert.active_at))},
                {"generatorURL", safe_link(incident_url(i, message.options))}};
  }

  [[nodiscard]] Time end_of(const Message& message, const AlertEvent& alert) const {
    const auto& i = message.notice.incident;
    if (alert.phase == AlertPhase::resolved && alert.resolved_at != Time{}) return alert.resolved_at;
    if (message.notice.kind != NoticeKind::resolve) return message.now + settings_.expires;
    return i.resolved_at != Time{} ? i.resolved_at : message.now;
  }

  [[nodiscard]] json alerts(const Message& message) const {
    const auto& i = message.notice.incident;
    auto out = json::array();
    const auto count = settings_.members == Members::root ? std::size_t{1} : kMaxAlerts;
    for (std::size_t n = 0; n < std::min(i.alerts.size(), count); ++n) out.push_back(entry(message, i.alerts[n], n == 0));
    // The incident has another root now: the one told before would stay until it expires.
    const auto before = json::parse(message.remembered, nullptr, false);
    if (settings_.members == Members::root && before.is_object() && before != root_labels(message))
      out.push_back({{"labels", before},
                     {"annotations", json::object()},
                     {"startsAt", format_time(std::min(i.opened_at, message.now))},
                     {"endsAt", format_time(message.now)},
                     {"generatorURL", safe_link(incident_url(i, message.options))}});
    return out;
  }

  Settings settings_;
};

std::shared_ptr<const Channel> read(config::Section& from, const std::string& whose) {
  Settings settings;
  settings.urls = from.texts("urls");
  settings.way.token = from.secret("token");
  const auto carries = settings.way.token.empty() ? Carries::nothing : Carries::secret;
  for (const auto& url : settings.urls) check_url(from, "urls", url, whose, carries);
  if (settings.urls.empty())
    from.problems().add(from.at(), whose + " names no Alertmanager",
                        "Add 'urls: [https://alertmanager.example:9093]', with every member of its cluster.");
  read_way(from, settings.way);
  settings.members = from.choice("members", {"root", "all"}, 1) == 0 ? Members::root : Members::all;
  settings.labels = from.text_map("labels");
  for (const auto& [name, value] : settings.labels)
    if (label_name(name) != name || name == "ward_incident")
      from.problems().add(from.at("labels"), "'" + name + "' of " + whose + " is no label name that can be set",
                          "Use letters, digits and '_', and another name than ward_incident.");
  settings.refresh = from.duration("refresh", settings.refresh, 10s);
  settings.expires = from.duration("expires", settings.expires, 1min);
  if (settings.expires < 3 * settings.refresh)
    from.problems().add(from.at("expires"), "alerts of " + whose + " would expire before three refreshes",
                        "Set 'expires' to three times 'refresh' or more.");
  from.close();
  return std::make_shared<Alertmanager>(std::move(settings));
}

}  // namespace

ChannelKind alertmanager_channel() {
  return {
      .name = "alertmanager", .help = "the incident's alerts to an Alertmanager, repeated while it is open", .read = read};
}

}  // namespace ward::collector
