// Memory and paging.
// Source: /proc/meminfo, /proc/vmstat (proc(5)).
#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {

Status parse_meminfo(std::string_view text, Readings& out) {
  bool any = false;
  std::string metric;
  for (std::string_view line; next_line(text, line);) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    const auto field = line.substr(0, colon);
    auto rest = line.substr(colon + 1);
    const auto value = to_u64(next_word(rest));
    if (!value) return malformed("/proc/meminfo", field);
    metric = "node_memory_";
    for (const char c : field) {  // Active(anon) is node_memory_Active_anon
      if (c == ')') continue;
      metric += c == '(' ? '_' : c;
    }
    const auto unit = next_word(rest);
    if (unit == "kB") metric += "_bytes";
    put(out, metric, static_cast<double>(*value) * (unit == "kB" ? 1024.0 : 1.0));
    any = true;
  }
  if (!any) return malformed("/proc/meminfo", "no field");
  return {};
}

Status parse_vmstat(std::string_view text, Readings& out) {
  // node_exporter's default: ^(oom_kill|pgpg|pswp|pg.*fault).*
  const auto wanted = [](std::string_view key) {
    return key.starts_with("oom_kill") || key.starts_with("pgpg") || key.starts_with("pswp") ||
           (key.starts_with("pg") && key.find("fault", 2) != std::string_view::npos);
  };
  bool any = false;
  std::string metric;
  for (std::string_view line; next_line(text, line);) {
    any = true;
    if (!line.starts_with('p') && !line.starts_with('o')) continue;
    const auto key = next_word(line);
    if (!wanted(key)) continue;
    const auto value = to_u64(next_word(line));
    if (!value) return malformed("/proc/vmstat", key);
    metric = "node_vmstat_";
    metric += key;
    put(out, metric, static_cast<double>(*value));
  }
  if (!any) return malformed("/proc/vmstat", "no line");
  return {};
}

}  // namespace ward::probes::node
