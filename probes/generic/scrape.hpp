#pragma once
#include <memory>
#include <string>

#include "common/http/client.hpp"
#include "common/http_access/http_access.hpp"
#include "probes/generic/intake.hpp"
#include "probes/probe.hpp"

namespace ward::probes {

struct ScrapeOptions {
  http::Request request;  ///< url, max_redirects, proxy, tls and max_body_bytes; the time comes from the target's deadline
  http::Credentials credentials;
  IntakeOptions intake;
  [[nodiscard]] std::string name() const;  ///< host:port, for messages
};
std::unique_ptr<Probe> make_scrape(ScrapeOptions options);

}  // namespace ward::probes
