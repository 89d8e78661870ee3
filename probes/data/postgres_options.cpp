#include "probes/data/postgres_options.hpp"

#include <algorithm>
#include <array>

#include "common/base/duration.hpp"

namespace ward::probes::data {
namespace {

constexpr std::array<std::string_view, 6> kSslModes{"disable", "allow", "prefer", "require", "verify-ca", "verify-full"};

bool plain_name(std::string_view name) {
  constexpr std::size_t kLongestName = 63;  // NAMEDATALEN - 1
  if (name.empty() || name.size() > kLongestName || (name.front() >= '0' && name.front() <= '9')) return false;
  return std::ranges::all_of(name, [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_'; });
}

bool on_this_machine(std::string_view host) {
  return host.starts_with('/') || host == "localhost" || host.starts_with("127.") || host == "::1";
}

/// The schedule owns this key and reports its problems; the cost brake only wants its value.
milliseconds interval_of(config::Section& target) {
  const auto node = target.raw("interval");
  if (!node || node->kind() != config::Node::Kind::scalar) return kPostgresInterval;
  const auto parsed = parse_duration(node->scalar());
  return parsed && parsed->count() > 0 ? *parsed : kPostgresInterval;
}

bool read_heartbeat(config::Section& target, PostgresOptions& options) {
  if (!target.has("heartbeat")) return true;
  auto section = target.child("heartbeat");
  const auto table = section.text("table", "ward_heartbeat");
  options.heartbeat_user = section.text("write_user", "");
  options.heartbeat_password = section.secret("write_password");
  section.close();
  const auto qualified = qualified_table(table);
  if (!qualified) {
    section.problems().add(section.at("table"), "'" + table + "' is not a table name Ward accepts",
                           "Use lower-case letters, digits and '_', as in ward_heartbeat or ops.ward_heartbeat.");
    return false;
  }
  options.heartbeat_table = *qualified;
  return true;
}

}  // namespace

std::optional<std::string> qualified_table(std::string_view name) {
  const auto dot = name.find('.');
  const auto schema = dot == std::string_view::npos ? std::string_view("public") : name.substr(0, dot);
  const auto table = dot == std::string_view::npos ? name : name.substr(dot + 1);
  if (!plain_name(schema) || !plain_name(table)) return std::nullopt;
  return std::string(schema) + "." + std::string(table);
}

std::optional<PostgresOptions> read_postgres_options(config::Section& target) {
  PostgresOptions options;
  auto& to = options.target;
  to.host = target.text("host");
  to.port = static_cast<std::uint16_t>(target.whole("port", to.port, 1, 65535));
  to.database = target.text("database", to.database);
  to.user = target.text("user", to.user);
  to.password = target.secret("password");
  // Over a network only a verified server gets the password, unless the configuration says otherwise.
  const std::size_t usual = on_this_machine(to.host) ? 2 : 5;
  const auto mode = target.choice("sslmode", {"disable", "allow", "prefer", "require", "verify-ca", "verify-full"}, usual);
  to.sslmode = kSslModes.at(mode);
  to.sslrootcert = target.text("sslrootcert", "");
  options.allow_superuser = target.flag("allow_superuser", false);
  options.expected_standbys = target.texts("expected_standbys");
  options.statements = target.flag("statements", true);
  options.wal_size = target.flag("wal_size", true);
  options.database_sizes = target.flag("database_sizes", true);
  options.lock_event_after = target.duration("lock_event_after", options.lock_event_after);
  options.interval = interval_of(target);
  const bool heartbeat = read_heartbeat(target, options);
  if (to.host.empty() || !heartbeat) return std::nullopt;
  return options;
}

}  // namespace ward::probes::data
