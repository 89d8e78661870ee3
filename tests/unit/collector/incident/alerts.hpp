#pragma once
#include <string>
#include <utility>

#include "collector/event/alert.hpp"

namespace ward::collector::test {

inline constexpr Time kStart = from_ms(1'790'000'000'000);
inline Time at(std::int64_t seconds) { return kStart + std::chrono::seconds{seconds}; }

/// An alert of a service, firing since `active` unless changed.
struct AlertMaker {
  std::string name;
  std::string service;
  std::string cls;
  std::string owner;
  Labels extra;

  [[nodiscard]] AlertEvent in(AlertPhase phase, Time when) const {
    AlertEvent a;
    a.labels = extra;
    a.labels.set("alertname", name);
    a.labels.set("service", service);
    a.labels.set("class", cls);
    a.labels.set("owner", owner);
    a.annotations = Labels{{"summary", name + " summary"}};
    a.phase = phase;
    a.active_at = when;
    a.generator = "pack.yaml";
    if (phase == AlertPhase::firing) a.fired_at = when;
    return a;
  }
  [[nodiscard]] AlertEvent pending(Time when) const { return in(AlertPhase::pending, when); }
  [[nodiscard]] AlertEvent firing(Time when) const { return in(AlertPhase::firing, when); }
  /// The end of firing(`since`) at `when`.
  [[nodiscard]] AlertEvent resolved(Time since, Time when) const {
    auto a = in(AlertPhase::resolved, since);
    a.fired_at = since;
    a.resolved_at = when;
    return a;
  }
};

inline const Labels kClinicA{{"tenant", "clinic-a"}};
inline const Labels kClinicB{{"tenant", "clinic-b"}};

inline const AlertMaker kPrimaryDown{"PgPrimaryDown", "pg-main", "urgent", "database", kClinicA};
inline const AlertMaker kStandbyBroken{"PgReplicationBroken", "pg-main", "urgent", "database", kClinicA};
inline const AlertMaker kPgSlow{"PgSlow", "pg-main", "actionable", "database", kClinicA};
inline const AlertMaker kWorkersBusy{"OdooWorkersBusy", "odoo", "urgent", "application", kClinicA};
inline const AlertMaker kCronLate{"OdooCronLate", "odoo", "actionable", "application", kClinicA};
inline const AlertMaker kBillingSlow{"BillingSlow", "web", "executive", "application", kClinicA};
inline const AlertMaker kRedisDown{"RedisDown", "redis", "urgent", "platform", kClinicA};
inline const AlertMaker kBackupLate{"BackupLate", "pgbackrest", "urgent", "backup", kClinicA};
inline const AlertMaker kPodRestarted{"PodRestarted", "odoo", "informational", "platform", kClinicA};

}  // namespace ward::collector::test
