#pragma once
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/slo/slo.hpp"

namespace ward::collector::slo {

/// Both windows of one pair, as times the rate that spends the budget in one period; nothing where nothing is known.
struct PairBurn {
  std::optional<double> long_burn;
  std::optional<double> short_burn;
};

/// What an evaluation asks of an alert.
struct Demand {
  enum class Signal : std::uint8_t {
    off,
    on,
    unknown,  ///< nothing is known: what is told stays told
  };
  Signal signal = Signal::off;
  AlertClass cls = AlertClass::actionable;
  bool held = false;  ///< `on`, but its time has not come: pending
  double value = 0;
  friend bool operator==(const Demand&, const Demand&) = default;
};

/// Which pairs burn, and for how long.
class BurnWatch {
 public:
  /// Pairs are ORed: the gravest that burns decides. A pair burns when both of its windows do, and
  /// goes on burning while they cannot be judged.
  Demand step(Time now, const std::vector<BurnWindow>& pairs, const std::vector<PairBurn>& burns);
  /// The pair that decided last; nothing when none did.
  [[nodiscard]] std::optional<std::size_t> deciding() const { return deciding_; }

 private:
  std::vector<std::optional<Time>> since_;
  std::optional<std::size_t> deciding_;
};

/// One alert instance over time. A change of class or of any label is a new instance: the new one fires first, then the old
/// one is resolved, so that nothing seems to end in between. It ends after two clean evaluations in different minutes.
class AlertHold {
 public:
  using Render = std::function<AlertEvent(AlertClass)>;  ///< labels, annotations, generator

  /// The transitions, in the order they are to be told.
  std::vector<AlertEvent> step(Time now, const Demand& demand, const Render& render);
  /// Its SLO or group is gone.
  std::optional<AlertEvent> end(Time now);
  /// As an earlier life left it; it is told again by the next step that finds it still on.
  void restore(AlertEvent event);

  [[nodiscard]] bool fires() const { return active_ && active_->phase == AlertPhase::firing; }
  [[nodiscard]] const std::optional<AlertEvent>& active() const { return active_; }

 private:
  AlertEvent fire(AlertEvent event, Time now, const Demand& demand);

  std::optional<AlertEvent> active_;
  std::optional<Time> clean_since_;
  bool told_ = true;
};

}  // namespace ward::collector::slo
