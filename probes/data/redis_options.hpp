#pragma once
#include <optional>
#include <string>

#include "common/base/secret.hpp"
#include "common/config/node.hpp"

namespace ward::probes::data {

/// The keys of a redis target in agent.yaml.
struct RedisOptions {
  std::string host;
  std::uint16_t port = 6379;
  std::string user;  ///< ACL user; empty with a password is the default user
  Secret password;
  bool tls = false;
  std::string ca;           ///< PEM file; empty = the system's
  std::string server_name;  ///< the certificate's name; empty = host
  std::string certificate;  ///< PEM files for a server that asks for a client certificate
  std::string key;
  bool expect_persistence = false;
  milliseconds persistence_max_age = std::chrono::hours{2};
  milliseconds timeout{3000};  ///< of connecting, and of one round trip
};

/// Adds problems for wrong values; nullopt when the target cannot work with what was given.
std::optional<RedisOptions> read_redis_options(config::Section& target);
/// "redis:6379", for messages.
std::string address_of(const RedisOptions& options);

}  // namespace ward::probes::data
