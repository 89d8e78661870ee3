#pragma once
#include <memory>
#include <string>

#include "common/net/endpoint.hpp"
#include "probes/probe.hpp"

namespace re2 {
class RE2;
}

namespace ward::probes {

struct TcpOptions {
  ward::net::Endpoint address;
  std::string send;                        ///< said first; "" = only listen
  std::shared_ptr<const re2::RE2> expect;  ///< must be found in what comes back; null = connecting is enough
  std::chrono::milliseconds timeout{5'000};
};
std::unique_ptr<Probe> make_tcp(TcpOptions options);

}  // namespace ward::probes
