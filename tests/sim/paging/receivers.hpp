#pragma once
#include <boost/asio/steady_timer.hpp>
#include <functional>
#include <list>
#include <map>
#include <string>

#include "collector/notify/receiver.hpp"
#include "common/async/task.hpp"
#include "common/base/world.hpp"
#include "common/http/client.hpp"
#include "tests/sim/paging/paging_oracle.hpp"

namespace ward::sim::paging {

/// Waits of one life of the collector, in virtual time. Thread: the simulation's.
class Waits {
 public:
  /// Throws boost::system::system_error(operation_aborted) when its task is cancelled.
  async::Task<void> until(MonoTime due);
  /// Lets those whose time has come go on, when the loop runs next.
  void pass(MonoTime now);

 private:
  struct Waiter {
    Waiter(const async::asio::any_io_executor& executor, MonoTime when)
        : timer(executor, async::asio::steady_timer::time_point::max()), due(when) {}
    async::asio::steady_timer timer;
    MonoTime due;
    bool fired = false;
  };
  std::list<Waiter> waiting_;
};

/// How a receiver is today.
enum class Mood : std::uint8_t {
  well,
  slow,          ///< takes it, and says so seconds later
  absent,        ///< connection refused
  silent,        ///< takes nothing and says nothing until the time limit
  forgetful,     ///< takes it, and the answer never comes: the sender's limit ends
  failing,       ///< 500, nothing taken
  failing_late,  ///< taken, then 500
  busy,          ///< 429 with a wish
  refusing       ///< 403
};
inline constexpr std::uint64_t kMoods = 9;

/// The people's phones. They outlive every life of the collector.
class Receivers {
 public:
  explicit Receivers(PagingOracle& oracle) : oracle_(oracle) {}
  void set(const std::string& receiver, Mood mood) { moods_[receiver] = mood; }
  [[nodiscard]] Mood mood(const std::string& receiver) const;
  [[nodiscard]] bool all_well() const;

  struct Answer {
    milliseconds after{0};
    int status = 0;  ///< 0: no answer in time
    int retry_after = 0;
    bool taken = false;
  };
  /// What becomes of a message that gets there now.
  Answer ask(const std::string& receiver, Random& random) const;
  void take(const std::string& key, const std::string& receiver) { oracle_.taken(key, receiver); }

 private:
  PagingOracle& oracle_;
  std::map<std::string, Mood> moods_;
};

/// Names of all receivers: dba, app, ops1, ops2, boss.
const std::vector<std::string>& receiver_names();
/// Channels that carry a message's key to a simulated receiver.
std::vector<collector::Receiver> make_receivers();

}  // namespace ward::sim::paging
