#include "probes/odoo/socket_table.hpp"

#include <array>
#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"

namespace ward::test {
namespace {

using probes::odoo::add_tcp_table;
using probes::odoo::PortSockets;

constexpr std::string_view kHead =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n";

std::string table(std::string_view rows) { return std::string(kHead) + std::string(rows); }

TEST(TcpTable, CountsWaitingAndHeldConnectionsOfThePort) {
  std::array<PortSockets, 2> ports{PortSockets{.port = 8069}, PortSockets{.port = 8072}};
  ASSERT_TRUE(add_tcp_table(
      table(
          "   0: 00000000:1F85 00000000:0000 0A 00000000:0000000A 00:00000000 00000000   105        0 5000 1 0 100 0 0 10 "
          "0\n"
          "   1: 0100007F:1F85 0100007F:9C40 01 00000000:00000000 00:00000000 00000000   105        0 6000 1 0 20 4 30 10 "
          "-1\n"
          "   2: 0100007F:1F85 0100007F:9C41 08 00000000:00000001 00:00000000 00000000   105        0 6001 1 0 20 4 30 10 "
          "-1\n"
          "   3: 0100007F:1F85 0100007F:9C42 01 00000000:000000B4 00:00000000 00000000     0        0 0 1 0 20 4 30 10 -1\n"
          "   4: 0100007F:1F85 0100007F:9C43 06 00000000:00000000 03:00000F2B 00000000     0        0 0 3 0\n"
          "   5: 0100007F:9C40 0100007F:1F85 01 00000000:00000000 00:00000000 00000000  1000        0 9000 1 0 20 4 30 10 "
          "-1\n"
          "   6: 00000000:1F88 00000000:0000 0A 00000000:00000000 00:00000000 00000000   105        0 5001 1 0 100 0 0 10 "
          "0\n"),
      ports));
  EXPECT_EQ(ports[0], (PortSockets{.port = 8069, .listen_inodes = {5000}, .backlog = 10, .busy = 2}));
  EXPECT_EQ(ports[1], (PortSockets{.port = 8072, .listen_inodes = {5001}}));
}

TEST(TcpTable, ReadsTheLongAddressesOfIpv6) {
  std::array<PortSockets, 1> ports{PortSockets{.port = 8069}};
  ASSERT_TRUE(add_tcp_table(table("   0: 00000000000000000000000000000000:1F85 00000000000000000000000000000000:0000 0A "
                                  "00000000:00000003 00:00000000 00000000   105        0 5002 1 0 100 0 0 10 0\n"),
                            ports));
  EXPECT_EQ(ports[0], (PortSockets{.port = 8069, .listen_inodes = {5002}, .backlog = 3}));
}

TEST(TcpTable, RefusesMalformedRows) {
  for (const auto& text :
       {std::string{}, std::string("no head\n"), table("0: nocolon x 0A\n"), table("0: 00000000:XYZ x 0A\n"),
        table("0: 00000000:1F85 0:0 0A\n"), table("0: 00000000:1F85 0:0 0A 0:0 00:0 0 105 0 inode\n"),
        table("0: 00000000:1F85 0:0 0A 0:zz 00:0 0 105 0 5000\n"), table("\n")}) {
    std::array<PortSockets, 1> ports{PortSockets{.port = 8069}};
    const auto got = add_tcp_table(text, ports);
    ASSERT_FALSE(got) << "accepted: '" << text << "'";
    EXPECT_EQ(got.error().code, Errc::corrupt);
  }
}

}  // namespace
}  // namespace ward::test
