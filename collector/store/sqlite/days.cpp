#include "collector/store/sqlite/days.hpp"

#include <algorithm>
#include <limits>
#include <unordered_map>
#include <utility>

#include "collector/store/sqlite/day_directory.hpp"
#include "collector/tsdb/chunk.hpp"

namespace ward::collector {

Days::Days(DayFiles::Options options, std::int64_t journal, std::int64_t batch, const std::vector<Day>& known)
    : files_(std::move(options)), journal_(journal), settled_(batch) {
  for (const auto day : known) days_.emplace(day, std::numeric_limits<std::int64_t>::min());
}

Days::~Days() = default;

std::vector<Day> Days::days_between(Day from, Day to) const {
  const std::scoped_lock lock(mutex_);
  std::vector<Day> out;
  for (auto at = days_.lower_bound(from); at != days_.end() && at->first <= to; ++at) out.push_back(at->first);
  return out;
}

bool Days::has(Day day) const {
  const std::scoped_lock lock(mutex_);
  return days_.contains(day);
}

void Days::damaged(Day day, const std::string& what) const {
  const std::scoped_lock lock(mutex_);
  if (days_.contains(day)) damage_.insert_or_assign(DayFiles::name(day), what);
}

Result<std::shared_ptr<const DayDirectory>> Days::directory(Day day) const {
  const auto handle = files_.open(day, DayFile::Access::read);
  auto problem = handle ? Status{} : Status{fail(handle.error())};
  if (handle) {
    const std::scoped_lock lock((*handle)->mutex);
    auto& directory = (*handle)->directory;
    if (directory) return directory;
    std::int64_t settled = 0;
    {
      const std::scoped_lock own(mutex_);
      settled = settled_;
    }
    auto owner = (*handle)->file.journal();
    auto entries = owner ? (*handle)->file.entries(settled) : fail(owner.error());
    if (entries) {
      if (*owner != journal_) entries->clear();  // numbers of another journal's series: adopt() first
      directory = std::make_shared<const DayDirectory>(*entries);
      return directory;
    }
    problem = fail(entries.error());
  }
  if (problem.error().code != Errc::corrupt && has(day)) return fail(problem.error());
  files_.close(day);
  damaged(day, problem.error().what);
  return std::make_shared<const DayDirectory>();
}

Result<std::optional<wire::Buffer>> Days::read_data(Day day, const DayBlock& block) const {
  const auto handle = files_.open(day, DayFile::Access::read);
  auto data = handle ? Result<std::optional<wire::Buffer>>{} : fail(handle.error());
  if (handle) {
    const std::scoped_lock lock((*handle)->mutex);
    data = (*handle)->file.data(block);
  }
  if (data && *data) return data;
  // Retention took the block, or the whole day, since the directory was read.
  if (!data && (data.error().code == Errc::not_found || !has(day))) return std::nullopt;
  if (!data && data.error().code != Errc::corrupt) return data;
  damaged(day, data ? "a block's checksum is wrong" : data.error().what);
  const std::scoped_lock own(mutex_);
  damaged_blocks_.emplace(day, block.id);
  return std::nullopt;
}

Status Days::write(Day day, bool fresh, std::int64_t batch, std::span<DayBlock> blocks, std::span<const NewSeries> series) {
  auto written = try_write(day, fresh, batch, blocks, series);
  if (written || written.error().code != Errc::corrupt) return written;
  if (auto aside = set_aside(day, written.error()); !aside) return aside;
  // What this batch wrote before is in the old file: all of it has to come again.
  return fail(Errc::unavailable,
              "the stored day '" + files_.path(day) + "' was damaged and has been set aside: " + written.error().what,
              "Nothing; it is tried again with a new file. Check the disk.");
}

Status Days::try_write(Day day, bool fresh, std::int64_t batch, std::span<DayBlock> blocks,
                       std::span<const NewSeries> series) {
  const auto handle = files_.open(day, DayFile::Access::write);
  if (!handle) return fail(handle.error());
  Status done;
  {
    const std::scoped_lock lock((*handle)->mutex);
    auto& file = (*handle)->file;
    if (fresh) done = prepare(day, file, batch);
    if (done) done = file.write(batch, blocks, series);
  }
  // After a failed sync nothing may be written through this connection: see SqliteJournal::note().
  if (!done && done.error().code != Errc::full) files_.close(day);
  if (!done) return done;
  const std::scoped_lock lock(mutex_);
  days_.try_emplace(day, std::numeric_limits<std::int64_t>::min());
  return done;
}

/// Before the first blocks of a batch. A file taken away by hand is a new one.
Status Days::prepare(Day day, DayFile& file, std::int64_t batch) {
  const auto owner = file.journal();
  if (!owner) return fail(owner.error());
  if (*owner != 0 && *owner != journal_)
    return fail(Errc::unavailable,
                "the stored day '" + files_.path(day) + "' is another journal's and was not taken over yet",
                "Nothing; it is tried again.");
  if (*owner == journal_) return file.drop_from(batch);
  std::uint64_t none = 0;
  auto made = file.adopt(
      journal_, [](SeriesId id) { return id; }, none);
  const std::scoped_lock lock(mutex_);
  if (made) damage_.erase(DayFiles::name(day));
  if (!made || !days_.contains(day) || wants_labels_.contains(day)) return made;
  wants_labels_.insert(day);
  return fail(Errc::unavailable, "the stored day '" + files_.path(day) + "' is missing and has been begun anew",
              "Put the file back while the collector is stopped, or accept the gap.");
}

bool Days::wants_labels(Day day) const {
  const std::scoped_lock lock(mutex_);
  return wants_labels_.contains(day);
}

Status Days::set_aside(Day day, const Error& why) {
  if (auto moved = files_.set_aside(day, why); !moved) return moved;
  const std::scoped_lock lock(mutex_);
  damage_.erase(DayFiles::name(day));
  wants_labels_.insert(day);
  return {};
}

void Days::settled(std::int64_t batch) {
  {
    const std::scoped_lock lock(mutex_);
    settled_ = batch;
  }
  // All of them: one that a query opened while the batch was written has a directory without it.
  for (const auto& handle : files_.all_open()) {
    const std::scoped_lock lock(handle->mutex);
    handle->directory.reset();
  }
}

Status Days::remove(Day day) {
  {
    const std::scoped_lock lock(mutex_);
    days_.erase(day);
    damage_.erase(DayFiles::name(day));
    wants_labels_.erase(day);
  }
  return files_.remove(day);
}

Status Days::drop_before(Day day) {
  for (const auto old : days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{day.get() - 1}))
    if (auto removed = remove(old); !removed) return removed;
  return {};
}

