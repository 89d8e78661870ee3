#include "collector/store/postgres/pg_target.hpp"

#include <algorithm>
#include <libpq-fe.h>
#include <memory>
#include <string_view>
#include <utility>

namespace ward::collector {
namespace {

using std::chrono::milliseconds;
using Settings = std::map<std::string, std::string>;

constexpr std::string_view kDefaultPort = "5432";

struct FreeOptions {
  void operator()(PQconninfoOption* options) const { PQconninfoFree(options); }
};

Result<Settings> parse(const std::string& connection) {
  char* why = nullptr;
  const std::unique_ptr<PQconninfoOption, FreeOptions> options(PQconninfoParse(connection.c_str(), &why));
  PQfreemem(why);  // it quotes the text
  if (!options)
    return fail(Errc::invalid, "The connection of the shared state is neither libpq keywords nor a URI",
                "Write it like 'host=db.example port=5432 dbname=ward user=ward sslmode=verify-full'.");
  Settings settings;
  for (const auto* option = options.get(); option->keyword != nullptr; ++option)
    if (option->val != nullptr && *option->val != '\0') settings[option->keyword] = option->val;
  return settings;
}

/// The commas of libpq's lists of hosts; one empty text for none.
std::vector<std::string> listed(const Settings& settings, const std::string& keyword) {
  const auto found = settings.find(keyword);
  std::vector<std::string> items;
  std::string_view rest = found == settings.end() ? std::string_view() : found->second;
  while (true) {
    const auto comma = rest.find(',');
    items.emplace_back(rest.substr(0, comma));
    if (comma == rest.npos) return items;
    rest.remove_prefix(comma + 1);
  }
}

/// libpq reads whole seconds, and 0 as its own default.
std::string seconds_of(milliseconds timeout) {
  return std::to_string(std::max<std::int64_t>(1, std::chrono::ceil<std::chrono::seconds>(timeout).count()));
}

void set_or_erase(Settings& settings, const std::string& keyword, const std::string& value) {
  if (value.empty())
    settings.erase(keyword);
  else
    settings[keyword] = value;
}

}  // namespace

Result<std::vector<PgTarget>> pg_targets(const std::string& connection, milliseconds timeout) {
  const auto given = parse(connection);
  if (!given) return fail(given.error());
  if (given->contains("password"))
    return fail(Errc::invalid, "The connection of the shared state holds a password",
                "Take it out of the connection and name it as the password's secret.");
  const auto hosts = listed(*given, "host");
  const auto addresses = listed(*given, "hostaddr");
  const auto ports = listed(*given, "port");
  const auto count = std::max(hosts.size(), addresses.size());
  if (hosts.front().empty() && addresses.front().empty() && !given->contains("service"))
    return fail(Errc::invalid, "The connection of the shared state names no host", "Write 'host=...' into it.");
  const auto fits = [count](const std::vector<std::string>& items) { return items.size() == 1 || items.size() == count; };
  if (!fits(ports) || (hosts.size() != count && !hosts.front().empty()) ||
      (addresses.size() != count && !addresses.front().empty()))
    return fail(Errc::invalid, "The connection of the shared state has lists of hosts and ports of different lengths",
                "Name one port for all hosts, or one for each.");

  Settings settings{{"keepalives", "1"},
                    {"keepalives_idle", seconds_of(timeout)},
                    {"keepalives_count", "2"},
                    {"keepalives_interval", seconds_of(timeout)},
                    {"gssencmode", "disable"},
                    {"tcp_user_timeout", std::to_string(timeout.count())},
                    {"client_encoding", "UTF8"},
                    {"connect_timeout", seconds_of(timeout)},
                    {"target_session_attrs", "read-write"}};
  for (const auto& [keyword, value] : *given) settings[keyword] = value;
  settings["application_name"] = "ward-collector";

  std::vector<PgTarget> targets;
  for (std::size_t i = 0; i < count; ++i) {
    PgTarget target{{}, settings};
    const auto at = [i](const std::vector<std::string>& items) { return items[items.size() == 1 ? 0 : i]; };
    set_or_erase(target.settings, "host", at(hosts));
    set_or_erase(target.settings, "hostaddr", at(addresses));
    set_or_erase(target.settings, "port", at(ports));
    const auto name = at(hosts).empty() ? at(addresses) : at(hosts);
    target.place = name.empty() ? "service " + settings["service"]
                                : name + ":" + (at(ports).empty() ? std::string(kDefaultPort) : at(ports));
    targets.push_back(std::move(target));
  }
  return targets;
}

}  // namespace ward::collector
