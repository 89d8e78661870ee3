#include "collector/forward/queue.hpp"

#include <algorithm>
#include <utility>

#include "collector/forward/queue_statements.hpp"
#include "collector/ingest/series_row.hpp"
#include "common/base/assert.hpp"

namespace ward::collector {
namespace {

/// At the cap so much more goes that not every commit has to drop something.
constexpr std::uint64_t kCutShare = 64;
/// Rows deleted beside a commit, at least; after an answer as many as there are, in slices.
constexpr std::uint64_t kTrimBesideCommit = 512;
constexpr std::uint64_t kTrimSlice = 4'096;

/// What of an entry is sent on: events and gaps are not.
const wire::Record* samples_of(const JournalEntry& entry) {
  const auto* received = std::get_if<ReceivedRecord>(&entry);
  return received != nullptr && !received->record.samples.empty() ? &received->record : nullptr;
}

std::uint64_t samples_of(std::span<const JournalEntry> entries) {
  std::uint64_t out = 0;
  for (const auto& entry : entries)
    if (const auto* record = samples_of(entry)) out += record->samples.size();
  return out;
}

}  // namespace

ForwardQueue::ForwardQueue(Options options, Context context)
    : options_(std::move(options)),
      context_(std::move(context)),
      failing_gauge_(context_.metrics.gauge("ward_remote_storage_queue_failing",
                                            "1 while the file of the remote write queue takes nothing.")) {
  for (const auto& target : options_.targets) {
    targets_.push_back(std::make_unique<State>(target, context_.metrics));
    targets_.back()->metrics.queue_capacity.set(static_cast<double>(target.max_bytes));
  }
  failing_gauge_.set(0);
}

ForwardQueue::~ForwardQueue() = default;

void ForwardQueue::drop_all(ForwardDrop reason, std::uint64_t samples) {
  for (auto& target : targets_) target->metrics.dropped(reason, samples);
}

void ForwardQueue::offer(std::span<const JournalEntry> entries) {
  const std::scoped_lock lock(mutex_);
  offered_ = Status{};
  if (samples_of(entries) == 0) return;
  offered_ = note(append(entries));
  if (offered_) recovered();
}

Status ForwardQueue::append(std::span<const JournalEntry> entries) {
  if (auto opened = ensure_open(); !opened) return opened;
  Group group;
  group.first = next_row_;
  group.last = next_row_ - 1;
  fresh_.clear();
  auto transaction = sqlite::Transaction::begin(*db_);
  if (!transaction) return fail(transaction.error());
  // The last group was not confirmed: its commit did not happen, and what it brought comes again or is nobody's.
  if (tail_)
    if (auto gone = db_->run("DELETE FROM record WHERE id>" + std::to_string(confirmed_)); !gone) return gone;
  bool first = true;
  for (const auto& entry : entries) {
    const auto* record = samples_of(entry);
    if (record == nullptr) continue;
    if (std::exchange(first, false)) {
      group.stream = std::get<ReceivedRecord>(entry).stream;
      group.seq = record->seq;
    }
    if (auto put = put_record(*record, std::get<ReceivedRecord>(entry).known, group); !put) return put;
  }
  auto put = statements_->put_mark.bind(1, std::int64_t{next_series_} + static_cast<std::int64_t>(fresh_.size()))
                 .bind(2, group.last + 1)
                 .bind(3, confirmed_)
                 .bind(4, group.first)
                 .bind(5, group.stream.get())
                 .bind(6, static_cast<std::int64_t>(group.seq.get()))
                 .run();
  if (!put) return put;
  std::vector<std::pair<State*, Cut>> cuts;
  for (auto& target : targets_) {
    if (target->bytes + group.bytes <= target->max_bytes) continue;
    const auto cut = cut_for(*target, group.bytes);
    if (!cut) return fail(cut.error());
    if (cut->samples == 0) continue;
    auto after = target->at;
    after.next = cut->next;
    if (auto saved = put_target(target->name, after); !saved) return saved;
    cuts.emplace_back(target.get(), *cut);
  }
  if (auto done = transaction->commit(); !done) return done;

  next_row_ = group.last + 1;
  next_series_ += static_cast<QueueSeries>(fresh_.size());
  for (const auto& [id, number] : fresh_) numbers_[id] = {number, generation_, group.last};
  tail_ = group;
  for (const auto& [target, cut] : cuts) {
    target->at.next = cut.next;
    target->samples -= cut.samples;
    target->bytes -= cut.bytes;
    target->metrics.dropped(ForwardDrop::queue_full, cut.samples);
    trim_due_ = true;
  }
  if (!trim_due_) return {};
  const auto rows = static_cast<std::uint64_t>(group.last - group.first + 1);
  const auto more = trim(std::max(kTrimBesideCommit, 2 * rows));
  return more ? Status{} : fail(more.error());
}

Status ForwardQueue::put_record(const wire::Record& record, bool known, Group& group) {
  wire::Record fresh;
  fresh.t_min = record.t_min;
  for (const auto& sample : record.samples)
    if (known || !context_.is_new || context_.is_new(sample.id, {sample.t, sample.v})) fresh.samples.push_back(sample);
  if (fresh.samples.empty()) return {};
  Status named;
  const auto payload = codec_.encode(fresh, [&](SeriesId id) {
    const auto number = named ? number_of(id, group.last + 1) : Result<QueueSeries>(0);
    if (!number) named = fail(number.error());
    return number.value_or(0);
  });
  if (!named) return named;
  const auto id = ++group.last;
  const auto samples = static_cast<std::int64_t>(fresh.samples.size());
  auto newest = fresh.samples.front().t;
  for (const auto& sample : fresh.samples) newest = std::max(newest, sample.t);
  group.newest = group.samples == 0 ? newest : std::max(group.newest, newest);
  group.samples += fresh.samples.size();
  group.bytes += payload.size() + kRowBytes;
  return statements_->put_record.bind(1, id)
      .bind(2, samples)
      .bind(3, to_ms(newest))
      .bind(4, sqlite::Bytes{payload})
      .bind(5, queue_crc(payload, id, samples))
      .run();
}

Result<QueueSeries> ForwardQueue::number_of(SeriesId id, std::int64_t row) {
  if (const auto known = numbers_.find(id); known != numbers_.end()) {
    known->second.used_in = generation_;
    known->second.row = row;
    return known->second.number;
  }
  if (const auto fresh = fresh_.find(id); fresh != fresh_.end()) return fresh->second;
  const auto labels = context_.labels(id);
  const auto stored = find_series(labels);
  if (!stored) return fail(stored.error());
  if (*stored) {
    unseen_.erase(**stored);
    numbers_[id] = {**stored, generation_, row};
    return **stored;
  }
  const auto number = next_series_ + static_cast<QueueSeries>(fresh_.size());
  const auto bytes = series_row(labels);
  auto put = statements_->put_series.bind(1, std::int64_t{number})
                 .bind(2, static_cast<std::int64_t>(labels.hash()))
                 .bind(3, sqlite::Bytes{bytes})
                 .bind(4, queue_crc(bytes, number))
                 .run();
  if (!put) return fail(put.error());
  fresh_.emplace(id, number);
  return number;
}

Result<std::optional<QueueSeries>> ForwardQueue::find_series(const Labels& labels) {
  auto& find = statements_->find_series;
  find.bind(1, static_cast<std::int64_t>(labels.hash()));
  std::optional<QueueSeries> out;
  auto more = find.step();
  for (; more && *more && !out; more = find.step())
    if (read_series_row(find.blob(1)) == labels && queue_crc(find.blob(1), find.integer(0)) == find.integer(2))
      out = static_cast<QueueSeries>(find.integer(0));
  find.reset();
  if (!more) return fail(more.error());
  return out;
}

/// Where a target goes on so that there is room: the oldest rows that wait are left out.
Result<ForwardQueue::Cut> ForwardQueue::cut_for(const State& target, std::uint64_t coming) {
  const auto keep = target.max_bytes - target.max_bytes / kCutShare;
  Cut cut{target.at.next, 0, 0};
  auto rows = db_->prepare("SELECT id,samples,length(payload) FROM record WHERE id>" + std::to_string(target.at.next) +
                           " AND id<=" + std::to_string(confirmed_) + " ORDER BY id");
  if (!rows) return fail(rows.error());
  while (target.bytes + coming - cut.bytes > keep) {
    const auto more = rows->step();
    if (!more) return fail(more.error());
    if (!*more) break;
    cut.next = rows->integer(0);
    cut.samples += static_cast<std::uint64_t>(rows->integer(1));
    cut.bytes += static_cast<std::uint64_t>(rows->integer(2)) + kRowBytes;
  }
  return cut;
}

void ForwardQueue::confirm(std::span<const JournalEntry> entries) {
  {
    const std::scoped_lock lock(mutex_);
    const auto samples = samples_of(entries);
    if (samples == 0) return;
    if (!tail_ || !offered_) return drop_all(ForwardDrop::queue_error, samples);
    confirmed_ = tail_->last;
    for (auto& target : targets_) {
      target->samples += tail_->samples;
      target->bytes += tail_->bytes;
    }
    if (to_ms(tail_->newest) > newest_) newest_ = to_ms(tail_->newest);
    tail_.reset();
  }
  if (context_.arrived) context_.arrived();
}

Result<std::optional<ForwardQueue::Block>> ForwardQueue::take(std::size_t target, std::uint64_t samples) {
  const std::scoped_lock lock(mutex_);
  if (auto opened = ensure_open(); !opened) return fail(opened.error());
  auto& state = *targets_[target];
  const bool repeated = state.at.handed > state.at.done;
  auto block = read_block(state, repeated, samples);
  if (!block) return fail(note(fail(block.error())).error());
  if (block->rows.empty()) {
    if (repeated) state.at.done = state.at.handed = state.at.next;
    return std::nullopt;
  }
  if (!repeated) {
    std::uint64_t bytes = 0;
    for (const auto& row : block->rows) bytes += row.bytes;
    state.at.handed = state.at.next = block->last;
    state.samples -= std::min(block->samples, state.samples.load());
    state.bytes -= std::min(bytes, state.bytes.load());
    if (auto saved = save_positions(state); !saved) return fail(saved.error());
  }
  return std::optional<Block>(std::move(*block));
}

Result<ForwardQueue::Block> ForwardQueue::read_block(const State& target, bool repeated, std::uint64_t samples) {
  Block block;
  block.repeated = repeated;
  block.newest = Time::min();
  auto& read = statements_->read_records;
  read.bind(1, repeated ? target.at.done : target.at.next).bind(2, repeated ? target.at.handed : confirmed_);
  auto more = read.step();
  for (; more && *more; more = read.step()) {
    Row row;
    const auto payload = read.blob(3);
    row.samples = static_cast<std::uint64_t>(read.integer(1));
    row.bytes = payload.size() + kRowBytes;
    if (queue_crc(payload, read.integer(0), read.integer(1)) == read.integer(4)) row.content = codec_.decode(payload);
    if (row.content)
      for (const auto& sample : *row.content) block.newest = std::max(block.newest, sample.t);
    block.last = read.integer(0);
    block.samples += row.samples;
    block.rows.push_back(std::move(row));
    if (!repeated && block.samples >= samples) break;
  }
  read.reset();
  if (!more) return fail(more.error());
  return block;
}

Status ForwardQueue::done(std::size_t target, const Block& block) {
  std::unique_lock lock(mutex_);
  auto& state = *targets_[target];
  // Behind the block there may be rows that were dropped meanwhile.
  state.at.done = state.at.handed = std::max(state.at.next, block.last);
  state.at.next = state.at.done;
  state.at.sent = std::max(state.at.sent, block.newest);
  if (auto opened = ensure_open(); !opened) return opened;
  trim_due_ = true;
  if (auto saved = save_positions(state); !saved) return saved;
  for (bool more = true; more;) {
    const auto trimmed = trim(kTrimSlice);
    if (!trimmed) return note(fail(trimmed.error()));
    more = *trimmed;
    // A commit may come between.
    lock.unlock();
    lock.lock();
    if (!db_) return {};
  }
  return note(drop_unused_series());
}

Status ForwardQueue::put_target(const std::string& name, const Positions& at) {
  return statements_->put_target.bind(1, std::string_view{name})
      .bind(2, at.done)
      .bind(3, at.handed)
      .bind(4, at.next)
      .bind(5, to_ms(at.sent))
      .run();
}

/// Without a sync of its own: the next commit's takes it along, and a position that a power loss set back is sent again. A
/// full disk does not hold up what would make room: then the positions in memory count.
Status ForwardQueue::save_positions(State& target) {
  const auto write = [&]() -> Status {
    if (auto set = db_->set_durability(sqlite::Durability::normal); !set) return set;
    auto transaction = sqlite::Transaction::begin(*db_);
    if (!transaction) return fail(transaction.error());
    if (auto put = put_target(target.name, target.at); !put) return put;
    if (auto put = db_->run("UPDATE mark SET confirmed=" + std::to_string(confirmed_)); !put) return put;
    return transaction->commit();
  };
  auto written = write();
  const auto back = db_->set_durability(sqlite::Durability::full);
  if (!written && written.error().code == Errc::full) written = Status{};
  return note(written ? back : written);
}

Result<std::vector<std::optional<Labels>>> ForwardQueue::labels(std::span<const QueueSeries> numbers) {
  constexpr std::size_t kSlice = 1'024;  // a commit may come between
  std::vector<std::optional<Labels>> out;
  out.reserve(numbers.size());
  while (out.size() < numbers.size()) {
    const std::scoped_lock lock(mutex_);
    if (auto opened = ensure_open(); !opened) return fail(opened.error());
    for (const auto number : numbers.subspan(out.size(), std::min(kSlice, numbers.size() - out.size()))) {
      auto labels = read_labels(number);
      if (!labels) return fail(note(fail(labels.error())).error());
      // Its next sample brings a row of its own.
      if (!*labels) std::erase_if(numbers_, [&](const auto& known) { return known.second.number == number; });
      out.push_back(std::move(*labels));
    }
  }
  return out;
}

Result<std::optional<Labels>> ForwardQueue::read_labels(QueueSeries number) {
  auto& read = statements_->read_series;
  read.bind(1, std::int64_t{number});
  const auto row = read.step();
  std::optional<Labels> labels;
  if (row && *row && queue_crc(read.blob(0), number) == read.integer(1)) labels = read_series_row(read.blob(0));
  read.reset();
  if (!row) return fail(row.error());
  return labels;
}

ForwardQueue::Backlog ForwardQueue::backlog(std::size_t target) const {
  return {targets_[target]->samples, targets_[target]->bytes};
}

Time ForwardQueue::sent(std::size_t target) {
  const std::scoped_lock lock(mutex_);
  return targets_[target]->at.sent;
}

}  // namespace ward::collector