Status Days::drop_tenants(Day day, std::int64_t round, const std::function<bool(const std::string&, Day)>& expired) {
  Status first;
  for (const auto old : days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{day.get() - 1})) {
    {
      const std::scoped_lock lock(mutex_);
      const auto at = days_.find(old);
      if (at == days_.end() || at->second >= round) continue;
    }
    auto dropped = drop_tenants_of(old, [&](const std::string& tenant) { return expired(tenant, old); });
    if (!dropped && dropped.error().code == Errc::corrupt)
      damaged(old, dropped.error().what);
    else if (!dropped && first)
      first = dropped;  // the other days all the same
    if (!dropped) continue;
    const std::scoped_lock lock(mutex_);
    if (const auto at = days_.find(old); at != days_.end()) at->second = round;
  }
  return first;
}

Status Days::drop_tenants_of(Day day, const std::function<bool(const std::string&)>& expired) {
  const auto known = directory(day);
  if (!known) return fail(known.error());
  if (!(*known)->has_tenant(expired)) return {};
  const auto handle = files_.open(day, DayFile::Access::write);
  if (!handle) return fail(handle.error());
  Status dropped;
  {
    const std::scoped_lock lock((*handle)->mutex);
    dropped = (*handle)->file.drop_tenants(expired);
    (*handle)->directory.reset();
  }
  if (!dropped && dropped.error().code != Errc::full) files_.close(day);
  return dropped;
}

Status Days::shrink_to(std::uint64_t bytes) {
  while (true) {
    measure();
    const auto now = stats();
    if (now.bytes <= bytes || now.files <= 1 || !now.first) return {};
    if (auto removed = remove(*now.first); !removed) return removed;
  }
}

Result<std::vector<Day>> Days::begin() {
  std::vector<Day> out;
  for (const auto day :
       days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{std::numeric_limits<std::int64_t>::max()})) {
    auto owner = owner_of(day);
    if (owner && owner->first == journal_ && owner->second > settled()) {
      auto taken_back = take_back(day);
      if (!taken_back) owner = fail(taken_back.error());
    }
    if (!owner && owner.error().code != Errc::corrupt) return fail(owner.error());
    if (!owner) damaged(day, owner.error().what);
    if (owner && owner->first != journal_ && owner->first != 0) out.push_back(day);
  }
  measure();
  return out;
}

std::int64_t Days::settled() const {
  const std::scoped_lock lock(mutex_);
  return settled_;
}

Result<std::pair<std::int64_t, std::int64_t>> Days::owner_of(Day day) const {
  const auto handle = files_.open(day, DayFile::Access::read);
  if (!handle) return fail(handle.error());
  const std::scoped_lock lock((*handle)->mutex);
  const auto journal = (*handle)->file.journal();
  const auto batch = journal ? (*handle)->file.last_batch() : journal;
  if (!batch) return fail(batch.error());
  return std::pair{*journal, *batch};
}

/// An attempt may have written days that the next one does not touch.
Status Days::take_back(Day day) {
  const auto handle = files_.open(day, DayFile::Access::write);
  if (!handle) return fail(handle.error());
  Status done;
  {
    const std::scoped_lock lock((*handle)->mutex);
    done = (*handle)->file.drop_from(settled() + 1);
  }
  if (!done) files_.close(day);
  return done;
}

