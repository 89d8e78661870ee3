#pragma once
#include <chrono>
#include <memory>
#include <string>

#include "probes/probe.hpp"

namespace ward::probes {

struct OdooHttpOptions {
  std::string url{};           ///< base, without a trailing '/'
  std::string virtual_host{};  ///< Host header where a proxy or dbfilter needs one; "" = the URL's
  std::chrono::milliseconds timeout{5'000};
  bool check_database = true;  ///< ask with db_server_status=1 too
};
std::unique_ptr<Probe> make_odoo_http(OdooHttpOptions options);

}  // namespace ward::probes
