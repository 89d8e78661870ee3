#pragma once
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "collector/event/audit.hpp"
#include "collector/event/command.hpp"
#include "collector/event/escalation.hpp"
#include "collector/event/posted_alert.hpp"
#include "collector/event/silence.hpp"
#include "collector/routing/router.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"
#include "common/model/labels.hpp"

namespace ward::collector::api {

/// What people do about incidents, and what they see of it. Thread: the io thread.
class Desk {
 public:
  virtual ~Desk() = default;
  [[nodiscard]] virtual std::vector<AlertSilence> silences() const = 0;  ///< by id, expired ones of some days too
  /// Ids of the active silences that cover these labels.
  [[nodiscard]] virtual std::vector<std::string> silenced_by(const Labels& labels) const = 0;
  [[nodiscard]] virtual std::set<std::string> receivers() const = 0;
  /// Of an open incident.
  [[nodiscard]] virtual std::optional<EscalationRecord> escalation(const std::string& incident) const = 0;
  [[nodiscard]] virtual std::set<std::string> told(const std::string& incident) const = 0;
  /// What the escalation of an open incident does next by itself.
  [[nodiscard]] virtual std::optional<NextStep> next_step(const Incident& incident) const = 0;
  /// Done and stored: a sentence, or the id of the silence.
  virtual async::Task<Result<std::string>> perform(Command command) = 0;
  /// Alerts of another Prometheus; they are correlated with the next evaluation. Errors: invalid, overloaded.
  virtual Status post(std::vector<PostedAlert> alerts, const std::string& tenant) = 0;
  /// Reads the configuration's rules anew; a sentence about what is in force. Errors: invalid with all problems: the old
  /// ones stay. Overloaded while another one is read.
  virtual async::Task<Result<std::string>> reload(std::string actor) = 0;
  /// Records after a number, at most `limit`.
  virtual async::Task<Result<std::vector<AuditRecord>>> audit(std::uint64_t after, std::size_t limit) = 0;
};

}  // namespace ward::collector::api
