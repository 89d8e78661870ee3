#include "common/config/secret_source.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/descriptor.hpp"

namespace ward::config {
namespace {

constexpr std::size_t kMaxSecretBytes = 64 << 10;

std::string octal(mode_t mode) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "%04o", static_cast<unsigned>(mode) & 07777U);
  return text.data();
}

tl::unexpected<Error> unreadable(const std::string& path) {
  return fail(Errc::denied, "the secret file '" + path + "' cannot be read (" + std::strerror(errno) + ")",
              "Create it for the user Ward runs as, and run chmod 600 " + path + ".");
}

}  // namespace

Result<Secret> secret_from_file(const std::string& path) {
  // O_NONBLOCK: a FIFO in the place of a secret must not hang the start.
  const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  struct stat info {};
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0) return unreadable(path);
  if (!S_ISREG(info.st_mode))
    return fail(Errc::invalid, "the secret file '" + path + "' is not a regular file", "Name a file that holds the secret.");
  if ((info.st_mode & S_IRWXO) != 0)
    return fail(Errc::denied, "the secret file '" + path + "' is open to every user (mode " + octal(info.st_mode) + ")",
                "Run chmod 600 " + path + ".");
  // One allocation, so that no freed copy keeps the secret.
  std::string value(kMaxSecretBytes + 1, '\0');
  std::size_t got = 0;
  while (got < value.size()) {
    const auto n = ::read(file.get(), value.data() + got, value.size() - got);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return unreadable(path);
    if (n == 0) break;
    got += static_cast<std::size_t>(n);
  }
  if (got > kMaxSecretBytes)
    return fail(Errc::invalid, "the secret file '" + path + "' is larger than 64 KiB",
                "Name a file that holds only the secret.");
  value.resize(got);
  if (value.ends_with('\n')) value.pop_back();
  if (value.ends_with('\r')) value.pop_back();
  if (value.empty()) return fail(Errc::invalid, "the secret file '" + path + "' is empty", "Write the secret into it.");
  return Secret{std::move(value)};
}

Result<Secret> secret_from_environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  if (value == nullptr || *value == '\0')
    return fail(Errc::invalid, "the environment variable " + name + " is not set", "Set it, or use {file: PATH}.");
  return Secret{std::string(value)};
}

}  // namespace ward::config
