#pragma once
#include <string>

#include "common/base/secret.hpp"
#include "common/config/node.hpp"
#include "common/http/client.hpp"

/// How a client shows an HTTP server who it is: the same keys wherever Ward asks over HTTP.
namespace ward::http {

struct Credentials {
  Secret bearer_token;
  std::string username;  ///< basic authentication; "" = none
  Secret password;
};

/// `bearer_token` or `basic_auth: {username, password}`; both are a problem.
Credentials read_credentials(config::Section& target);
/// `tls: {ca, certificate, key}`, PEM files.
ClientTls read_client_tls(config::Section& target);
/// Adds the Authorization header, right before the request is sent.
void authorize(Request& request, const Credentials& credentials);

}  // namespace ward::http
