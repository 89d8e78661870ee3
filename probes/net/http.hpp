#pragma once
#include <memory>
#include <string>
#include <vector>

#include "common/http/client.hpp"
#include "common/http_access/http_access.hpp"
#include "probes/probe.hpp"

namespace re2 {
class RE2;
}

namespace ward::probes {

/// Both ends count.
struct StatusRange {
  int first = 200;
  int last = 299;
};

struct HttpOptions {
  http::Request request;  ///< url, method, headers, timeout, max_redirects, tls ...; always on a fresh connection
  std::vector<StatusRange> expect_status{{200, 299}};
  std::shared_ptr<const re2::RE2> body_match;      ///< must be found in the body; null = not checked
  std::shared_ptr<const re2::RE2> body_not_match;  ///< must not be found
  http::Credentials credentials;
  [[nodiscard]] std::string name() const;  ///< host:port, for messages
};
std::unique_ptr<Probe> make_http(HttpOptions options);

}  // namespace ward::probes
