#include "collector/store/sqlite/day_files.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <optional>
#include <utility>

#include "collector/store/sqlite/day_directory.hpp"
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

DayFiles::DayFiles(Options options) : options_(std::move(options)) {}

DayFiles::~DayFiles() = default;

Result<std::vector<Day>> DayFiles::list(const std::string& folder) {
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

Result<DayFiles::Handle> DayFiles::open(Day day, DayFile::Access access) const {
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
  auto handle = std::make_shared<OpenDay>(std::move(*file), access == DayFile::Access::write);
  open_.emplace(day, handle);
  used_.push_back(day);
  if (used_.size() > options_.open_files) {
    open_.erase(used_.front());
    used_.pop_front();
  }
  return handle;
}

void DayFiles::close(Day day) const {
  const std::scoped_lock lock(mutex_);
  open_.erase(day);
  used_.remove(day);
}

std::vector<DayFiles::Handle> DayFiles::all_open() const {
  const std::scoped_lock lock(mutex_);
  std::vector<Handle> out;
  for (const auto& [day, handle] : open_) out.push_back(handle);
  return out;
}

Status DayFiles::remove(Day day) {
  close(day);
  for (const char* part : {"-wal", "-shm", ""})
    if (auto removed = sqlite::remove_file(options_.vfs, path(day) + part); !removed) return removed;
  return {};
}

Status DayFiles::set_aside(Day day, const Error& why) {
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
  return {};
}

std::uint64_t DayFiles::size(Day day) const {
  std::uint64_t bytes = 0;
  for (const char* part : {"", "-wal"}) {
    const auto there = sqlite::file_exists(options_.vfs, path(day) + part);
    if (!there || !*there) continue;
    auto file = sqlite::File::open(options_.vfs, path(day) + part, sqlite::File::Mode::read);
    const auto size = file ? file->size() : fail(file.error());
    bytes += size ? *size : 0;
  }
  return bytes;
}

}  // namespace ward::collector
