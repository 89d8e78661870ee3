#include <gtest/gtest.h>

#include "tests/support/fake_host.hpp"
#include "tests/unit/probes/host/bad_texts.hpp"

namespace ward::test {
namespace {

using namespace probes::node;

constexpr std::string_view kDev =
    "Inter-|   Receive                                                |  Transmit\n"
    " face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier "
    "compressed\n"
    "    lo:  123087     104    0    0    0     0          0         0   123087     104    0    0    0     0       0        "
    "  0\n"
    "  eth0:149726202    3383    1    2    3     4          5         6   151076    1886    7    8    9    10      11       "
    "  12\n"
    "veth1a:       0       0    0    0    0     0          0         0        0       0    0    0    0     0       0        "
    "  0\n";

TEST(NetdevCollector, ReadsSixteenColumnsPerDevice) {
  Readings out;
  ASSERT_TRUE(parse_netdev(kDev, DeviceFilter{{"veth*"}}, out));
  const Labels eth0{{"device", "eth0"}};
  EXPECT_EQ(out.size(), 32U);
  EXPECT_EQ(value_of(out, "node_network_receive_bytes_total", eth0), 149726202);
  EXPECT_EQ(value_of(out, "node_network_receive_drop_total", eth0), 2);
  EXPECT_EQ(value_of(out, "node_network_receive_multicast_total", eth0), 6);
  EXPECT_EQ(value_of(out, "node_network_transmit_bytes_total", eth0), 151076);
  EXPECT_EQ(value_of(out, "node_network_transmit_carrier_total", eth0), 11);
  EXPECT_EQ(value_of(out, "node_network_receive_bytes_total", {{"device", "lo"}}), 123087);
}

TEST(NetdevCollector, RefusesMalformedText) {
  const auto parse = [](std::string_view text, Readings& out) { return parse_netdev(text, DeviceFilter{}, out); };
  expect_refused(parse, {"", "one line\n", "a\nb\neth0 1 2 3\n", "a\nb\neth0: 1 2 3\n",
                         "a\nb\neth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 x\n"});
}

TEST(NetclassCollector, ReadsSettingsAgainOnlyWhenTheLinkMoved) {
  const std::string eth0 = "/sys/class/net/eth0/";
  FakeHost host{{eth0 + "operstate", "up\n"},          {eth0 + "carrier", "1\n"},
                {eth0 + "carrier_changes", "2\n"},     {eth0 + "mtu", "1500\n"},
                {eth0 + "flags", "0x1003\n"},          {eth0 + "speed", "1000\n"},
                {eth0 + "duplex", "full\n"},           {eth0 + "address", "02:fc:00:00:00:01\n"},
                {"/sys/class/net/bonding_masters", ""}};
  NetClass collector;
  const auto run = [&] {
    Readings out;
    EXPECT_TRUE(collector.collect(host, DeviceFilter{}, out));
    return out;
  };
  const Labels device{{"device", "eth0"}};
  const auto first = run();
  EXPECT_EQ(value_of(first, "node_network_up", device), 1);
  EXPECT_EQ(value_of(first, "node_network_carrier", device), 1);
  EXPECT_EQ(value_of(first, "node_network_flags", device), 0x1003);
  EXPECT_EQ(value_of(first, "node_network_speed_bytes", device), 125'000'000);
  EXPECT_EQ(value_of(first, "node_network_info",
                     {{"device", "eth0"}, {"operstate", "up"}, {"duplex", "full"}, {"address", "02:fc:00:00:00:01"}}),
            1);
  EXPECT_EQ(run(), first);
  EXPECT_EQ(host.touched(eth0 + "operstate"), 2);
  EXPECT_EQ(host.touched(eth0 + "speed"), 1);
  // The link goes: settings are read again, and an unknown speed is absent.
  host.set(eth0 + "operstate", "down\n").set(eth0 + "speed", "-1\n");
  const auto down = run();
  EXPECT_EQ(value_of(down, "node_network_up", device), 0);
  EXPECT_EQ(count_of(down, "node_network_speed_bytes"), 0U);
}

TEST(NetstatCollector, KeepsNodeExportersFields) {
  Readings out;
  ASSERT_TRUE(
      parse_netstat("snmp",
                    "Ip: Forwarding DefaultTTL\nIp: 2 64\n"
                    "Tcp: RtoAlgorithm RtoMin RtoMax MaxConn ActiveOpens RetransSegs InErrs\nTcp: 1 200 120000 -1 3556 9 4\n"
                    "UdpLite: InDatagrams InErrors\nUdpLite: 1 2\n",
                    out));
  EXPECT_EQ(out, (Readings{{"node_netstat_Ip_Forwarding", {}, 2},
                           {"node_netstat_Tcp_ActiveOpens", {}, 3556},
                           {"node_netstat_Tcp_RetransSegs", {}, 9},
                           {"node_netstat_Tcp_InErrs", {}, 4},
                           {"node_netstat_UdpLite_InErrors", {}, 2}}));
}

TEST(NetstatCollector, RefusesUnpairedLines) {
  const auto parse = [](std::string_view text, Readings& out) { return parse_netstat("snmp", text, out); };
  expect_refused(parse, {"Tcp: A B\n", "Tcp: A\nUdp: 1\n", "Tcp: A B\nTcp: 1\n", "Tcp: A\nTcp: 1 2\n",
                         "Tcp: InErrs\nTcp: x\n", "Tcp A\nTcp 1\n"});
}

TEST(NetstatCollector, SplitsTheNamesOfSnmp6) {
  Readings out;
  ASSERT_TRUE(parse_snmp6("Ip6InReceives 1\nIp6InOctets \t128\nIcmp6InMsgs 3\nUdp6NoPorts 4\nUdpLite6InErrors 5\n", out));
  EXPECT_EQ(out, (Readings{{"node_netstat_Ip6_InOctets", {}, 128},
                           {"node_netstat_Icmp6_InMsgs", {}, 3},
                           {"node_netstat_Udp6_NoPorts", {}, 4},
                           {"node_netstat_UdpLite6_InErrors", {}, 5}}));
}

TEST(SockstatCollector, ReadsUsageAndMemory) {
  Readings out;
  ASSERT_TRUE(parse_sockstat("sockets: used 229\nTCP: inuse 4 orphan 0 tw 4 alloc 17 mem 2\nFRAG: inuse 0 memory 9\n", out));
  EXPECT_EQ(value_of(out, "node_sockstat_sockets_used"), 229);
  EXPECT_EQ(value_of(out, "node_sockstat_TCP_tw"), 4);
  EXPECT_EQ(value_of(out, "node_sockstat_TCP_mem_bytes"), 8192);
  EXPECT_EQ(value_of(out, "node_sockstat_FRAG_memory"), 9);
  EXPECT_EQ(count_of(out, "node_sockstat_FRAG_memory_bytes"), 0U);
}

TEST(SockstatCollector, RefusesMalformedText) {
  expect_refused(parse_sockstat, {"TCP inuse 1\n", "TCP: inuse\n", "TCP: inuse x\n"});
}

TEST(UdpQueuesCollector, AddsUpAllSockets) {
  Readings out;
  ASSERT_TRUE(parse_udp_queues("v4",
                               "  sl  local_address rem_address   st tx_queue rx_queue\n"
                               "  0: 0100007F:0035 00000000:0000 07 00000001:00000015 00:00000000\n"
                               "  1: 0100007F:0036 00000000:0000 07 00000001:00000000 00:00000000\n",
                               out));
  EXPECT_EQ(value_of(out, "node_udp_queues", {{"ip", "v4"}, {"queue", "tx"}}), 2);
  EXPECT_EQ(value_of(out, "node_udp_queues", {{"ip", "v4"}, {"queue", "rx"}}), 21);
}

TEST(UdpQueuesCollector, RefusesMalformedText) {
  const auto parse = [](std::string_view text, Readings& out) { return parse_udp_queues("v4", text, out); };
  expect_refused(parse, {"", "head\n 0: a b 07 nocolon\n", "head\n 0: a b 07 xx:yy\n", "head\n 0: a b\n"});
}

TEST(ArpCollector, CountsNeighboursByDevice) {
  Readings out;
  ASSERT_TRUE(
      parse_arp("IP address HW type Flags HW address Mask Device\n"
                "192.168.1.1 0x1 0x2 cc:aa:dd:ee:aa:bb * eth0\n192.168.1.2 0x1 0x2 bb:cc:dd:ee:ff:00 * eth0\n"
                "10.0.0.1 0x1 0x2 bb:cc:dd:ee:ff:01 * nope\n",
                out));
  EXPECT_EQ(out, (Readings{{"node_arp_entries", {{"device", "eth0"}}, 2}, {"node_arp_entries", {{"device", "nope"}}, 1}}));
  expect_refused(parse_arp, {"", "head\n192.168.1.1 0x1\n"});
}

TEST(ConntrackCollector, AddsUpProcessorsAndToleratesMissingStatistics) {
  FakeHost host{{"/proc/sys/net/netfilter/nf_conntrack_count", "123\n"},
                {"/proc/sys/net/netfilter/nf_conntrack_max", "65536\n"},
                {"/proc/1/net/stat/nf_conntrack",
                 "entries  clashres found new invalid ignore delete chainlength insert insert_failed drop early_drop\n"
                 "00000021 0 0 0 00000003 0 0 0 0 0 0000000a 0\n00000021 0 0 0 00000002 0 0 0 0 0 00000001 0\n"}};
  Readings out;
  ASSERT_TRUE(collect_conntrack(host, out));
  EXPECT_EQ(value_of(out, "node_nf_conntrack_entries"), 123);
  EXPECT_EQ(value_of(out, "node_nf_conntrack_entries_limit"), 65536);
  EXPECT_EQ(value_of(out, "node_nf_conntrack_stat_invalid"), 5);
  EXPECT_EQ(value_of(out, "node_nf_conntrack_stat_drop"), 11);
  host.erase("/proc/1/net/stat");
  EXPECT_TRUE(collect_conntrack(host, out));
  host.erase("/proc/sys/net/netfilter/nf_conntrack_max");
  EXPECT_FALSE(collect_conntrack(host, out));
}

}  // namespace
}  // namespace ward::test
