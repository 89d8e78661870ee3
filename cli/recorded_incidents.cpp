#include "cli/recorded_incidents.hpp"

#include <filesystem>
#include <stdlib.h>

#include "collector/store/sqlite/state_store.hpp"

namespace ward::cli {
namespace {

namespace fs = std::filesystem;
using collector::NoticeKind;
using collector::PagedIncident;

constexpr int kAttempts = 5;

/// A folder of our own that goes with the object: what was copied is nobody else's business.
class CopyFolder {
 public:
  CopyFolder() {
    std::error_code error;
    auto pattern = (fs::temp_directory_path(error) / "wardctl-XXXXXX").string();
    if (!error && ::mkdtemp(pattern.data()) != nullptr) path_ = pattern;
  }
  CopyFolder(const CopyFolder&) = delete;
  CopyFolder& operator=(const CopyFolder&) = delete;
  ~CopyFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  [[nodiscard]] const fs::path& path() const { return path_; }  ///< empty: could not be made

 private:
  fs::path path_;
};

/// When a file was written last and how large it is; what changes when it is written to.
using Mark = std::pair<fs::file_time_type, std::uintmax_t>;
Mark mark_of(const fs::path& file) {
  std::error_code error;
  const auto size = fs::file_size(file, error);
  if (error) return {};
  return {fs::last_write_time(file, error), size};
}

/// Copies file and log. False when one of them was written to meanwhile.
Result<bool> copied(const fs::path& from, const fs::path& to) {
  const fs::path log = from.string() + "-wal";
  const auto before = std::pair(mark_of(from), mark_of(log));
  std::error_code error;
  fs::copy_file(from, to, fs::copy_options::overwrite_existing, error);
  if (error)
    return fail(Errc::not_found, "'" + from.string() + "' cannot be read: " + error.message(),
                "Run this as the collector's user, or name a copy of the data_dir with --data.");
  std::error_code no_log;
  fs::remove(to.string() + "-wal", no_log);
  if (fs::exists(log, no_log)) fs::copy_file(log, to.string() + "-wal", fs::copy_options::overwrite_existing, no_log);
  return before == std::pair(mark_of(from), mark_of(log));
}

std::vector<PagedIncident> paged(const collector::LoadedState& state, Time since, Time until) {
  std::vector<collector::Incident> incidents;
  for (const auto& record : state.incidents.incidents) incidents.push_back(record.incident);
  std::vector<collector::Page> pages;
  for (const auto& row : state.deliveries)
    // A row that took over another one's duty is the same page.
    if (row.delivery.kind != NoticeKind::resolve && row.instead_of.empty())
      pages.push_back({row.delivery.incident, row.delivery.receiver});
  return collector::paged_incidents(incidents, pages, since, until);
}

}  // namespace

Result<std::vector<PagedIncident>> recorded_incidents(const std::string& state_file, Time since, Time until) {
  const CopyFolder folder;
  if (folder.path().empty())
    return fail(Errc::unavailable, "no temporary folder can be made for a copy of the incident log",
                "Set TMPDIR to a folder that you may write to.");
  const auto copy = folder.path() / "state.db";
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto whole = copied(state_file, copy);
    if (!whole) return fail(whole.error());
    if (!*whole) continue;
    sqlite::OpenOptions options;
    options.path = copy.string();
    auto store = collector::SqliteStateStore::open(std::move(options));
    if (!store) return fail(store.error());
    auto state = store->load(since);
    if (!state) return fail(state.error());
    return paged(*state, since, until);
  }
  return fail(Errc::unavailable, "'" + state_file + "' is written to so often that no whole copy of it can be made",
              "Try again, or give a backup of the data_dir with --data.");
}

}  // namespace ward::cli
