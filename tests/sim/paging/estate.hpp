#pragma once
#include <chrono>
#include <functional>
#include <string>
#include <vector>

#include "common/base/time.hpp"
#include "common/base/world.hpp"

namespace ward::sim::paging {

using std::chrono::seconds;

/// A condition that can hold or not, and what its rule asks for.
struct Signal {
  std::string alert;
  std::string tenant;  ///< "" = shared
  std::string service;
  std::string owner;
  int cls = 0;  ///< 0 informational, 1 actionable, 2 urgent
  seconds hold{0};
  seconds keep{0};
  std::string more;  ///< further labels in YAML, with their comma
  [[nodiscard]] std::string id() const { return alert + "/" + tenant; }
};
const std::vector<Signal>& signals();
inline constexpr int kPaging = 2;
inline constexpr int kExecutive = 3;

/// What rules see of the estate.
struct Sight {
  std::function<bool(std::size_t signal)> broken;
  bool blind = false;    ///< series are not there yet
  bool failing = false;  ///< the query ends in an error
};

/// Rule file of all signals. Without the retired one, RedisDown has no rule; `edition` changes an annotation only.
enum class Redis : std::uint8_t { watched, retired };
std::string rules_text(Redis redis, int edition);

/// What is really broken when. Stories come from the seed: lone faults, cascades, causes that show late, flapping, symptoms
/// that outlast their cause.
class Estate {
 public:
  explicit Estate(Random& random);
  /// A new story that begins now.
  void tell(MonoTime now);
  /// Everything is mended, for good.
  void mend(MonoTime now);
  void pass(MonoTime now);

  [[nodiscard]] bool on(std::size_t signal) const { return active_[signal] > 0; }

 private:
  struct Change {
    MonoTime at;
    std::size_t signal;
    int by;
  };
  void plan(std::size_t signal, MonoTime from, milliseconds length);
  milliseconds between(std::uint64_t least, std::uint64_t most);
  void cascade(MonoTime now, bool late_root);
  void flap(MonoTime now);

  Random& random_;
  std::vector<Change> changes_;
  std::vector<int> active_;
};

}  // namespace ward::sim::paging
