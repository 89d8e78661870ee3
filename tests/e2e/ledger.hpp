#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace ward::test {

/// Tenant and incarnation (hex) of a stream: the same on the agent and on the collector.
using StreamName = std::pair<std::string, std::string>;

/// What the collector's journal file says of a stream.
struct JournalStream {
  std::int64_t durable = 0, stored = 0, refused = 0, lost = 0;
  std::int64_t samples_in_payloads = 0;
  std::int64_t samples_in_gaps = 0;
  std::vector<std::string> faults;  ///< holes, overlaps, doubles, payloads that cannot be read; one sentence each
  [[nodiscard]] std::int64_t accounted() const { return stored + refused + lost; }
};

/// What the agent's spool file says of a stream.
struct SpoolStream {
  std::int64_t next = 0, sampled = 0;
  std::int64_t acknowledged = 0;  ///< the highest sequence a collector confirmed, as far as it was written down
};

/// Both read a copy of the database and its log, so that the file of a killed process stays as the kill left it.
std::map<StreamName, JournalStream> read_journal(const std::filesystem::path& data_dir);
std::map<StreamName, SpoolStream> read_spool(const std::filesystem::path& data_dir);

/// What several agents' lives left behind, against what the collector has: one sentence for each sample or sequence that
/// is missing, doubled or unexplained. `seen` are the spools of killed agents, `last` the spool of one that was stopped in
/// good order after it had sent everything.
std::vector<std::string> audit(const std::map<StreamName, JournalStream>& journal,
                               const std::map<StreamName, SpoolStream>& seen, const std::map<StreamName, SpoolStream>& last);

}  // namespace ward::test