Status Days::each_chunk_since(Time from, const std::function<void(const SealedChunk&)>& take) {
  auto days = days_between(day_of(from), Day{std::numeric_limits<std::int64_t>::max()});
  std::reverse(days.begin(), days.end());
  for (const auto day : days)
    if (auto read = each_chunk_of(day, from, take); !read) return read;
  return {};
}

Status Days::each_chunk_of(Day day, Time from, const std::function<void(const SealedChunk&)>& take) {
  const auto known = directory(day);
  if (!known) return fail(known.error());
  Status done;
  std::vector<SealedChunk> chunks;
  (*known)->each_from_newest([&](const DayBlock& block) {
    if (!done || block.t_max < from) return;
    const auto data = read_data(day, block);
    if (!data) done = fail(data.error());
    if (!data || !*data) return;
    chunks.clear();
    const bool whole = read_block(**data, block.first, [&](const BlockChunk& chunk) {
      if (chunk.t_max < from) return;
      chunks.push_back(
          {chunk.series, chunk.t_min, chunk.t_max, chunk_count(chunk.bytes), {chunk.bytes.begin(), chunk.bytes.end()}});
    });
    if (!whole) damaged(day, "a block is not what its checksum says");
    std::for_each(chunks.rbegin(), chunks.rend(), take);
  });
  return done;
}

void Days::each_series(const std::function<void(Day, SeriesId, Labels)>& take) {
  auto days = days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{std::numeric_limits<std::int64_t>::max()});
  std::reverse(days.begin(), days.end());
  for (const auto day : days) {
    const auto handle = files_.open(day, DayFile::Access::read);
    if (!handle) continue;
    const std::scoped_lock lock((*handle)->mutex);
    const auto owner = (*handle)->file.journal();
    std::uint64_t damaged = 0;
    if (owner && *owner == journal_)
      (void)(*handle)->file.each_series([&](SeriesId id, Labels labels) { take(day, id, std::move(labels)); }, damaged);
  }
}

Status Days::each_series_of(Day day, const std::function<void(SeriesId, Labels)>& take) {
  const auto handle = files_.open(day, DayFile::Access::read);
  if (!handle) return fail(handle.error());
  const std::scoped_lock lock((*handle)->mutex);
  std::uint64_t damaged = 0;
  return (*handle)->file.each_series(take, damaged);
}

Status Days::adopt(Day day, const std::function<SeriesId(const Labels&)>& number) {
  std::uint64_t given_up = 0;
  auto done = try_adopt(day, number, given_up);
  if (given_up > 0) damaged(day, std::to_string(given_up) + " parts could not be read when it was taken over");
  if (done) return done;
  if (done.error().code != Errc::full) files_.close(day);
  if (done.error().code != Errc::corrupt) return done;
  if (auto aside = set_aside(day, done.error()); !aside) return aside;
  return done;
}

Status Days::try_adopt(Day day, const std::function<SeriesId(const Labels&)>& number, std::uint64_t& given_up) {
  const auto handle = files_.open(day, DayFile::Access::write);
  if (!handle) return fail(handle.error());
  const std::scoped_lock lock((*handle)->mutex);
  std::unordered_map<SeriesId, SeriesId> numbers;
  auto read =
      (*handle)->file.each_series([&](SeriesId id, const Labels& labels) { numbers.emplace(id, number(labels)); }, given_up);
  if (!read) return read;
  (*handle)->directory.reset();
  const auto renumbered = [&](SeriesId id) -> std::optional<SeriesId> {
    const auto at = numbers.find(id);
    return at != numbers.end() ? std::optional{at->second} : std::nullopt;
  };
  std::uint64_t again = 0;  // the labels are read once more
  auto done = (*handle)->file.adopt(journal_, renumbered, again);
  given_up = std::max(given_up, again);
  return done;
}

std::optional<Day> Days::last() const {
  const std::scoped_lock lock(mutex_);
  return days_.empty() ? std::nullopt : std::optional{days_.rbegin()->first};
}

std::optional<Day> Days::first() const {
  const std::scoped_lock lock(mutex_);
  return days_.empty() ? std::nullopt : std::optional{days_.begin()->first};
}

Days::Stats Days::stats() const {
  const std::scoped_lock lock(mutex_);
  Stats out;
  out.files = days_.size();
  if (!days_.empty()) out.first = days_.begin()->first;
  out.bytes = bytes_;
  out.damaged_blocks = damaged_blocks_.size();
  out.damage = damage_;
  return out;
}

void Days::measure() {
  std::uint64_t bytes = 0;
  for (const auto day :
       days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{std::numeric_limits<std::int64_t>::max()}))
    bytes += files_.size(day);
  const std::scoped_lock lock(mutex_);
  bytes_ = bytes;
}

}  // namespace ward::collector
