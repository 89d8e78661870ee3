#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <vector>

#include "agent/spool/spool.hpp"
#include "collector/ingest/catalogue.hpp"
#include "collector/ingest/ingest_session.hpp"
#include "collector/ingest/recorder.hpp"
#include "collector/store/sqlite/journal.hpp"
#include "common/base/planted.hpp"
#include "common/wire/agent_session.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/oracle.hpp"

namespace ward::sim {

/// What may go wrong in a run; a seed picks when.
struct Faults {
  bool agent_kill = true, agent_power = true, agent_disk_full = true, agent_sync_error = true, agent_damage = true;
  bool collector_kill = true, collector_power = true, collector_wipe = true, collector_disk_full = true,
       collector_sync_error = true;
  bool partition = true, one_way = true, reset = true;
};

struct Settings {
  std::uint64_t seed = 1;
  Faults faults;
  int collectors = 2;
  std::chrono::seconds trouble{90};  ///< faults come for so long
  std::chrono::seconds healing{90};  ///< then all must drain (D9)
};

class SimRandom final : public Random {
 public:
  explicit SimRandom(std::uint64_t seed) : engine_(seed) {}
  std::uint64_t next() override { return engine_(); }

 private:
  std::mt19937_64 engine_;
};

/// One direction of a link: bytes in flight, delivered in pieces after a delay unless the link is cut.
struct Pipe {
  struct Piece {
    MonoTime due;
    wire::Buffer bytes;
  };
  std::deque<Piece> pieces;
  bool cut = false;
};

class AgentNode;
class CollectorNode;

/// One agent and its collectors on virtual time. Every decision comes from the seed: the same seed gives the same run.
class World {
 public:
  explicit World(const Settings& settings);
  ~World();
  /// Runs to the end; the violations found are in oracle().violations().
  void run();
  [[nodiscard]] const Oracle& oracle() const { return oracle_; }
  /// FNV hash over what happened, to compare two runs of one seed.
  [[nodiscard]] std::uint64_t trace() const { return trace_; }

 private:
  friend class AgentNode;
  friend class CollectorNode;
  void step();
  void cause_faults();
  void heal();
  void check_running();
  void check_end();
  void check_stream(const CollectorNode& node, sqlite::Database& db, const collector::StreamState& stream);
  void note(std::uint64_t what) { trace_ = (trace_ ^ what) * 1099511628211ULL; }
  bool chance(double per_second) { return random_.unit() < per_second * 0.05; }

  Settings settings_;
  SimRandom random_;
  Oracle oracle_;
  MonoTime now_{std::chrono::seconds{1}};
  Time wall_ = from_ms(1'700'000'000'000);
  bool healing_ = false;
  bool quiet_ = false;
  std::uint64_t trace_ = 14695981039346656037ULL;
  std::unique_ptr<AgentNode> agent_;
  std::vector<std::unique_ptr<CollectorNode>> collectors_;
};

}  // namespace ward::sim
