#include "collector/store/sqlite/state_store.hpp"

#include <array>

#include "collector/event/json.hpp"
#include "collector/store/sqlite/state_rows.hpp"
#include "collector/store/sqlite/state_schema.hpp"
#include "common/sqlite/changes.hpp"

namespace ward::collector {
namespace {

sqlite::Bytes bytes(const std::string& text) { return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}; }
std::string string(sqlite::Bytes blob) { return {reinterpret_cast<const char*>(blob.data()), blob.size()}; }

}  // namespace

Result<SqliteStateStore> SqliteStateStore::open(sqlite::OpenOptions options) {
  SqliteStateStore store(std::move(options));
  if (auto opened = store.ensure_open(); !opened) return fail(opened.error());
  return store;
}

Status SqliteStateStore::ensure_open() {
  if (db_) return {};
  auto db = sqlite::Database::open(options_);
  if (!db) return fail(db.error());
  if (auto done = db->set_durability(sqlite::Durability::full); !done) return done;
  if (auto done = migrate_state_schema(*db); !done) return done;
  db_.emplace(std::move(*db));
  return {};
}

Status SqliteStateStore::note(Status status) {
  if (!status && (status.error().code == Errc::unavailable || status.error().code == Errc::corrupt)) db_.reset();
  return status;
}

Status SqliteStateStore::commit(const StateChange& change) {
  if (is_empty(change)) return {};
  if (auto opened = ensure_open(); !opened) return opened;
  return note(write(change));
}

Status SqliteStateStore::write(const StateChange& change) {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  if (mirror_ == nullptr) {
    if (auto done = write_all(change); !done) return done;
    return transaction->commit();
  }
  auto recording = sqlite::Recording::begin(*db_);
  if (!recording) return fail(recording.error());
  if (auto done = write_all(change); !done) return done;
  const auto changes = recording->changes();
  if (!changes) return fail(changes.error());
  if (auto told = mirror_->changing(*changes); !told) return told;
  if (auto done = transaction->commit(); !done) return done;
  mirror_->changed();
  return {};
}

Status SqliteStateStore::write_all(const StateChange& change) {
  if (auto done = write_alerts(change); !done) return done;
  if (auto done = write_incidents(change); !done) return done;
  if (auto done = write_outbox(change); !done) return done;
  if (auto done = write_routing(change); !done) return done;
  if (auto done = write_audit(change.audit); !done) return done;
  return write_verdicts(change.verdicts);
}

Result<std::vector<std::uint8_t>> SqliteStateStore::image() {
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  return sqlite::image_of(*db_);
}

Status SqliteStateStore::write_alerts(const StateChange& change) {
  auto done =
      for_each(*db_, "DELETE FROM alert_state WHERE rule_group=?1 AND rule=?2 AND instance=?3", change.alerts_gone,
               [](sqlite::Statement& s, const AlertRowKey& k) { s.bind(1, k.group).bind(2, k.rule).bind(3, k.instance); });
  if (!done) return done;
  return for_each(*db_, "INSERT OR REPLACE INTO alert_state (rule_group, rule, instance, data) VALUES (?1, ?2, ?3, ?4)",
                  change.alerts, [](sqlite::Statement& s, const AlertRow& row) {
                    s.bind(1, row.key.group).bind(2, row.key.rule).bind(3, row.key.instance).bind(4, bytes(row.data));
                  });
}

