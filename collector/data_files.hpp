#pragma once
#include <chrono>
#include <cstddef>
#include <memory>
#include <set>
#include <string>

#include "collector/config.hpp"
#include "collector/store/sqlite/days.hpp"
#include "collector/store/sqlite/journal.hpp"
#include "collector/store/sqlite/ledger_store.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "collector/store/volume/volume.hpp"
#include "common/base/time.hpp"
#include "common/telemetry/log.hpp"

namespace ward::collector {

/// What the collector keeps under data_dir. Thread: that of the start.
struct DataFiles {
  static constexpr const char* kJournal = "journal.db";
  static constexpr const char* kState = "state.db";
  static constexpr const char* kDays = "days";
  static constexpr const char* kLedgers = "slo.db";
  static constexpr const char* kForward = "forward.db";  ///< opened apart from these: collector/forwarding.hpp

  std::unique_ptr<DataVolume> volume;
  std::unique_ptr<SqliteJournal> journal;
  std::unique_ptr<Days> days;
  std::unique_ptr<SqliteLedgerStore> ledgers;
  SqliteStateStore state;
  LoadedState loaded;  ///< what `state` held: resolved incidents back to kKeepResolved, all else
};

/// What is resolved stays in the state for the monthly review.
constexpr std::chrono::hours kKeepResolved{24 * 90};

/// A failed start over files; with Errc::corrupt it is `file` (a name under data_dir) that cannot be read.
struct StartFailure {
  Error error;
  std::string file;
};

/// Makes the folder when it is not there, for this user alone.
Status prepare_data_dir(const std::string& path);

/// On a full volume the reserve is given up, so that a restart does not make matters worse.
tl::expected<DataFiles, StartFailure> open_data_files(const CollectorConfig& config, Time now, telemetry::Logger& log);

/// A file that cannot be read would keep every next start from succeeding too. A collector without its past sees what comes;
/// one that does not run sees nothing. The file stays beside the new one, as `<name>.damaged-<seconds since the epoch>`.
Status set_aside(const std::string& data_dir, const StartFailure& failure, Time now, telemetry::Logger& log);

/// Files set aside and not yet taken away by hand, below data_dir.
std::set<std::string> damaged_files(const std::string& data_dir);

}  // namespace ward::collector
