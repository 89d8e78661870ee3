#include "collector/rehearsal/notice_check.hpp"

#include <algorithm>
#include <set>

#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

/// Names of the alerts an incident explains besides its root, sorted, each once.
std::vector<std::string> absorbed_by(const Incident& incident) {
  std::set<std::string> names;
  for (const auto& alert : incident.alerts) names.emplace(alert.labels.get("alertname"));
  names.erase(incident.root_alert);
  return {names.begin(), names.end()};
}

std::vector<std::string> tenants_of(const Incident& incident) {
  std::set<std::string> names;
  for (const auto& alert : incident.alerts)
    if (const auto tenant = alert.labels.get("tenant"); !tenant.empty()) names.emplace(tenant);
  return {names.begin(), names.end()};
}

bool has_scope(const Incident& incident, const Labels& scope) {
  return std::all_of(scope.begin(), scope.end(), [&](const auto& label) {
    return !incident.alerts.empty() && incident.alerts.front().labels.get(label.first) == label.second;
  });
}

std::string list_of(const std::vector<std::string>& names) {
  std::string out = "[";
  for (const auto& name : names) out += (out.size() > 1 ? ", " : "") + name;
  return out + "]";
}

bool fulfils(const SentNotice& sent, const Incident& incident, const ExpectedNotice& expected) {
  const bool kind = expected.kind ? sent.notice.kind == *expected.kind : calls_for_action(sent.notice.kind);
  return kind && sent.receiver == expected.to && (!expected.root || *expected.root == incident.root_alert) &&
         (!expected.cls || *expected.cls == incident.cls) && (!expected.owner || *expected.owner == incident.owner) &&
         (!expected.absorbs || *expected.absorbs == absorbed_by(incident)) &&
         (!expected.tenants || *expected.tenants == tenants_of(incident)) && has_scope(incident, expected.scope);
}

std::string line_of(const ExpectedNotice& e) {
  std::string out = std::string(e.kind ? to_string(*e.kind) : "page") + " to " + e.to;
  if (e.cls) out += ", class " + std::string(to_string(*e.cls));
  if (e.owner) out += ", owner " + *e.owner;
  if (e.root) out += ", root " + *e.root;
  if (e.absorbs) out += ", absorbs " + list_of(*e.absorbs);
  if (e.tenants) out += ", tenants " + list_of(*e.tenants);
  if (!e.scope.empty()) out += ", scope " + to_string(e.scope);
  return out;
}

std::string line_of(const SentNotice& s, const Incident& now, Time start) {
  std::string out = std::string(to_string(s.notice.kind)) + " to " + s.receiver + ", class " +
                    std::string(to_string(now.cls)) + ", owner " + now.owner + ", root " + now.root_alert + ", absorbs " +
                    list_of(absorbed_by(now)) + ", tenants " + list_of(tenants_of(now)) + ", scope " + to_string(now.scope) +
                    ", at " + format_duration(s.at - start);
  if (now.root_alert != s.notice.incident.root_alert) out += " (then with the root " + s.notice.incident.root_alert + ")";
  return out;
}

struct Tally {
  std::size_t pages = 0;
  std::size_t resolves = 0;
  std::size_t open = 0;
};

std::string counted(const NotificationCase& expected, const Tally& tally) {
  std::string out;
  const auto add = [&](bool asked, std::size_t count, const char* what) {
    if (asked) out += (out.empty() ? "" : ", ") + std::to_string(count) + " " + what + (count == 1 ? "" : "s");
  };
  add(expected.total.has_value(), tally.pages, "page");
  add(expected.resolves.has_value(), tally.resolves, "resolve");
  add(expected.open.has_value(), tally.open, "open incident");
  return out;
}

}  // namespace

std::optional<NoticeDifference> compare(const NotificationCase& expected, std::span<const SentNotice> sent,
                                        const std::map<std::string, Incident>& incidents, Time start) {
  Tally tally;
  std::vector<const Incident*> about;
  for (const auto& s : sent) {
    tally.resolves += s.notice.kind == NoticeKind::resolve ? 1 : 0;
    tally.pages += calls_for_action(s.notice.kind) ? 1 : 0;
    const auto known = incidents.find(s.notice.incident.id);
    about.push_back(known == incidents.end() ? &s.notice.incident : &known->second);
  }
  for (const auto& [id, incident] : incidents) tally.open += incident.phase == IncidentPhase::open ? 1 : 0;

  std::optional<config::Position> unmet;
  std::set<std::size_t> used;
  for (const auto& e : expected.expected) {
    std::size_t at = 0;
    while (at < sent.size() && (used.contains(at) || !fulfils(sent[at], *about[at], e))) ++at;
    if (at < sent.size())
      used.insert(at);
    else if (!unmet)
      unmet = e.at;
  }
  const bool counts = expected.total.value_or(tally.pages) == tally.pages &&
                      expected.resolves.value_or(tally.resolves) == tally.resolves &&
                      expected.open.value_or(tally.open) == tally.open;
  if (counts && !unmet) return std::nullopt;
  const Tally wanted{expected.total.value_or(0), expected.resolves.value_or(0), expected.open.value_or(0)};
  NoticeDifference out{
      .at = unmet.value_or(expected.at), .expected = counted(expected, wanted), .got = counted(expected, tally)};
  const auto add = [](std::string& text, const std::string& line) { text += (text.empty() ? "" : "\n") + line; };
  for (const auto& e : expected.expected) add(out.expected, line_of(e));
  for (std::size_t i = 0; i < sent.size(); ++i) add(out.got, line_of(sent[i], *about[i], start));
  if (sent.empty()) add(out.got, "nobody was told of anything");
  return out;
}

}  // namespace ward::collector
