#pragma once
#include <string>

#include "common/base/result.hpp"

namespace ward::sqlite {

/// Whole-file operations through a SQLite VFS ("" = the real file system), so that the simulator's disk sees them too.
Result<bool> file_exists(const std::string& vfs, const std::string& path);
Status copy_file(const std::string& vfs, const std::string& from, const std::string& to);
/// Fine when there is no such file.
Status remove_file(const std::string& vfs, const std::string& path);

}  // namespace ward::sqlite
