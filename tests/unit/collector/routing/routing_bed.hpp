#pragma once
#include <gmock/gmock.h>
#include <string>
#include <vector>

#include "collector/event/json.hpp"
#include "collector/routing/operations.hpp"
#include "collector/routing/router.hpp"
#include "common/base/duration.hpp"

namespace ward::collector {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;
using Texts = std::vector<std::string>;

inline Time at(const char* text) { return parse_time(text).value(); }

inline Incident incident(std::string id, std::string owner, Labels root = {{"alertname", "X"}}, Labels annotations = {}) {
  Incident i;
  i.id = std::move(id);
  i.owner = std::move(owner);
  i.cls = AlertClass::urgent;
  i.root_alert = root.get("alertname");
  i.root_service = root.get("service");
  root.set("class", "urgent");
  AlertEvent a;
  a.labels = std::move(root);
  a.annotations = std::move(annotations);
  a.phase = AlertPhase::firing;
  i.alerts.push_back(std::move(a));
  return i;
}

struct Document {
  RoutingTable table;
  std::string problems;
  std::string warnings;
};

/// The `spec` of an Operations document, with the receivers that the tests know.
inline Document operations(const std::string& yaml, RoutingTable into = {}) {
  const auto documents = config::parse_yaml(yaml, "ops.yaml").value();
  config::Problems problems;
  config::Section section(documents.at(0), "", problems);
  const OperationsNames names{.receivers = std::set<std::string>{"a", "b", "c", "dba", "app", "platform"},
                              .services = std::set<std::string>{"pg-main", "odoo"}};
  Document out;
  out.table = std::move(into);
  for (const auto& w : read_operations(section, names, out.table)) out.warnings += w.what + "\n";
  section.close();
  if (!problems.empty()) out.problems = problems.to_text();
  return out;
}

/// A router in virtual time, with all that it has made so far; a restart goes on with what it gave to be stored.
class RoutingBed {
 public:
  explicit RoutingBed(const std::string& yaml, NeedsService needs = {}) : needs_(std::move(needs)) {
    RoutingTable unless_said;
    unless_said.remind_after = milliseconds{0};
    auto read = operations(yaml, std::move(unless_said));
    EXPECT_EQ(read.problems, "");
    table_ = std::move(read.table);
    router.emplace(table_, RoutingState{}, needs_);
  }

  /// What one step tells: "escalate I1 to dba".
  Texts step(std::vector<Notice> notices = {}) {
    last = router->route(notices, open, now);
    keep(last);
    Texts out;
    for (const auto& d : last.deliveries) {
      EXPECT_TRUE(keys.insert(d.key).second) << "the same key twice: " << d.key;
      out.push_back(std::string(to_string(d.kind)) + " " + d.incident + " to " + d.receiver);
    }
    return out;
  }
  Texts after(milliseconds wait) {
    now += wait;
    return step();
  }
  Texts fire(Incident i) {
    open.push_back(i);
    return step({{.kind = NoticeKind::fire, .incident = std::move(i)}});
  }
  Texts escalate(const Incident& i) {
    std::erase_if(open, [&](const Incident& o) { return o.id == i.id; });
    open.push_back(i);
    return step({{.kind = NoticeKind::escalate, .incident = i}});
  }
  Texts resolve(const std::string& id) {
    Incident ended;
    for (const auto& i : open)
      if (i.id == id) ended = i;
    std::erase_if(open, [&](const Incident& o) { return o.id == id; });
    return step({{.kind = NoticeKind::resolve, .incident = std::move(ended)}});
  }
  Result<std::string> perform(Command command) {
    if (command.actor.empty()) command.actor = "token";
    auto done = router->perform(command, now);
    keep(done.change);
    return done.outcome;
  }
  Result<std::string> ack(std::string id, std::string by = "anna") {
    return perform({.kind = Command::Kind::acknowledge, .by = std::move(by), .subject = std::move(id)});
  }
  Result<std::string> silence(std::string id, milliseconds from, milliseconds to,
                              std::vector<SilenceMatcher> matchers = {{.name = "alertname", .value = "X"}}) {
    AlertSilence s;
    s.matchers = std::move(matchers);
    s.starts_at = now + from;
    s.ends_at = now + to;
    s.created_by = "anna";
    s.comment = "planned work";
    return perform({.kind = Command::Kind::put_silence, .silence = std::move(s), .fresh_id = std::move(id)});
  }
  void restart() {
    RoutingState state;
    state.notified = router->state();
    for (const auto& [id, r] : stored_) state.escalations.push_back(r);
    for (const auto& [id, s] : silences_) state.silences.push_back(s);
    router.emplace(table_, std::move(state), needs_);
  }
  /// The words of the last step's decisions.
  [[nodiscard]] Texts decisions() const {
    Texts out;
    for (const auto& d : last.decisions) out.push_back(d.what);
    return out;
  }

  Time now = at("2026-11-23T10:00:00Z");  // a Monday
  std::vector<Incident> open;
  std::optional<Router> router;
  Routed last;
  std::vector<AuditEntry> audit;
  std::set<std::string> keys;

 private:
  void keep(const Routed& change) {
    for (const auto& id : change.escalations_gone) stored_.erase(id);
    for (const auto& r : change.escalations) stored_[r.incident] = r;
    for (const auto& s : change.silences) silences_[s.id] = s;
    audit.insert(audit.end(), change.audit.begin(), change.audit.end());
  }
  RoutingTable table_;
  NeedsService needs_;
  std::map<std::string, EscalationRecord> stored_;
  std::map<std::string, AlertSilence> silences_;
};

}  // namespace ward::collector
