#include "collector/store/sqlite/ledger_store.hpp"

#include <nlohmann/json.hpp>

#include "collector/event/json.hpp"
#include "collector/event/json_values.hpp"
#include "collector/store/sqlite/ledger_schema.hpp"

namespace ward::collector {
namespace {

using slo::BlockNumber;
using slo::LedgerChange;
using slo::LedgerKey;
using slo::StoredSlos;

std::string text_of(const Labels& labels) { return json_of(labels).dump(); }

Result<Labels> labels_of(std::string_view text) {
  try {
    return labels_at(nlohmann::json{{"labels", nlohmann::json::parse(text)}}, "labels");
  } catch (const nlohmann::json::exception&) {
    return fail(Errc::corrupt, "the group of a ledger cannot be read", "Delete the SLO file: its content is counted anew.");
  }
}

/// Calls `take` for each row.
template <class Take>
Status each_row(sqlite::Statement& statement, Take take) {
  for (;;) {
    const auto more = statement.step();
    if (!more) return fail(more.error());
    if (!*more) return {};
    take(statement);
  }
}

}  // namespace

Result<std::unique_ptr<SqliteLedgerStore>> SqliteLedgerStore::open(sqlite::OpenOptions options) {
  std::unique_ptr<SqliteLedgerStore> store(new SqliteLedgerStore(std::move(options)));
  const std::scoped_lock lock(store->mutex_);
  if (auto opened = store->ensure_open(); !opened) return fail(opened.error());
  return store;
}

Status SqliteLedgerStore::ensure_open() {
  if (db_) return {};
  auto db = sqlite::Database::open(options_);
  if (!db) return fail(db.error());
  if (auto done = db->set_durability(sqlite::Durability::full); !done) return done;
  if (auto done = migrate_ledger_schema(*db); !done) return done;
  if (auto done = db->settle(); !done) return done;
  db_.emplace(std::move(*db));
  return {};
}

Status SqliteLedgerStore::note(Status status) {
  if (!status && (status.error().code == Errc::unavailable || status.error().code == Errc::corrupt)) {
    read_block_.reset();
    db_.reset();
  }
  return status;
}

Result<StoredSlos> SqliteLedgerStore::load(const std::vector<std::string>& identities) {
  const std::scoped_lock lock(mutex_);
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  StoredSlos out;
  for (const auto& identity : identities)
    if (auto done = note(read_ledgers(identity, out)); !done) return fail(done.error());
  if (auto done = note(read_state(out)); !done) return fail(done.error());
  return out;
}

Status SqliteLedgerStore::read_ledgers(const std::string& identity, StoredSlos& into) {
  auto seeded = db_->prepare("SELECT 1 FROM seeded WHERE identity=?1");
  if (!seeded) return fail(seeded.error());
  seeded->bind(1, identity);
  const auto known = seeded->step();
  if (!known) return fail(known.error());
  if (*known) into.seeded.push_back(identity);
  auto rows = db_->prepare(
      "SELECT labels, number, data FROM ledger JOIN ledger_block ON ledger_block.ledger=ledger.id WHERE identity=?1 ORDER "
      "BY "
      "ledger.id, number");
  if (!rows) return fail(rows.error());
  rows->bind(1, identity);
  std::string last;
  bool readable = false;
  return each_row(*rows, [&](sqlite::Statement& s) {
    if (last != s.text(0) || last.empty()) {
      last = s.text(0);
      auto labels = labels_of(last);
      readable = labels.has_value();
      if (readable) into.ledgers.push_back({{identity, std::move(*labels)}, {}});
    }
    if (!readable) return;
    const auto data = s.blob(2);
    into.ledgers.back().blocks.push_back({static_cast<BlockNumber>(s.integer(1)), {data.begin(), data.end()}});
  });
}

Status SqliteLedgerStore::read_state(StoredSlos& into) {
  auto through = db_->scalar("SELECT counted_through FROM progress");
  if (!through) return fail(through.error());
  into.counted_through = from_ms(*through);
  auto rows = db_->prepare("SELECT slo, data FROM alert ORDER BY position");
  if (!rows) return fail(rows.error());
  return each_row(*rows, [&](sqlite::Statement& s) {
    // One that cannot be read is told again when it still burns.
    if (auto watched = watched_alert_from_json(s.text(1)))
      into.alerts.push_back({std::string(s.text(0)), std::move(watched->alert)});
  });
}

Result<wire::Buffer> SqliteLedgerStore::block(const LedgerKey& key, BlockNumber number) {
  const std::scoped_lock lock(mutex_);
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  wire::Buffer out;
  const auto read = [&]() -> Status {
    if (!read_block_) {
      auto prepared = db_->prepare(
          "SELECT data FROM ledger_block WHERE ledger=(SELECT id FROM ledger WHERE identity=?1 AND labels=?2) AND "
          "number=?3");
      if (!prepared) return fail(prepared.error());
      read_block_ = std::move(*prepared);
    }
    read_block_->bind(1, key.identity).bind(2, text_of(key.group)).bind(3, std::int64_t{number});
    const auto done = each_row(*read_block_, [&](sqlite::Statement& s) {
      const auto data = s.blob(0);
      out.assign(data.begin(), data.end());
    });
    read_block_->reset();
    return done;
  };
  if (auto done = note(read()); !done) return fail(done.error());
  return out;
}

Status SqliteLedgerStore::save(const LedgerChange& change) {
  const std::scoped_lock lock(mutex_);
  if (auto opened = ensure_open(); !opened) return opened;
  return note(write(change));
}

Status SqliteLedgerStore::write(const LedgerChange& change) {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  if (auto done = write_blocks(change); !done) return done;
  if (auto done = write_state(change); !done) return done;
  return transaction->commit();
}

Status SqliteLedgerStore::write_blocks(const LedgerChange& change) {
  auto name = db_->prepare("INSERT OR IGNORE INTO ledger (identity, labels) VALUES (?1, ?2)");
  auto find = db_->prepare("SELECT id FROM ledger WHERE identity=?1 AND labels=?2");
  auto put = db_->prepare("INSERT OR REPLACE INTO ledger_block (ledger, number, data) VALUES (?1, ?2, ?3)");
  auto drop = db_->prepare("DELETE FROM ledger_block WHERE ledger=?1 AND number=?2");
  for (const auto* statement : {&name, &find, &put, &drop})
    if (!*statement) return fail(statement->error());
  for (const auto& [key, blocks] : change.ledgers) {
    const auto labels = text_of(key.group);
    name->bind(1, key.identity).bind(2, labels);
    if (auto done = name->run(); !done) return done;
    find->bind(1, key.identity).bind(2, labels);
    if (const auto found = find->step(); !found) return fail(found.error());
    const auto id = find->integer(0);
    find->reset();
    for (const auto& [number, bytes] : blocks) {
      auto& statement = bytes.empty() ? *drop : *put;
      statement.bind(1, id).bind(2, std::int64_t{number});
      if (!bytes.empty()) statement.bind(3, sqlite::Bytes{bytes});
      if (auto done = statement.run(); !done) return done;
    }
  }
  return {};
}

Status SqliteLedgerStore::write_state(const LedgerChange& change) {
  auto seeded = db_->prepare("INSERT OR IGNORE INTO seeded (identity) VALUES (?1)");
  if (!seeded) return fail(seeded.error());
  for (const auto& identity : change.seeded) {
    seeded->bind(1, identity);
    if (auto done = seeded->run(); !done) return done;
  }
  if (auto done = db_->run("DELETE FROM alert"); !done) return done;
  auto alert = db_->prepare("INSERT INTO alert (slo, data) VALUES (?1, ?2)");
  if (!alert) return fail(alert.error());
  for (const auto& [slo, event] : change.alerts) {
    const auto data = to_json(WatchedAlert{event, event.active_at});
    alert->bind(1, slo).bind(2, data);
    if (auto done = alert->run(); !done) return done;
  }
  auto progress = db_->prepare("INSERT OR REPLACE INTO progress (id, counted_through) VALUES (1, ?1)");
  if (!progress) return fail(progress.error());
  progress->bind(1, std::int64_t{to_ms(change.counted_through)});
  return progress->run();
}

Status SqliteLedgerStore::prune(Time before) {
  const std::scoped_lock lock(mutex_);
  if (auto opened = ensure_open(); !opened) return opened;
  return note(delete_older(before));
}

Status SqliteLedgerStore::delete_older(Time before) {
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  auto rows = db_->prepare("DELETE FROM ledger_block WHERE number<?1");
  if (!rows) return fail(rows.error());
  rows->bind(1, std::int64_t{slo::block_of(slo::number_of(slo::minute_of(before)))});
  if (auto done = rows->run(); !done) return done;
  if (auto done = db_->run("DELETE FROM ledger WHERE id NOT IN (SELECT ledger FROM ledger_block)"); !done) return done;
  return transaction->commit();
}

}  // namespace ward::collector
