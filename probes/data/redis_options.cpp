#include "probes/data/redis_options.hpp"

namespace ward::probes::data {

std::string address_of(const RedisOptions& options) { return options.host + ":" + std::to_string(options.port); }

std::optional<RedisOptions> read_redis_options(config::Section& target) {
  RedisOptions options;
  options.host = target.text("host");
  options.port = static_cast<std::uint16_t>(target.whole("port", options.port, 1, 65535));
  options.user = target.text("user", "");
  options.password = target.secret("password");
  options.expect_persistence = target.flag("expect_persistence", false);
  options.persistence_max_age = target.duration("persistence_max_age", options.persistence_max_age);
  if (target.has("tls")) {
    auto tls = target.child("tls");
    options.tls = true;
    options.ca = tls.text("ca", "");
    options.server_name = tls.text("server_name", "");
    options.certificate = tls.text("certificate", "");
    options.key = tls.text("key", "");
    tls.close();
    if (options.certificate.empty() != options.key.empty()) {
      tls.problems().add(tls.at(), "a client certificate needs both 'certificate' and 'key'", "Give both, or neither.");
      return std::nullopt;
    }
  }
  if (!options.user.empty() && options.password.empty()) {
    target.problems().add(target.at("user"), "'user' is given without 'password'", "Set 'password: {file: ...}'.");
    return std::nullopt;
  }
  if (options.host.empty()) return std::nullopt;
  return options;
}

}  // namespace ward::probes::data
