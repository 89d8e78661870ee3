#pragma once
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "probes/probe.hpp"

namespace ward::probes {

/// Errors as RealHost::read_file. May block for ever on a dead network mount.
Result<FsStats> statvfs_of(const std::string& path);

/// The machine Ward runs on, or the one mounted below `root` ("/host" in a container; "" = this machine).
/// Thread: the io thread that constructed it; only fs_stats() works elsewhere, on the pool.
class RealHost final : public Host {
 public:
  struct Options {
    std::string root;
    /// How long a mount may take for an answer.
    std::chrono::milliseconds mount_deadline{2'000};
    /// The same while another mount hangs: they mostly hang together, behind one file server, and must not add up to
    /// the probe's deadline.
    std::chrono::milliseconds hanging_deadline{200};
    /// statvfs(3) of a path; runs on a worker. Tests give one that hangs.
    std::function<Result<FsStats>(const std::string& path)> ask_mount = statvfs_of;
  };
  RealHost(const Clock& clock, Random& random, async::BlockingPool& pool, http::Client& http, Options options);
  RealHost(const RealHost&) = delete;
  RealHost& operator=(const RealHost&) = delete;
  ~RealHost() override;

  [[nodiscard]] const Clock& clock() const override { return clock_; }
  [[nodiscard]] Random& random() override { return random_; }
  /// Errc::full past 8 MiB, denied, not_found, unavailable (every other errno).
  Result<std::string> read_file(std::string_view path) override;
  Result<std::vector<std::string>> list_dir(std::string_view path) override;
  Result<std::string> read_link(std::string_view path) override;
  /// At most one worker per mount, ever: while it hangs, further calls are Errc::timed_out at once. The pool's
  /// destructor waits for a hanging worker: a process that must leave uses its supervisor's SIGKILL.
  async::Task<Result<FsStats>> fs_stats(std::string mount_point) override;
  async::BlockingPool& blocking() override { return pool_; }
  http::Client& http() override { return http_; }

 private:
  struct Mount;
  [[nodiscard]] bool any_mount_hangs() const;
  /// `path` below the root, NUL-terminated, valid until the next call.
  const char* resolve(std::string_view path);

  const Clock& clock_;
  Random& random_;
  async::BlockingPool& pool_;
  http::Client& http_;
  const Options options_;
  std::string path_;          // reused by resolve(): some hundred paths a run
  std::vector<char> buffer_;  // reused by read_file()
  std::map<std::string, std::shared_ptr<Mount>, std::less<>> mounts_;
};

}  // namespace ward::probes
