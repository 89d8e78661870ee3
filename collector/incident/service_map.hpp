#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
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

/// Members of a service that stand in for each other: it fails its dependants when fewer than `min` of them are well. An
/// edge that is joined on `by` leads to one member, whose fault explains what stands on just this one.
struct Redundancy {
  std::size_t min = 1;
  std::size_t members = 0;  ///< 0: it is not known how many there are, and any fault counts
  std::string by = "instance";
  friend bool operator==(const Redundancy&, const Redundancy&) = default;
};

struct Service {
  std::string name;
  std::string owner;
  std::vector<Dependency> depends_on;
  std::vector<std::string> scope;  ///< labels that tell its instances apart; empty = see ServiceMap::scope_of
  Redundancy redundancy{};
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

/// A customer on the platform.
struct Tenant {
  std::string name;
  std::string tz = "UTC";  ///< of its calendar windows
  std::vector<std::string> workflows;
  friend bool operator==(const Tenant&, const Tenant&) = default;
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
    std::string service;  ///< or workflow, or tenant
    std::string what;
    std::string fix;
  };

  ServiceMap() = default;
  static std::vector<Flaw> flaws(const std::vector<Service>& services, const std::vector<Workflow>& workflows,
                                 const std::vector<Tenant>& tenants = {});
  /// Errc::invalid with all flaws.
  static Result<ServiceMap> make(std::vector<Service> services, std::vector<Workflow> workflows = {},
                                 std::vector<Tenant> tenants = {});

  [[nodiscard]] const Service* find(std::string_view name) const;
  [[nodiscard]] const Workflow* workflow(std::string_view name) const;
  [[nodiscard]] const Tenant* tenant(std::string_view name) const;
  [[nodiscard]] bool empty() const { return services_.empty(); }
  /// Names of the labels that any edge is joined on, tenant and cluster among them.
  [[nodiscard]] const std::set<std::string>& joints() const { return joints_; }
  [[nodiscard]] std::vector<std::string> names() const;  ///< of all services
  [[nodiscard]] std::size_t tenants() const { return tenants_.size(); }
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
  std::map<std::string, Tenant, std::less<>> tenants_;
  std::map<std::string, std::vector<std::string>, std::less<>> scopes_;
  std::set<std::string> joints_{"cluster", "tenant"};
};

/// What one file says of the map. Edges may lead into another file, so only the whole is judged.
struct ServiceMapPart {
  std::vector<Service> services;
  std::vector<Workflow> workflows;
  std::vector<Tenant> tenants;
  std::map<std::string, config::Position> places;  ///< of each name above
};

/// Reads `services`, `workflows` and `tenants`; the caller closes the section.
ServiceMapPart read_service_map_part(config::Section& section);
/// The document that holds them under `spec`, whole.
ServiceMapPart read_service_map_document(config::Section& section);
/// Joins what documents say, and `own`, the site's own words: what it names counts instead of a document's. Two documents
/// that name the same are a problem, and so is every flaw of the whole; the result is then an error.
Result<ServiceMap> join_service_map(const ServiceMapPart& own, std::span<const ServiceMapPart> documents,
                                    config::Problems& problems);
/// One section, or ServiceMap document, that is the whole map.
Result<ServiceMap> read_service_map(config::Section& section);

}  // namespace ward::collector
