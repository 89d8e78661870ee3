#pragma once
#include <functional>
#include <set>
#include <string>

namespace ward::collector::review {

/// What reports ask about services and tenants. Copies stay valid when the rules change.
struct Surroundings {
  /// True when `service` cannot work without `other`; empty: nothing is known of services.
  std::function<bool(const std::string& service, const std::string& other)> needs{};
  /// Name of the time zone a tenant lives in; "" = UTC. Empty: UTC for all.
  std::function<std::string(const std::string& tenant)> zone_of{};
  /// Owner of a service by the service map; "" when it has none. Empty: nobody has one.
  std::function<std::string(const std::string& service)> owner_of{};
  /// Alerts that a test of the rule files expects; blocking, any thread. Empty: not known.
  std::function<std::set<std::string>()> tested{};
};

}  // namespace ward::collector::review
