#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <memory>
#include <tl/expected.hpp>

#include "common/net/endpoint.hpp"
#include "common/net/resolve.hpp"
#include "probes/probe.hpp"

namespace ward::probes::net {

/// The target's `address`, host:port; a bad one is added to its problems.
ward::net::Endpoint address_of(config::Section& target);

/// The time a run has left over its steps, on the host's steady clock.
class TimeLeft {
 public:
  TimeLeft(const Clock& clock, std::chrono::milliseconds limit) : clock_(clock), end_(clock.mono() + limit) {}
  /// At least 1 ms, so that a step that starts late still says what it was.
  [[nodiscard]] std::chrono::milliseconds get() const;

 private:
  const Clock& clock_;
  MonoTime end_;
};

struct Resolved {
  ward::net::Addresses addresses;
  std::chrono::nanoseconds took{0};
};
async::Task<tl::expected<Resolved, ProbeFailure>> look_up(Host& host, std::string name, TimeLeft left);

struct Dialled {
  std::unique_ptr<boost::asio::ip::tcp::socket> socket;
  boost::asio::ip::address address;
  std::chrono::nanoseconds lookup{0};
  std::chrono::nanoseconds connect{0};
};
/// Resolves and connects; tries the addresses in turn.
async::Task<tl::expected<Dialled, ProbeFailure>> dial(Host& host, ward::net::Endpoint to, TimeLeft left);

/// "What did not come within the time": for the steps after the connection.
ProbeFailure timed_out(const ward::net::Endpoint& at, std::string_view what);
ProbeFailure broken(const ward::net::Endpoint& at, std::string_view what);

}  // namespace ward::probes::net
