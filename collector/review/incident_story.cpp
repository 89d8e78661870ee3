// The story of one incident.
#include <algorithm>
#include <map>

#include "collector/review/story.hpp"
#include "collector/review/words.hpp"
#include "common/base/duration.hpp"

namespace ward::collector::review {
namespace {

constexpr std::size_t kShownJoined = 8;  // more alerts of one incident are counted
constexpr std::size_t kShownNames = 6;

/// What routing decided, as opposed to correlation; and what people did.
enum class Kind : std::uint8_t { correlation, muting, telling, people, end };

Kind kind_of(const std::string& what) {
  for (const std::string_view w : {"acknowledged", "acknowledged again", "acknowledgement taken back", "verdict"})
    if (what == w) return Kind::people;
  for (const std::string_view w :
       {"silenced", "inhibited", "maintenance", "no longer silenced", "no longer inhibited", "no longer maintenance"})
    if (what == w) return Kind::muting;
  for (const std::string_view w : {"told on", "told again", "reminded", "escalation unknown", "routed to the fallback",
                                   "nobody on call", "acknowledgement no longer counts"})
    if (what == w) return Kind::telling;
  return what == "resolved" ? Kind::end : Kind::correlation;
}

class Telling {
 public:
  Telling(const IncidentEvidence& evidence, Time now) : evidence_(evidence), incident_(evidence.file.incident), now_(now) {
    for (const auto& a : incident_.alerts) names_.emplace(alert_id(a), name_of(a));
  }

  Story run() {
    Story out;
    out.headline = headline();
    add(out, "What it is", what_it_is());
    add(out, was_told() ? (pages(incident_.cls) ? "Why it paged" : "Why somebody was told") : "Why nobody was told", why());
    add(out, "Who was told", who_was_told());
    add(out, "What people did", what_people_did());
    add(out, is_open() ? "What comes next" : "How it ended", is_open() ? what_comes_next() : how_it_ended());
    return out;
  }

 private:
  static void add(Story& story, std::string title, std::vector<StoryLine> lines) {
    if (!lines.empty()) story.sections.push_back({std::move(title), std::move(lines)});
  }
  [[nodiscard]] bool is_open() const { return incident_.phase == IncidentPhase::open; }
  [[nodiscard]] bool was_told() const {
    return std::any_of(evidence_.file.deliveries.begin(), evidence_.file.deliveries.end(),
                       [](const DeliveryRow& row) { return calls_for_action(row.delivery.kind); });
  }

  [[nodiscard]] bool was_reached() const {
    return std::any_of(evidence_.file.deliveries.begin(), evidence_.file.deliveries.end(), [](const DeliveryRow& row) {
      return calls_for_action(row.delivery.kind) && row.state == DeliveryState::delivered;
    });
  }

  [[nodiscard]] std::string headline() const {
    std::string out = "Incident " + incident_.id + " is ";
    if (is_open())
      out += "open for " + lasting(now_ - incident_.opened_at);
    else if (!incident_.merged_into.empty())
      out += "part of " + incident_.merged_into + " since it was merged into that";
    else
      out += "over; it lasted " + lasting(incident_.resolved_at - incident_.opened_at);
    out += ": " + std::string(to_string(incident_.cls)) + ", owner " +
           (incident_.owner.empty() ? "nobody" : incident_.owner) + ".";
    if (is_open() && was_told() && !was_reached()) out += " NO RECEIVER HAS TAKEN ITS PAGE YET.";
    return out;
  }

  [[nodiscard]] std::vector<StoryLine> what_it_is() const {
    std::vector<StoryLine> out;
    if (incident_.in_common.empty()) {
      out.push_back({incident_.opened_at, incident_.root_alert + " at " + place_of(incident_) + " is the cause."});
    } else {
      std::string common;
      for (const auto& [name, value] : incident_.in_common) common += (common.empty() ? "" : ", ") + name + " " + value;
      out.push_back({incident_.opened_at, "No cause is claimed: many alerts began at once, and share only " + common + "."});
    }
    if (!incident_.alerts.empty()) {
      const auto summary = incident_.alerts.front().annotations.get("summary");
      if (!summary.empty()) out.push_back({{}, "Its rule says: " + std::string(summary)});
    }
    std::map<std::string, std::size_t> others;
    for (std::size_t i = 1; i < incident_.alerts.size(); ++i)
      ++others[std::string(incident_.alerts[i].labels.get("alertname"))];
    if (!others.empty()) {
      std::vector<std::string> words;
      for (const auto& [name, times] : others) {
        if (words.size() == kShownNames) break;
        words.push_back(name + (times > 1 ? " (" + std::to_string(times) + ")" : ""));
      }
      if (others.size() > kShownNames) words.push_back("others");
      out.push_back({{},
                     count_of(incident_.alerts.size() - 1, "more alert") +
                         " came with it and did not page by themselves: " + listed(words) + "."});
    }
    if (!incident_.workflows.empty())
      out.push_back({{}, "It stands under the workflows " + listed(incident_.workflows) + "."});
    if (incident_.reopened > 0)
      out.push_back({{}, "It began again " + count_of(incident_.reopened, "time") + " soon after its end."});
    return out;
  }

