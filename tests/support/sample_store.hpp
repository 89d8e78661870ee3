#pragma once
#include <memory>
#include <stdexcept>
#include <string>

#include "collector/sample_store.hpp"

namespace ward::test {

/// A collector's store over the files of a folder, as its start opens them; not replayed yet.
inline std::unique_ptr<collector::Store> open_store(const std::string& folder, const collector::CollectorConfig& config,
                                                    telemetry::Registry& metrics) {
  using collector::Days;
  auto journal = collector::SqliteJournal::open({folder + "/journal.db", "", config.journal_max_bytes});
  if (!journal) throw std::runtime_error(describe(journal.error()));
  auto days = std::make_unique<Days>(collector::DayFiles::Options{folder + "/days", "", 4}, (*journal)->identity().value(),
                                     (*journal)->batch().value(), collector::DayFiles::list(folder + "/days").value());
  return std::make_unique<collector::Store>(config, metrics, std::move(*journal), std::move(days));
}

}  // namespace ward::test
