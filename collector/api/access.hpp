#pragma once
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/base/secret.hpp"
#include "common/config/node.hpp"
#include "common/http/server.hpp"

namespace ward::collector::api {

/// What a token may do beside reading.
enum class Scope : std::uint8_t { none, acks, silences, alerts, reload };
std::string_view to_string(Scope scope);

/// `api` of collector.yaml: who may change what is told. Nobody, unless it is said.
struct ApiAccess {
  struct Token {
    std::string name;  ///< stands in the audit
    Secret token;
    std::set<Scope> scopes;
    std::string tenant{};  ///< whose alerts it posts, whatever they say; "" = anybody's
  };
  std::vector<Token> tokens;
  bool open = false;  ///< without a token too: only with `insecure` on loopback

  /// Who asks, for the audit; or the answer that refuses: 401, 403, and 415 for a body that a foreign web page could have
  /// sent through somebody's browser.
  [[nodiscard]] tl::expected<std::string, http::ServerResponse> admit(const http::ServerRequest& request, Scope scope) const;
  /// Of the token of this name; "" for none.
  [[nodiscard]] std::string tenant_of(std::string_view actor) const;
};

/// Reads `tokens: [{name, token: {file: PATH}, scopes: [acks, silences, alerts, reload], tenant}]` and closes the section.
ApiAccess read_api_access(config::Section section, bool open);

}  // namespace ward::collector::api
