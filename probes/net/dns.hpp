#pragma once
#include <memory>
#include <string>

#include "common/net/endpoint.hpp"
#include "probes/net/dns_message.hpp"
#include "probes/probe.hpp"

namespace re2 {
class RE2;
}

namespace ward::probes {

struct DnsOptions {
  ward::net::Endpoint server;  ///< host "" = the first name server of /etc/resolv.conf
  std::string query;
  dns::Type type = dns::Type::a;
  std::shared_ptr<const re2::RE2> expect;    ///< must match the whole text of one answer; null = NOERROR is enough
  std::chrono::milliseconds timeout{5'000};  ///< split over two UDP attempts: one lost packet is no outage
};
std::unique_ptr<Probe> make_dns(DnsOptions options);

}  // namespace ward::probes
