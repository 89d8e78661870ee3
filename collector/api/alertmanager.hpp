#pragma once
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "collector/api/view.hpp"
#include "collector/event/posted_alert.hpp"
#include "collector/event/silence.hpp"
#include "collector/routing/matcher.hpp"
#include "common/http/server.hpp"

/// What the endpoints of Alertmanager's API v2 share.
/// Source: https://github.com/prometheus/alertmanager/blob/main/api/v2/openapi.yaml
namespace ward::collector::api::alertmanager {

http::ServerResponse answer(const nlohmann::ordered_json& body);
/// Alertmanager's errors are a JSON text.
http::ServerResponse refused(int status, const std::string& why);
http::ServerResponse refused(const Error& error);

nlohmann::ordered_json json_of(const AlertSilence& silence, Time now);
/// The body of POST /silences. Errors: invalid.
Result<AlertSilence> silence_from(const std::string& body);

/// The body of POST /alerts. Errors: invalid.
Result<std::vector<PostedAlert>> posted_from(const std::string& body);

/// The `filter` parameters. Errors: invalid.
Result<std::vector<LabelCondition>> filters(const http::ServerRequest& request);

/// A firing alert with what keeps it from being told.
struct AlertStatus {
  AlertEvent alert;
  std::string incident;  ///< "" when it has none yet
  std::vector<std::string> silenced_by;
  std::vector<std::string> inhibited_by;  ///< fingerprints: the root of its incident, or that of the one above
  std::vector<std::string> receivers;     ///< who has heard of the incident
};
/// Those that the parameters `filter`, `receiver`, `active`, `silenced`, `inhibited` and `unprocessed` ask for.
Result<std::vector<AlertStatus>> alerts(const View& view, const http::ServerRequest& request);
nlohmann::ordered_json json_of(const AlertStatus& alert, Time now);

}  // namespace ward::collector::api::alertmanager
