#include "probes/odoo/http_reply.hpp"

#include <algorithm>
#include <nlohmann/json.hpp>

namespace ward::probes::odoo {
namespace {

using nlohmann::json;

/// Discarded (is_discarded) when it is no JSON; never throws.
json parse(std::string_view body) { return json::parse(body, nullptr, false); }

const json* member(const json& object, const char* key) {
  if (!object.is_object()) return nullptr;
  const auto it = object.find(key);
  return it == object.end() ? nullptr : &*it;
}

std::string text_of(const json* value) {
  return value != nullptr && value->is_string() ? value->get_ref<const std::string&>() : std::string{};
}

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_';
}

}  // namespace

FailureReason reason_of(http::FailureKind kind) {
  using Kind = http::FailureKind;
  switch (kind) {
    case Kind::dns_nxdomain: return FailureReason::dns_nxdomain;
    case Kind::dns_timeout: return FailureReason::dns_timeout;
    case Kind::dns_failed: return FailureReason::dns_failed;
    case Kind::connect_refused: return FailureReason::connect_refused;
    case Kind::connect_timeout: return FailureReason::connect_timeout;
    case Kind::connect_failed: return FailureReason::connect_failed;
    case Kind::tls_untrusted: return FailureReason::tls_untrusted;
    case Kind::tls_expired: return FailureReason::tls_expired;
    case Kind::tls_name_mismatch: return FailureReason::tls_name_mismatch;
    case Kind::tls_protocol: return FailureReason::tls_protocol;
    case Kind::timeout: return FailureReason::http_timeout;
    case Kind::too_many_redirects: return FailureReason::http_status;
    case Kind::protocol: return FailureReason::protocol;
    case Kind::bad_url:
    case Kind::cancelled: return FailureReason::internal;
  }
  return FailureReason::internal;
}

bool was_connected(const http::Failure& failure) {
  using Kind = http::FailureKind;
  switch (failure.kind) {
    case Kind::timeout: return failure.phases.connect.count() > 0;
    case Kind::tls_untrusted:
    case Kind::tls_expired:
    case Kind::tls_name_mismatch:
    case Kind::tls_protocol:
    case Kind::too_many_redirects:
    case Kind::protocol: return true;
    case Kind::bad_url:
    case Kind::dns_nxdomain:
    case Kind::dns_timeout:
    case Kind::dns_failed:
    case Kind::connect_refused:
    case Kind::connect_timeout:
    case Kind::connect_failed:
    case Kind::cancelled: return false;
  }
  return false;
}

std::chrono::nanoseconds total(const http::Phases& p) { return p.resolve + p.connect + p.tls + p.processing + p.transfer; }

std::optional<Health> parse_health(std::string_view body) {
  const auto root = parse(body);
  const auto status = text_of(member(root, "status"));
  if (status != "pass" && status != "fail") return std::nullopt;
  Health health;
  health.pass = status == "pass";
  if (const auto* database = member(root, "db_server_status"); database != nullptr && database->is_boolean())
    health.database = database->get<bool>();
  return health;
}

std::optional<std::string> parse_version(std::string_view body) {
  const auto root = parse(body);
  auto version = text_of(member(root, "version"));
  if (const auto* result = member(root, "result")) version = text_of(member(*result, "server_version"));
  if (version.empty() || version.size() > 40) return std::nullopt;
  return version;
}

std::string parse_error_name(std::string_view body) {
  const auto root = parse(body);
  auto name = text_of(member(root, "name"));
  if (name.size() > 100 || !std::ranges::all_of(name, is_name_character)) return {};
  return name;
}

bool is_result(std::string_view body) {
  const auto root = parse(body);
  return root.is_array() || root.is_number();
}

bool is_json(const http::Response& response) { return response.header("content-type").starts_with("application/json"); }

std::string read_base_url(config::Section& target) {
  auto url = target.text("url");
  while (url.ends_with('/')) url.pop_back();
  const auto scheme = url.starts_with("https://") ? 8U : url.starts_with("http://") ? 7U : 0U;
  const bool plain = scheme != 0 && url.size() > scheme && url.find_first_of("?#@ ") == std::string::npos;
  if (!plain && !url.empty())
    target.problems().add(target.at("url"), "'url' is no plain http or https URL",
                          "Write it as 'http://127.0.0.1:8069', without user, query and fragment.");
  return plain ? url : std::string{};
}

bool keeps_secrets(std::string_view url) {
  if (url.starts_with("https://")) return true;
  if (!url.starts_with("http://")) return false;
  url.remove_prefix(7);
  const auto authority = url.substr(0, url.find('/'));
  const auto host =
      authority.starts_with('[') ? authority.substr(0, authority.find(']') + 1) : authority.substr(0, authority.find(':'));
  return host == "localhost" || host == "127.0.0.1" || host == "[::1]";
}

}  // namespace ward::probes::odoo
