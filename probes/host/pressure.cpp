// Pressure stall information: the honest signal of an overloaded machine.
// Source: /proc/pressure/{cpu,memory,io,irq}, Documentation/accounting/psi.rst; `total` is in microseconds.
#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {

Status parse_pressure(std::string_view resource, std::string_view text, Readings& out) {
  bool any = false;
  for (std::string_view line; next_line(text, line);) {
    const auto kind = next_word(line);
    const bool some = kind == "some";
    if (!some && kind != "full") return malformed("/proc/pressure/" + std::string(resource), kind);
    // At system level "full" of the processors is defined as zero, and node_exporter has no name for it.
    if (!some && resource == "cpu") continue;
    const auto at = line.find("total=");
    const auto total = to_u64(at == std::string_view::npos ? std::string_view{} : trim(line.substr(at + 6)));
    if (!total) return malformed("/proc/pressure/" + std::string(resource), line);
    std::string metric = "node_pressure_";
    metric += resource;
    metric += some ? "_waiting_seconds_total" : "_stalled_seconds_total";
    put(out, metric, static_cast<double>(*total) / 1e6);
    any = true;
  }
  if (!any) return malformed("/proc/pressure/" + std::string(resource), "no line");
  return {};
}

Status collect_pressure(Host& host, Readings& out) {
  for (const std::string_view resource : {"cpu", "io", "memory", "irq"}) {
    const auto text = host.read_file("/proc/pressure/" + std::string(resource));
    if (!text && resource == "irq") return {};  // since Linux 6.1, and only with CONFIG_IRQ_TIME_ACCOUNTING
    if (!text) return fail(text.error());
    if (auto ok = parse_pressure(resource, *text, out); !ok) return ok;
  }
  return {};
}

}  // namespace ward::probes::node
