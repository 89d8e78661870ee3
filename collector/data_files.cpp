#include "collector/data_files.hpp"

#include <cstring>
#include <filesystem>

namespace ward::collector {
namespace {

constexpr const char* kAsideMark = ".damaged-";

namespace fs = std::filesystem;

tl::unexpected<StartFailure> failure(Error error, const char* file) {
  return tl::unexpected<StartFailure>{StartFailure{std::move(error), file}};
}

sqlite::OpenOptions state_file(const CollectorConfig& config) {
  sqlite::OpenOptions file;
  file.path = config.data_dir + "/" + DataFiles::kState;
  return file;
}

Result<std::unique_ptr<Days>> open_days(const CollectorConfig& config, SqliteJournal& journal) {
  const auto folder = config.data_dir + "/" + DataFiles::kDays;
  const auto known = DayFiles::list(folder);
  if (!known) return fail(known.error());
  const auto identity = journal.identity();
  const auto batch = identity ? journal.batch() : identity;
  if (!batch) return fail(batch.error());
  return std::make_unique<Days>(DayFiles::Options{folder, "", 40}, *identity, *batch, *known);
}

/// Nothing that was set aside before is overwritten, within one second neither.
std::string free_name(const std::string& data_dir, const std::string& file, Time now) {
  for (auto seconds = to_ms(now) / 1000;; ++seconds) {
    auto name = file + kAsideMark + std::to_string(seconds);
    std::error_code error;
    if (!fs::exists(fs::path(data_dir) / name, error) && !fs::exists(fs::path(data_dir) / (name + "-wal"), error))
      return name;
  }
}

const char* lost_with(const std::string& file) {
  if (file == DataFiles::kState)
    return "A damaged file was set aside and a new one begun; open incidents are forgotten and what still fires pages again";
  if (file == DataFiles::kLedgers)
    return "A damaged file was set aside and a new one begun; SLOs are counted anew from the samples that are kept";
  if (file == DataFiles::kForward)
    return "A damaged file was set aside and a new one begun; samples that waited for remote write are not sent";
  return "A damaged file was set aside and a new one begun; agents send again what they still hold";
}

}  // namespace

Status prepare_data_dir(const std::string& path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (!error) fs::permissions(path, fs::perms::owner_all, error);
  if (error)
    return fail(Errc::unavailable, "data_dir '" + path + "' cannot be used: " + error.message(),
                "Create it writable for this user.");
  return {};
}

tl::expected<DataFiles, StartFailure> open_data_files(const CollectorConfig& config, Time now, telemetry::Logger& log) {
  auto volume = std::make_unique<DataVolume>(config.data_dir, real_volume(config.data_dir));
  volume->adopt();
  const auto with_reserve = [&](auto open) {
    auto opened = open();
    if (!opened && opened.error().code == Errc::full && volume->give_up()) opened = open();
    return opened;
  };
  auto journal = with_reserve([&] {
    return SqliteJournal::open({config.data_dir + "/" + DataFiles::kJournal, "", config.journal_max_bytes});
  });
  if (!journal) return failure(volume->explain(journal.error()), DataFiles::kJournal);
  auto days = open_days(config, **journal);
  if (!days) return failure(volume->explain(days.error()), DataFiles::kJournal);
  auto ledgers = with_reserve([&] {
    sqlite::OpenOptions file;
    file.path = config.data_dir + "/" + DataFiles::kLedgers;
    return SqliteLedgerStore::open(std::move(file));
  });
  if (!ledgers) return failure(volume->explain(ledgers.error()), DataFiles::kLedgers);
  auto state = with_reserve([&] { return SqliteStateStore::open(state_file(config)); });
  if (!state) return failure(volume->explain(state.error()), DataFiles::kState);
  auto loaded = state->load(now - kKeepResolved);
  if (!loaded) return failure(loaded.error(), DataFiles::kState);
  if (loaded->unreadable > 0)
    log.error("Stored alert state could not be read and is left out; it stays in the file",
              {{"file", state_file(config).path},
               {"rows", loaded->unreadable},
               {"fix", "Run the release of Ward that wrote it; without one, copy the file for analysis."}});
  if (auto held = volume->hold(); !held)
    log.error("The volume of data_dir has no room; nothing is stored until it has",
              {{"error", held.error().what}, {"fix", held.error().fix}});
  return DataFiles{std::move(volume),   std::move(*journal), std::move(*days),
                   std::move(*ledgers), std::move(*state),   std::move(*loaded)};
}

Status set_aside(const std::string& data_dir, const StartFailure& failure, Time now, telemetry::Logger& log) {
  const auto aside = free_name(data_dir, failure.file, now);
  std::error_code error;
  // The log first: beside a new file of its own name it would be taken for that one's.
  for (const char* part : {"-wal", ""}) {
    const fs::path from = fs::path(data_dir) / (failure.file + part);
    if (!fs::exists(from, error)) continue;
    fs::rename(from, fs::path(data_dir) / (aside + part), error);
    if (error)
      return fail(Errc::unavailable, "'" + from.string() + "' is damaged and cannot be moved aside: " + error.message(),
                  "Move it away by hand; keep it for analysis.");
  }
  log.error(lost_with(failure.file), {{"file", data_dir + "/" + aside},
                                      {"error", failure.error.what},
                                      {"fix", "Check the disk; keep the file for analysis."}});
  return {};
}

std::set<std::string> damaged_files(const std::string& data_dir) {
  std::set<std::string> files;  // a file and its log are one
  for (const std::string& folder : {std::string(), std::string(DataFiles::kDays) + "/"}) {
    std::error_code error;
    for (fs::directory_iterator at(data_dir + "/" + folder, error), end; !error && at != end; at.increment(error)) {
      const auto name = at->path().filename().string();
      const auto mark = name.find(kAsideMark);
      if (mark != std::string::npos) files.insert(folder + name.substr(0, name.find('-', mark + std::strlen(kAsideMark))));
    }
  }
  return files;
}

}  // namespace ward::collector
