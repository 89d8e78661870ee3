#pragma once
#include <string>

#include "common/base/secret.hpp"
#include "common/http/client.hpp"
#include "probes/probe.hpp"

/// How a probe shows an HTTP server who it is: the same keys in every probe that asks over HTTP.
namespace ward::probes::net {

struct Credentials {
  Secret bearer_token;
  std::string username;  ///< basic authentication; "" = none
  Secret password;
};

/// `bearer_token` or `basic_auth: {username, password}`; both are a problem.
Credentials read_credentials(config::Section& target);
/// `tls: {ca, certificate, key}`, PEM files.
http::ClientTls read_client_tls(config::Section& target);
/// Adds the Authorization header, right before the request is sent.
void authorize(http::Request& request, const Credentials& credentials);

}  // namespace ward::probes::net
