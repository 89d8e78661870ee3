#include "probes/odoo/process.hpp"

#include <algorithm>
#include <charconv>

#include "common/base/parse.hpp"

namespace ward::probes::odoo {
namespace {

std::string path_of(std::uint32_t pid, std::string_view file) {
  std::string path = "/proc/" + std::to_string(pid) + "/";
  path += file;
  return path;
}

std::optional<std::uint32_t> to_pid(std::string_view name) {
  std::uint32_t pid = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), pid);
  if (error != std::errc{} || end != name.data() + name.size()) return std::nullopt;
  return pid;
}

}  // namespace

Result<ProcessStat> parse_process_stat(std::string_view text) {
  const auto malformed = [] {
    return fail(Errc::corrupt, "/proc/<pid>/stat is not as the kernel writes it", "Report it with the kernel's version.");
  };
  const auto close = text.rfind(')');
  if (close == std::string_view::npos) return malformed();
  text.remove_prefix(close + 1);
  const auto skip = [&text](int words) {
    for (int i = 0; i < words; ++i) next_word(text);
  };
  skip(1);  // state; counted as in proc(5), field 3
  const auto parent = to_u64(next_word(text));
  skip(14);  // 5 pgrp .. 18 priority
  const auto nice = to_i64(next_word(text));
  const auto threads = to_u64(next_word(text));
  skip(1);  // 21 itrealvalue
  const auto start = to_u64(next_word(text));
  const auto bytes = to_u64(next_word(text));
  if (!parent || !nice || !threads || !start || !bytes) return malformed();
  return ProcessStat{static_cast<std::uint32_t>(*parent), *nice, *threads, *start, *bytes};
}

Result<ProcessStat> read_process_stat(Host& host, std::uint32_t pid) {
  return host.read_file(path_of(pid, "stat")).and_then([](const std::string& text) { return parse_process_stat(text); });
}

std::vector<std::string_view> split_cmdline(std::string_view text) {
  std::vector<std::string_view> words;
  while (!text.empty()) {
    const auto end = text.find('\0');
    const auto word = trim(text.substr(0, end));
    if (!word.empty()) words.push_back(word);
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return words;
}

std::optional<std::uint64_t> parse_address_space_limit(std::string_view text) {
  static constexpr std::string_view kName = "Max address space";
  for (std::string_view line; next_line(text, line);) {
    if (!line.starts_with(kName)) continue;
    line.remove_prefix(kName.size());
    const auto soft = to_u64(next_word(line));
    if (soft) return *soft;
    return std::nullopt;
  }
  return std::nullopt;
}

Owns owns_socket(Host& host, std::uint32_t pid, std::span<const std::uint64_t> inodes) {
  const auto directory = path_of(pid, "fd");
  const auto descriptors = host.list_dir(directory);
  if (!descriptors) return descriptors.error().code == Errc::denied ? Owns::unknown : Owns::no;
  for (const auto& descriptor : *descriptors) {
    const auto target = host.read_link(directory + "/" + descriptor);
    if (!target) {
      if (target.error().code == Errc::denied) return Owns::unknown;
      continue;
    }
    if (!target->starts_with("socket:[")) continue;
    const auto inode = to_u64(std::string_view(*target).substr(8, target->size() - 9));
    if (inode && std::ranges::find(inodes, *inode) != inodes.end()) return Owns::yes;
  }
  return Owns::no;
}

std::vector<std::uint32_t> children_of(Host& host, std::uint32_t pid) {
  std::vector<std::uint32_t> children;
  const auto text = host.read_file(path_of(pid, "task/" + std::to_string(pid) + "/children"));
  if (text) {
    std::string_view rest = *text;
    for (std::string_view word; !(word = next_word(rest)).empty();)
      if (const auto child = to_pid(word)) children.push_back(*child);
    return children;
  }
  // A kernel without CONFIG_PROC_CHILDREN: ask every process for its parent.
  const auto all = all_processes(host);
  if (!all) return children;
  for (const auto each : *all)
    if (const auto stat = read_process_stat(host, each); stat && stat->parent == pid) children.push_back(each);
  return children;
}

Result<std::vector<std::uint32_t>> all_processes(Host& host) {
  const auto names = host.list_dir("/proc");
  if (!names) return fail(names.error());
  std::vector<std::uint32_t> pids;
  for (const auto& name : *names)
    if (const auto pid = to_pid(name)) pids.push_back(*pid);
  std::ranges::sort(pids);
  return pids;
}

}  // namespace ward::probes::odoo
