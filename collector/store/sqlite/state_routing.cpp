// The part of the state file that is routing's: escalations, silences, and the chain of what people did.
#include "collector/event/routing_json.hpp"
#include "collector/store/sqlite/state_rows.hpp"
#include "collector/store/sqlite/state_store.hpp"

namespace ward::collector {

Status SqliteStateStore::write_routing(const StateChange& change) {
  // Delete before insert, as with receivers: what began again within one change stays.
  auto done = for_each(*db_, "DELETE FROM escalation WHERE incident=?1", change.escalations_gone,
                       [](sqlite::Statement& s, const std::string& incident) { s.bind(1, incident); });
  if (!done) return done;
  done = for_each(*db_, "INSERT OR REPLACE INTO escalation (incident, data) VALUES (?1, ?2)", change.escalations,
                  [](sqlite::Statement& s, const EscalationRecord& r) { s.bind(1, r.incident).bind(2, to_json(r)); });
  if (!done) return done;
  done = for_each(*db_, "DELETE FROM silence WHERE id=?1", change.silences_gone,
                  [](sqlite::Statement& s, const std::string& id) { s.bind(1, id); });
  if (!done) return done;
  return for_each(
      *db_, "INSERT OR REPLACE INTO silence (id, data) VALUES (?1, ?2)", change.silences,
      [](sqlite::Statement& s, const AlertSilence& silence) { s.bind(1, silence.id).bind(2, to_json(silence)); });
}

Status SqliteStateStore::write_audit(const std::vector<AuditEntry>& entries) {
  if (entries.empty()) return {};
  std::uint64_t number = 0;
  std::string hash;
  auto last = db_->prepare("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
  if (!last) return fail(last.error());
  auto read = each_row(*last, [&](sqlite::Statement& s) -> Status {
    number = static_cast<std::uint64_t>(s.integer(0));
    hash = s.text(1);
    return {};
  });
  if (!read) return read;
  return for_each(
      *db_, "INSERT INTO audit (number, at, actor, action, subject, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
      entries, [&](sqlite::Statement& s, const AuditEntry& e) {
        hash = audit_hash(hash, ++number, e);
        s.bind(1, static_cast<std::int64_t>(number)).bind(2, std::int64_t{to_ms(e.at)}).bind(3, e.actor).bind(4, e.action);
        s.bind(5, e.subject).bind(6, e.detail).bind(7, hash);
      });
}

Status SqliteStateStore::load_routing(LoadedState& into) {
  const auto each = [&](std::string_view sql, auto parse, auto& list) -> Status {
    auto rows = db_->prepare(sql);
    if (!rows) return fail(rows.error());
    return each_row(*rows, [&](sqlite::Statement& s) -> Status {
      if (auto one = parse(s.text(0)))
        list.push_back(std::move(*one));
      else
        ++into.unreadable;
      return {};
    });
  };
  auto done = each("SELECT data FROM escalation ORDER BY incident", escalation_record_from_json, into.escalations);
  if (!done) return done;
  return each("SELECT data FROM silence ORDER BY id", silence_from_json, into.silences);
}

Result<std::vector<AuditRecord>> SqliteStateStore::audit(std::uint64_t after, std::size_t limit) {
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  auto rows = db_->prepare(
      "SELECT number, at, actor, action, subject, detail, hash FROM audit WHERE number>?1 ORDER BY number LIMIT ?2");
  if (!rows) return fail(rows.error());
  rows->bind(1, static_cast<std::int64_t>(after)).bind(2, static_cast<std::int64_t>(limit));
  std::vector<AuditRecord> out;
  const auto done = each_row(*rows, [&](sqlite::Statement& s) -> Status {
    AuditEntry entry{.at = from_ms(s.integer(1)),
                     .actor = std::string(s.text(2)),
                     .action = std::string(s.text(3)),
                     .subject = std::string(s.text(4)),
                     .detail = std::string(s.text(5))};
    out.push_back(
        {.number = static_cast<std::uint64_t>(s.integer(0)), .entry = std::move(entry), .hash = std::string(s.text(6))});
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

}  // namespace ward::collector
