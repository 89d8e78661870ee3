#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/result.hpp"
#include "common/base/time.hpp"
#include "common/config/node.hpp"
#include "common/model/labels.hpp"

namespace ward::collector {

/// hard: cannot work without it. soft: suffers, and it explains only what no hard dependency explains. async: drawn for
/// people, never explains an alert.
enum class DependencyMode : std::uint8_t { hard, soft, async };

struct Dependency {
  std::string to;
  DependencyMode mode = DependencyMode::hard;
  std::vector<std::string> on;                ///< labels that must be equal, or absent on one side
  milliseconds lag{std::chrono::minutes{3}};  ///< how long a fault may take to be seen in the dependant
  friend bool operator==(const Dependency&, const Dependency&) = default;
};

struct Service {
  std::string name;
  std::string owner;
  std::vector<Dependency> depends_on;
  std::vector<std::string> scope;  ///< labels that tell its instances apart; empty = see ServiceMap::scope_of
  friend bool operator==(const Service&, const Service&) = default;
};

/// A business path over services.
struct Workflow {
  std::string name;
  std::string criticality;
  std::vector<std::string> path;
  milliseconds executive_after{0};  ///< broken for this long, its incident becomes executive; 0 = never
  friend bool operator==(const Workflow&, const Workflow&) = default;
};

/// An instance of a service: what one incident is about.
struct NodeKey {
  std::string service;
  Labels scope;
  friend auto operator<=>(const NodeKey&, const NodeKey&) = default;
  friend bool operator==(const NodeKey&, const NodeKey&) = default;
};
std::string to_string(const NodeKey& node);  ///< `pg-main (tenant clinic-a)`

/// Who depends on whom. Every edge leads to a service of the map and none leads back. Immutable; any thread.
class ServiceMap {
 public:
  struct Flaw {
    std::string service;  ///< or workflow
    std::string what;
    std::string fix;
  };

  ServiceMap() = default;
  static std::vector<Flaw> flaws(const std::vector<Service>& services, const std::vector<Workflow>& workflows);
  /// Errc::invalid with all flaws.
  static Result<ServiceMap> make(std::vector<Service> services, std::vector<Workflow> workflows = {});

  [[nodiscard]] const Service* find(std::string_view name) const;
  [[nodiscard]] const Workflow* workflow(std::string_view name) const;
  /// As configured; else tenant, cluster and every label some dependant is joined on.
  [[nodiscard]] const std::vector<std::string>& scope_of(std::string_view service) const;
  /// The `service` label (an alert without one is its own service, named by alertname) and its scope labels.
  [[nodiscard]] NodeKey node_of(const Labels& alert) const;
  /// Names of the workflows whose path holds this service or one that cannot work without it.
  [[nodiscard]] std::vector<std::string> workflows_over(const std::string& service) const;
  /// True when `service` reaches `ancestor` over hard edges.
  [[nodiscard]] bool needs(const std::string& service, const std::string& ancestor) const;

 private:
  std::map<std::string, Service, std::less<>> services_;
  std::map<std::string, Workflow, std::less<>> workflows_;
  std::map<std::string, std::vector<std::string>, std::less<>> scopes_;
};

/// Reads `services`, `workflows` and `tenants`, or the ServiceMap document that holds them under `spec`. Flaws become
/// problems at their place, and the result is then an error. The caller closes a section that is not a document.
Result<ServiceMap> read_service_map(config::Section& section);

}  // namespace ward::collector
