#include <algorithm>
#include <boost/asio/connect.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "common/async/within.hpp"
#include "common/net/connection.hpp"
#include "common/net/stream_connection.hpp"

namespace ward::net {
namespace asio = boost::asio;
using asio::ip::tcp;
namespace {

using Opened = Result<std::unique_ptr<Connection>>;
using Endpoints = std::vector<tcp::endpoint>;

/// What was going on when the time ran out.
enum class Stage { lookup, tcp, tls };

Error timed_out_in(Stage stage, const ConnectOptions& options) {
  const auto to = to_string(options.to);
  const auto after = " within " + std::to_string(options.timeout.count()) + " ms";
  switch (stage) {
    case Stage::lookup:
      return {Errc::timed_out, "the name " + options.to.host + " was not resolved" + after,
              "Check the name servers of this machine."};
    case Stage::tcp:
      return {Errc::timed_out, to + " did not accept a connection" + after,
              "Check the address, and that firewalls and network policies let this machine reach it."};
    case Stage::tls:
      return {Errc::timed_out, to + " did not finish the TLS handshake" + after,
              "Check that the port is Ward's stream port and that the machine is not overloaded."};
  }
  return {};
}

Error lookup_error(const boost::system::error_code& error, const std::string& host) {
  if (error == asio::error::host_not_found || error == asio::error::no_data)
    return {Errc::not_found, "the name " + host + " does not exist", "Correct the host name, or add it to DNS."};
  return {Errc::unavailable, "the name " + host + " was not resolved: " + error.message(),
          "Check the name servers of this machine."};
}

Error tcp_error(const boost::system::error_code& error, const std::string& to) {
  if (error == asio::error::connection_refused)
    return {Errc::unavailable, to + " refused the connection", "Start the collector there, or correct host and port."};
  if (error == asio::error::timed_out)
    return {Errc::timed_out, to + " did not accept a connection",
            "Check the address, and that firewalls and network policies let this machine reach it."};
  return {Errc::unavailable, "no connection to " + to + ": " + error.message(), "Check the network and the address."};
}

/// Asio's resolver cannot be cancelled while getaddrinfo runs: a cancelled waiter leaves and the answer is dropped.
async::Task<Result<Endpoints>> look_up(Endpoint to) {
  boost::system::error_code not_literal;
  const auto literal = asio::ip::make_address(to.host, not_literal);
  if (!not_literal) co_return Endpoints{tcp::endpoint(literal, to.port)};
  struct State {
    explicit State(const asio::any_io_executor& executor)
        : resolver(executor), ready(executor, asio::steady_timer::time_point::max()) {}
    tcp::resolver resolver;
    asio::steady_timer ready;
    boost::system::error_code error;
    Endpoints found;
    bool done = false;
  };
  const auto state = std::make_shared<State>(co_await asio::this_coro::executor);
  auto answered = [state](const boost::system::error_code& error, const tcp::resolver::results_type& results) {
    state->error = error;
    for (const auto& entry : results) state->found.push_back(entry.endpoint());
    state->done = true;
    state->ready.cancel();
  };
  state->resolver.async_resolve(to.host, std::to_string(to.port), std::move(answered));
  boost::system::error_code woken;
  co_await state->ready.async_wait(asio::redirect_error(asio::use_awaitable, woken));
  if (!state->done) throw boost::system::system_error(asio::error::operation_aborted);
  if (state->error) co_return fail(lookup_error(state->error, to.host));
  co_return std::move(state->found);
}

async::Task<Opened> open(ConnectOptions options, Stage* stage) {
  auto found = co_await look_up(options.to);
  if (!found) co_return fail(std::move(found.error()));
  const auto to = to_string(options.to);
  const auto on_loopback = [](const tcp::endpoint& e) { return e.address().is_loopback(); };
  if (!options.tls && !std::all_of(found->begin(), found->end(), on_loopback))
    co_return fail(Errc::denied, "plain TCP to " + to + " is not allowed: it is not a loopback address",
                   "Remove 'insecure' and set the tls section.");
  *stage = Stage::tcp;
  tcp::socket socket(co_await asio::this_coro::executor);
  boost::system::error_code error;
  co_await asio::async_connect(socket, *found, asio::redirect_error(asio::use_awaitable, error));
  if (error == asio::error::operation_aborted) throw boost::system::system_error(error);
  if (error) co_return fail(tcp_error(error, to));
  prepare_socket(socket);
  if (!options.tls) co_return std::make_unique<PlainConnection>(std::move(socket), nullptr);

  *stage = Stage::tls;
  auto connection = std::make_unique<TlsConnection>(std::move(socket), options.tls, nullptr);
  const std::string name = options.server_name.empty() ? options.to.host : options.server_name;
  const bool good = co_await connection->handshake(PeerRole::collector, name);
  if (!good) co_return fail(refusal_error(connection->verdict(), to));
  co_return std::move(connection);
}

}  // namespace

async::Task<Opened> connect(ConnectOptions options) {
  Stage stage = Stage::lookup;
  auto opening = open(options, &stage);
  auto opened = co_await async::within(options.timeout, std::move(opening));
  if (!opened) co_return fail(timed_out_in(stage, options));
  co_return std::move(*opened);
}

}  // namespace ward::net
