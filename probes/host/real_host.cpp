#include "probes/host/real_host.hpp"

#include <array>
#include <atomic>
#include <cerrno>
#include <climits>
#include <dirent.h>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include "common/async/within.hpp"
#include "common/base/descriptor.hpp"

namespace ward::probes {
namespace {

constexpr std::size_t kMaxFileBytes = 8 << 20;
constexpr std::size_t kChunk = 32 << 10;

tl::unexpected<Error> failed(std::string_view path, int number) {
  const auto what = std::string(path) + ": " + std::system_category().message(number);
  switch (number) {
    case ENOENT:
    case ENOTDIR:
    case ESRCH:  // a process that ended between the listing and the read
      return fail(Errc::not_found, what, "");
    case EACCES:
    case EPERM: return fail(Errc::denied, what, "Give the agent the right to read it, or exclude the collector that does.");
    default: return fail(Errc::unavailable, what, "");
  }
}

}  // namespace

Result<FsStats> statvfs_of(const std::string& path) {
  struct statvfs st {};
  if (::statvfs(path.c_str(), &st) != 0) return failed(path, errno);
  const std::uint64_t block = st.f_frsize != 0 ? st.f_frsize : st.f_bsize;
  FsStats out;
  out.size_bytes = st.f_blocks * block;
  out.free_bytes = st.f_bfree * block;
  out.avail_bytes = st.f_bavail * block;
  out.files = st.f_files;
  out.files_free = st.f_ffree;
  out.read_only = (st.f_flag & ST_RDONLY) != 0;
  return out;
}

/// Shared with the worker, which may outlive the host's interest in its answer.
struct RealHost::Mount {
  std::atomic<bool> asking{false};
};

RealHost::RealHost(const Clock& clock, Random& random, async::BlockingPool& pool, http::Client& http, Options options)
    : clock_(clock), random_(random), pool_(pool), http_(http), options_(std::move(options)), buffer_(kChunk) {}

RealHost::~RealHost() = default;

const char* RealHost::resolve(std::string_view path) {
  path_.assign(options_.root);
  path_.append(path);
  return path_.c_str();
}

Result<std::string> RealHost::read_file(std::string_view path) {
  const Descriptor file(::open(resolve(path), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (file.get() < 0) return failed(path, errno);
  // A sysfs file comes whole in one read of up to a page; a short read of a /proc file may have more behind it.
  const bool whole = path.starts_with("/sys/");
  std::string text;
  while (true) {
    const auto got = ::read(file.get(), buffer_.data(), buffer_.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return failed(path, errno);
    if (got == 0) return text;
    text.append(buffer_.data(), static_cast<std::size_t>(got));
    if (whole && got < 4096) return text;
    if (text.size() > kMaxFileBytes)
      return fail(Errc::full, std::string(path) + ": larger than 8 MiB, refused", "Exclude the collector that reads it.");
  }
}

Result<std::vector<std::string>> RealHost::list_dir(std::string_view path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> dir(::opendir(resolve(path)), &::closedir);
  if (!dir) return failed(path, errno);
  std::vector<std::string> names;
  errno = 0;
  while (const auto* entry = ::readdir(dir.get())) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  if (errno != 0) return failed(path, errno);
  return names;
}

Result<std::string> RealHost::read_link(std::string_view path) {
  std::array<char, PATH_MAX> target;
  const auto got = ::readlink(resolve(path), target.data(), target.size());
  if (got < 0) return failed(path, errno);
  return std::string(target.data(), static_cast<std::size_t>(got));
}

bool RealHost::any_mount_hangs() const {
  for (const auto& [point, mount] : mounts_)
    if (mount->asking) return true;
  return false;
}

async::Task<Result<FsStats>> RealHost::fs_stats(std::string mount_point) {
  auto& slot = mounts_[mount_point];
  if (!slot) slot = std::make_shared<Mount>();
  const auto mount = slot;
  const auto stuck = fail(Errc::timed_out, mount_point + ": the mount does not answer",
                          "Look at the file server or disk behind it; 'umount -l' frees the waiting processes.");
  if (mount->asking) co_return stuck;
  const auto limit = any_mount_hangs() ? options_.hanging_deadline : options_.mount_deadline;
  mount->asking = true;
  auto ask = [mount, call = options_.ask_mount, path = options_.root + mount_point] {
    auto answer = call(path);
    mount->asking = false;
    return answer;
  };
  auto job = async::run_blocking(pool_, std::move(ask));
  auto answer = co_await async::within(limit, std::move(job));
  if (!answer) co_return stuck;
  co_return std::move(*answer);
}

}  // namespace ward::probes
