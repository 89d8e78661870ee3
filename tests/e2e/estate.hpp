#pragma once
#include <chrono>
#include <csignal>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>

#include "tests/support/processes.hpp"

namespace ward::test {

/// For what must come, however slow the machine: waiting costs a passing test nothing. Longer than the minute an agent may
/// wait between two attempts.
constexpr std::chrono::seconds kPatience{240};
/// Polls until `done` or the limit; false when it never was.
bool eventually(std::chrono::milliseconds limit, const std::function<bool()>& done);
std::string text_of(const std::filesystem::path& file);

struct HttpAnswer {
  int status = 0;  ///< 0: nobody answered
  std::string body;
};
HttpAnswer http_get(std::uint16_t port, const std::string& path);
/// A remote write 2.0 request of this packed body.
HttpAnswer post_remote_write(std::uint16_t port, std::string body);

/// One of Ward's daemons: its program, its configuration file, and a log that goes on over restarts.
class Daemon {
 public:
  Daemon(std::string program, std::filesystem::path config, std::filesystem::path log);
  /// With these variables beside its own environment.
  void start(std::map<std::string, std::string> env = {});
  void signal(int number) { process_->signal(number); }
  /// SIGKILL, and reaped.
  void kill();
  /// SIGTERM; its exit status, nullopt when it never ends.
  std::optional<int> terminate();
  void reload() { process_->signal(SIGHUP); }
  [[nodiscard]] bool running() { return process_ && process_->running(); }
  /// Watches the process for this long; false when it ended by itself.
  bool survives(std::chrono::milliseconds time) { return !process_->wait(time); }
  [[nodiscard]] std::string log() const { return text_of(log_); }

 private:
  std::string program_;
  std::filesystem::path config_, log_;
  std::optional<Process> process_;
};

/// One collector and one agent in a directory of their own, not started yet. Both configurations are complete; a test adds
/// targets and what else it needs.
class Estate {
 public:
  enum class Transport { insecure, mutual_tls };
  struct Options {
    Transport transport = Transport::insecure;
    std::uint16_t receiver_port = 1;  ///< pages go to http://127.0.0.1:PORT/<owner>
    std::string targets;              ///< YAML lines of the agent's 'targets'
    std::string agent_extra;          ///< more YAML of the agent
    std::string collector_extra;      ///< more YAML of the collector
  };
  explicit Estate(const Options& options);

  TempDir dir{"e2e"};
  const std::uint16_t stream_port, http_port, agent_port;
  Daemon collector, agent;

  [[nodiscard]] std::filesystem::path collector_data() const { return dir / "collector"; }
  [[nodiscard]] std::filesystem::path agent_data() const { return dir / "agent"; }
  /// A series of the agent's or the collector's /metrics, by its whole name with labels; nullopt when it is not there.
  [[nodiscard]] std::optional<double> agent_metric(const std::string& series) const;
  [[nodiscard]] std::optional<double> collector_metric(const std::string& series) const;
  /// Waits until the collector has an agent and samples; false when they never come.
  [[nodiscard]] bool flows() const;
  /// Slows the agent's targets down to one run in ten seconds, then waits until what they gave has been sent: an agent that
  /// measures faster than a crowded machine sends is never through.
  [[nodiscard]] bool drained();
  /// Both logs, for the message of a failed assertion.
  [[nodiscard]] std::string logs() const;
};

/// The configuration files an Estate starts from.
std::string collector_yaml(const Estate::Options& options, std::uint16_t stream, std::uint16_t http,
                           const std::filesystem::path& dir);
std::string agent_yaml(const Estate::Options& options, std::uint16_t stream, std::uint16_t http,
                       const std::filesystem::path& dir);
/// Certificates by wardctl in dir/pki: ca, collector-c1, agent-a1 for the tenant t1.
void make_pki(const std::filesystem::path& dir);

}  // namespace ward::test
