#include "common/net/listener.hpp"

#include <boost/asio/redirect_error.hpp>
#include <map>

#include "common/async/within.hpp"
#include "common/net/acceptor.hpp"
#include "common/net/stream_connection.hpp"

namespace ward::net {
namespace asio = boost::asio;
using asio::ip::tcp;
using namespace std::chrono_literals;

/// After a failed accept (no descriptors left): long enough not to spin, short enough not to be noticed.
constexpr auto kBreath = 100ms;

/// How many connections are open, in all and by address. A place is given back when its connection goes.
class Listener::Counts : public std::enable_shared_from_this<Counts> {
 public:
  std::shared_ptr<void> place(const asio::ip::address& address) {
    ++total_;
    ++by_address_[address];
    auto give_back = [counts = shared_from_this(), address](void*) {
      --counts->total_;
      const auto at = counts->by_address_.find(address);
      if (--at->second == 0) counts->by_address_.erase(at);
    };
    return std::shared_ptr<void>(this, std::move(give_back));
  }
  [[nodiscard]] std::size_t total() const { return total_; }
  [[nodiscard]] std::size_t from(const asio::ip::address& address) const {
    const auto at = by_address_.find(address);
    return at == by_address_.end() ? 0 : at->second;
  }

 private:
  std::size_t total_ = 0;
  std::map<asio::ip::address, std::size_t> by_address_;
};

Listener::Listener(asio::any_io_executor executor, ListenerOptions options, OnConnection on_connection, OnRefused on_refused)
    : options_(std::move(options)),
      on_connection_(std::move(on_connection)),
      on_refused_(std::move(on_refused)),
      acceptor_(executor),
      counts_(std::make_shared<Counts>()),
      tasks_(executor) {}

Listener::~Listener() = default;

Status Listener::start() {
  const auto endpoint = parse_listen_address(options_.address);
  if (!endpoint) return fail(endpoint.error());
  if (!options_.tls && !endpoint->address().is_loopback())
    return fail(Errc::denied, "plain TCP on " + options_.address + " is not allowed: it is not a loopback address",
                "Remove 'insecure' and set the tls section.");
  if (auto listening = listen_on(acceptor_, *endpoint, options_.address); !listening) return listening;
  port_ = acceptor_.local_endpoint().port();
  tasks_.spawn("accept", accept_all());
  return {};
}

async::Task<void> Listener::stop() {
  boost::system::error_code ignored;
  acceptor_.close(ignored);
  co_await tasks_.stop();
}

async::Task<void> Listener::accept_all() {
  while (acceptor_.is_open()) {
    boost::system::error_code error;
    tcp::socket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, error));
    if (error == asio::error::operation_aborted) co_return;
    if (error) {
      co_await async::sleep_for(kBreath);
      continue;
    }
    take(std::move(socket));
  }
}

void Listener::take(tcp::socket socket) {
  boost::system::error_code gone;
  const auto address = socket.remote_endpoint(gone).address();
  if (gone) return on_refused_({Refusal::closed, RefusedBy::peer}, "unknown");
  if (counts_->total() >= options_.max_connections)
    return on_refused_({Refusal::too_many_connections, RefusedBy::us}, remote_of(socket));
  if (counts_->from(address) >= options_.max_connections_per_address)
    return on_refused_({Refusal::too_many_from_address, RefusedBy::us}, remote_of(socket));
  prepare_socket(socket);
  tasks_.spawn("handshake", greet(std::move(socket), counts_->place(address)));
}

async::Task<void> Listener::greet(tcp::socket socket, std::shared_ptr<void> place) {
  if (!options_.tls) {
    on_connection_(std::make_unique<PlainConnection>(std::move(socket), std::move(place)));
    co_return;
  }
  auto connection = std::make_unique<TlsConnection>(std::move(socket), options_.tls, std::move(place));
  auto handshake = connection->handshake(PeerRole::agent, std::string());
  const auto good = co_await async::within(options_.handshake_timeout, std::move(handshake));
  if (!good) {
    on_refused_({Refusal::timed_out, RefusedBy::peer}, connection->remote());
  } else if (!*good) {
    on_refused_(connection->verdict(), connection->remote());
  } else {
    on_connection_(std::move(connection));
  }
}

}  // namespace ward::net
