#pragma once
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "collector/api/endpoint.hpp"
#include "collector/api/view.hpp"
#include "collector/tsdb/head.hpp"
#include "tests/support/manual_clock.hpp"
#include "tests/unit/collector/api/fake_archive.hpp"
#include "tests/unit/collector/api/fake_desk.hpp"

namespace ward::collector::api {

/// A collector as the endpoints see it: a real head and query engine, everything else as the test sets it.
class TestView final : public View {
 public:
  [[nodiscard]] const Clock& clock() const override { return clock_; }
  [[nodiscard]] const Queryable& store() const override { return other_store != nullptr ? *other_store : head; }
  [[nodiscard]] const promql::Engine& engine() const override { return engine_; }
  [[nodiscard]] async::BlockingPool& queries() override { return pool_; }
  [[nodiscard]] QueryGate& gate() override { return *gate_; }
  [[nodiscard]] const MetricMetadata& metadata() const override { return described; }
  [[nodiscard]] std::vector<AlertEvent> alerts() const override { return alert_list; }
  [[nodiscard]] std::vector<Incident> incidents() const override { return incident_list; }
  [[nodiscard]] std::vector<AgentView> agents() const override { return agent_list; }
  [[nodiscard]] std::vector<RefusedView> refused_series() const override { return refused; }
  [[nodiscard]] std::vector<RuleGroupView> rule_groups() const override { return groups; }
  [[nodiscard]] std::vector<slo::BudgetState> slos() const override { return slo_list; }
  void visit_minutes(slo::MinuteRange, const std::function<void(const slo::LedgerMinutes&)>& visit) const override {
    for (const auto& ledger : ledgers) visit(ledger);
  }
  [[nodiscard]] review::Surroundings surroundings() const override { return around; }
  [[nodiscard]] StatusView status() const override { return status_view; }
  [[nodiscard]] std::vector<Readiness> readiness() const override { return parts; }
  [[nodiscard]] std::string metrics() override { return "ward_up 1\n"; }
  [[nodiscard]] Desk* desk() const override { return desk_; }
  [[nodiscard]] Archive* archive() const override { return &archive_; }
  [[nodiscard]] const ApiAccess* access() const override { return &access_; }

  void limit(QueryGate::Limits limits) { gate_ = std::make_unique<QueryGate>(limits, registry_); }
  /// Of the view's own metrics; -1 when there is none.
  [[nodiscard]] double metric(const std::string& name, const std::string& reason = "") const {
    for (const auto& [labels, value] : registry_.snapshot())
      if (labels.get("__name__") == name && labels.get("reason") == reason) return value;
    return -1;
  }

  void add(const Labels& labels, Time at, double value) {
    const RefSample sample{head.get_or_create(labels), {at, value}};
    head.append(std::span(&sample, 1));
  }

  http::ServerResponse ask(std::string path, std::string query = "", std::string method = "GET", std::string body = "") {
    http::ServerRequest request;
    request.method = std::move(method);
    request.path = std::move(path);
    request.query = std::move(query);
    request.body = std::move(body);
    request.headers = headers;
    std::optional<http::ServerResponse> out;
    std::exception_ptr error;
    async::asio::co_spawn(io_, answer(*this, std::move(request)), [&](std::exception_ptr e, http::ServerResponse response) {
      error = e;
      out = std::move(response);
    });
    io_.restart();
    while (!out) io_.run_one();
    if (error) std::rethrow_exception(error);
    return std::move(*out);
  }
  /// The `data` of a success, or the whole answer.
  nlohmann::json data(const std::string& path, const std::string& query = "") {
    auto json = nlohmann::json::parse(ask(path, query).body);
    return json.value("status", "") == "success" ? json["data"] : json;
  }

  http::Headers headers;  ///< of every request
  mutable FakeDesk empty_desk;
  Desk* desk_ = &empty_desk;
  mutable FakeArchive archive_;
  std::vector<slo::BudgetState> slo_list;
  std::vector<slo::LedgerMinutes> ledgers;
  review::Surroundings around;
  ApiAccess access_;
  Head head{HeadOptions{.max_sample_age = milliseconds{0}}};
  const Queryable* other_store = nullptr;  ///< instead of `head`
  MetricMetadata described;
  std::vector<AlertEvent> alert_list;
  std::vector<Incident> incident_list;
  std::vector<AgentView> agent_list;
  std::vector<RefusedView> refused;
  std::vector<RuleGroupView> groups;
  StatusView status_view;
  std::vector<Readiness> parts;
  test::ManualClock clock_{from_ms(1'700'000'000'000)};

 private:
  promql::Engine engine_{clock_};
  telemetry::Registry registry_;
  std::unique_ptr<QueryGate> gate_ = std::make_unique<QueryGate>(QueryGate::Limits{}, registry_);
  async::BlockingPool pool_;
  async::asio::io_context io_;
};

}  // namespace ward::collector::api