Status SqliteStateStore::write_incidents(const StateChange& change) {
  auto done = for_each(
      *db_, "INSERT OR REPLACE INTO incident (id, is_open, opened_at, resolved_at, data) VALUES (?1, ?2, ?3, ?4, ?5)",
      change.incidents, [](sqlite::Statement& s, const IncidentRecord& record) {
        const auto& i = record.incident;
        s.bind(1, i.id).bind(2, std::int64_t{i.phase == IncidentPhase::open ? 1 : 0});
        s.bind(3, std::int64_t{to_ms(i.opened_at)}).bind(4, std::int64_t{to_ms(i.resolved_at)}).bind(5, to_json(record));
      });
  if (!done) return done;
  if (change.watched) {
    if (done = db_->run("DELETE FROM watched WHERE position NOT IN (" + unread_watched_ + ")"); !done) return done;
    done = for_each(*db_, "INSERT INTO watched (data) VALUES (?1)", *change.watched,
                    [](sqlite::Statement& s, const WatchedAlert& w) { s.bind(1, to_json(w)); });
    if (!done) return done;
  }
  // Delete before insert: an incident that ended and began again within one change keeps its new receivers only.
  done = for_each(*db_, "DELETE FROM notified WHERE incident=?1", change.notified_gone,
                  [](sqlite::Statement& s, const std::string& incident) { s.bind(1, incident); });
  if (!done) return done;
  done = for_each(*db_, "INSERT OR IGNORE INTO notified (incident, receiver) VALUES (?1, ?2)", change.notified,
                  [](sqlite::Statement& s, const Notified& n) { s.bind(1, n.incident).bind(2, n.receiver); });
  if (!done) return done;
  return for_each(*db_, "INSERT INTO decision (at, incident, alert, what, why) VALUES (?1, ?2, ?3, ?4, ?5)",
                  change.decisions, [](sqlite::Statement& s, const Decision& d) {
                    s.bind(1, std::int64_t{to_ms(d.at)}).bind(2, d.incident).bind(3, d.alert).bind(4, d.what).bind(5, d.why);
                  });
}

Status SqliteStateStore::write_outbox(const StateChange& change) {
  auto done = for_each(
      *db_,
      "INSERT OR IGNORE INTO delivery (key, incident, kind, receiver, body, created_at, state, attempts, error, instead_of, "
      "updated_at, remembered) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
      change.deliveries, [](sqlite::Statement& s, const DeliveryRow& row) {
        const auto& d = row.delivery;
        s.bind(1, d.key).bind(2, d.incident).bind(3, to_string(d.kind)).bind(4, d.receiver).bind(5, d.body);
        s.bind(6, std::int64_t{to_ms(d.created_at)}).bind(7, to_string(row.state)).bind(8, std::int64_t{row.attempts});
        s.bind(9, row.error).bind(10, row.instead_of).bind(11, std::int64_t{to_ms(row.updated_at)});
        s.bind(12, row.remembered);
      });
  if (!done) return done;
  return for_each(*db_, "UPDATE delivery SET state=?2, attempts=?3, error=?4, updated_at=?5, remembered=?6 WHERE key=?1",
                  change.delivery_updates, [](sqlite::Statement& s, const DeliveryRow& row) {
                    s.bind(1, row.delivery.key).bind(2, to_string(row.state)).bind(3, std::int64_t{row.attempts});
                    s.bind(4, row.error).bind(5, std::int64_t{to_ms(row.updated_at)}).bind(6, row.remembered);
                  });
}

Result<LoadedState> SqliteStateStore::load(Time resolved_after) {
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  LoadedState out;
  if (auto done = load_alerts(out); !done) return fail(done.error());
  if (auto done = load_incidents(out, resolved_after); !done) return fail(done.error());
  if (auto done = load_outbox(out, resolved_after); !done) return fail(done.error());
  if (auto done = load_routing(out); !done) return fail(done.error());
  return out;
}

Status SqliteStateStore::load_alerts(LoadedState& into) {
  auto rows = db_->prepare("SELECT rule_group, rule, instance, data FROM alert_state ORDER BY rule_group, rule, instance");
  if (!rows) return fail(rows.error());
  return each_row(*rows, [&](sqlite::Statement& s) -> Status {
    AlertRowKey key{.group = std::string(s.text(0)), .rule = std::string(s.text(1)), .instance = std::string(s.text(2))};
    into.alerts.push_back({.key = std::move(key), .data = string(s.blob(3))});
    return {};
  });
}

