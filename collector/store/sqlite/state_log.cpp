// The state file as people ask for it: incidents of the past with their decisions and deliveries, and what they turned out
// to be.
#include "collector/event/json.hpp"
#include "collector/store/sqlite/state_rows.hpp"
#include "collector/store/sqlite/state_store.hpp"

namespace ward::collector {
namespace {

/// What cannot be read is left out: it is no reason to show nothing.
Result<std::vector<Incident>> incidents_of(sqlite::Statement& rows) {
  std::vector<Incident> out;
  const auto done = each_row(rows, [&](sqlite::Statement& s) -> Status {
    auto record = incident_record_from_json(s.text(0));
    if (record) out.push_back(std::move(record->incident));
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

}  // namespace

Result<std::vector<Incident>> SqliteStateStore::incidents(Time since, std::size_t limit) {
  return opened(since, Time::max(), limit);
}

Result<std::vector<Incident>> SqliteStateStore::opened(Time since, Time until, std::size_t limit) {
  if (auto ready = ensure_open(); !ready) return fail(ready.error());
  auto rows = db_->prepare(
      "SELECT data FROM incident WHERE opened_at>=?1 AND opened_at<?2 ORDER BY opened_at DESC, id DESC LIMIT ?3");
  if (!rows) return fail(rows.error());
  rows->bind(1, std::int64_t{to_ms(since)}).bind(2, std::int64_t{to_ms(until)}).bind(3, static_cast<std::int64_t>(limit));
  return incidents_of(*rows);
}

Result<std::vector<Decision>> SqliteStateStore::decisions(std::string_view incident_or_alert) {
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  auto rows = db_->prepare("SELECT at, incident, alert, what, why FROM decision WHERE incident=?1 OR alert=?1 ORDER BY id");
  if (!rows) return fail(rows.error());
  rows->bind(1, incident_or_alert);
  std::vector<Decision> out;
  const auto done = each_row(*rows, [&](sqlite::Statement& s) -> Status {
    out.push_back({.at = from_ms(s.integer(0)),
                   .incident = std::string(s.text(1)),
                   .alert = std::string(s.text(2)),
                   .what = std::string(s.text(3)),
                   .why = std::string(s.text(4))});
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

Result<std::vector<Incident>> SqliteStateStore::named(std::string_view prefix, std::size_t limit) {
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  // Ids are of letters and digits: '~' comes after all of them.
  auto rows = db_->prepare("SELECT data FROM incident WHERE id>=?1 AND id<?2 ORDER BY id LIMIT ?3");
  if (!rows) return fail(rows.error());
  rows->bind(1, prefix).bind(2, std::string(prefix) + "~").bind(3, static_cast<std::int64_t>(limit));
  return incidents_of(*rows);
}

Result<std::vector<DeliveryRow>> SqliteStateStore::deliveries(std::string_view incident) {
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  auto rows = db_->prepare(
      "SELECT key, kind, receiver, created_at, state, attempts, error, instead_of, updated_at FROM delivery "
      "WHERE incident=?1 ORDER BY seq");
  if (!rows) return fail(rows.error());
  rows->bind(1, incident);
  std::vector<DeliveryRow> out;
  const auto done = each_row(*rows, [&](sqlite::Statement& s) -> Status {
    const auto kind = parse_notice_kind(s.text(1));
    const auto state = parse_delivery_state(s.text(4));
    if (!kind || !state) return {};
    DeliveryRow row;
    row.delivery = {.key = std::string(s.text(0)),
                    .incident = std::string(incident),
                    .kind = *kind,
                    .receiver = std::string(s.text(2)),
                    .body = "",
                    .created_at = from_ms(s.integer(3))};
    row.state = *state;
    row.attempts = static_cast<std::uint32_t>(s.integer(5));
    row.error = s.text(6);
    row.instead_of = s.text(7);
    row.updated_at = from_ms(s.integer(8));
    out.push_back(std::move(row));
    return {};
  });
  if (!done) return fail(done.error());
  return out;
}

Status SqliteStateStore::write_verdicts(const std::vector<GivenVerdict>& verdicts) {
  std::vector<IncidentRecord> judged;
  for (const auto& given : verdicts) {
    auto rows = db_->prepare("SELECT data FROM incident WHERE id=?1");
    if (!rows) return fail(rows.error());
    rows->bind(1, given.incident);
    auto read = each_row(*rows, [&](sqlite::Statement& s) -> Status {
      auto record = incident_record_from_json(s.text(0));
      if (!record) return {};
      record->incident.verdict = given.verdict;
      judged.push_back(std::move(*record));
      return {};
    });
    if (!read) return read;
  }
  return for_each(*db_, "UPDATE incident SET data=?2 WHERE id=?1", judged,
                  [](sqlite::Statement& s, const IncidentRecord& r) { s.bind(1, r.incident.id).bind(2, to_json(r)); });
}

}  // namespace ward::collector
