#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "probes/odoo/process.hpp"
#include "probes/odoo/socket_table.hpp"

namespace ward::probes::odoo {

/// Which Odoo server is meant when a machine runs several.
struct ServerMatch {
  std::uint16_t port = 8069;
  std::string command = "odoo";  ///< must occur in the command line of its processes
  std::string cgroup{};          ///< must occur in /proc/<pid>/cgroup, e.g. a pod's uid; "" = any
};

struct Master {
  std::uint32_t pid = 0;
  std::uint64_t start_ticks = 0;
  std::vector<std::uint64_t> listen_inodes;
};

/// Would this command line be a process of an Odoo server? "python3 /usr/bin/odoo ...", "odoo: WorkerHTTP 7"; not
/// "postgres: odoo ..." nor "vim odoo.conf".
bool is_server_command(std::string_view cmdline, std::string_view wanted);

/// The process that owns the LISTEN socket of the port and whose parent does not, whatever network namespace it lives in.
/// Reads the command line of every process on the machine: call it only when the known master is gone. Without the right
/// to read descriptors: the matching process whose parent does not match, if its namespace listens on the port.
/// Errors: not_found (nobody listens), invalid (several do), denied or unavailable (/proc cannot be listed).
Result<Master> find_master(Host& host, const ServerMatch& match);

}  // namespace ward::probes::odoo
