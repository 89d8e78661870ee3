#include "probes/odoo/master.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

namespace ward::probes::odoo {
namespace {

struct Candidate {
  std::uint32_t pid = 0;
  ProcessStat stat;
  std::vector<std::uint64_t> listen_inodes;
  Owns owns = Owns::no;
};

bool in_cgroup(Host& host, std::uint32_t pid, std::string_view wanted) {
  if (wanted.empty()) return true;
  const auto text = host.read_file("/proc/" + std::to_string(pid) + "/cgroup");
  return text && text->find(wanted) != std::string::npos;
}

/// LISTEN inodes of the port, read once per network namespace.
class Listeners {
 public:
  Listeners(Host& host, std::uint16_t port) : host_(host), port_(port) {}
  const std::vector<std::uint64_t>& of(std::uint32_t pid) {
    const auto link = host_.read_link("/proc/" + std::to_string(pid) + "/ns/net");
    const auto [entry, fresh] = known_.try_emplace(link ? *link : "pid:" + std::to_string(pid));
    if (fresh) {
      std::array<PortSockets, 1> ports{PortSockets{.port = port_}};
      if (read_tcp_tables(host_, pid, TcpTables{}, ports)) entry->second = std::move(ports[0].listen_inodes);
    }
    return entry->second;
  }

 private:
  Host& host_;
  std::uint16_t port_;
  std::map<std::string, std::vector<std::uint64_t>> known_;
};

Result<std::vector<Candidate>> candidates(Host& host, const ServerMatch& match) {
  const auto pids = all_processes(host);
  if (!pids) return fail(pids.error());
  std::vector<Candidate> found;
  for (const auto pid : *pids) {
    const auto cmdline = host.read_file("/proc/" + std::to_string(pid) + "/cmdline");
    if (!cmdline || !is_server_command(*cmdline, match.command) || !in_cgroup(host, pid, match.cgroup)) continue;
    const auto stat = read_process_stat(host, pid);
    if (stat) found.push_back({pid, *stat, {}, Owns::no});
  }
  return found;
}

std::vector<const Candidate*> masters_among(const std::vector<Candidate>& all) {
  std::set<std::uint32_t> owners, matching;
  for (const auto& each : all) {
    matching.insert(each.pid);
    if (each.owns == Owns::yes) owners.insert(each.pid);
  }
  std::vector<const Candidate*> masters;
  for (const auto& each : all) {
    const bool top = owners.empty() ? each.owns == Owns::unknown && !matching.contains(each.stat.parent)
                                    : each.owns == Owns::yes && !owners.contains(each.stat.parent);
    if (top) masters.push_back(&each);
  }
  return masters;
}

}  // namespace

bool is_server_command(std::string_view cmdline, std::string_view wanted) {
  std::string line{cmdline};
  std::ranges::replace(line, '\0', ' ');  // so that 'command' may span arguments: "-c clinic.conf"
  if (line.find(wanted) == std::string::npos) return false;
  const auto words = split_cmdline(cmdline);
  if (words.empty()) return false;
  const auto program = words[0].substr(words[0].rfind('/') + 1);  // npos + 1 is 0
  return program.starts_with("python") || program.starts_with("odoo") || program.starts_with(wanted);
}

Result<Master> find_master(Host& host, const ServerMatch& match) {
  auto all = candidates(host, match);
  if (!all) return fail(all.error());
  const auto port = std::to_string(match.port);
  Listeners listeners(host, match.port);
  for (auto& each : *all) {
    each.listen_inodes = listeners.of(each.pid);
    if (!each.listen_inodes.empty()) each.owns = owns_socket(host, each.pid, each.listen_inodes);
  }
  const auto masters = masters_among(*all);
  if (masters.empty())
    return fail(Errc::not_found,
                "no process listens on port " + port + " among the " + std::to_string(all->size()) +
                    " whose command line matches '" + match.command + "'",
                "Start Odoo, or set 'port' and 'command' to those of the server.");
  if (masters.size() > 1)
    return fail(Errc::invalid,
                std::to_string(masters.size()) + " Odoo servers listen on port " + port + ": processes " +
                    std::to_string(masters[0]->pid) + " and " + std::to_string(masters[1]->pid),
                "Set 'command' or 'cgroup' so that one matches.");
  return Master{masters[0]->pid, masters[0]->stat.start_ticks, masters[0]->listen_inodes};
}

}  // namespace ward::probes::odoo
