#pragma once
#include <map>
#include <string>
#include <vector>

#include "collector/api/archive.hpp"

namespace ward::collector::api {

/// The past as the test says; ids are found by their beginning.
class FakeArchive final : public Archive {
 public:
  async::Task<Result<std::vector<Incident>>> incidents(Time since, Time until, std::size_t limit) override {
    if (trouble) co_return fail(*trouble);
    std::vector<Incident> out;
    for (const auto& file : past)
      if (file.incident.opened_at >= since && file.incident.opened_at < until && out.size() < limit)
        out.push_back(file.incident);
    co_return out;
  }
  async::Task<Result<IncidentFile>> file(std::string id) override {
    if (trouble) co_return fail(*trouble);
    for (const auto& one : past)
      if (one.incident.id.starts_with(id)) co_return one;
    co_return fail(Errc::not_found, "there is no incident '" + id + "'", "Look.");
  }
  async::Task<Result<std::vector<IncidentFile>>> files(Time since, Time until, std::size_t limit) override {
    if (trouble) co_return fail(*trouble);
    std::vector<IncidentFile> out;
    for (const auto& one : past)
      if (one.incident.opened_at >= since && one.incident.opened_at < until && out.size() < limit) out.push_back(one);
    co_return out;
  }
  std::shared_ptr<const void> begin_report() override { return busy ? nullptr : std::make_shared<const int>(0); }
  bool busy = false;
  async::Task<Result<std::vector<Decision>>> decisions(std::string alert) override { co_return by_alert[alert]; }

  std::vector<IncidentFile> past;
  std::map<std::string, std::vector<Decision>> by_alert;
  std::optional<Error> trouble;
};

}  // namespace ward::collector::api
