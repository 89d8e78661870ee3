#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli/pki/pki.hpp"
#include "common/base/descriptor.hpp"

namespace ward::pki {
namespace {

constexpr std::size_t kMaxPemBytes = 1 << 20;

tl::unexpected<Error> failed(const std::string& doing, const std::string& path, int error) {
  return fail(Errc::unavailable, "cannot " + doing + " '" + path + "' (" + std::strerror(error) + ")",
              "Check the path, its permissions and the free space.");
}

tl::unexpected<Error> already_there(const std::string& path) {
  return fail(Errc::invalid, "'" + path + "' exists already",
              "Choose another folder or name, or add --force to replace it.");
}

std::string folder_of(const std::string& path) {
  const auto slash = path.rfind('/');
  return slash == std::string::npos ? "." : path.substr(0, slash + 1);
}

/// A finished file under a name of its own beside its place; removed again unless it was put there.
class Draft {
 public:
  explicit Draft(std::string path) : path_(std::move(path)), temporary_(path_ + ".XXXXXX") {}
  Draft(const Draft&) = delete;
  Draft& operator=(const Draft&) = delete;
  ~Draft() {
    if (written_) ::unlink(temporary_.c_str());
  }

  Status write(std::string_view content, mode_t mode) {
    const Descriptor file{::mkostemp(temporary_.data(), O_CLOEXEC)};  // mode 0600 from the start
    if (file.get() < 0) return failed("create", path_, errno);
    written_ = true;
    while (!content.empty()) {
      const auto n = ::write(file.get(), content.data(), content.size());
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return failed("write", path_, errno);
      content.remove_prefix(static_cast<std::size_t>(n));
    }
    if (::fchmod(file.get(), mode) != 0 || ::fsync(file.get()) != 0) return failed("write", path_, errno);
    return {};
  }

  /// Takes its place in one step. With Existing::keep the kernel itself refuses to replace a file.
  Status put(Existing existing) {
    const unsigned flags = existing == Existing::keep ? RENAME_NOREPLACE : 0;
    if (::renameat2(AT_FDCWD, temporary_.c_str(), AT_FDCWD, path_.c_str(), flags) != 0)
      return errno == EEXIST ? Status{already_there(path_)} : Status{failed("create", path_, errno)};
    written_ = false;
    return {};
  }

 private:
  std::string path_;
  std::string temporary_;
  bool written_ = false;
};

Result<std::string> read_all(const std::string& path, struct stat& info) {
  const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return failed("read", path, errno);
  std::string text(kMaxPemBytes, '\0');
  std::size_t got = 0;
  while (got < text.size()) {
    const auto n = ::read(file.get(), text.data() + got, text.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return failed("read", path, errno);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  text.resize(got);
  return text;
}

}  // namespace

PairPaths pair_paths(const std::string& folder, const std::string& name) {
  const auto base = folder.empty() ? name : folder + (folder.ends_with('/') ? "" : "/") + name;
  return {base + ".crt", base + ".key"};
}

Status save(const KeyPair& pair, const PairPaths& paths, Existing existing) {
  if (existing == Existing::keep)
    for (const auto& path : {paths.key, paths.certificate})
      if (::access(path.c_str(), F_OK) == 0) return already_there(path);
  const auto folder = folder_of(paths.key);
  if (::mkdir(folder.c_str(), 0700) != 0 && errno != EEXIST) return failed("create the folder", folder, errno);

  Draft key{paths.key};
  Draft certificate{paths.certificate};
  if (auto done = key.write(pair.key.reveal(), 0600); !done) return done;
  if (auto done = certificate.write(pair.certificate, 0644); !done) return done;
  if (auto done = key.put(existing); !done) return done;
  if (auto done = certificate.put(existing); !done) {
    // Someone made the certificate in between: our key alone would be of no use.
    if (existing == Existing::keep) ::unlink(paths.key.c_str());
    return done;
  }
  const Descriptor directory{::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
  if (directory.get() < 0 || ::fsync(directory.get()) != 0) return failed("write", folder, errno);
  return {};
}

Result<KeyPair> load(const PairPaths& paths) {
  auto certificate = read_certificate(paths.certificate);
  if (!certificate) return fail(certificate.error());
  struct stat info {};
  auto key = read_all(paths.key, info);
  if (!key) return fail(key.error());
  if ((info.st_mode & S_IRWXO) != 0) {
    std::array<char, 8> mode{};
    std::snprintf(mode.data(), mode.size(), "%04o", static_cast<unsigned>(info.st_mode) & 07777U);
    return fail(Errc::denied, "the key '" + paths.key + "' is open to every user (mode " + mode.data() + ")",
                "Run chmod 600 " + paths.key + ".");
  }
  return KeyPair{std::move(*certificate), Secret{std::move(*key)}};
}

Result<std::string> read_certificate(const std::string& path) {
  struct stat info {};
  return read_all(path, info);
}

}  // namespace ward::pki
