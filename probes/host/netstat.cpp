// Protocol counters and sockets.
// Source: /proc/net/{netstat,snmp,snmp6,sockstat,sockstat6,udp,udp6} (proc(5), RFC 1213 names).
#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {
namespace {

/// sockstat counts memory in pages.
constexpr double kPageBytes = 4096;

bool any_of(std::string_view field, std::initializer_list<std::string_view> list) {
  return std::ranges::find(list, field) != list.end();
}

/// node_exporter's default --collector.netstat.fields; its other 300 counters are for those who debug a kernel.
bool wanted(std::string_view protocol, std::string_view field) {
  if (field == "InErrors" || field == "InErrs") return true;
  if (protocol == "Tcp")
    return any_of(field, {"ActiveOpens", "InSegs", "OutSegs", "OutRsts", "PassiveOpens", "RetransSegs", "CurrEstab"});
  if (protocol == "TcpExt")
    return field.starts_with("Listen") || field.starts_with("Syncookies") ||
           any_of(field, {"TCPSynRetrans", "TCPTimeouts", "TCPOFOQueue", "TCPRcvQDrop"});
  if (protocol == "Ip") return field == "Forwarding";
  if (protocol == "Ip6" || protocol == "IpExt") return any_of(field, {"InOctets", "OutOctets"});
  if (protocol == "Icmp" || protocol == "Icmp6") return any_of(field, {"InMsgs", "OutMsgs"});
  if (protocol == "Udp" || protocol == "Udp6")
    return any_of(field, {"InDatagrams", "OutDatagrams", "NoPorts", "RcvbufErrors", "SndbufErrors"});
  return false;
}

void put_field(Readings& out, std::string_view protocol, std::string_view field, double value) {
  std::string metric = "node_netstat_";
  metric.append(protocol).append("_").append(field);
  out.push_back(Reading{std::move(metric), {}, value});
}

/// "TCP: inuse 1 orphan 0 ..." -> node_sockstat_TCP_inuse.
Status parse_sockets_line(std::string_view protocol, std::string_view rest, Readings& out) {
  while (true) {
    const auto key = next_word(rest);
    if (key.empty()) return {};
    const auto value = to_u64(next_word(rest));
    if (!value) return malformed("/proc/net/sockstat", protocol);
    std::string metric = "node_sockstat_";
    metric.append(protocol).append("_").append(key);
    put(out, metric, static_cast<double>(*value));
    if (key == "mem") put(out, metric + "_bytes", static_cast<double>(*value) * kPageBytes);
  }
}

std::optional<std::uint64_t> from_hex(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (error != std::errc{} || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return value;
}

}  // namespace

Status parse_netstat(std::string_view file, std::string_view text, Readings& out) {
  for (std::string_view names, values; next_line(text, names);) {
    const auto protocol_word = next_word(names);
    if (protocol_word.empty()) continue;
    if (!next_line(text, values) || next_word(values) != protocol_word || !protocol_word.ends_with(':'))
      return malformed(file, protocol_word);
    const auto protocol = protocol_word.substr(0, protocol_word.size() - 1);
    while (true) {
      const auto field = next_word(names);
      const auto word = next_word(values);
      if (field.empty() != word.empty()) return malformed(file, protocol_word);
      if (field.empty()) break;
      if (!wanted(protocol, field)) continue;
      const auto value = to_i64(word);  // signed: Tcp MaxConn is -1
      if (!value) return malformed(file, field);
      put_field(out, protocol, field, static_cast<double>(*value));
    }
  }
  return {};
}

Status parse_snmp6(std::string_view text, Readings& out) {
  for (std::string_view line; next_line(text, line);) {
    const auto word = next_word(line);
    const auto six = word.find('6');
    if (six == std::string_view::npos) continue;
    const auto protocol = word.substr(0, six + 1);
    const auto field = word.substr(six + 1);
    if (!wanted(protocol, field)) continue;
    const auto value = to_u64(next_word(line));
    if (!value) return malformed("/proc/net/snmp6", word);
    put_field(out, protocol, field, static_cast<double>(*value));
  }
  return {};
}

Status collect_netstat(Host& host, Readings& out) {
  for (const std::string_view name : {"netstat", "snmp"}) {
    const auto text = read_net(host, name);
    if (!text) return fail(text.error());
    if (auto ok = parse_netstat(name, *text, out); !ok) return ok;
  }
  const auto six = read_net(host, "snmp6");  // absent where IPv6 is off
  return six ? parse_snmp6(*six, out) : Status{};
}

Status parse_sockstat(std::string_view text, Readings& out) {
  for (std::string_view line; next_line(text, line);) {
    const auto word = next_word(line);
    if (word.empty()) continue;
    if (!word.ends_with(':')) return malformed("/proc/net/sockstat", word);
    if (auto ok = parse_sockets_line(word.substr(0, word.size() - 1), line, out); !ok) return ok;
  }
  return {};
}

Status collect_sockstat(Host& host, Readings& out) {
  const auto four = read_net(host, "sockstat");
  if (!four) return fail(four.error());
  if (auto ok = parse_sockstat(*four, out); !ok) return ok;
  const auto six = read_net(host, "sockstat6");
  return six ? parse_sockstat(*six, out) : Status{};
}

Status parse_udp_queues(std::string_view ip, std::string_view text, Readings& out) {
  std::string_view line;
  if (!next_line(text, line)) return malformed("/proc/net/udp", "no head line");
  double transmit = 0, receive = 0;
  while (next_line(text, line)) {
    for (int skipped = 0; skipped < 4; ++skipped) next_word(line);  // slot, local, remote, state
    const auto queues = next_word(line);
    const auto colon = queues.find(':');
    if (colon == std::string_view::npos) return malformed("/proc/net/udp", queues);
    const auto tx = from_hex(queues.substr(0, colon));
    const auto rx = from_hex(queues.substr(colon + 1));
    if (!tx || !rx) return malformed("/proc/net/udp", queues);
    transmit += static_cast<double>(*tx);
    receive += static_cast<double>(*rx);
  }
  Labels labels = label("ip", ip);
  labels.set("queue", "tx");
  put(out, "node_udp_queues", labels, transmit);
  labels.set("queue", "rx");
  put(out, "node_udp_queues", labels, receive);
  return {};
}

Status collect_udp_queues(Host& host, Readings& out) {
  const auto four = read_net(host, "udp");
  if (!four) return fail(four.error());
  if (auto ok = parse_udp_queues("v4", *four, out); !ok) return ok;
  const auto six = read_net(host, "udp6");
  return six ? parse_udp_queues("v6", *six, out) : Status{};
}

}  // namespace ward::probes::node
