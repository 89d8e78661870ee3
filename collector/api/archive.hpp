#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "collector/event/state.hpp"
#include "common/async/task.hpp"
#include "common/base/result.hpp"

namespace ward::collector::api {

/// The stored past: incidents, open ones among them, what was decided about them and who was told. Thread: the io thread.
class Archive {
 public:
  virtual ~Archive() = default;
  /// Opened in [since, until), newest first, at most `limit`.
  virtual async::Task<Result<std::vector<Incident>>> incidents(Time since, Time until, std::size_t limit) = 0;
  /// All that is stored of one; the id may be cut short where that is unique, and its letters small. Errors: not_found;
  /// invalid when several begin so.
  virtual async::Task<Result<IncidentFile>> file(std::string id) = 0;
  /// The same for all that were opened in [since, until), newest first, at most `limit`.
  virtual async::Task<Result<std::vector<IncidentFile>>> files(Time since, Time until, std::size_t limit) = 0;
  /// Held while one long question is asked; null while another is.
  virtual std::shared_ptr<const void> begin_report() = 0;
  /// Decisions about an alert instance, by its id, oldest first.
  virtual async::Task<Result<std::vector<Decision>>> decisions(std::string alert) = 0;
};

}  // namespace ward::collector::api
