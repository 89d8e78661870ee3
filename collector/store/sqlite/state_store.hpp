#pragma once
#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "collector/event/state.hpp"
#include "common/sqlite/database.hpp"

namespace ward::collector {

/// The state of alerting, incidents, routing and outbox in one SQLite file of its own, every commit synced to disk. Format:
/// the tables in state_schema.hpp. After an I/O error the file is closed and opened again before anything else is
/// written: a commit whose sync failed must never be repeated on the same handle. Thread: one at a time.
class SqliteStateStore final : public StateStore, public IncidentLog, public AuditLog {
 public:
  /// Opens or creates the file and brings an older schema up to date. Errc::denied for a newer one.
  static Result<SqliteStateStore> open(sqlite::OpenOptions options);

  Status commit(const StateChange& change) override;
  Result<LoadedState> load(Time resolved_after) override;
  Result<std::vector<Incident>> incidents(Time since, std::size_t limit) override;
  Result<std::vector<Incident>> opened(Time since, Time until, std::size_t limit) override;
  Result<std::vector<Decision>> decisions(std::string_view incident_or_alert) override;
  Result<std::vector<Incident>> named(std::string_view prefix, std::size_t limit) override;
  Result<std::vector<DeliveryRow>> deliveries(std::string_view incident) override;
  Result<std::vector<AuditRecord>> audit(std::uint64_t after, std::size_t limit) override;

  /// Tells `mirror` of each change from now on; it must outlive this. Not of prune(): a copy deletes what is old itself.
  void follow_with(StateMirror& mirror) { mirror_ = &mirror; }
  /// The whole file.
  Result<std::vector<std::uint8_t>> image();

  /// Deletes decisions made and incidents resolved before `before`, with the outbox rows of those incidents. The usual
  /// age is 90 days.
  Status prune(Time before);

 private:
  explicit SqliteStateStore(sqlite::OpenOptions options) : options_(std::move(options)) {}
  Status ensure_open();
  /// Drops the handle when the error says that it can no longer be trusted.
  Status note(Status status);
  Status delete_older(Time before);
  Status write(const StateChange& change);
  Status write_all(const StateChange& change);
  Status write_alerts(const StateChange& change);
  Status write_incidents(const StateChange& change);
  Status write_outbox(const StateChange& change);
  Status write_routing(const StateChange& change);
  Status write_verdicts(const std::vector<GivenVerdict>& verdicts);
  Status write_audit(const std::vector<AuditEntry>& entries);
  Status load_alerts(LoadedState& into);
  Status load_incidents(LoadedState& into, Time resolved_after);
  Status load_outbox(LoadedState& into, Time resolved_after);
  Status load_routing(LoadedState& into);

  StateMirror* mirror_ = nullptr;
  sqlite::OpenOptions options_;
  std::optional<sqlite::Database> db_;
  std::string unread_watched_;  // positions of watched rows that stay although they could not be read: "3,7"
};

}  // namespace ward::collector
