#include "collector/notify/page.hpp"

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>
#include <vector>

#include "collector/notify/text.hpp"
#include "common/base/duration.hpp"

namespace ward::collector {
namespace {

constexpr std::size_t kMaxPiece = 240;  // bytes of one annotation on a phone
constexpr std::size_t kMaxNames = 6;    // of a list; the rest is counted

// Annotations are rendered from labels of targets: one line, no control characters, bounded.
std::string piece(std::string_view text) {
  auto out = one_line(text, kMaxPiece);
  if (text.size() > kMaxPiece) return out;
  while (!out.empty() && (out.back() == ' ' || out.back() == '.')) out.pop_back();
  return out;
}

std::string clock_text(Time t) { return format_time(t).substr(11, 8) + " UTC"; }

std::string age_text(milliseconds age) {
  const auto s = std::max<std::int64_t>(0, std::chrono::duration_cast<std::chrono::seconds>(age).count());
  const auto two = [](std::int64_t big, const char* unit, std::int64_t small, const char* small_unit) {
    return std::to_string(big) + unit + (small > 0 ? " " + std::to_string(small) + small_unit : "");
  };
  if (s < 60) return std::to_string(s) + " s";
  if (s < 3600) return two(s / 60, " m", s % 60, " s");
  if (s < 86'400) return two(s / 3600, " h", s % 3600 / 60, " m");
  return two(s / 86'400, " d", s % 86'400 / 3600, " h");
}

std::string number(double v) {
  char out[32];
  std::snprintf(out, sizeof out, "%.4g", v);
  return out;
}

std::string upper(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'a' && c <= 'z') c = static_cast<char>(c - 'a' + 'A');
  return out;
}

std::string list(const std::set<std::string>& names) {
  std::string out;
  std::size_t n = 0;
  for (const auto& name : names) {
    if (n == kMaxNames) return out + " and " + std::to_string(names.size() - n) + " more";
    out += (n++ == 0 ? "" : ", ") + piece(name);
  }
  return out;
}

std::set<std::string> label_values(const Incident& incident, std::string_view label) {
  std::set<std::string> out;
  for (const auto& a : incident.alerts)
    if (const auto value = a.labels.get(label); !value.empty()) out.emplace(value);
  return out;
}

std::string annotation(const Incident& incident, std::string_view name) {
  return incident.alerts.empty() ? "" : piece(incident.alerts.front().annotations.get(name));
}

std::string first_line(const Notice& notice, Time at) {
  const auto& i = notice.incident;
  const auto began = i.alerts.empty() ? i.opened_at : i.alerts.front().active_at;
  const auto who = "  " + (i.owner.empty() ? std::string("nobody's") : piece(i.owner)) + "  " + headline(i);
  switch (notice.kind) {
    case NoticeKind::fire:
      return upper(to_string(i.cls)) + who + " since " + clock_text(began) + " (" + age_text(at - began) + ")";
    case NoticeKind::escalate:
      return upper(to_string(i.cls)) + ", escalated" + who + " since " + clock_text(began) + " (" + age_text(at - began) +
             ")" + (notice.why.empty() ? "" : ". " + piece(notice.why) + ".");
    case NoticeKind::update: return "UPDATE" + who + (notice.why.empty() ? "" : ": " + piece(notice.why));
    case NoticeKind::acknowledge:
      return "ACKNOWLEDGED" + who + " since " + clock_text(began) + (notice.why.empty() ? "" : ": " + piece(notice.why));
    case NoticeKind::resolve:
      if (!i.merged_into.empty()) return "MERGED" + who + ": it goes on as incident " + i.merged_into;
      return "RESOLVED" + who + ": over at " + clock_text(i.resolved_at) + " after " + age_text(i.resolved_at - i.opened_at);
  }
  return who;
}

std::string breaks_line(const Incident& incident) {
  auto services = label_values(incident, "service");
  services.erase(incident.root_service);
  const auto workflows = label_values(incident, "workflow");
  const auto tenants = label_values(incident, "tenant");
  const auto whom = tenants.empty() ? "" : " for " + list(tenants);
  const auto impact = annotation(incident, "impact");
  std::string out;
  if (!workflows.empty()) {
    out = "Breaks: " + list(workflows) + whom + ".";
  } else if (!services.empty()) {
    out = "Breaks: " + list(services) + whom + ".";
  } else if (!incident.workflows.empty()) {
    out = "Endangers: " + list({incident.workflows.begin(), incident.workflows.end()}) + whom + ".";
  } else if (!tenants.empty()) {
    out = "Affects: " + list(tenants) + ".";
  }
  if (impact.empty()) return out;
  return out.empty() ? "How bad: " + impact + "." : out + " " + impact + ".";
}

std::string why_line(const Incident& incident) {
  if (incident.alerts.empty()) return "";
  const auto& root = incident.alerts.front();
  std::string out =
      "Why: " + piece(root.labels.get("alertname")) + " is " + number(root.value) + " at " + piece(incident.root_service);
  if (const auto instance = root.labels.get("instance"); !instance.empty()) out += " " + piece(instance);
  if (const auto node = root.labels.get("node"); !node.empty() && incident.root_service != "node")
    out += " on " + piece(node);
  out += ".";
  if (const auto text = annotation(incident, "description"); !text.empty()) out += " " + text + ".";
  return out;
}

std::string do_line(const Notice& notice, const PageOptions& options) {
  const auto runbook = runbook_url(notice.incident, options);
  std::string tree;
  for (const auto& step : notice.first_steps) tree += (tree.empty() ? "" : " ") + piece(step) + ".";
  if (tree.empty())
    if (const auto name = annotation(notice.incident, "decision_tree"); !name.empty()) tree = "Decision tree " + name + ".";
  if (runbook.empty() && tree.empty()) return "";
  if (runbook.empty()) return "Do: " + tree;
  return "Do: " + runbook + (tree.empty() ? "" : "  " + tree);
}

std::string ready_line(const Notice& notice) {
  if (notice.readiness.empty()) return "";
  return "Recovery of " + piece(notice.incident.root_service) + ": " + piece(notice.readiness) + ".";
}

std::string held_back_line(const Incident& incident) {
  if (incident.alerts.size() < 2) return "";
  std::map<std::string, int> counts;
  for (auto at = incident.alerts.begin() + 1; at != incident.alerts.end(); ++at)
    ++counts[piece(at->labels.get("alertname"))];
  std::vector<std::pair<int, std::string>> kinds;
  for (const auto& [name, n] : counts) kinds.emplace_back(-n, name);
  std::sort(kinds.begin(), kinds.end());
  std::string detail;
  for (std::size_t i = 0; i < kinds.size() && i < kMaxNames; ++i)
    detail += (i == 0 ? "" : ", ") + std::to_string(-kinds[i].first) + " " + kinds[i].second;
  if (kinds.size() > kMaxNames) detail += " and others";
  const auto n = incident.alerts.size() - 1;
  return "Held back: " + std::to_string(n) + (n == 1 ? " alert" : " alerts") + " beneath it (" + detail + ").";
}

std::string last_line(const Notice& notice, const PageOptions& options) {
  auto out = "Incident " + notice.incident.id;
  if (const auto url = incident_url(notice.incident, options); !url.empty()) out += "  " + url;
  return out;
}

}  // namespace

std::string headline(const Incident& incident) {
  if (auto summary = annotation(incident, "summary"); !summary.empty()) return summary;
  return piece(incident.root_alert) +
         (incident.root_service == incident.root_alert ? "" : " at " + piece(incident.root_service));
}

std::string runbook_url(const Incident& incident, const PageOptions& options) {
  auto url = annotation(incident, "runbook_url");
  if (url.empty() || options.runbook_base.empty() || url.find("://") != std::string::npos) return url;
  return options.runbook_base + (options.runbook_base.back() == '/' ? "" : "/") + url;
}

std::string incident_url(const Incident& incident, const PageOptions& options) {
  if (options.external_url.empty()) return "";
  return options.external_url + (options.external_url.back() == '/' ? "" : "/") + "api/ward/v1/incidents?id=" + incident.id;
}

std::string page_text(const Notice& notice, Time at, const PageOptions& options) {
  std::vector<std::string> lines{first_line(notice, at)};
  if (calls_for_action(notice.kind) || notice.kind == NoticeKind::update) {
    lines.push_back(breaks_line(notice.incident));
    lines.push_back(why_line(notice.incident));
    lines.push_back(do_line(notice, options));
    lines.push_back(ready_line(notice));
    lines.push_back(held_back_line(notice.incident));
  }
  lines.push_back(last_line(notice, options));
  std::string out;
  for (const auto& line : lines)
    if (!line.empty()) out += (out.empty() ? "" : "\n") + line;
  return out;
}

}  // namespace ward::collector
