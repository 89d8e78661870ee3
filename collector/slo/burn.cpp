#include "collector/slo/burn.hpp"

#include <algorithm>
#include <utility>

namespace ward::collector::slo {

Demand BurnWatch::step(Time now, const std::vector<BurnWindow>& pairs, const std::vector<PairBurn>& burns) {
  since_.resize(pairs.size());
  deciding_.reset();
  Demand demand;
  bool unknown = false;
  bool waits = false;
  AlertClass waiting = AlertClass::informational;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const auto& [long_burn, short_burn] = burns[i];
    const auto limit = pairs[i].factor;
    if ((long_burn && *long_burn <= limit) || (short_burn && *short_burn <= limit)) {
      since_[i].reset();
      continue;
    }
    // A pair that burnt and cannot be judged now burns on: missing data is no recovery.
    if ((!long_burn || !short_burn) && !since_[i]) {
      unknown = true;
      continue;
    }
    since_[i] = std::min(since_[i].value_or(now), now);
    if (now - *since_[i] < pairs[i].after) {
      waiting = waits ? std::max(waiting, pairs[i].cls) : pairs[i].cls;
      waits = true;
      continue;
    }
    if (deciding_ && pairs[i].cls <= demand.cls) continue;
    demand = {Demand::Signal::on, pairs[i].cls, false, long_burn.value_or(0)};
    deciding_ = i;
  }
  if (deciding_) return demand;
  if (waits) return {Demand::Signal::on, waiting, true, 0};
  demand.signal = unknown ? Demand::Signal::unknown : Demand::Signal::off;
  return demand;
}

AlertEvent AlertHold::fire(AlertEvent event, Time now, const Demand& demand) {
  event.active_at = active_ ? std::min(active_->active_at, now) : now;
  event.phase = demand.held ? AlertPhase::pending : AlertPhase::firing;
  event.fired_at = demand.held ? Time{} : now;
  event.resolved_at = {};
  event.value = demand.value;
  return event;
}

std::vector<AlertEvent> AlertHold::step(Time now, const Demand& demand, const Render& render) {
  std::vector<AlertEvent> told;
  if (demand.signal == Demand::Signal::unknown) return told;
  if (demand.signal == Demand::Signal::off) {
    if (!active_) return told;
    if (active_->phase == AlertPhase::pending) {
      if (auto ended = end(now)) told.push_back(std::move(*ended));
      return told;
    }
    clean_since_ = std::min(clean_since_.value_or(now), now);
    if (minute_of(now) > minute_of(*clean_since_))
      if (auto ended = end(now)) told.push_back(std::move(*ended));
    return told;
  }
  clean_since_.reset();
  auto event = render(demand.cls);
  // A firing alert does not go back to pending because a graver pair begins to wait.
  if (demand.held && fires()) return told;
  const bool same = active_ && active_->labels == event.labels;
  if (same && told_ && (active_->phase == AlertPhase::firing || demand.held)) {
    active_->value = demand.value;
    return told;
  }
  const bool repeated = same && active_->phase == AlertPhase::firing;
  const auto fired_at = active_ ? active_->fired_at : Time{};
  auto next = fire(std::move(event), now, demand);
  if (repeated) next.fired_at = fired_at;
  told.push_back(next);
  if (!same)
    if (auto ended = end(now)) told.push_back(std::move(*ended));
  active_ = std::move(next);
  told_ = true;
  return told;
}

std::optional<AlertEvent> AlertHold::end(Time now) {
  if (!active_) return std::nullopt;
  auto ended = std::move(*active_);
  active_.reset();
  clean_since_.reset();
  told_ = true;
  ended.phase = AlertPhase::resolved;
  ended.resolved_at = now;
  return ended;
}

void AlertHold::restore(AlertEvent event) {
  active_ = std::move(event);
  told_ = false;
}

}  // namespace ward::collector::slo
