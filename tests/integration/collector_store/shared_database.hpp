#pragma once
#include <signal.h>
#include <string>
#include <string_view>
#include <vector>

#include "collector/store/postgres/pg_shared_state.hpp"
#include "tests/support/processes.hpp"

namespace ward::test {

using collector::LeaseAnswer;
using collector::PgSharedState;
using collector::PgSharedStateOptions;
using collector::SharedCopy;
using std::chrono::hours;
using std::chrono::seconds;

using ByteVector = std::vector<std::uint8_t>;
inline ByteVector bytes_of(std::string_view text) { return {text.begin(), text.end()}; }

/// A process that does not run for as long as this lives.
class Stopped {
 public:
  explicit Stopped(pid_t process) : process_(process) { ::kill(process_, SIGSTOP); }
  explicit Stopped(const std::string& process) : Stopped(std::stoi(process)) {}
  Stopped(const Stopped&) = delete;
  Stopped& operator=(const Stopped&) = delete;
  ~Stopped() { go_on(); }
  void go_on() const { ::kill(process_, SIGCONT); }

 private:
  pid_t process_;
};

/// Does it until it succeeds, for as long as a crowded machine may need: for objects with a short limit.
template <class Work>
auto in_time(Work work) {
  const auto until = std::chrono::steady_clock::now() + seconds{30};
  auto done = work();
  while (!done && std::chrono::steady_clock::now() < until) done = work();
  if (!done) throw std::runtime_error(describe(done.error()));
  return done;
}

/// A PostgreSQL with a database `ward` of role `ward`, whose password is "shared-Quillfeather".
class SharedDatabase {
 public:
  static constexpr std::string_view kPassword = "shared-Quillfeather";
  SharedDatabase() {
    std::ignore = server_.sql("CREATE ROLE ward LOGIN PASSWORD '" + std::string(kPassword) + "'");
    std::ignore = server_.sql("CREATE DATABASE ward OWNER ward");
  }
  [[nodiscard]] PostgresServer& server() { return server_; }
  [[nodiscard]] std::string sql(const std::string& statements) const { return server_.sql(statements, "ward"); }
  /// Waits until a query in the database gives `expected`.
  void wait_for(const std::string& condition) const { server_.wait_for("SELECT " + condition, "t"); }
  [[nodiscard]] PgSharedStateOptions options(const std::string& holder) const {
    PgSharedStateOptions options;
    options.connection = "host=127.0.0.1 port=" + std::to_string(server_.port()) + " dbname=ward user=ward";
    options.password = Secret(std::string(kPassword));
    options.name = "paging";
    options.holder = holder;
    options.address = "https://" + holder + ":8443";
    options.timeout = seconds{10};  // the machine may be crowded; those who test the limit set their own
    return options;
  }
  [[nodiscard]] PgSharedState collector(const std::string& holder) const { return PgSharedState(options(holder)); }
  /// The lease as if its time had come: no waiting for it.
  void expire() const { std::ignore = sql("UPDATE ward_lease SET expires = clock_timestamp() - interval '1 ms'"); }
  /// Of the backends that serve collectors.
  [[nodiscard]] std::string backends() const {
    return sql("SELECT string_agg(pid::text, ' ') FROM pg_stat_activity WHERE application_name = 'ward-collector'");
  }

 private:
  PostgresServer server_;
};

}  // namespace ward::test
