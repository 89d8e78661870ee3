#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "common/base/result.hpp"

namespace ward::sqlite {

/// Whole-file operations through a SQLite VFS ("" = the real file system), so that the simulator's disk sees them too.
Result<bool> file_exists(const std::string& vfs, const std::string& path);
Status copy_file(const std::string& vfs, const std::string& from, const std::string& to);
/// Fine when there is no such file.
Status remove_file(const std::string& vfs, const std::string& path);

/// A plain file beside a database, read and written in place. Thread: one at a time.
class File {
 public:
  enum class Mode { read, create };
  static Result<File> open(const std::string& vfs, const std::string& path, Mode mode);
  File(File&&) noexcept;
  File& operator=(File&&) noexcept;
  ~File();

  Result<std::uint64_t> size();
  /// All of `into`; Errc::corrupt when the file ends before.
  Status read(std::span<std::uint8_t> into, std::uint64_t at);
  /// Into the page cache. Errc::full when the disk has no room; inside of the file's present size none is needed.
  Status write(std::span<const std::uint8_t> from, std::uint64_t at);
  Status sync();

 private:
  struct Raw;
  explicit File(std::unique_ptr<Raw> raw);
  std::unique_ptr<Raw> raw_;
};

}  // namespace ward::sqlite
