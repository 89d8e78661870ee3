#pragma once
#include <string>
#include <string_view>

#include "common/base/secret.hpp"
#include "common/config/node.hpp"
#include "common/http/client.hpp"

namespace ward::collector {

/// An HTTP address and how it is reached.
struct HttpTarget {
  std::string url;
  Secret token;         ///< sent as a bearer token; empty = none
  std::string ca_file;  ///< "" = the system's store
  std::string proxy;    ///< "" = none
  friend bool operator==(const HttpTarget&, const HttpTarget&) = default;
};

/// Whether a secret is sent beside an address, which then must be https or of this machine.
enum class Carries : std::uint8_t { nothing, secret };
/// Reports what is wrong with the address under `key`, which is never repeated: it may be a secret itself. `whose` begins
/// the sentence: "receiver 'pd-db'". An empty address has been reported already.
void check_url(config::Section& from, std::string_view key, const std::string& url, std::string_view whose, Carries carries);

/// A secret that must be there: its absence is a problem, and so is a source that cannot be read.
Secret required_secret(config::Section& from, std::string_view key, std::string_view whose);
/// The API address under `url`, which has a default and a secret sent along.
std::string read_api_url(config::Section& from, std::string default_url, std::string_view whose);
/// Reads `ca_file` and `proxy`, which every HTTP channel has.
void read_way(config::Section& from, HttpTarget& target);

/// A POST of JSON. Redirects are never followed; the sender sets the limits of time and size.
http::Request json_post(const HttpTarget& target, std::string url, std::string body);

/// `base` and `path` with one slash between.
std::string join_url(std::string_view base, std::string_view path);

}  // namespace ward::collector
