#pragma once
#include <memory>
#include <string>

#include "tests/sim/disk.hpp"
#include "tests/sim/paging/estate.hpp"
#include "tests/sim/paging/paging_oracle.hpp"
#include "tests/sim/paging/receivers.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::sim::paging {

class CollectorLife;

struct PagingSettings {
  std::uint64_t seed = 1;
  seconds trouble{480};  ///< faults of the collector, its disk, its receivers and its clock
  seconds calm{300};     ///< the estate goes on breaking, nothing else does
  seconds rest{360};     ///< all is mended, all must be told
};

/// One collector, its disk, what it watches and whom it tells, on virtual time. Every decision comes from the seed.
class PagingWorld {
 public:
  explicit PagingWorld(const PagingSettings& settings);
  ~PagingWorld();
  void run();
  [[nodiscard]] const PagingOracle& oracle() const { return oracle_; }
  [[nodiscard]] std::size_t lives() const { return lives_; }

 private:
  void pass();
  void cause_faults();
  void cause_moods();
  void cause_end();
  void cause_clock();
  void people();
  void silence(const std::string& fresh_id);
  void heal();
  void start();
  void bury();
  bool chance(double per_second);
  milliseconds some(std::uint64_t least, std::uint64_t most) { return seconds{least + random_.below(most - least + 1)}; }

  PagingSettings settings_;
  test::SeededRandom random_;
  test::ManualClock clock_;
  PagingOracle oracle_;
  Estate estate_;
  Receivers receivers_;
  Disk disk_;
  Sight sight_;
  std::unique_ptr<CollectorLife> life_;
  Redis redis_ = Redis::watched;
  int edition_ = 1;
  MonoTime begin_;
  MonoTime down_until_{};
  MonoTime frozen_until_{};
  MonoTime full_until_{};
  MonoTime blind_until_{};
  MonoTime failing_until_{};
  MonoTime watched_since_{};  ///< RedisDown has a rule
  std::map<std::string, MonoTime> moods_until_;
  std::size_t asked_ = 0;
  std::size_t lives_ = 0;
};

}  // namespace ward::sim::paging
