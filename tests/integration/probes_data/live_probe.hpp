#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <memory>
#include <stdexcept>
#include <string>

#include "common/async/within.hpp"
#include "common/config/node.hpp"
#include "tests/support/fake_host.hpp"
#include "tests/support/processes.hpp"

namespace ward::test {

/// A probe of the catalogue made from YAML, run against a real server; only the server is real, clock and files are not.
class LiveProbe {
 public:
  LiveProbe(std::string_view kind, const std::string& yaml) {
    config::Problems problems;
    const auto documents = config::parse_yaml(yaml, "target.yaml");
    if (!documents) throw std::runtime_error(describe(documents.error()));
    config::Section section(documents->at(0), "target", problems);
    probe_ = probes::find_probe(kind)->make(section);
    section.close();
    if (!probe_ || !problems.empty()) throw std::runtime_error(problems.to_text());
  }
  probes::ProbeOutput run() { return collect(*probe_, host_, io_); }
  /// As the schedule does at the deadline: cancels the run. True when it was cut off.
  bool run_cut_off_after(std::chrono::milliseconds limit) {
    bool cut_off = false;
    boost::asio::co_spawn(io_, async::within(limit, probe_->collect(host_)),
                          [&](std::exception_ptr, const std::optional<probes::ProbeOutput>& output) {
                            cut_off = !output;
                            io_.stop();
                          });
    io_.restart();
    io_.run();
    return cut_off;
  }
  FakeHost& host() { return host_; }

 private:
  boost::asio::io_context
      io_;  ///< outlives the probe, whose connections live on it, and the host's jobs, which report to it
  FakeHost host_;
  std::unique_ptr<probes::Probe> probe_;
};

/// Everything a run would send or log, as one text to search.
inline std::string everything(const probes::ProbeOutput& output) {
  auto text = to_text(output.readings);
  for (const auto& event : output.events) text += event.kind + to_string(event.attributes) + '\n';
  if (output.failure) text += describe(output.failure->error) + '\n';
  return text;
}

/// The role of docs: pg_monitor and nothing else, with its own limits. Its password is "monitoring" in ward.password.
inline void create_ward_role(const PostgresServer& server, const std::string& limit = "3") {
  std::ignore = server.sql("CREATE ROLE ward LOGIN CONNECTION LIMIT " + limit +
                           " PASSWORD 'monitoring'; GRANT pg_monitor TO ward;"
                           "ALTER ROLE ward SET statement_timeout = '3s'; ALTER ROLE ward SET lock_timeout = '100ms';"
                           "ALTER ROLE ward SET idle_in_transaction_session_timeout = '5s';"
                           "ALTER ROLE ward SET default_transaction_read_only = on;");
}

inline std::string postgres_yaml(const PostgresServer& server, const TempDir& secrets, const std::string& more = "") {
  return "host: 127.0.0.1\nport: " + std::to_string(server.port()) +
         "\nuser: ward\npassword: {file: " + secrets.write("ward.password", "monitoring\n") + "}\n" + more;
}

}  // namespace ward::test
