#pragma once
#include <functional>
#include <memory>
#include <string>

#include "collector/notify/heartbeat.hpp"
#include "collector/notify/sender.hpp"
#include "collector/pipeline.hpp"
#include "collector/store/sqlite/state_store.hpp"
#include "tests/sim/disk.hpp"
#include "tests/sim/paging/estate.hpp"
#include "tests/sim/paging/receivers.hpp"
#include "tests/support/manual_clock.hpp"

namespace ward::sim::paging {

/// Where a process may be ended (facts: reliability 4.1).
enum class KillPoint : std::uint8_t {
  none,
  before_commit,     ///< K1
  after_commit,      ///< K2: nothing of it is sent
  mid_send,          ///< K3
  reply_received,    ///< K4: before it is recorded
  result_recorded,   ///< K5
  step_uncommitted,  ///< K6: an escalation's step is due and not stored
};
inline constexpr std::uint64_t kKillPoints = 7;

/// The end of a process: what it does after that reaches nobody.
struct Doom {
  KillPoint armed = KillPoint::none;
  bool dead = false;
  /// True when the process has ended here.
  bool strikes(KillPoint here) {
    if (armed != here || dead) return dead;
    armed = KillPoint::none;
    return dead = true;
  }
};

/// One life of the collector's paging side: the product's own rule engine, incidents, router, outbox, sender, pipeline and
/// state store. Only its rules' expressions, its receivers and its loops' timers are the simulator's. Thread: one.
class CollectorLife {
 public:
  struct Setting {
    const test::ManualClock& clock;
    Random& random;
    Disk& disk;
    Receivers& receivers;
    PagingOracle& oracle;
    Sight& sight;
    std::string rules;
  };
  /// Reads what is stored; fails when the disk does not give it.
  static Result<std::unique_ptr<CollectorLife>> begin(Setting setting);
  ~CollectorLife();
  CollectorLife(const CollectorLife&) = delete;
  CollectorLife& operator=(const CollectorLife&) = delete;

  /// What is due at the clock's time: answers, an evaluation, sends.
  void turn();
  void reload(const std::string& rules);
  /// Done in the next turn.
  void ask(collector::Command command, std::function<void(bool done)> told);

  [[nodiscard]] std::vector<Claim> claims() const;
  [[nodiscard]] bool stores() const { return !pipeline_->trouble() && refused_ == sender_->failed_commits(); }

  Doom doom;

 private:
  class Store;
  class Phones;
  class Quiet;
  CollectorLife(Setting setting, std::unique_ptr<Store> store, collector::LoadedState loaded);
  [[nodiscard]] std::shared_ptr<const collector::Rulebook> book(const std::string& rules) const;
  void settle();
  async::Task<Status> save(collector::StateChange change);
  void step();
  void beat();
  [[nodiscard]] bool is_due() const;

  Setting setting_;
  Waits waits_;
  async::asio::io_context io_;
  async::BlockingPool pool_;
  telemetry::Registry metrics_;
  std::unique_ptr<Quiet> quiet_;
  telemetry::Logger log_;
  std::unique_ptr<collector::ExpressionCompiler> compiler_;
  collector::Head head_;
  collector::Catalogue catalogue_{collector::Catalogue::Caps{}};
  collector::HeadSink sink_;
  std::unique_ptr<Store> store_;
  collector::RuleEngine rules_;
  collector::Engine incidents_;
  collector::Router router_;
  collector::Outbox outbox_;
  collector::StateWriter writer_;
  std::unique_ptr<Phones> phones_;
  std::unique_ptr<collector::Sender> sender_;
  std::unique_ptr<collector::Pipeline> pipeline_;
  collector::Heartbeat heart_{{}};
  MonoTime beat_at_{};
  MonoTime stepped_at_{};
  std::size_t asked_ = 0;
  std::uint64_t refused_ = 0;  ///< commits that the sender is not told of yet
};

}  // namespace ward::sim::paging
