#pragma once
#include <cstddef>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "collector/event/silence.hpp"
#include "collector/routing/matcher.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// The silences, and which labels one of them covers now. A state machine; times are wall times, as people write them.
/// Thread: one at a time.
class SilenceBook {
 public:
  static constexpr std::size_t kMost = 2'000;  ///< that are not expired: each costs every open incident a comparison
  static constexpr std::size_t kMostExpired = 2'000;
  static constexpr milliseconds kKeepExpired{std::chrono::hours{120}};  ///< as Alertmanager keeps them

  SilenceBook() = default;
  /// Those that cannot be understood (a regular expression of another release) are left out, so that nothing is silenced
  /// by a guess.
  explicit SilenceBook(std::vector<AlertSilence> stored);

  /// What a step changed: to be stored.
  struct Put {
    std::string id;                     ///< of the silence that counts now
    std::vector<AlertSilence> changed;  ///< it, and the one it takes the place of
  };
  /// A new one, or a change of `silence.id` when that is not empty: where the matchers or a start that has passed differ, or
  /// it has expired, the old one ends and `fresh_id` names the new one. Errors: invalid (what people must correct),
  /// not_found, overloaded.
  Result<Put> put(AlertSilence silence, std::string fresh_id, Time now);
  /// Ends it for good. Errc::not_found for an unknown id, Errc::invalid for one that has expired.
  Result<AlertSilence> expire(const std::string& id, Time now);

  /// The first active one, by id, that covers these labels; null when none does.
  [[nodiscard]] const AlertSilence* covering(const Labels& labels, Time now) const;
  /// Ids of all of them.
  [[nodiscard]] std::vector<std::string> all_covering(const Labels& labels, Time now) const;
  [[nodiscard]] const AlertSilence* find(const std::string& id) const;
  [[nodiscard]] std::vector<AlertSilence> list() const;  ///< by id
  /// Drops those that expired long ago, and the oldest of too many; their ids.
  std::vector<std::string> forget(Time now);
  /// When the next one begins or ends; Time::max() when none does.
  [[nodiscard]] Time next_change(Time now) const;

 private:
  struct Entry {
    AlertSilence silence;
    std::vector<LabelCondition> conditions;
  };
  [[nodiscard]] Result<std::vector<LabelCondition>> check(const AlertSilence& silence, Time now) const;
  std::map<std::string, Entry> entries_;
};

/// `alertname="X"`, as Alertmanager writes it.
std::string to_string(const SilenceMatcher& matcher);
std::string to_string(const std::vector<SilenceMatcher>& matchers);

}  // namespace ward::collector