Status SqliteStateStore::load_incidents(LoadedState& into, Time resolved_after) {
  auto rows = db_->prepare("SELECT data FROM incident WHERE is_open=1 OR resolved_at>?1 ORDER BY id");
  if (!rows) return fail(rows.error());
  rows->bind(1, std::int64_t{to_ms(resolved_after)});
  auto done = each_row(*rows, [&](sqlite::Statement& s) -> Status {
    auto record = incident_record_from_json(s.text(0));
    if (record)
      into.incidents.incidents.push_back(std::move(*record));
    else
      ++into.unreadable;
    return {};
  });
  if (!done) return done;
  auto watched = db_->prepare("SELECT data, position FROM watched ORDER BY position");
  if (!watched) return fail(watched.error());
  unread_watched_.clear();
  done = each_row(*watched, [&](sqlite::Statement& s) -> Status {
    auto one = watched_alert_from_json(s.text(0));
    if (one) {
      into.incidents.watched.push_back(std::move(*one));
      return {};
    }
    ++into.unreadable;
    if (!unread_watched_.empty()) unread_watched_ += ',';
    unread_watched_ += std::to_string(s.integer(1));
    return {};
  });
  if (!done) return done;
  auto notified = db_->prepare("SELECT incident, receiver FROM notified ORDER BY incident, receiver");
  if (!notified) return fail(notified.error());
  return each_row(*notified, [&](sqlite::Statement& s) -> Status {
    into.notified.push_back({.incident = std::string(s.text(0)), .receiver = std::string(s.text(1))});
    return {};
  });
}

Status SqliteStateStore::load_outbox(LoadedState& into, Time resolved_after) {
  auto rows = db_->prepare(
      "SELECT key, incident, kind, receiver, body, created_at, state, attempts, error, instead_of, updated_at, remembered "
      "FROM "
      "delivery "
      "WHERE state='pending' OR incident IN (SELECT id FROM incident WHERE is_open=1 OR resolved_at>?1) "
      "OR incident IN (SELECT incident FROM delivery WHERE state='pending') ORDER BY seq");
  if (!rows) return fail(rows.error());
  rows->bind(1, std::int64_t{to_ms(resolved_after)});
  return each_row(*rows, [&](sqlite::Statement& s) -> Status {
    DeliveryRow row;
    const auto kind = parse_notice_kind(s.text(2));
    const auto state = parse_delivery_state(s.text(6));
    if (!kind || !state) {
      ++into.unreadable;
      return {};
    }
    row.delivery = {.key = std::string(s.text(0)),
                    .incident = std::string(s.text(1)),
                    .kind = *kind,
                    .receiver = std::string(s.text(3)),
                    .body = std::string(s.text(4)),
                    .created_at = from_ms(s.integer(5))};
    row.state = *state;
    row.attempts = static_cast<std::uint32_t>(s.integer(7));
    row.error = s.text(8);
    row.instead_of = s.text(9);
    row.updated_at = from_ms(s.integer(10));
    row.remembered = s.text(11);
    into.deliveries.push_back(std::move(row));
    return {};
  });
}

Status SqliteStateStore::prune(Time before) {
  if (auto opened = ensure_open(); !opened) return opened;
  return note(delete_older(before));
}

Status SqliteStateStore::delete_older(Time before) {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  const std::array<Time, 1> once{before};
  // What is still to be sent stays, however old.
  for (const auto* sql :
       {"DELETE FROM incident WHERE is_open=0 AND resolved_at<?1",
        "DELETE FROM delivery WHERE state<>'pending' AND created_at<?1 AND incident NOT IN (SELECT id FROM incident)",
        "DELETE FROM decision WHERE at<?1"}) {
    auto done = for_each(*db_, sql, once, [](sqlite::Statement& s, Time t) { s.bind(1, std::int64_t{to_ms(t)}); });
    if (!done) return done;
  }
  return transaction->commit();
}

}  // namespace ward::collector
