#include "collector/store/sqlite/days.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <limits>
#include <unordered_map>
#include <utility>

#include "collector/store/sqlite/day_directory.hpp"
#include "collector/tsdb/chunk.hpp"
#include "common/sqlite/files.hpp"

namespace ward::collector {
namespace {

namespace fs = std::filesystem;

constexpr const char* kEnding = ".db";

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  return error == std::errc{} && end == text.data() + text.size() ? std::optional{out} : std::nullopt;
}

/// The inverse of to_string(Day).
std::optional<Day> parse_day(std::string_view name) {
  constexpr std::string_view kPlain = "day-";
  std::optional<std::int64_t> days;
  if (name.starts_with(kPlain)) {
    days = number(name.substr(kPlain.size()));
  } else if (name.size() == 10) {
    const auto year = number(name.substr(0, 4));
    const auto month = number(name.substr(5, 2));
    const auto day = number(name.substr(8, 2));
    if (!year || !month || !day) return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{static_cast<int>(*year)},
                                           std::chrono::month{static_cast<unsigned>(*month)},
                                           std::chrono::day{static_cast<unsigned>(*day)}};
    if (date.ok()) days = std::chrono::sys_days{date}.time_since_epoch().count();
  }
  if (!days || to_string(Day{*days}) != name) return std::nullopt;
  return Day{*days};
}

}  // namespace

/// An open file. Its mutex guards the connection; the directory is replaced, never changed.
struct Days::Open {
  explicit Open(DayFile opened) : file(std::move(opened)) {}
  std::mutex mutex;
  DayFile file WARD_GUARDED_BY(mutex);
  std::shared_ptr<const DayDirectory> directory WARD_GUARDED_BY(mutex);
  bool writable = false;
};

Days::Days(Options options, std::int64_t journal, std::int64_t batch, const std::vector<Day>& known)
    : options_(std::move(options)), journal_(journal), settled_(batch) {
  for (const auto day : known) days_.emplace(day, std::numeric_limits<std::int64_t>::min());
}

Days::~Days() = default;

Result<std::vector<Day>> Days::list(const std::string& folder) {
  std::error_code error;
  fs::create_directories(folder, error);
  std::vector<Day> out;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    const auto name = at->path().filename().string();
    if (!name.ends_with(kEnding)) continue;
    if (const auto day = parse_day(std::string_view{name}.substr(0, name.size() - std::strlen(kEnding))))
      out.push_back(*day);
  }
  if (error)
    return fail(Errc::unavailable, "the folder of stored days '" + folder + "' cannot be read: " + error.message(),
                "Make it readable and writable for this user.");
  std::sort(out.begin(), out.end());
  return out;
}

Result<Days::Handle> Days::open(Day day, DayFile::Access access) const {
  const std::scoped_lock lock(mutex_);
  used_.remove(day);
  if (const auto at = open_.find(day); at != open_.end()) {
    if (at->second->writable || access == DayFile::Access::read) {
      used_.push_back(day);
      return at->second;
    }
    open_.erase(at);
  }
  if (access == DayFile::Access::read) {
    const auto there = sqlite::file_exists(options_.vfs, path(day));
    if (!there) return fail(there.error());
    if (!*there)
      return fail(Errc::corrupt, "the file of stored samples '" + path(day) + "' is missing",
                  "Put it back, or accept the gap.");
  }
  auto file = DayFile::open(path(day), options_.vfs, access);
  if (!file) return fail(file.error());
  auto handle = std::make_shared<Open>(std::move(*file));
  handle->writable = access == DayFile::Access::write;
  open_.emplace(day, handle);
  used_.push_back(day);
  if (used_.size() > options_.open_files) {
    open_.erase(used_.front());
    used_.pop_front();
  }
  return handle;
}

void Days::close(Day day) const {
  const std::scoped_lock lock(mutex_);
  open_.erase(day);
  used_.remove(day);
}

std::vector<Day> Days::days_between(Day from, Day to) const {
  const std::scoped_lock lock(mutex_);
  std::vector<Day> out;
  for (auto at = days_.lower_bound(from); at != days_.end() && at->first <= to; ++at) out.push_back(at->first);
  return out;
}

void Days::damaged(Day day, const std::string& what) const {
  const std::scoped_lock lock(mutex_);
  damage_.insert_or_assign(file_name(day), what);
}

Result<std::shared_ptr<const DayDirectory>> Days::directory(Day day) const {
  const auto handle = open(day, DayFile::Access::read);
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
  if (problem.error().code != Errc::corrupt) return fail(problem.error());
  close(day);
  damaged(day, problem.error().what);
  return std::make_shared<const DayDirectory>();
}

