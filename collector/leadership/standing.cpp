#include "collector/leadership/standing.hpp"

namespace ward::collector {

void Standing::answered(const LeaseAnswer& answer, MonoTime asked) {
  last_ = answer;
  if (role_ == Role::lost) return;
  if (role_ == Role::leading && (!answer.mine || answer.token != token_)) {
    role_ = Role::lost;
    return;
  }
  cut_off_until_.reset();
  if (!answer.mine) return;
  role_ = Role::leading;
  token_ = answer.token;
  until_ = asked + ttl_;
}

void Standing::unreachable(MonoTime now) {
  if (role_ == Role::leading) cut_off_until_ = now + ttl_;
}

void Standing::fenced() {
  if (role_ == Role::leading) role_ = Role::lost;
}

void Standing::step_back() {
  role_ = Role::waiting;
  cut_off_until_.reset();
}

bool Standing::may_act(MonoTime now) const { return role_ == Role::leading && (now < until_ || cut_off(now)); }

}  // namespace ward::collector
