#pragma once
#include <boost/asio/io_context.hpp>
#include <functional>
#include <initializer_list>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "probes/probe.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::test {

/// A machine made of texts: files and links by absolute path, directories derived from them, mounts with given answers.
/// What is not there is Errc::not_found, as on the real one. Thread: the test's.
class FakeHost final : public probes::Host {
 public:
  using Entries = std::initializer_list<std::pair<std::string, std::string>>;
  FakeHost() = default;
  FakeHost(Entries files);

  FakeHost& set(std::string path, std::string text);
  FakeHost& link(std::string path, std::string target);
  FakeHost& mount(std::string mount_point, Result<probes::FsStats> answer);
  /// Reading, listing or following this path gives `error` from now on.
  FakeHost& break_path(std::string path, Error error);
  /// Removes the path and everything below it.
  FakeHost& erase(std::string_view path);
  /// Adds a recorded tree (tests/data/proc/*.txt). "@file PATH" starts a file, its text follows up to the next "@" line;
  /// "@link PATH TARGET" is a link. "\0" and "\n" in a text stand for those bytes. Throws when the file is missing.
  FakeHost& load(const std::string& recording);
  void use_http(http::Client& client) { http_ = &client; }
  /// How often a path was read, listed or followed: to prove that a probe stays cheap.
  [[nodiscard]] int touched(std::string_view path) const;
  void forget_touches() { touches_.clear(); }

  ManualClock& time() { return clock_; }
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  [[nodiscard]] Random& random() override { return random_; }
  Result<std::string> read_file(std::string_view path) override;
  Result<std::vector<std::string>> list_dir(std::string_view path) override;
  Result<std::string> read_link(std::string_view path) override;
  async::Task<Result<probes::FsStats>> fs_stats(std::string mount_point) override;
  async::BlockingPool& blocking() override { return pool_; }
  http::Client& http() override;

 private:
  Status touch(std::string_view path);
  std::map<std::string, std::string, std::less<>> files_;
  std::map<std::string, std::string, std::less<>> links_;
  std::map<std::string, Result<probes::FsStats>, std::less<>> mounts_;
  std::map<std::string, Error, std::less<>> broken_;
  std::map<std::string, int, std::less<>> touches_;
  ManualClock clock_;
  SeededRandom random_;
  async::BlockingPool pool_;
  http::Client* http_ = nullptr;
};

/// Runs one collect() to its end, on a private io_context or on the given one (for probes that keep a connection).
probes::ProbeOutput collect(probes::Probe& probe, probes::Host& host);
probes::ProbeOutput collect(probes::Probe& probe, probes::Host& host, boost::asio::io_context& io);

/// The value of the only reading with this name and exactly these labels; nullopt when absent, throws when doubled.
std::optional<double> value_of(const Readings& readings, std::string_view metric, const Labels& labels = {});
/// How many readings carry this name.
std::size_t count_of(const Readings& readings, std::string_view metric);
/// "metric{labels} value" lines, sorted: for failure messages and whole comparisons.
std::string to_text(const Readings& readings);

}  // namespace ward::test