Result<std::optional<wire::Buffer>> Days::read_data(Day day, const DayBlock& block) const {
  const auto handle = open(day, DayFile::Access::read);
  if (!handle) return fail(handle.error());
  const std::scoped_lock lock((*handle)->mutex);
  auto data = (*handle)->file.data(block);
  if (data && *data) return data;
  if (!data && data.error().code != Errc::corrupt) return data;
  const std::scoped_lock own(mutex_);
  if (!days_.contains(day)) return std::nullopt;  // retention took it away
  ++damaged_blocks_;
  damage_.insert_or_assign(file_name(day), data ? "a block's checksum is wrong" : data.error().what);
  return std::nullopt;
}

Status Days::write(Day day, bool fresh, std::int64_t batch, std::span<DayBlock> blocks, std::span<const NewSeries> series) {
  auto written = try_write(day, fresh, batch, blocks, series);
  if (written || written.error().code != Errc::corrupt) return written;
  if (auto aside = set_aside(day, written.error()); !aside) return aside;
  return try_write(day, true, batch, blocks, series);
}

Status Days::try_write(Day day, bool fresh, std::int64_t batch, std::span<DayBlock> blocks,
                       std::span<const NewSeries> series) {
  const auto handle = open(day, DayFile::Access::write);
  if (!handle) return fail(handle.error());
  Status done;
  {
    const std::scoped_lock lock((*handle)->mutex);
    auto& file = (*handle)->file;
    if (fresh) {
      const auto owner = file.journal();
      if (!owner) done = fail(owner.error());
      if (owner && *owner == 0) done = file.adopt(journal_, [](SeriesId id) { return id; });
      if (owner && *owner != 0 && *owner != journal_)
        done = fail(Errc::corrupt, "the stored day '" + path(day) + "' is another journal's", "");
      if (done) done = file.drop_from(batch);
    }
    if (done) done = file.write(batch, blocks, series);
  }
  // After a failed sync nothing may be written through this connection: see SqliteJournal::note().
  if (!done && done.error().code != Errc::full) close(day);
  if (!done) return done;
  const std::scoped_lock lock(mutex_);
  days_.try_emplace(day, std::numeric_limits<std::int64_t>::min());
  return done;
}

Status Days::set_aside(Day day, const Error& why) {
  close(day);
  if (!options_.vfs.empty()) return fail(why);
  std::error_code error;
  auto aside = path(day) + ".damaged-1";
  for (int n = 2; fs::exists(aside, error); ++n) aside = path(day) + ".damaged-" + std::to_string(n);
  for (const char* part : {"-wal", "-shm", ""}) {
    const auto from = path(day) + part;
    if (fs::exists(from, error)) fs::rename(from, aside + part, error);
    if (error)
      return fail(Errc::unavailable, "'" + from + "' is damaged and cannot be moved aside: " + error.message(),
                  "Move it away by hand; keep it for analysis.");
  }
  const std::scoped_lock lock(mutex_);
  damage_.erase(file_name(day));
  return {};
}

void Days::settled(std::int64_t batch) {
  std::vector<Handle> handles;
  {
    const std::scoped_lock lock(mutex_);
    settled_ = batch;
    for (const auto& [day, handle] : open_)
      if (handle->writable) handles.push_back(handle);
  }
  for (const auto& handle : handles) {
    const std::scoped_lock lock(handle->mutex);
    handle->directory.reset();
  }
}

Status Days::remove(Day day) {
  {
    const std::scoped_lock lock(mutex_);
    days_.erase(day);
    damage_.erase(file_name(day));
  }
  close(day);
  for (const char* part : {"-wal", "-shm", ""})
    if (auto removed = sqlite::remove_file(options_.vfs, path(day) + part); !removed) return removed;
  return {};
}

Status Days::drop_before(Day day) {
  for (const auto old : days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{day.get() - 1}))
    if (auto removed = remove(old); !removed) return removed;
  return {};
}

Status Days::drop_tenants(Day day, std::int64_t round, const std::function<bool(const std::string&, Day)>& expired) {
  for (const auto old : days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{day.get() - 1})) {
    {
      const std::scoped_lock lock(mutex_);
      if (days_.at(old) >= round) continue;
    }
    const auto handle = open(old, DayFile::Access::write);
    if (!handle) return fail(handle.error());
    {
      const std::scoped_lock lock((*handle)->mutex);
      auto dropped = (*handle)->file.drop_tenants([&](const std::string& tenant) { return expired(tenant, old); });
      if (!dropped) return dropped;
      (*handle)->directory.reset();
    }
    const std::scoped_lock lock(mutex_);
    days_[old] = round;
  }
  return {};
}

