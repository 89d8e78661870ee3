#pragma once
#include <set>
#include <string>
#include <vector>

#include "collector/api/desk.hpp"
#include "collector/foreign/foreign_alerts.hpp"
#include "collector/pipeline.hpp"
#include "collector/reloader.hpp"

namespace ward::collector {

/// The API's way to the router and to the audit. Commands go through the pipeline, so that they are stored with what they
/// lead to. Thread: the io thread; everything it is given outlives it.
class RoutingDesk final : public api::Desk {
 public:
  struct Context {
    const Clock& clock;
    Pipeline& pipeline;
    StateWriter& writer;
    AuditLog& audit;
    ForeignAlerts& foreign;
    Reloader& reloader;
    std::set<std::string> receivers;  ///< as configured
  };
  explicit RoutingDesk(Context context) : context_(std::move(context)) {}

  [[nodiscard]] std::vector<AlertSilence> silences() const override;
  [[nodiscard]] std::vector<std::string> silenced_by(const Labels& labels) const override;
  [[nodiscard]] std::set<std::string> receivers() const override { return context_.receivers; }
  [[nodiscard]] std::optional<EscalationRecord> escalation(const std::string& incident) const override;
  [[nodiscard]] std::set<std::string> told(const std::string& incident) const override;
  [[nodiscard]] std::optional<NextStep> next_step(const Incident& incident) const override {
    return context_.pipeline.router().next_step(incident);
  }
  async::Task<Result<std::string>> perform(Command command) override;
  Status post(std::vector<PostedAlert> alerts, const std::string& tenant) override;
  async::Task<Result<std::string>> reload(std::string actor) override {
    return context_.reloader.reload(std::move(actor), "asked by the API");
  }
  async::Task<Result<std::vector<AuditRecord>>> audit(std::uint64_t after, std::size_t limit) override;

 private:
  Context context_;
};

}  // namespace ward::collector
