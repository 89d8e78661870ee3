#include "probes/net/dial.hpp"

#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/redirect_error.hpp>
#include <vector>

#include "common/async/within.hpp"

namespace ward::probes::net {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

ProbeFailure make(FailureReason reason, Errc code, std::string what, std::string fix) {
  return {reason, Error{code, std::move(what), std::move(fix)}};
}

ProbeFailure lookup_failure(ward::net::ResolveFailure failure, const std::string& name) {
  switch (failure) {
    case ward::net::ResolveFailure::no_such_name:
      return make(FailureReason::dns_nxdomain, Errc::not_found, "the name " + name + " does not exist",
                  "Correct the host name, or add it to DNS.");
    case ward::net::ResolveFailure::no_answer:
      return make(FailureReason::dns_timeout, Errc::timed_out, "the name servers gave no answer for " + name,
                  "Check the name servers of this machine.");
    case ward::net::ResolveFailure::failed: break;
  }
  return make(FailureReason::dns_failed, Errc::unavailable, "the name " + name + " was not resolved",
              "Check the name servers of this machine.");
}

ProbeFailure connect_failure(const boost::system::error_code& error, const std::string& at) {
  if (error == asio::error::connection_refused)
    return make(FailureReason::connect_refused, Errc::unavailable, at + " refused the connection",
                "Start the server there, or correct host and port.");
  return make(FailureReason::connect_failed, Errc::unavailable, "no connection to " + at + ": " + error.message(),
              "Check the network and the address.");
}

async::Task<boost::system::error_code> connect_to(tcp::socket* socket, std::vector<tcp::endpoint> endpoints) {
  boost::system::error_code error;
  co_await asio::async_connect(*socket, endpoints, asio::redirect_error(asio::use_awaitable, error));
  co_return error;
}

}  // namespace

ward::net::Endpoint address_of(config::Section& target) {
  const auto text = target.text("address");
  auto address = ward::net::parse_endpoint(text);
  if (address) return std::move(*address);
  if (!text.empty()) target.problems().add(target.at("address"), address.error().what, address.error().fix);
  return {};
}

std::chrono::milliseconds TimeLeft::get() const {
  return std::max(std::chrono::milliseconds{1}, std::chrono::duration_cast<std::chrono::milliseconds>(end_ - clock_.mono()));
}

async::Task<tl::expected<Resolved, ProbeFailure>> look_up(Host& host, std::string name, TimeLeft left) {
  const auto started = host.clock().mono();
  auto lookup = ward::net::resolve(host.blocking(), name);
  auto found = co_await async::within(left.get(), std::move(lookup));
  if (!found) co_return tl::unexpected(lookup_failure(ward::net::ResolveFailure::no_answer, name));
  if (!*found) co_return tl::unexpected(lookup_failure(found->error(), name));
  Resolved resolved;
  resolved.addresses = std::move(**found);
  resolved.took = host.clock().mono() - started;
  co_return resolved;
}

async::Task<tl::expected<Dialled, ProbeFailure>> dial(Host& host, ward::net::Endpoint to, TimeLeft left) {
  auto resolved = co_await look_up(host, to.host, left);
  if (!resolved) co_return tl::unexpected(std::move(resolved.error()));
  const auto started = host.clock().mono();
  std::vector<tcp::endpoint> endpoints;
  for (const auto& address : resolved->addresses) endpoints.emplace_back(address, to.port);
  Dialled dialled;
  dialled.socket = std::make_unique<tcp::socket>(co_await asio::this_coro::executor);
  auto connecting = connect_to(dialled.socket.get(), std::move(endpoints));
  const auto error = co_await async::within(left.get(), std::move(connecting));
  const auto at = ward::net::to_string(to);
  if (!error || *error == asio::error::timed_out)
    co_return tl::unexpected(make(FailureReason::connect_timeout, Errc::timed_out,
                                  at + " did not accept a connection in time",
                                  "Check the address, and that firewalls and network policies let this machine reach it."));
  if (*error) co_return tl::unexpected(connect_failure(*error, at));
  dialled.address = dialled.socket->remote_endpoint().address();
  dialled.lookup = resolved->took;
  dialled.connect = host.clock().mono() - started;
  co_return dialled;
}

ProbeFailure timed_out(const ward::net::Endpoint& at, std::string_view what) {
  return make(FailureReason::timeout, Errc::timed_out,
              ward::net::to_string(at) + " did not " + std::string(what) + " in time",
              "Check the load of the server, or raise the probe's timeout.");
}

ProbeFailure broken(const ward::net::Endpoint& at, std::string_view what) {
  return make(FailureReason::protocol, Errc::unavailable, ward::net::to_string(at) + " " + std::string(what),
              "Check that the port belongs to the expected service, and its log.");
}

}  // namespace ward::probes::net
