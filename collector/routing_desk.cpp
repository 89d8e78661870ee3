#include "collector/routing_desk.hpp"

#include <memory>
#include <utility>

namespace ward::collector {

std::vector<AlertSilence> RoutingDesk::silences() const { return context_.pipeline.router().silences().list(); }

std::vector<std::string> RoutingDesk::silenced_by(const Labels& labels) const {
  return context_.pipeline.router().silences().all_covering(labels, context_.clock.wall());
}

std::optional<EscalationRecord> RoutingDesk::escalation(const std::string& incident) const {
  const auto* record = context_.pipeline.router().escalation(incident);
  return record == nullptr ? std::nullopt : std::optional{*record};
}

std::set<std::string> RoutingDesk::told(const std::string& incident) const {
  return context_.pipeline.router().told(incident);
}

async::Task<Result<std::string>> RoutingDesk::perform(Command command) {
  return context_.pipeline.perform(std::move(command));
}

Status RoutingDesk::post(std::vector<PostedAlert> alerts, const std::string& tenant) {
  auto told = context_.foreign.post(std::move(alerts), tenant, context_.clock.wall());
  context_.pipeline.hear(std::move(told.told));
  if (told.refused) return fail(std::move(*told.refused));
  return {};
}

async::Task<Result<std::vector<AuditRecord>>> RoutingDesk::audit(std::uint64_t after, std::size_t limit) {
  auto records = std::make_shared<std::vector<AuditRecord>>();
  auto* log = &context_.audit;
  std::function<Status()> job = [log, records, after, limit]() -> Status {
    auto read = log->audit(after, limit);
    if (!read) return fail(read.error());
    *records = std::move(*read);
    return {};
  };
  auto reading = context_.writer.alone(std::move(job));
  const auto done = co_await std::move(reading);
  if (!done) co_return fail(done.error());
  co_return std::move(*records);
}

}  // namespace ward::collector
