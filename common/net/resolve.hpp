#pragma once
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "common/async/blocking.hpp"
#include "common/async/task.hpp"

namespace ward::net {

/// Why a name gave no address: it does not exist, no server answered in time, or the answer was an error.
enum class ResolveFailure : std::uint8_t { no_such_name, no_answer, failed };

using Addresses = std::vector<boost::asio::ip::address>;

/// getaddrinfo on the pool, so that one slow name server delays nobody else; a literal address comes back at once.
/// Cancellable: the lookup runs on to resolv.conf's own timeout and is dropped. Addresses in the system's order.
async::Task<tl::expected<Addresses, ResolveFailure>> resolve(async::BlockingPool& pool, std::string host);

}  // namespace ward::net
