#include "collector/incident/service_map.hpp"

#include <algorithm>
#include <set>

namespace ward::collector {
namespace {

const std::vector<std::string>& default_scope() {
  static const std::vector<std::string> kDefault{"cluster", "tenant"};
  return kDefault;
}

/// Walks the edges that carry blame; reports the first way back to a service that is still being walked.
class CycleSearch {
 public:
  explicit CycleSearch(const std::vector<Service>& services) {
    for (const auto& s : services) by_name_[s.name] = &s;
  }

  std::vector<ServiceMap::Flaw> run() {
    for (const auto& [name, service] : by_name_) visit(*service);
    return std::move(flaws_);
  }

 private:
  void visit(const Service& service) {
    if (!seen_.insert(service.name).second) return;
    path_.push_back(service.name);
    for (const auto& edge : service.depends_on) {
      if (edge.mode == DependencyMode::async) continue;
      const auto at = std::find(path_.begin(), path_.end(), edge.to);
      if (at != path_.end()) {
        report(at);
      } else if (const auto next = by_name_.find(edge.to); next != by_name_.end()) {
        visit(*next->second);
      }
    }
    path_.pop_back();
  }

  void report(std::vector<std::string>::iterator from) {
    std::string round;
    for (auto at = from; at != path_.end(); ++at) round += *at + " -> ";
    flaws_.push_back(
        {.service = *from,
         .what = "the services depend on each other in a circle: " + round + *from,
         .fix = "Remove one of these edges, or make it 'mode: async', so that a cause can be told from its effect."});
  }

  std::map<std::string, const Service*> by_name_;
  std::set<std::string> seen_;
  std::vector<std::string> path_;
  std::vector<ServiceMap::Flaw> flaws_;
};

std::string join(const std::vector<std::string>& names) {
  std::string out;
  for (const auto& n : names) out += (out.empty() ? "" : ", ") + n;
  return out;
}

}  // namespace

std::string to_string(const NodeKey& node) {
  std::string scope;
  for (const auto& [name, value] : node.scope) scope += (scope.empty() ? "" : ", ") + name + " " + value;
  return scope.empty() ? node.service : node.service + " (" + scope + ")";
}

std::vector<ServiceMap::Flaw> ServiceMap::flaws(const std::vector<Service>& services, const std::vector<Workflow>& workflows,
                                                const std::vector<Tenant>& tenants) {
  std::vector<Flaw> out;
  std::vector<std::string> names;
  for (const auto& s : services) {
    if (std::find(names.begin(), names.end(), s.name) != names.end())
      out.push_back({s.name, "service '" + s.name + "' is defined twice", "Keep one of the two definitions."});
    names.push_back(s.name);
  }
  const auto check = [&](const std::string& owner, const std::string& target) {
    if (std::find(names.begin(), names.end(), target) == names.end())
      out.push_back({owner, "'" + owner + "' names the service '" + target + "', which is not in the map",
                     "Add '" + target + "' under services, or use one of: " + join(names) + "."});
  };
  for (const auto& s : services)
    for (const auto& edge : s.depends_on) check(s.name, edge.to);
  for (const auto& w : workflows)
    for (const auto& service : w.path) check(w.name, service);
  for (const auto& t : tenants)
    for (const auto& used : t.workflows)
      if (std::none_of(workflows.begin(), workflows.end(), [&](const Workflow& w) { return w.name == used; }))
        out.push_back({t.name, "tenant '" + t.name + "' names the workflow '" + used + "', which is not in the map",
                       "Add '" + used + "' under workflows, or remove it here."});
  for (auto& flaw : CycleSearch(services).run()) out.push_back(std::move(flaw));
  return out;
}

Result<ServiceMap> ServiceMap::make(std::vector<Service> services, std::vector<Workflow> workflows,
                                    std::vector<Tenant> tenants) {
  if (const auto found = flaws(services, workflows, tenants); !found.empty()) {
    std::string what, fix;
    for (const auto& flaw : found) {
      what += (what.empty() ? "" : "; ") + flaw.what;
      if (fix.find(flaw.fix) == std::string::npos) fix += (fix.empty() ? "" : " ") + flaw.fix;
    }
    return fail(Errc::invalid, std::move(what), std::move(fix));
  }
  ServiceMap map;
  std::map<std::string, std::set<std::string>> joined;
  for (const auto& s : services)
    for (const auto& edge : s.depends_on) {
      joined[edge.to].insert(edge.on.begin(), edge.on.end());
      map.joints_.insert(edge.on.begin(), edge.on.end());
    }
  for (auto& s : services) {
    auto& scope = map.scopes_[s.name];
    if (s.scope.empty()) {
      auto& labels = joined[s.name];
      labels.insert(default_scope().begin(), default_scope().end());
      scope.assign(labels.begin(), labels.end());
    } else {
      scope = s.scope;
    }
    map.services_.emplace(s.name, std::move(s));
  }
  for (auto& w : workflows) map.workflows_.emplace(w.name, std::move(w));
  for (auto& t : tenants) map.tenants_.emplace(t.name, std::move(t));
  return map;
}

const Service* ServiceMap::find(std::string_view name) const {
  const auto at = services_.find(name);
  return at == services_.end() ? nullptr : &at->second;
}

const Workflow* ServiceMap::workflow(std::string_view name) const {
  const auto at = workflows_.find(name);
  return at == workflows_.end() ? nullptr : &at->second;
}

std::vector<std::string> ServiceMap::names() const {
  std::vector<std::string> out;
  for (const auto& [name, service] : services_) out.push_back(name);
  return out;
}

const Tenant* ServiceMap::tenant(std::string_view name) const {
  const auto at = tenants_.find(name);
  return at == tenants_.end() ? nullptr : &at->second;
}

const std::vector<std::string>& ServiceMap::scope_of(std::string_view service) const {
  const auto at = scopes_.find(service);
  return at == scopes_.end() ? default_scope() : at->second;
}

NodeKey ServiceMap::node_of(const Labels& alert) const {
  NodeKey node;
  node.service = alert.get("service");
  if (node.service.empty()) node.service = alert.get("alertname");
  for (const auto& label : scope_of(node.service)) node.scope.set(label, alert.get(label));
  return node;
}

bool ServiceMap::needs(const std::string& service, const std::string& ancestor) const {
  const auto* at = find(service);
  if (at == nullptr) return false;
  return std::any_of(at->depends_on.begin(), at->depends_on.end(), [&](const Dependency& edge) {
    return edge.mode == DependencyMode::hard && (edge.to == ancestor || needs(edge.to, ancestor));
  });
}

std::vector<std::string> ServiceMap::workflows_over(const std::string& service) const {
  std::vector<std::string> out;
  for (const auto& [name, w] : workflows_)
    if (std::any_of(w.path.begin(), w.path.end(), [&](const auto& step) { return step == service || needs(step, service); }))
      out.push_back(name);
  return out;
}

}  // namespace ward::collector
