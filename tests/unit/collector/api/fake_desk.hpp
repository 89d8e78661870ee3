#pragma once
#include <string>
#include <vector>

#include "collector/api/desk.hpp"

namespace ward::collector::api {

/// Keeps what it is asked to do, and answers as the test says.
class FakeDesk final : public Desk {
 public:
  [[nodiscard]] std::vector<AlertSilence> silences() const override { return silence_list; }
  [[nodiscard]] std::vector<std::string> silenced_by(const Labels& labels) const override {
    asked_labels = labels;
    return covering;
  }
  [[nodiscard]] std::set<std::string> receivers() const override { return {"a", "b"}; }
  [[nodiscard]] std::optional<EscalationRecord> escalation(const std::string&) const override { return record; }
  [[nodiscard]] std::set<std::string> told(const std::string&) const override { return {"a"}; }
  [[nodiscard]] std::optional<NextStep> next_step(const Incident&) const override { return next; }
  async::Task<Result<std::string>> perform(Command command) override {
    commands.push_back(std::move(command));
    co_return outcome;
  }
  Status post(std::vector<PostedAlert> alerts, const std::string& tenant) override {
    posted = std::move(alerts);
    posted_tenant = tenant;
    return post_outcome;
  }
  async::Task<Result<std::string>> reload(std::string actor) override {
    reloaded_by = std::move(actor);
    co_return outcome;
  }
  async::Task<Result<std::vector<AuditRecord>>> audit(std::uint64_t after, std::size_t limit) override {
    std::vector<AuditRecord> out;
    for (const auto& r : records)
      if (r.number > after && out.size() < limit) out.push_back(r);
    co_return out;
  }

  std::vector<AlertSilence> silence_list;
  mutable Labels asked_labels;
  std::vector<std::string> covering;
  std::optional<EscalationRecord> record;
  std::optional<NextStep> next;
  std::vector<Command> commands;
  Result<std::string> outcome = std::string("done");
  std::vector<AuditRecord> records;
  std::vector<PostedAlert> posted;
  std::string posted_tenant;
  Status post_outcome;
  std::string reloaded_by;
};

}  // namespace ward::collector::api
