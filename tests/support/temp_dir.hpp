#pragma once
#include <filesystem>
#include <fstream>
#include <stdexcept>
#include <stdlib.h>
#include <string>
#include <sys/stat.h>

namespace ward::test {

/// A new directory below the system's temporary one, open to all users of the machine for passing through, removed with the
/// object. The only place where tests make files: ctest runs each test in a process of its own, several at a time, so a
/// fixed name is shared with the neighbours.
class TempDir {
 public:
  explicit TempDir(const std::string& name) {
    auto pattern = (std::filesystem::temp_directory_path() / ("ward-" + name + "-XXXXXX")).string();
    if (::mkdtemp(pattern.data()) == nullptr) throw std::runtime_error("cannot create " + pattern);
    path_ = pattern;
    ::chmod(pattern.c_str(), 0755);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }

  [[nodiscard]] const std::filesystem::path& path() const { return path_; }
  [[nodiscard]] std::string string() const { return path_.string(); }
  [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }
  /// Writes a file, by default one that only its owner may read, and returns its path.
  std::string write(const std::string& name, const std::string& text, mode_t mode = 0600) const {
    const auto file = path_ / name;
    std::ofstream(file) << text;
    ::chmod(file.c_str(), mode);
    return file.string();
  }

 private:
  std::filesystem::path path_;
};

}  // namespace ward::test
