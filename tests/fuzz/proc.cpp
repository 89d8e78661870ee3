// Texts of the kernel. First byte: which file.
#include <array>

#include "probes/host/collectors.hpp"
#include "probes/odoo/process.hpp"
#include "probes/odoo/socket_table.hpp"
#include "tests/fuzz/target.hpp"

namespace {

using namespace ward;
using namespace ward::probes;

void read_odoo(std::string_view text) {
  (void)odoo::parse_process_stat(text);
  (void)odoo::split_cmdline(text);
  (void)odoo::parse_address_space_limit(text);
  std::array<odoo::PortSockets, 2> ports{};
  ports[0].port = 8069;
  ports[1].port = 8072;
  (void)odoo::add_tcp_table(text, ports);
}

Status read_node(std::uint8_t which, std::string_view text, Readings& out) {
  const node::DeviceFilter devices{{"veth*"}};
  switch (which % 16) {
    case 0: return node::parse_cpu(text, out);
    case 1: return node::parse_stat(text, out);
    case 2: return node::parse_loadavg(text, out);
    case 3: return node::parse_schedstat(text, out);
    case 4: return node::parse_softnet(text, out);
    case 5: return node::parse_meminfo(text, out);
    case 6: return node::parse_vmstat(text, out);
    case 7: return node::parse_pressure("cpu", text, out);
    case 8: return node::parse_mdstat(text, out);
    case 9: return node::parse_netdev(text, devices, out);
    case 10: return node::parse_arp(text, out);
    case 11: return node::parse_conntrack_stat(text, out);
    case 12: return node::parse_netstat("netstat", text, out);
    case 13: return node::parse_snmp6(text, out);
    case 14: return node::parse_sockstat(text, out);
    default: return node::parse_udp_queues("v4", text, out);
  }
}

}  // namespace

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const auto text = fuzz::text({data + 1, size - 1});
  Readings out;
  const auto done = read_node(data[0], text, out);
  WARD_ASSERT(done || !done.error().what.empty());
  (void)node::parse_filefd(text, out);
  (void)node::parse_os_release(text, out);
  (void)node::parse_udev(text);
  read_odoo(text);
  return 0;
}
