#pragma once
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "probes/probe.hpp"

namespace ward::probes::odoo {

/// From /proc/<pid>/stat (proc(5)).
struct ProcessStat {
  std::uint32_t parent = 0;
  std::int64_t nice = 0;
  std::uint64_t threads = 0;
  std::uint64_t start_ticks = 0;  ///< since boot, 1/100 s; with the pid it names a process for good
  std::uint64_t virtual_bytes = 0;
  friend bool operator==(const ProcessStat&, const ProcessStat&) = default;
};
/// The command's name may hold anything, also blanks and ')': fields count from the last ')'.
Result<ProcessStat> parse_process_stat(std::string_view text);
Result<ProcessStat> read_process_stat(Host& host, std::uint32_t pid);

/// The arguments of /proc/<pid>/cmdline; retitled processes pad theirs with NUL.
std::vector<std::string_view> split_cmdline(std::string_view text);
/// Soft "Max address space" of /proc/<pid>/limits in bytes; nullopt when unlimited or absent. Odoo sets limit_memory_hard.
std::optional<std::uint64_t> parse_address_space_limit(std::string_view text);

/// Does a process hold one of these sockets? `unknown` when its descriptors may not be read (another user, not root).
enum class Owns : std::uint8_t { no, yes, unknown };
Owns owns_socket(Host& host, std::uint32_t pid, std::span<const std::uint64_t> inodes);

/// Direct children. /proc/<pid>/task/<pid>/children may leave one out while another ends: ask for a missing one by pid.
std::vector<std::uint32_t> children_of(Host& host, std::uint32_t pid);
/// All process ids of the machine, ascending.
Result<std::vector<std::uint32_t>> all_processes(Host& host);

}  // namespace ward::probes::odoo
