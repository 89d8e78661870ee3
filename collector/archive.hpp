#pragma once
#include "collector/api/archive.hpp"
#include "collector/pipeline.hpp"

namespace ward::collector {

/// The API's way to the stored past, off the io thread and beside no commit. Long lists are read in pieces, so that no page
/// waits for a report. Thread: the io thread; everything it is given outlives it.
class StateArchive final : public api::Archive {
 public:
  StateArchive(StateWriter& writer, IncidentLog& log) : writer_(writer), log_(log) {}

  async::Task<Result<std::vector<Incident>>> incidents(Time since, Time until, std::size_t limit) override;
  async::Task<Result<IncidentFile>> file(std::string id) override;
  async::Task<Result<std::vector<IncidentFile>>> files(Time since, Time until, std::size_t limit) override;
  async::Task<Result<std::vector<Decision>>> decisions(std::string alert) override;
  std::shared_ptr<const void> begin_report() override;

 private:
  async::Task<Status> read(std::function<Status()> job);
  StateWriter& writer_;
  IncidentLog& log_;
  std::weak_ptr<const void> report_;
};

}  // namespace ward::collector
