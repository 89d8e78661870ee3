#pragma once
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "collector/store/sqlite/day_file.hpp"
#include "common/base/thread_annotations.hpp"

namespace ward::collector {

class DayDirectory;

/// An open file. Its mutex guards the connection; the directory is replaced, never changed.
struct OpenDay {
  OpenDay(DayFile opened, bool for_writing) : file(std::move(opened)), writable(for_writing) {}
  std::mutex mutex;
  DayFile file WARD_GUARDED_BY(mutex);
  std::shared_ptr<const DayDirectory> directory WARD_GUARDED_BY(mutex);
  const bool writable;
};

/// A folder with one file a day. The last used stay open. Knows nothing of what is in them. Thread: any.
class DayFiles {
 public:
  struct Options {
    std::string folder;
    std::string vfs;              ///< "" = the real file system
    std::size_t open_files = 40;  ///< kept open between uses
  };
  using Handle = std::shared_ptr<OpenDay>;

  explicit DayFiles(Options options);
  ~DayFiles();

  /// Days of a folder of the real file system, by the names of their files; makes the folder when there is none.
  static Result<std::vector<Day>> list(const std::string& folder);
  static std::string name(Day day) { return to_string(day) + ".db"; }

  [[nodiscard]] std::string path(Day day) const { return options_.folder + "/" + name(day); }
  /// Makes the file when it is to be written and there is none. Errc::corrupt: damaged, or missing.
  [[nodiscard]] Result<Handle> open(Day day, DayFile::Access access) const;
  void close(Day day) const;
  [[nodiscard]] std::vector<Handle> all_open() const;

  Status remove(Day day);
  /// Gives a damaged file another name.
  Status set_aside(Day day, const Error& why);
  /// Bytes on the disk. What cannot be looked at counts as none.
  [[nodiscard]] std::uint64_t size(Day day) const;

 private:
  const Options options_;
  mutable std::mutex mutex_;  // before that of a handle; held while a file is opened
  mutable std::map<Day, Handle> open_ WARD_GUARDED_BY(mutex_);
  mutable std::list<Day> used_ WARD_GUARDED_BY(mutex_);  ///< of open_, the oldest use first
};

}  // namespace ward::collector
