#include "collector/event/incident.hpp"

namespace ward::collector {

std::string_view to_string(NoticeKind k) {
  switch (k) {
    case NoticeKind::fire: return "fire";
    case NoticeKind::escalate: return "escalate";
    case NoticeKind::update: return "update";
    case NoticeKind::acknowledge: return "acknowledge";
    case NoticeKind::resolve: return "resolve";
  }
  return "fire";
}

Result<NoticeKind> parse_notice_kind(std::string_view text) {
  for (const auto k :
       {NoticeKind::fire, NoticeKind::escalate, NoticeKind::update, NoticeKind::acknowledge, NoticeKind::resolve})
    if (to_string(k) == text) return k;
  return fail(Errc::corrupt, "outbox row of the unknown kind '" + std::string(text) + "'",
              "Run the release of Ward that wrote this store, or restore the store from its backup.");
}

std::string_view to_string(VerdictKind v) {
  switch (v) {
    case VerdictKind::acted: return "acted";
    case VerdictKind::auto_recovered: return "auto-recovered";
    case VerdictKind::known: return "known";
    case VerdictKind::false_alarm: return "false";
  }
  return "acted";
}

Result<VerdictKind> parse_verdict(std::string_view text) {
  for (const auto v : {VerdictKind::acted, VerdictKind::auto_recovered, VerdictKind::known, VerdictKind::false_alarm})
    if (to_string(v) == text) return v;
  return fail(Errc::invalid, "there is no verdict '" + std::string(text) + "'",
              "Say acted (somebody had to do something), auto-recovered, known or false.");
}

bool calls_for_action(NoticeKind k) { return k == NoticeKind::fire || k == NoticeKind::escalate; }

}  // namespace ward::collector
