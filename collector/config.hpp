#pragma once
#include <optional>
#include <string>
#include <vector>

#include "collector/alerting/rule_file.hpp"
#include "collector/api/access.hpp"
#include "collector/api/query_gate.hpp"
#include "collector/forward/options.hpp"
#include "collector/incident/engine.hpp"
#include "collector/incident/service_map.hpp"
#include "collector/ingest/catalogue.hpp"
#include "collector/notify/heartbeat.hpp"
#include "collector/notify/http_target.hpp"
#include "collector/notify/outbox.hpp"
#include "collector/notify/receiver.hpp"
#include "collector/promql/engine.hpp"
#include "collector/remote_write/options.hpp"
#include "collector/retention.hpp"
#include "collector/routing/routing_table.hpp"
#include "collector/rulebook/rulebook.hpp"
#include "common/net/tls.hpp"
#include "common/telemetry/log.hpp"

namespace ward::collector {

/// Where two collectors keep what they share.
struct SharedStateConfig {
  std::string connection;     ///< libpq's words, without a password
  Secret password;            ///< empty: none
  std::string pair = "main";  ///< those with the same word take turns
  std::string collector;      ///< this one
  milliseconds lease{10'000};
};

/// collector.yaml, checked (config/collector.yaml shows every key with its meaning).
struct CollectorConfig {
  std::string stream_address;
  std::string http_address;
  std::string data_dir;
  std::string external_url;
  std::string runbook_base;
  telemetry::LogSettings log;
  Retention retention;
  milliseconds max_sample_age{0};  ///< 0 = any
  Catalogue::Caps caps;
  milliseconds forget_after{std::chrono::hours{24 * 7}};    ///< of an agent's silence; 0 = never
  std::uint64_t journal_max_bytes = 0;                      ///< 0 = as the disk allows
  std::optional<RemoteWriteOptions> remote_write_receiver;  ///< when it is received
  std::vector<ForwardTarget> remote_write;                  ///< who gets every sample
  bool insecure = false;
  net::TlsFiles tls;
  std::vector<std::string> rule_patterns;
  milliseconds rules_poll{std::chrono::seconds{15}};  ///< how often they are looked at for changes; 0 = never
  promql::EvalLimits query_limits;                    ///< of one, rules' too
  milliseconds lookback_delta = promql::EngineOptions{}.lookback;
  api::QueryGate::Limits query_gate;  ///< of all that users ask together
  milliseconds evaluation_interval{std::chrono::seconds{15}};
  /// A firing alert whose data has fallen silent without having ended fires on so long; 0 = it ends, as in Prometheus.
  milliseconds keep_silent{std::chrono::hours{6}};
  Labels external_labels;  ///< for the templates of rules
  std::vector<Receiver> receivers;
  RoutingTable routing;
  milliseconds second_channel_after{Outbox::Options{}.second_channel_after};  ///< 0 = never
  api::ApiAccess api_access;                                                  ///< who may acknowledge and silence
  EngineOptions correlation;
  ServiceMapPart services;             ///< those of the rule files are added
  std::optional<HttpTarget> watchdog;  ///< where the heartbeat goes
  Heartbeat::Options heartbeat;
  std::optional<SharedStateConfig> shared_state;  ///< with another collector; none: this one always leads
};

/// All problems at once, one line each, or the configuration.
Result<CollectorConfig> load_collector_config(const std::string& path);

/// What it says of services, correlation and receivers, for the rule files.
RulebookOptions rulebook_options(const CollectorConfig& config);

}  // namespace ward::collector
