#pragma once
#include <optional>
#include <string>

#include "collector/leadership/shared_state.hpp"
#include "common/base/time.hpp"

namespace ward::collector {

/// waiting: another one leads, or nobody knows who. leading: this one pages. lost: it led, and another one does now; for
/// good, a new life begins as waiting.
enum class Role : std::uint8_t { waiting, leading, lost };

/// What one collector knows of who leads, from the answers to its claims. A state machine: no clock, no connection.
/// Times are its own monotonic clock's, so neither a stopped process nor a wrong wall clock makes a lease longer.
class Standing {
 public:
  explicit Standing(milliseconds ttl) : ttl_(ttl) {}
  /// The claim asked at `asked` was answered. The lease runs from `asked`: the answer may have taken long.
  void answered(const LeaseAnswer& answer, MonoTime asked);
  /// The claim asked at `asked`, or a write, was not answered by `now`. Whoever leads then goes on: to stop paging because
  /// the shared state is down would be the worse fault, and its messages carry the keys that receivers know.
  void unreachable(MonoTime now);
  /// A write was refused: another one has led since.
  void fenced();
  /// Leads no more although it could: it waits for the next claim.
  void step_back();

  [[nodiscard]] Role role() const { return role_; }
  /// Whether it may page and store at `now`. Not when its lease has run out unnoticed, as in a process that was stopped: the
  /// next claim tells.
  [[nodiscard]] bool may_act(MonoTime now) const;
  /// Leads without the shared state.
  [[nodiscard]] bool cut_off(MonoTime now) const {
    return role_ == Role::leading && cut_off_until_ && now < *cut_off_until_;
  }
  [[nodiscard]] std::int64_t token() const { return token_; }
  /// Who leads as far as is known; its own answer's holder too.
  [[nodiscard]] const LeaseAnswer& last() const { return last_; }

 private:
  milliseconds ttl_;
  Role role_ = Role::waiting;
  std::int64_t token_ = 0;
  MonoTime until_{};
  std::optional<MonoTime> cut_off_until_;
  LeaseAnswer last_;
};

}  // namespace ward::collector
