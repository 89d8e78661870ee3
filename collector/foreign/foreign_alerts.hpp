#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "collector/event/alert.hpp"
#include "collector/event/posted_alert.hpp"
#include "common/base/result.hpp"

namespace ward::collector {

/// Alerts that other Prometheus servers have evaluated and post as to an Alertmanager. They take part in correlation like
/// those of rules: each fires until its end is posted, or until its time is over because nobody repeats it. A state machine;
/// the transitions are for Pipeline::hear(). Thread: one at a time.
class ForeignAlerts {
 public:
  struct Options {
    std::size_t most = 20'000;                            ///< firing at once; what is beyond is refused
    milliseconds ends_after{std::chrono::minutes{5}};     ///< an alert that says nothing of its end (resolve_timeout)
    milliseconds repeated_each{std::chrono::minutes{1}};  ///< Prometheus' resend delay
  };
  struct Counts {
    std::uint64_t received = 0;
    std::uint64_t refused = 0;
    std::uint64_t expired = 0;  ///< ended because nobody repeated them
    friend bool operator==(const Counts&, const Counts&) = default;
  };

  ForeignAlerts() : ForeignAlerts(Options{}) {}
  explicit ForeignAlerts(Options options) : options_(options) {}

  /// What an earlier life knew: those of `live` that came by here fire on for `ends_after`, unless they are posted again.
  void restore(std::span<const AlertEvent> live, Time now);
  struct Posted {
    std::vector<AlertEvent> told;
    /// Why some were not taken: invalid (no alertname, too large, in the name of the collector itself) or overloaded.
    std::optional<Error> refused;
  };
  /// Takes what can be taken: Prometheus sends nothing again that is refused, and one bad alert must not end the others.
  /// `tenant`, unless "", is whose alerts these are, whatever they say.
  Posted post(std::vector<PostedAlert> alerts, const std::string& tenant, Time now);
  /// Ends those whose time is over.
  std::vector<AlertEvent> expire(Time now);

  [[nodiscard]] std::vector<AlertEvent> current() const;
  [[nodiscard]] Counts counts() const { return counts_; }
  [[nodiscard]] std::size_t size() const { return alerts_.size(); }

 private:
  struct Known {
    AlertEvent alert;
    Time ends_at;
  };
  Status take(PostedAlert posted, Time now, std::vector<AlertEvent>& told);

  Options options_;
  std::map<Labels, Known> alerts_;
  Counts counts_;
  std::optional<Time> last_;  ///< when expire() looked last
};

/// Whether an alert came by ForeignAlerts.
[[nodiscard]] bool is_foreign(const AlertEvent& alert);

}  // namespace ward::collector
