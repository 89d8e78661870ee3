// GET /api/ward/v1/explain?subject=TEXT: why an alert or an incident paged, or did not, in words. TEXT is the id of an
// incident or the beginning of one, the name of an alert, name{label="value"}, or an alert's fingerprint.
#include <algorithm>
#include <map>

#include "collector/api/archive.hpp"
#include "collector/api/desk.hpp"
#include "collector/api/endpoint.hpp"
#include "collector/api/rule_facts.hpp"
#include "collector/api/story_json.hpp"
#include "collector/promql/parser.hpp"
#include "common/config/suggest.hpp"

namespace ward::collector::api {
namespace {

constexpr std::size_t kMostCases = 5;
constexpr std::size_t kMostLookedAt = 300;  // incidents of the past that are searched for an alert
constexpr std::size_t kLeastPrefix = 4;
constexpr std::size_t kLongestSubject = 2'000;
constexpr std::chrono::hours kPast{24 * 90};
constexpr std::chrono::minutes kAhead{10};  // of a clock that was set back since

/// What the text means as an alert.
struct Wanted {
  std::string text;
  std::string name;         ///< "" where the text names none
  std::string fingerprint;  ///< "" unless it is one
  std::vector<Matcher> matchers;

  [[nodiscard]] bool takes(const Labels& labels) const {
    if (!fingerprint.empty()) return ward::fingerprint(labels) == fingerprint;
    return std::all_of(matchers.begin(), matchers.end(), [&](const Matcher& m) {
      return m.matches(labels.get(m.name() == kNameLabel ? "alertname" : m.name()));
    });
  }
};

bool is_fingerprint(const std::string& text) {
  return text.size() == 16 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

Result<Wanted> wanted_of(const std::string& text) {
  Wanted out{.text = text, .name = {}, .fingerprint = {}, .matchers = {}};
  if (is_fingerprint(text)) {
    out.fingerprint = text;
    return out;
  }
  if (text.find('{') == std::string::npos) {
    out.name = text;
    auto matcher = Matcher::make(Matcher::Op::equal, std::string(kNameLabel), text);
    if (!matcher) return fail(matcher.error());
    out.matchers.push_back(std::move(*matcher));
    return out;
  }
  auto matchers = promql::parse_selector(text);
  if (!matchers) return fail(Errc::invalid, matchers.error().what, R"(Write it like PostgresDown{tenant="clinic-a"}.)");
  out.matchers = std::move(*matchers);
  for (const auto& m : out.matchers)
    if ((m.name() == kNameLabel || m.name() == "alertname") && m.op() == Matcher::Op::equal) out.name = m.value();
  return out;
}

/// Names that could have been meant: rules, SLOs, what fires.
std::vector<std::string> known_names(const View& view) {
  std::set<std::string> out;
  for (const auto& group : view.rule_groups())
    for (const auto& rule : group.rules)
      if (rule.alerting) out.insert(rule.name);
  for (const auto& slo : view.slos()) out.insert(slo.slo);
  for (const auto& alert : view.alerts()) out.emplace(alert.labels.get("alertname"));
  return {out.begin(), out.end()};
}

review::IncidentEvidence evidence_of(const View& view, IncidentFile file) {
  review::IncidentEvidence out{.file = std::move(file), .progress = {}, .next = {}};
  if (out.file.incident.phase != IncidentPhase::open) return out;
  out.progress = view.desk()->escalation(out.file.incident.id);
  out.next = view.desk()->next_step(out.file.incident);
  return out;
}

/// The incident of each alert that is in one, by the alert's labels.
std::map<Labels, const Incident*> by_member(const std::vector<Incident>& incidents) {
  std::map<Labels, const Incident*> out;
  for (const auto& incident : incidents)
    for (const auto& alert : incident.alerts)
      if (incident.merged_into.empty()) out.emplace(alert.labels, &incident);
  return out;
}

/// Live alerts first, then those of the past, each with the id of its incident; "" without one.
struct Found {
  std::vector<std::pair<review::AlertCase, std::string>> cases;
  std::size_t more = 0;

  void add(review::AlertCase one, std::string incident) {
    if (cases.size() < kMostCases)
      cases.emplace_back(std::move(one), std::move(incident));
    else
      ++more;
  }
};

Found find(const View& view, const Wanted& wanted, const std::vector<Incident>& past) {
  Found out;
  std::set<std::string> seen;
  const auto open = view.incidents();
  const auto members = by_member(open);
  for (const auto& alert : view.alerts()) {
    if (!wanted.takes(alert.labels)) continue;
    const auto id = alert_id(alert);
    seen.insert(id);
    const auto member = alert.phase == AlertPhase::firing ? members.find(alert.labels) : members.end();
    out.add({.alert = alert, .live = true}, member == members.end() ? "" : member->second->id);
  }
  for (const auto& incident : past)
    for (const auto& alert : incident.alerts)
      if (wanted.takes(alert.labels) && incident.merged_into.empty() && seen.insert(alert_id(alert)).second)
        out.add({.alert = alert}, incident.id);
  return out;
}

std::vector<AlertSilence> silences_over(const View& view, const Labels& labels) {
  std::vector<AlertSilence> out;
  const auto ids = view.desk()->silenced_by(labels);
  for (auto& silence : view.desk()->silences())
    if (std::find(ids.begin(), ids.end(), silence.id) != ids.end()) out.push_back(std::move(silence));
  return out;
}

async::Task<Result<review::AlertEvidence>> gather(View* view, Wanted wanted) {
  const auto now = view->clock().wall();
  auto reading = view->archive()->incidents(now - kPast, now + kAhead, kMostLookedAt);
  const auto past = co_await std::move(reading);
  if (!past) co_return fail(past.error());
  auto found = find(*view, wanted, *past);
  review::AlertEvidence out{.asked = wanted.text, .rules = {}, .alerts = {}, .more = found.more, .near = {}};
  auto name = wanted.name;
  if (name.empty() && !found.cases.empty()) name = found.cases.front().first.alert.labels.get("alertname");
  out.rules = alerting_rules(*view, name);
  for (auto& [one, incident] : found.cases) {
    auto deciding = view->archive()->decisions(alert_id(one.alert));
    auto decisions = co_await std::move(deciding);
    if (!decisions) co_return fail(decisions.error());
    one.decisions = std::move(*decisions);
    if (one.live) one.silences = silences_over(*view, one.alert.labels);
    if (!incident.empty()) {
      auto filing = view->archive()->file(incident);
      auto file = co_await std::move(filing);
      if (file) one.incident = evidence_of(*view, std::move(*file));
    }
    out.alerts.push_back(std::move(one));
  }
  if (out.alerts.empty() && out.rules.empty())
    if (const auto near = config::closest(name.empty() ? wanted.text : name, known_names(*view))) out.near.push_back(*near);
  co_return out;
}

http::ServerResponse trouble(const Error& error) {
  switch (error.code) {
    case Errc::invalid: return problem(400, "Bad request", describe(error));
    case Errc::not_found: return problem(404, "Not found", describe(error));
    case Errc::unavailable:
    case Errc::timed_out:
    case Errc::overloaded:
    case Errc::cancelled:
    case Errc::full: return problem(503, "The past cannot be read", describe(error));
    case Errc::denied:
    case Errc::corrupt:
    case Errc::internal: break;
  }
  return problem(500, "The past cannot be read", describe(error));
}

async::Task<http::ServerResponse> answer_explain(View& view, http::ServerRequest request) {
  const auto asked = parameter(request, "subject");
  if (asked.empty() || asked.size() > kLongestSubject)
    co_return problem(400, "Bad request",
                      "Say with 'subject' what to explain: the id of an incident, an alert's name, name{label=\"value\"} or "
                      "its fingerprint.");
  const auto now = view.clock().wall();
  auto wanted = wanted_of(asked);
  if (!wanted) co_return trouble(wanted.error());
  const auto names = known_names(view);
  const bool is_name = std::find(names.begin(), names.end(), wanted->name) != names.end();
  // An id has no braces, and is no word that a rule has for a name.
  if (!is_name && wanted->fingerprint.empty() && asked.find('{') == std::string::npos && asked.size() >= kLeastPrefix) {
    auto filing = view.archive()->file(asked);
    auto file = co_await std::move(filing);
    if (file) co_return story_answer(asked, "incident", review::tell_incident(evidence_of(view, std::move(*file)), now));
    if (file.error().code != Errc::not_found) co_return trouble(file.error());
  }
  auto gathering = gather(&view, std::move(*wanted));
  const auto evidence = co_await std::move(gathering);
  if (!evidence) co_return trouble(evidence.error());
  const bool known = !evidence->alerts.empty() || !evidence->rules.empty();
  co_return story_answer(asked, known ? "alert" : "unknown", review::tell_alert(*evidence, now));
}

}  // namespace

Endpoint explain_endpoint() { return {"/api/ward/v1/explain", "Why something paged, or did not", answer_explain}; }

}  // namespace ward::collector::api
