#pragma once
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "probes/probe.hpp"

namespace ward::probes::odoo {

/// What the kernel's TCP table says about one local port. Odoo takes a connection off the accept queue only when a worker
/// is free, so the table shows its load without a request (facts: odoo 3.3).
struct PortSockets {
  std::uint16_t port = 0;
  std::vector<std::uint64_t> listen_inodes{};  ///< empty: nobody listens
  std::uint64_t backlog = 0;                   ///< connections waiting in the accept queue
  std::uint64_t busy = 0;                      ///< connections a process holds
  friend bool operator==(const PortSockets&, const PortSockets&) = default;
};

/// Adds the rows of a /proc/<pid>/net/tcp or tcp6 to the entry of their port; other ports are skipped unparsed, as the
/// table of a busy server is long with TIME_WAIT. Errc::corrupt for a row that is not as the kernel writes it.
Status add_tcp_table(std::string_view text, std::span<PortSockets> ports);
/// The kernel walks its whole hash table for each of the two files, milliseconds on a machine with much memory. A
/// connection stands in the file of its listener's family: read only that once it is known.
struct TcpTables {
  bool four = true, six = true;
};
/// The tables of the network namespace of `pid`; tcp6 may be absent.
Status read_tcp_tables(Host& host, std::uint32_t pid, TcpTables which, std::span<PortSockets> ports);

}  // namespace ward::probes::odoo
