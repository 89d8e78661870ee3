#include "common/http_access/http_access.hpp"

#include <openssl/evp.h>

namespace ward::http {
namespace {

std::string base64(const std::string& text) {
  std::string out(4 * ((text.size() + 2) / 3) + 1, '\0');
  const int size = EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                   reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  out.resize(static_cast<std::size_t>(size));
  return out;
}

}  // namespace

Credentials read_credentials(config::Section& target) {
  Credentials out;
  out.bearer_token = target.secret("bearer_token");
  auto basic = target.child("basic_auth");
  out.username = basic.text("username", "");
  out.password = basic.secret("password");
  basic.close();
  if (!out.username.empty() && !out.bearer_token.empty())
    target.problems().add(target.at("basic_auth"), "both 'basic_auth' and 'bearer_token' are set",
                          "Keep the one the server asks for.");
  return out;
}

ClientTls read_client_tls(config::Section& target) {
  ClientTls out;
  auto tls = target.child("tls");
  out.ca_file = tls.text("ca", "");
  out.certificate = tls.text("certificate", "");
  out.key = tls.text("key", "");
  tls.close();
  return out;
}

void authorize(Request& request, const Credentials& credentials) {
  if (!credentials.bearer_token.empty())
    request.headers.emplace_back("Authorization", "Bearer " + credentials.bearer_token.reveal());
  if (!credentials.username.empty())
    request.headers.emplace_back("Authorization",
                                 "Basic " + base64(credentials.username + ":" + credentials.password.reveal()));
}

}  // namespace ward::http
