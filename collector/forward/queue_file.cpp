// The queue's file: opening, what a start makes of it, and what goes from it.
#include <algorithm>
#include <array>
#include <limits>
#include <string_view>
#include <utility>

#include "collector/forward/queue.hpp"
#include "collector/forward/queue_statements.hpp"
#include "common/sqlite/schema.hpp"

namespace ward::collector {
namespace {

// One entry per schema version, never edited once released.
constexpr std::array<std::string_view, 1> kSteps{R"(
CREATE TABLE target(
  name TEXT PRIMARY KEY, done INTEGER NOT NULL, handed INTEGER NOT NULL, next INTEGER NOT NULL, sent INTEGER NOT NULL);
CREATE TABLE series(id INTEGER PRIMARY KEY, hash INTEGER NOT NULL, labels BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE INDEX series_by_hash ON series(hash);
CREATE TABLE record(
  id INTEGER PRIMARY KEY, samples INTEGER NOT NULL, t_max INTEGER NOT NULL, payload BLOB NOT NULL, crc INTEGER NOT NULL);
CREATE TABLE mark(
  id INTEGER PRIMARY KEY CHECK(id=1), next_series INTEGER NOT NULL, next_row INTEGER NOT NULL, confirmed INTEGER NOT NULL,
  group_first INTEGER NOT NULL, group_stream INTEGER NOT NULL, group_seq INTEGER NOT NULL);
INSERT INTO mark VALUES(1,0,1,0,0,0,0);
)"};

constexpr std::chrono::minutes kTidySeriesEvery{30};
constexpr std::uint32_t kGenerationsKept = 2;

}  // namespace

Status ForwardQueue::start(std::vector<StreamState> journaled) {
  const std::scoped_lock lock(mutex_);
  journaled_ = std::move(journaled);
  auto opened = note(ensure_open());
  if (!opened && opened.error().code == Errc::denied) return opened;
  return {};
}

void ForwardQueue::close() {
  statements_.reset();
  db_.reset();
  tail_.reset();
  numbers_.clear();
  unseen_.clear();
  retry_at_ = context_.clock.mono() + options_.reopen_after;
}

void ForwardQueue::recovered() {
  if (std::exchange(told_, false)) failing_gauge_.set(0);
}

/// As the journal's: after an I/O error nobody writes through the same connection again.
Status ForwardQueue::note(Status status) {
  if (status) return status;
  damaged_ = damaged_ || status.error().code == Errc::corrupt;
  if (status.error().code != Errc::full && db_) close();
  failing_gauge_.set(1);
  if (!std::exchange(told_, true) && context_.failed) context_.failed(status.error());
  return status;
}

Status ForwardQueue::ensure_open() {
  if (db_) return {};
  if (retry_at_ != MonoTime{} && context_.clock.mono() < retry_at_)
    return fail(Errc::unavailable, "the remote write queue '" + options_.path + "' is closed after an error",
                "Check its disk.");
  const auto move_away = [&](const Error& why) -> Status {
    damaged_ = false;
    for (auto& target : targets_) {
      target->metrics.dropped(ForwardDrop::damaged, target->samples);
      target->samples = target->bytes = 0;
    }
    return context_.set_aside ? context_.set_aside(why) : fail(why);
  };
  auto opened = damaged_ ? fail(Errc::corrupt, "the remote write queue '" + options_.path + "' is damaged",
                                "Check the disk; keep the file for analysis.")
                         : open_file();
  if (!opened && opened.error().code == Errc::corrupt) {
    opened = move_away(opened.error());
    if (opened) opened = open_file();
  }
  if (!opened) close();
  return opened;
}

Status ForwardQueue::open_file() {
  sqlite::OpenOptions file;
  file.path = options_.path;
  file.vfs = options_.vfs;
  file.cache_bytes = 4 << 20;
  auto db = sqlite::Database::open(file);
  if (!db) return fail(db.error());
  const sqlite::Schema schema{.steps = kSteps,
                              .what = "the remote write queue",
                              .when_newer = "move the file aside: what waits in it is then not sent"};
  if (auto made = sqlite::migrate(*db, schema); !made) return made;
  if (auto settled = db->settle(); !settled) return settled;
  auto statements = Statements::prepare(*db);
  if (!statements) {
    // The statements fit the schema: a name that SQLite misses is damage in the text of the schema.
    if (statements.error().what.find("no such ") == std::string::npos) return fail(statements.error());
    return fail(Errc::corrupt, statements.error().what, statements.error().fix);
  }
  statements_ = std::move(*statements);
  auto loaded = load(*db);
  if (!loaded) {
    statements_.reset();
    return loaded;
  }
  db_ = std::move(*db);
  journaled_.reset();
  trim_due_ = true;
  return {};
}

Status ForwardQueue::load(sqlite::Database& db) {
  auto transaction = sqlite::Transaction::begin(db);
  if (!transaction) return fail(transaction.error());
  if (auto read = load_mark(db); !read) return read;
  if (auto read = load_targets(db); !read) return read;
  if (auto done = transaction->commit(); !done) return done;
  unseen_.clear();
  auto series = db.prepare("SELECT id FROM series");
  if (!series) return fail(series.error());
  auto more = series->step();
  for (; more && *more; more = series->step()) unseen_.insert(static_cast<QueueSeries>(series->integer(0)));
  if (!more) return fail(more.error());
  unseen_until_ = next_row_ - 1;
  return load_backlog(db);
}

/// Takes back what the journal does not have.
Status ForwardQueue::load_mark(sqlite::Database& db) {
  auto mark = db.prepare("SELECT next_series,next_row,confirmed,group_first,group_stream,group_seq FROM mark");
  if (!mark) return fail(mark.error());
  const auto row = mark->step();
  if (!row) return fail(row.error());
  if (!*row) return fail(Errc::corrupt, "the remote write queue has lost its mark", "Check the disk; keep the file.");
  const auto newest_row = db.scalar("SELECT max(id) FROM record");
  if (!newest_row) return fail(newest_row.error());
  const auto newest_series = db.scalar("SELECT max(id)+1 FROM series");
  if (!newest_series) return fail(newest_series.error());
  // Numbers are not given twice, by a file that began anew neither.
  next_series_ =
      std::max({next_series_, static_cast<QueueSeries>(mark->integer(0)), static_cast<QueueSeries>(*newest_series)});
  next_row_ = std::max({next_row_, mark->integer(1), *newest_row + 1});
  if (journaled_) {
    const auto first = mark->integer(3);
    const bool happened = first == 0 || mark->integer(2) >= *newest_row ||
                          journal_has(StreamRow{mark->integer(4)}, Sequence{static_cast<std::uint64_t>(mark->integer(5))});
    confirmed_ = happened ? next_row_ - 1 : first - 1;
  }
  mark->reset();
  return db.run("DELETE FROM record WHERE id>" + std::to_string(confirmed_));
}

// A commit is one transaction: if its first record is there, all of it is. A journal without streams began anew, beside this
// file: then what was acknowledged must not be taken back, and what comes again is sent twice.
bool ForwardQueue::journal_has(StreamRow stream, Sequence seq) const {
  return journaled_->empty() || std::any_of(journaled_->begin(), journaled_->end(), [&](const StreamState& state) {
           return state.row == stream && state.durable >= seq;
         });
}

Status ForwardQueue::load_targets(sqlite::Database& db) {
  std::unordered_set<std::string> known;
  auto rows = db.prepare("SELECT name,done,handed,next,sent FROM target");
  if (!rows) return fail(rows.error());
  std::vector<std::string> gone;
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    const std::string name(rows->text(0));
    const auto at = std::find_if(targets_.begin(), targets_.end(), [&](const auto& t) { return t->name == name; });
    if (at == targets_.end()) {
      gone.push_back(name);
      continue;
    }
    known.insert(name);
    auto& target = **at;
    // In memory they may be further: on a full disk they were not written.
    auto& position = target.at;
    position.done = std::max(position.done, rows->integer(1));
    position.handed = std::max({position.handed, position.done, rows->integer(2)});
    position.next = std::max({position.next, position.handed, rows->integer(3)});
    position.sent = std::max(position.sent, from_ms(rows->integer(4)));
  }
  if (!more) return fail(more.error());
  rows->reset();
  for (auto& target : targets_) {
    // One that is new gets what comes from now on.
    auto& position = target->at;
    if (!known.contains(target->name) && position.next == 0) {
      position.done = position.handed = position.next = confirmed_;
      position.sent = context_.clock.wall();
    }
    if (auto put = put_target(target->name, position); !put) return put;
  }
  auto drop = db.prepare("DELETE FROM target WHERE name=?");
  if (!drop) return fail(drop.error());
  for (const auto& name : gone)
    if (auto dropped = drop->bind(1, std::string_view{name}).run(); !dropped) return dropped;
  return {};
}

Status ForwardQueue::load_backlog(sqlite::Database& db) {
  std::vector<Backlog> backlogs(targets_.size());
  auto rows = db.prepare("SELECT id,samples,length(payload),t_max FROM record ORDER BY id");
  if (!rows) return fail(rows.error());
  auto more = rows->step();
  for (; more && *more; more = rows->step()) {
    newest_ = std::max(newest_.load(), rows->integer(3));
    for (std::size_t i = 0; i < targets_.size(); ++i) {
      if (rows->integer(0) <= targets_[i]->at.next) continue;
      backlogs[i].samples += static_cast<std::uint64_t>(rows->integer(1));
      backlogs[i].bytes += static_cast<std::uint64_t>(rows->integer(2)) + kRowBytes;
    }
  }
  if (!more) return fail(more.error());
  for (std::size_t i = 0; i < targets_.size(); ++i) {
    targets_[i]->samples = backlogs[i].samples;
    targets_[i]->bytes = backlogs[i].bytes;
    newest_ = std::max(newest_.load(), to_ms(targets_[i]->at.sent));
  }
  return {};
}

/// Deletes up to so many rows that no target needs; true when there may be more.
Result<bool> ForwardQueue::trim(std::uint64_t rows) {
  if (!trim_due_) return false;
  auto floor = std::numeric_limits<std::int64_t>::max();
  std::string needed;
  for (const auto& target : targets_) {
    floor = std::min(floor, target->at.next);
    if (target->at.handed > target->at.done)
      needed += " AND NOT (id>" + std::to_string(target->at.done) + " AND id<=" + std::to_string(target->at.handed) + ")";
  }
  if (auto set = db_->set_durability(sqlite::Durability::normal); !set) return fail(set.error());
  const auto gone = db_->run("DELETE FROM record WHERE id IN (SELECT id FROM record WHERE id<=" + std::to_string(floor) +
                             needed + " LIMIT " + std::to_string(rows) + ")");
  const auto deleted = db_->changes();
  if (auto set = db_->set_durability(sqlite::Durability::full); !set) return fail(set.error());
  if (!gone && gone.error().code != Errc::full) return fail(gone.error());
  trim_due_ = !gone || static_cast<std::uint64_t>(deleted) >= rows;
  return trim_due_ && gone;
}

/// Label sets that no record in the file names and nobody has sent for a while.
Status ForwardQueue::drop_unused_series() {
  const auto now = context_.clock.mono();
  if (tidied_at_ == MonoTime{}) tidied_at_ = now;
  if (now - tidied_at_ < kTidySeriesEvery) return {};
  tidied_at_ = now;
  ++generation_;
  if (generation_ <= kGenerationsKept) return {};
  auto answered = std::numeric_limits<std::int64_t>::max();
  for (const auto& target : targets_) answered = std::min(answered, target->at.done);
  const auto is_unused = [&](const Named& named) {
    return named.used_in + kGenerationsKept < generation_ && named.row <= answered;
  };
  std::vector<QueueSeries> unused;
  for (const auto& [id, named] : numbers_)
    if (is_unused(named)) unused.push_back(named.number);
  if (unseen_until_ <= answered) unused.insert(unused.end(), unseen_.begin(), unseen_.end());
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  for (const auto number : unused)
    if (auto dropped = statements_->drop_series.bind(1, std::int64_t{number}).run(); !dropped) return dropped;
  if (auto done = transaction->commit(); !done) return done;
  std::erase_if(numbers_, [&](const auto& known) { return is_unused(known.second); });
  if (unseen_until_ <= answered) unseen_.clear();
  return {};
}

}  // namespace ward::collector