Status Days::shrink_to(std::uint64_t bytes) {
  while (true) {
    const auto now = stats();
    if (now.bytes <= bytes || now.files <= 1 || !now.first) return {};
    if (auto removed = remove(*now.first); !removed) return removed;
  }
}

Result<std::vector<Day>> Days::foreign() {
  std::vector<Day> out;
  for (const auto day :
       days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{std::numeric_limits<std::int64_t>::max()})) {
    const auto handle = open(day, DayFile::Access::read);
    const auto owner = [&]() -> Result<std::int64_t> {
      if (!handle) return fail(handle.error());
      const std::scoped_lock lock((*handle)->mutex);
      return (*handle)->file.journal();
    }();
    if (!owner && owner.error().code != Errc::corrupt) return fail(owner.error());
    if (!owner) damaged(day, owner.error().what);
    if (owner && *owner != journal_ && *owner != 0) out.push_back(day);
  }
  return out;
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
    read_block(**data, block.first, [&](const BlockChunk& chunk) {
      if (chunk.t_max < from) return;
      chunks.push_back(
          {chunk.series, chunk.t_min, chunk.t_max, chunk_count(chunk.bytes), {chunk.bytes.begin(), chunk.bytes.end()}});
    });
    std::for_each(chunks.rbegin(), chunks.rend(), take);
  });
  return done;
}

void Days::each_series(const std::function<void(Day, SeriesId, Labels)>& take) {
  auto days = days_between(Day{std::numeric_limits<std::int64_t>::min()}, Day{std::numeric_limits<std::int64_t>::max()});
  std::reverse(days.begin(), days.end());
  for (const auto day : days) {
    const auto handle = open(day, DayFile::Access::read);
    if (!handle) continue;
    const std::scoped_lock lock((*handle)->mutex);
    const auto owner = (*handle)->file.journal();
    std::uint64_t damaged = 0;
    if (owner && *owner == journal_)
      (void)(*handle)->file.each_series([&](SeriesId id, Labels labels) { take(day, id, std::move(labels)); }, damaged);
  }
}

Status Days::each_series_of(Day day, const std::function<void(SeriesId, Labels)>& take) {
  const auto handle = open(day, DayFile::Access::read);
  if (!handle) return fail(handle.error());
  const std::scoped_lock lock((*handle)->mutex);
  std::uint64_t damaged = 0;
  return (*handle)->file.each_series(take, damaged);
}

Status Days::adopt(Day day, const std::function<SeriesId(const Labels&)>& number) {
  const auto handle = open(day, DayFile::Access::write);
  if (!handle) return fail(handle.error());
  const std::scoped_lock lock((*handle)->mutex);
  std::unordered_map<SeriesId, SeriesId> numbers;
  std::uint64_t damaged = 0;
  auto read =
      (*handle)->file.each_series([&](SeriesId id, const Labels& labels) { numbers.emplace(id, number(labels)); }, damaged);
  if (!read) return read;
  (*handle)->directory.reset();
  return (*handle)->file.adopt(journal_, [&](SeriesId id) -> std::optional<SeriesId> {
    const auto at = numbers.find(id);
    return at != numbers.end() ? std::optional{at->second} : std::nullopt;
  });
}

std::optional<Day> Days::first() const {
  const std::scoped_lock lock(mutex_);
  return days_.empty() ? std::nullopt : std::optional{days_.begin()->first};
}

Days::Stats Days::stats() const {
  Stats out;
  std::vector<Day> days;
  {
    const std::scoped_lock lock(mutex_);
    for (const auto& [day, round] : days_) days.push_back(day);
    out.damaged_blocks = damaged_blocks_;
    out.damage = damage_;
  }
  out.files = days.size();
  if (!days.empty()) out.first = days.front();
  for (const auto day : days)
    for (const char* part : {"", "-wal"}) {
      const auto there = sqlite::file_exists(options_.vfs, path(day) + part);
      if (!there || !*there) continue;
      auto file = sqlite::File::open(options_.vfs, path(day) + part, sqlite::File::Mode::read);
      const auto size = file ? file->size() : fail(file.error());
      out.bytes += size ? *size : 0;
    }
  return out;
}

}  // namespace ward::collector