  /// Correlation and muting, oldest first; of many alerts that joined, the first.
  [[nodiscard]] std::vector<StoryLine> why() const {
    std::vector<StoryLine> out;
    if (incident_.cls == AlertClass::informational)
      out.push_back({{}, "It is informational: its owner's receiver gets a message, nobody is woken."});
    else if (!pages(incident_.cls))
      out.push_back(
          {{}, "It is actionable: its owner's receiver gets a message, but it is not repeated and no fallback is woken."});
    std::size_t joined = 0;
    for (const auto& d : evidence_.file.decisions) {
      const auto kind = kind_of(d.what);
      if (kind != Kind::correlation && kind != Kind::muting) continue;
      if (d.what == "member resolved") continue;
      if (d.what == "attached" && ++joined > kShownJoined) continue;
      out.push_back({d.at, sentence(d)});
    }
    if (joined > kShownJoined) out.push_back({{}, "... and " + count_of(joined - kShownJoined, "alert") + " more joined."});
    if (was_told() || is_muted()) return out;
    if (const auto owed = still_owed(); !owed.empty()) {
      out.push_back({{}, "By its plan " + owed + " hears of it only in certain hours; it is told when they begin."});
    } else if (evidence_.file.deliveries.empty()) {
      out.push_back(
          {{},
           is_open()
               ? "No message has been made for it. Its plan names no receiver for this hour, or it was opened a moment ago."
               : "No message was ever made for it."});
    }
    return out;
  }
  [[nodiscard]] bool is_muted() const { return evidence_.progress && evidence_.progress->mute != MuteKind::none; }
  [[nodiscard]] std::string still_owed() const {
    std::vector<std::string> names;
    if (evidence_.progress)
      for (const auto& [to, step] : evidence_.progress->owed) names.push_back(to);
    return listed(names);
  }

  [[nodiscard]] std::string sentence(const Decision& d) const {
    const auto at = names_.find(d.alert);
    const auto who = at == names_.end() ? std::string("an alert") : at->second;
    if (d.what == "opened") return "Opened for " + who + ": " + d.why + ".";
    if (d.what == "attached") return who + " joined: " + d.why + ".";
    if (d.what == "root changed") return "The cause is " + who + " from here on: " + d.why + ".";
    if (d.what == "reopened") return "Opened again for " + who + ": " + d.why + ".";
    if (d.what == "maintenance") return "Not told, for maintenance: " + d.why + ".";
    if (d.what == "silenced" || d.what == "inhibited") return "Not told, for it is " + d.what + ": " + d.why + ".";
    if (d.what.starts_with("no longer ")) return "Told from here on: " + d.why + ".";
    auto what = d.what;
    if (!what.empty() && what[0] >= 'a' && what[0] <= 'z') what[0] = static_cast<char>(what[0] - 'a' + 'A');
    return d.why.empty() ? what + "." : what + ": " + d.why + ".";
  }

  [[nodiscard]] std::string message_of(NoticeKind kind) const {
    switch (kind) {
      case NoticeKind::fire: return pages(incident_.cls) ? "paged" : "sent a message";
      case NoticeKind::escalate: return pages(incident_.cls) ? "paged, as the incident went on" : "told again";
      case NoticeKind::update: return "sent an update, which wakes nobody";
      case NoticeKind::acknowledge: return "told who has taken it on";
      case NoticeKind::resolve: return "told of its end";
    }
    return "told";
  }

