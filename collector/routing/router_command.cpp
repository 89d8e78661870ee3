// What people ask of the router: acknowledgements and silences, each with its entry in the audit.
#include "collector/routing/router.hpp"
#include "common/base/duration.hpp"
#include "common/base/planted.hpp"

namespace ward::collector {
namespace {

void add_audit(Performed& out, const Command& command, Time now, std::string action, std::string subject,
               std::string detail) {
  const auto& by = command.by;
  const bool other = !by.empty() && by != command.actor;
  out.change.audit.push_back({.at = now,
                              .actor = command.actor,
                              .action = std::move(action),
                              .subject = std::move(subject),
                              .detail = (other ? "as " + by + ": " : "") + std::move(detail)});
}

void add_decision(Performed& out, Time now, const std::string& incident, std::string what, std::string why) {
  out.change.decisions.push_back(
      {.at = now, .incident = incident, .alert = "", .what = std::move(what), .why = std::move(why)});
}

std::string who(const Command& command) { return command.by.empty() ? command.actor : command.by; }

Result<std::string> not_open(const std::string& id) {
  return fail(Errc::not_found, "there is no open incident '" + id + "'",
              "Look at the open ones with GET /api/ward/v1/incidents.");
}

}  // namespace

Performed Router::perform(const Command& command, Time now) {
  Performed out{.outcome = std::string{}, .change = {}};
  switch (command.kind) {
    case Command::Kind::acknowledge: acknowledge(command, now, out); break;
    case Command::Kind::unacknowledge: unacknowledge(command, now, out); break;
    case Command::Kind::put_silence:
    case Command::Kind::expire_silence: silence(command, now, out); break;
  }
  return out;
}

void Router::acknowledge(const Command& command, Time now, Performed& out) {
  const auto at = records_.find(command.subject);
  if (at == records_.end()) {
    out.outcome = not_open(command.subject);
    return;
  }
  auto& record = at->second;
  if (record.ack) {
    // The first one stands; the second is kept for whoever asks who was there.
    out.outcome = "acknowledged by " + record.ack->by + " at " + format_time(record.ack->at) + " already";
    add_audit(out, command, now, "ack again", record.incident, command.note);
    add_decision(out, now, record.incident, "acknowledged again", who(command) + ": " + command.note);
    return;
  }
  record.ack = Acknowledgement{.by = who(command), .note = command.note, .at = now};
  add_audit(out, command, now, "ack", record.incident, command.note);
  add_decision(out, now, record.incident, "acknowledged",
               record.ack->by + (command.note.empty() ? "" : ": " + command.note));
  out.outcome = "acknowledged by " + record.ack->by;
  acked_.insert(record.incident);
  if (planted(Planted::forget_ack)) return;
  out.change.escalations.push_back(record);
}

void Router::unacknowledge(const Command& command, Time now, Performed& out) {
  const auto at = records_.find(command.subject);
  if (at == records_.end()) {
    out.outcome = not_open(command.subject);
    return;
  }
  auto& record = at->second;
  if (!record.ack) {
    out.outcome = fail(Errc::invalid, "nobody has acknowledged '" + record.incident + "'", "There is nothing to take back.");
    return;
  }
  const auto was = record.ack->by;
  record.ack.reset();
  ++record.round;
  restart(record, now);
  add_audit(out, command, now, "unack", record.incident, command.note);
  add_decision(out, now, record.incident, "acknowledgement taken back",
               who(command) + " gives back what " + was + " took on");
  out.outcome = "nobody has it now; its escalation begins anew";
  out.change.escalations.push_back(record);
}

void Router::silence(const Command& command, Time now, Performed& out) {
  if (command.kind == Command::Kind::expire_silence) {
    auto ended = silences_.expire(command.subject, now);
    if (!ended) {
      out.outcome = fail(ended.error());
      return;
    }
    add_audit(out, command, now, "silence ended", ended->id, command.note);
    out.outcome = ended->id;
    out.change.silences.push_back(std::move(*ended));
    return;
  }
  auto put = silences_.put(command.silence, command.fresh_id, now);
  if (!put) {
    out.outcome = fail(put.error());
    return;
  }
  for (const auto& changed : put->changed) {
    const bool counts = changed.id == put->id;
    add_audit(out, command, now, counts ? "silence" : "silence ended", changed.id,
              counts ? "{" + to_string(changed.matchers) + "} from " + format_time(changed.starts_at) + " to " +
                           format_time(changed.ends_at) + " by " + changed.created_by + ": " + changed.comment
                     : "replaced by " + put->id);
  }
  out.outcome = put->id;
  out.change.silences = std::move(put->changed);
}

}  // namespace ward::collector
