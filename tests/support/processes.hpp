#pragma once
#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <sys/types.h>
#include <vector>

#include "tests/support/temp_dir.hpp"

namespace ward::test {

/// Real servers for integration tests, on free loopback ports and in directories that vanish with them. All of this throws
/// std::runtime_error with the server's own log when something does not start: such a test fails, it does not skip.

/// A loopback TCP port nobody listened on a moment ago.
std::uint16_t free_port();

/// A child process. It dies with the test and is killed, not asked, by the destructor.
class Process {
 public:
  struct Spec {
    std::vector<std::string> argv;
    std::map<std::string, std::string> env;  ///< added to the test's own
    std::string user;                        ///< run as this user when the test runs as root; "" = as the test
    std::filesystem::path directory = "/";
    std::filesystem::path output;  ///< standard output and error; "" = /dev/null
  };
  explicit Process(const Spec& spec);
  Process(Process&& other) noexcept;
  Process& operator=(Process&& other) noexcept;
  ~Process();
  [[nodiscard]] pid_t pid() const { return pid_; }
  [[nodiscard]] bool running();
  void signal(int number) const;
  /// The exit status (128 + n after signal n); nullopt when it still runs after `limit`.
  std::optional<int> wait(std::chrono::milliseconds limit);

 private:
  void kill_and_reap();
  pid_t pid_ = -1;
  std::optional<int> status_;
};

/// Runs a command to its end and returns what it printed; throws with that text when it failed or took over 30 s.
std::string run_to_end(Process::Spec spec);

/// PostgreSQL of the installed version. The superuser `postgres` and replication are trusted from 127.0.0.1, every other
/// role needs its password.
class PostgresServer {
 public:
  struct Options {
    std::string name = "pg";  ///< cluster_name; a standby streams under it
    std::vector<std::string> settings;
    const PostgresServer* primary = nullptr;  ///< stream from this server
  };
  PostgresServer() : PostgresServer(Options{}) {}
  explicit PostgresServer(Options options);
  ~PostgresServer();

  [[nodiscard]] std::uint16_t port() const { return port_; }
  [[nodiscard]] const std::filesystem::path& directory() const { return dir_.path(); }
  void start();
  /// Fast shutdown, then for sure.
  void stop();
  void signal(int number) const { server_->signal(number); }
  /// Runs statements as superuser through psql; the unadorned rows.
  [[nodiscard]] std::string sql(const std::string& statements, const std::string& database = "postgres") const;
  /// A session that runs the statements on its own; ends with the returned process.
  [[nodiscard]] Process session(const std::string& statements, const std::string& application_name,
                                const std::string& database = "postgres") const;
  /// Waits until a query gives `expected`; throws with the last answer after ten seconds.
  void wait_for(const std::string& query, const std::string& expected) const;
  /// Everything the server has written to its log.
  [[nodiscard]] std::string log() const;

 private:
  void create(const Options& options);
  TempDir dir_;
  std::string user_;
  std::uint16_t port_;
  std::optional<Process> server_;
};

/// Redis from a configuration given as lines; port, directory and bind address are added.
class RedisServer {
 public:
  struct Options {
    std::vector<std::string> lines;
    bool tls = false;  ///< TLS only, with a certificate for localhost and 127.0.0.1 (ca())
  };
  RedisServer() : RedisServer(Options{}) {}
  explicit RedisServer(Options options);
  [[nodiscard]] std::uint16_t port() const { return port_; }
  /// The PEM file a client must trust.
  [[nodiscard]] std::string ca() const { return (dir_ / "cert.pem").string(); }
  [[nodiscard]] const std::filesystem::path& directory() const { return dir_.path(); }
  void start();
  void stop();
  /// redis-cli with these arguments, as the default user.
  [[nodiscard]] std::string cli(const std::vector<std::string>& arguments) const;

 private:
  TempDir dir_;
  std::uint16_t port_;
  bool tls_;
  std::optional<Process> server_;
};

}  // namespace ward::test
