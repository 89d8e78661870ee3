#include "probes/odoo/socket_table.hpp"

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "common/base/parse.hpp"

namespace ward::probes::odoo {
namespace {

// States of include/net/tcp_states.h. TIME_WAIT rows have inode 0 too, so the state must be looked at.
constexpr std::string_view kEstablished = "01", kCloseWait = "08", kListen = "0A";

std::optional<std::uint64_t> from_hex(std::string_view word) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value, 16);
  if (error != std::errc{} || end != word.data() + word.size() || word.empty()) return std::nullopt;
  return value;
}

tl::unexpected<Error> malformed(std::string_view why) {
  return fail(Errc::corrupt, "/proc/<pid>/net/tcp is not as the kernel writes it: " + std::string(why),
              "Run 'head -2 /proc/net/tcp' on the node and report it with the kernel's version.");
}

Status add_row(std::string_view state, std::string_view rest, PortSockets& port) {
  const auto queues = next_word(rest);                            // tx_queue:rx_queue
  for (int skipped = 0; skipped < 4; ++skipped) next_word(rest);  // timer, retransmits, uid, timeout
  const auto inode = to_u64(next_word(rest));
  const auto colon = queues.find(':');
  if (!inode || colon == std::string_view::npos) return malformed("a row without queues or inode");
  if (state == kListen) {
    const auto waiting = from_hex(queues.substr(colon + 1));
    if (!waiting) return malformed("rx_queue '" + std::string(queues) + "'");
    port.backlog += *waiting;
    port.listen_inodes.push_back(*inode);
  } else if ((state == kEstablished || state == kCloseWait) && *inode != 0) {
    ++port.busy;
  }
  return {};
}

}  // namespace

Status add_tcp_table(std::string_view text, std::span<PortSockets> ports) {
  std::string_view line;
  if (!next_line(text, line) || line.find("local_address") == std::string_view::npos) return malformed("no head line");
  while (next_line(text, line)) {
    next_word(line);  // slot
    const auto local = next_word(line);
    const auto colon = local.rfind(':');
    const auto number = from_hex(colon == std::string_view::npos ? local : local.substr(colon + 1));
    if (colon == std::string_view::npos || !number) return malformed("local address '" + std::string(local) + "'");
    const auto port = std::ranges::find(ports, *number, &PortSockets::port);
    if (port == ports.end()) continue;
    next_word(line);  // remote
    const auto state = next_word(line);
    if (auto ok = add_row(state, line, *port); !ok) return ok;
  }
  return {};
}

Status read_tcp_tables(Host& host, std::uint32_t pid, TcpTables which, std::span<PortSockets> ports) {
  const auto directory = "/proc/" + std::to_string(pid) + "/net/";
  if (which.four) {
    const auto text = host.read_file(directory + "tcp");
    if (!text) return fail(text.error());
    if (auto ok = add_tcp_table(*text, ports); !ok) return ok;
  }
  if (!which.six) return {};
  const auto text = host.read_file(directory + "tcp6");
  if (text) return add_tcp_table(*text, ports);
  return which.four && text.error().code == Errc::not_found ? Status{} : fail(text.error());
}

}  // namespace ward::probes::odoo
