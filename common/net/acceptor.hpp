#pragma once
#include <boost/asio/ip/tcp.hpp>
#include <string>

#include "common/base/result.hpp"

namespace ward::net {

/// "0.0.0.0:7443", "[::1]:0": where a server listens. Errc::invalid when the host is no IP address of literal form.
Result<boost::asio::ip::tcp::endpoint> parse_listen_address(const std::string& address);
/// Opens, binds and listens; `address` is its text, for the message. Errc::unavailable says whether another program has it.
Status listen_on(boost::asio::ip::tcp::acceptor& acceptor, const boost::asio::ip::tcp::endpoint& endpoint,
                 const std::string& address);

}  // namespace ward::net
