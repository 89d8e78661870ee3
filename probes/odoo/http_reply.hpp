#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "common/http/client.hpp"
#include "probes/probe.hpp"

/// What Odoo's HTTP answers mean. JSON stays in http_reply.cpp. Bodies never leave it: they may hold patient data.
namespace ward::probes::odoo {

FailureReason reason_of(http::FailureKind kind);
/// Did the TCP connection come about, so that something listens?
bool was_connected(const http::Failure& failure);
/// All phases of a failed or answered exchange.
std::chrono::nanoseconds total(const http::Phases& phases);

struct Health {
  bool pass = false;
  std::optional<bool> database;  ///< absent before Odoo 16 or 17, and without ?db_server_status=1
  friend bool operator==(const Health&, const Health&) = default;
};
/// The body of /web/health; nullopt when it is something else, such as a proxy's page.
std::optional<Health> parse_health(std::string_view body);
/// "19.0" from /web/version or /web/webclient/version_info; nullopt when it is something else.
std::optional<std::string> parse_version(std::string_view body);
/// `name` of a json/2 error, e.g. "odoo.exceptions.AccessError": letters, digits, '.' and '_', at most 100. Everything else
/// in the body (message, arguments, debug) may hold patient data and is dropped. Empty when there is none.
std::string parse_error_name(std::string_view body);
/// Is it a json/2 result: an array or a number?
bool is_result(std::string_view body);
bool is_json(const http::Response& response);

/// "http://host:port" without a trailing '/'; a problem for what is no http(s) URL or holds a user, query or fragment.
std::string read_base_url(config::Section& target);
/// https, or http to this machine: the only ways a key may go.
bool keeps_secrets(std::string_view url);

}  // namespace ward::probes::odoo
