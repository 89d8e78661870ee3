#pragma once
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "common/model/ids.hpp"

namespace ward::sim {

/// What really happened, as only the simulator knows it: every record the agent ever numbered, with its content.
class Oracle {
 public:
  struct Made {
    std::uint64_t samples = 0;
    std::uint64_t content = 0;  ///< hash of the values
    MonoTime at;
  };
  struct Stream {
    std::map<std::uint64_t, Made> records;  ///< by sequence
    std::uint64_t made = 0;                 ///< samples given to the spool
    std::uint64_t kept_through = 0;         ///< the last record that had to survive, as later restarts found it
    bool end_is_known = false;              ///< its lost tail was judged
    bool tainted = false;                   ///< its spool file was damaged: counts may be estimates, data may not
    [[nodiscard]] std::uint64_t samples_through(std::uint64_t seq) const {
      std::uint64_t sum = 0;
      for (const auto& [s, record] : records)
        if (s <= seq) sum += record.samples;
      return sum;
    }
  };
  std::map<Incarnation, Stream> streams;
  std::uint64_t sampled = 0;  ///< all samples ever taken

  void power_lost(MonoTime now) { excuses_.push_back({now - kGroup, now}); }
  /// The agent's disk takes nothing now: what is sampled meanwhile is in memory only.
  void disk_trouble(MonoTime now) {
    if (excuses_.empty() || now - excuses_.back().end > std::chrono::seconds{3}) excuses_.push_back({now - kGroup, now});
    excuses_.back().end = now;
  }
  /// A record of this time may be lost at a restart.
  [[nodiscard]] bool may_lose(MonoTime made) const {
    for (const auto& excuse : excuses_)
      if (excuse.begin <= made && made <= excuse.end + std::chrono::seconds{3}) return true;
    return false;
  }

  void taint_all() {
    for (auto& [incarnation, stream] : streams) stream.tainted = true;
  }

  void violation(std::string what) { violations_.insert(std::move(what)); }
  [[nodiscard]] const std::set<std::string>& violations() const { return violations_; }

 private:
  static constexpr std::chrono::milliseconds kGroup{1'600};  // the spool forces its file once a second
  struct Excuse {
    MonoTime begin;
    MonoTime end;
  };
  std::vector<Excuse> excuses_;
  std::set<std::string> violations_;
};

}  // namespace ward::sim