  [[nodiscard]] std::vector<StoryLine> who_was_told() const {
    std::vector<StoryLine> out;
    for (const auto& row : evidence_.file.deliveries) {
      std::string text = row.delivery.receiver + " was " + message_of(row.delivery.kind);
      if (!row.instead_of.empty()) text += ", because " + row.instead_of + " did not take it";
      const auto tries = row.attempts > 1 ? " at attempt " + std::to_string(row.attempts) : std::string{};
      switch (row.state) {
        case DeliveryState::delivered:
          text += ": delivered after " + lasting(row.updated_at - row.delivery.created_at) + tries + ".";
          break;
        case DeliveryState::pending:
          text += row.attempts == 0 ? ": on its way."
                                    : ": NOT delivered yet after " + count_of(row.attempts, "attempt") + " (" + row.error +
                                          "); it is tried again.";
          break;
        case DeliveryState::failed_permanent: text += ": REFUSED (" + row.error + "), and nobody else was left."; break;
        case DeliveryState::superseded: text += ": refused (" + row.error + "); another receiver took over."; break;
      }
      out.push_back({row.delivery.created_at, std::move(text)});
    }
    for (const auto& d : evidence_.file.decisions)
      if (kind_of(d.what) == Kind::telling) out.push_back({d.at, sentence(d)});
    std::stable_sort(out.begin(), out.end(), [](const StoryLine& a, const StoryLine& b) { return a.at < b.at; });
    return out;
  }

  [[nodiscard]] std::vector<StoryLine> what_people_did() const {
    std::vector<StoryLine> out;
    bool acknowledged = false;
    for (const auto& d : evidence_.file.decisions) {
      if (kind_of(d.what) != Kind::people) continue;
      acknowledged = acknowledged || d.what == "acknowledged";
      if (d.what == "acknowledged")
        out.push_back({d.at, "Taken on by " + d.why + "."});
      else
        out.push_back({d.at, sentence(d)});
    }
    if (is_open() && !(evidence_.progress && evidence_.progress->ack))
      out.push_back({{}, "Nobody has it now. Take it on with 'wardctl ack " + incident_.id + "'."});
    else if (!is_open() && !acknowledged && was_told())
      out.push_back({{}, "Nobody took it on."});
    return out;
  }

  [[nodiscard]] std::vector<StoryLine> what_comes_next() const {
    std::vector<StoryLine> out;
    const auto& progress = evidence_.progress;
    if (is_muted()) {
      const auto& by = progress->muted_by;
      switch (progress->mute) {
        case MuteKind::none: break;
        case MuteKind::silenced:
          out.push_back({{}, "Nothing while silence " + by + " covers it: 'wardctl silence expire " + by + "' ends that."});
          break;
        case MuteKind::inhibited:
          out.push_back({{}, "Nothing while incident " + by + " stands over it: 'wardctl explain " + by + "'."});
          break;
        case MuteKind::maintenance:
          out.push_back({{}, "Nothing while " + by + " is in maintenance; if it is still open then, it is told."});
          break;
      }
      return out;
    }
    if (const auto& next = evidence_.next) {
      const auto in = next->at > now_ ? "In " + lasting(next->at - now_) : std::string("Now");
      const auto unless = next->unless_acked ? ", unless somebody acknowledges before" : "";
      out.push_back({next->at, in + " " + next->to + (next->repeats ? " hears of it again" : " is told") + unless + "."});
    } else if (progress && progress->ack) {
      out.push_back(
          {{}, "Nothing by itself while " + progress->ack->by + " has it; a graver class or another cause tells anew."});
    } else {
      out.push_back({{}, "Nobody else is told: its plan is at its end. A graver class or another cause tells anew."});
    }
    const auto firing =
        static_cast<std::size_t>(std::count_if(incident_.alerts.begin(), incident_.alerts.end(),
                                               [](const AlertEvent& a) { return a.phase == AlertPhase::firing; }));
    out.push_back({{},
                   firing > 0 ? "It ends when none of its alerts fires any more; " + count_of(firing, "alert") + " of " +
                                    std::to_string(incident_.alerts.size()) + (firing == 1 ? " does." : " do.")
                              : "None of its alerts fires any more: it ends soon, when that stays so."});
    return out;
  }

  [[nodiscard]] std::vector<StoryLine> how_it_ended() const {
    std::vector<StoryLine> out;
    for (const auto& d : evidence_.file.decisions)
      if (kind_of(d.what) == Kind::end) out.push_back({d.at, sentence(d)});
    if (out.empty()) out.push_back({incident_.resolved_at, "Resolved."});
    if (!incident_.merged_into.empty()) {
      out.push_back({{}, "Ask 'wardctl explain " + incident_.merged_into + "' for how it went on."});
    } else if (!incident_.verdict) {
      out.push_back({{},
                     "It has no verdict: say what it was with 'wardctl verdict " + incident_.id +
                         " acted|auto-recovered|known|false'."});
    }
    return out;
  }

  const IncidentEvidence& evidence_;
  const Incident& incident_;
  Time now_;
  std::map<std::string, std::string> names_;  ///< by alert id
};

}  // namespace

Story tell_incident(const IncidentEvidence& evidence, Time now) { return Telling(evidence, now).run(); }

}  // namespace ward::collector::review
