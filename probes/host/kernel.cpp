// The kernel's clock, name, limits and random pool.
// Source: /proc/sys/fs/file-nr, /proc/sys/kernel/random/*, adjtimex(2), uname(2), /etc/os-release (os-release(5)),
// /sys/devices/system/clocksource.
#include <array>
#include <cerrno>
#include <ctime>
#include <system_error>

#include "common/base/parse.hpp"
#include "probes/host/collectors.hpp"

namespace ward::probes::node {
namespace {

/// Parts per million with a 16-bit fraction, the unit of frequencies in struct timex.
constexpr double kPpm16 = 1'000'000.0 * 65'536.0;

std::string_view unquote(std::string_view value) {
  if (value.size() >= 2 && (value.front() == '"' || value.front() == '\'') && value.back() == value.front())
    return value.substr(1, value.size() - 2);
  return value;
}

void put_clocksources(Host& host, Readings& out) {
  const std::string directory = "/sys/devices/system/clocksource/clocksource0/";
  Labels labels = label("device", "0");
  if (const auto text = host.read_file(directory + "available_clocksource")) {
    std::string_view rest = *text;
    for (std::string_view word; !(word = next_word(rest)).empty();) {
      labels.set("clocksource", word);
      put(out, "node_time_clocksource_available_info", labels, 1);
    }
  }
  if (const auto text = host.read_file(directory + "current_clocksource")) {
    labels.set("clocksource", trim(*text));
    put(out, "node_time_clocksource_current_info", labels, 1);
  }
}

}  // namespace

tl::unexpected<Error> malformed(std::string_view file, std::string_view text) {
  return fail(Errc::invalid, std::string(file) + " is not as the kernel writes it: " + std::string(text.substr(0, 80)),
              "Run 'cat " + std::string(file) + "' on the node and report it with the kernel's version.");
}

Result<std::string> read_net(Host& host, std::string_view name) {
  auto text = host.read_file("/proc/1/net/" + std::string(name));
  if (text) return text;
  return host.read_file("/proc/net/" + std::string(name));
}

Status parse_filefd(std::string_view text, Readings& out) {
  const auto allocated = to_u64(next_word(text));
  next_word(text);  // free but allocated: always 0 since Linux 2.6
  const auto maximum = to_double(next_word(text));
  if (!allocated || !maximum) return malformed("/proc/sys/fs/file-nr", "not three numbers");
  put(out, "node_filefd_allocated", static_cast<double>(*allocated));
  put(out, "node_filefd_maximum", *maximum);
  return {};
}

Status parse_os_release(std::string_view text, Readings& out) {
  static constexpr std::array<std::string_view, 12> kKeys{"build_id",      "id",      "id_like",          "image_id",
                                                          "image_version", "name",    "pretty_name",      "variant",
                                                          "variant_id",    "version", "version_codename", "version_id"};
  Labels info;
  for (std::string_view line; next_line(text, line);) {
    const auto equals = line.find('=');
    if (equals == std::string_view::npos || line.starts_with('#')) continue;
    std::string key{line.substr(0, equals)};
    for (char& c : key) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    for (const auto wanted : kKeys)
      if (key == wanted) info.set(key, unquote(trim(line.substr(equals + 1))));
  }
  if (info.empty()) return malformed("/etc/os-release", "none of the known keys");
  put(out, "node_os_info", info, 1);
  // "22.04.1" is 22.04, as in node_exporter.
  const auto version = info.get("version_id");
  const auto second_dot =
      version.find('.', version.find('.') == std::string_view::npos ? version.size() : version.find('.') + 1);
  if (const auto number = to_double(version.substr(0, second_dot)); number && !version.empty()) {
    Labels labels = label("id", info.get("id"));
    labels.set("id_like", info.get("id_like"));
    labels.set("name", info.get("name"));
    put(out, "node_os_version", labels, *number);
  }
  return {};
}

Status collect_entropy(Host& host, Readings& out) {
  struct File {
    std::string_view path, metric;
  };
  static constexpr std::array<File, 2> kFiles{{{"/proc/sys/kernel/random/entropy_avail", "node_entropy_available_bits"},
                                               {"/proc/sys/kernel/random/poolsize", "node_entropy_pool_size_bits"}}};
  for (const auto& [path, metric] : kFiles) {
    const auto text = host.read_file(path);
    if (!text) return fail(text.error());
    const auto value = to_u64(trim(*text));
    if (!value) return malformed(path, value.error().what);
    put(out, metric, static_cast<double>(*value));
  }
  return {};
}

Status collect_time(Host& host, Readings& out) {
  const auto now = host.clock().wall();
  put(out, "node_time_seconds", to_seconds(now));
  const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
  std::tm local{};
  if (::localtime_r(&seconds, &local) != nullptr)
    put(out, "node_time_zone_offset_seconds", label("time_zone", local.tm_zone), static_cast<double>(local.tm_gmtoff));
  put_clocksources(host, out);
  return {};
}

void put_timex(const timex& state, int clock_state, Readings& out) {
  const auto number = [](auto value) { return static_cast<double>(value); };
  const double unit = (state.status & STA_NANO) != 0 ? 1e9 : 1e6;
  put(out, "node_timex_sync_status", clock_state == TIME_ERROR ? 0 : 1);
  put(out, "node_timex_offset_seconds", number(state.offset) / unit);
  put(out, "node_timex_frequency_adjustment_ratio", 1 + number(state.freq) / kPpm16);
  put(out, "node_timex_maxerror_seconds", number(state.maxerror) / 1e6);
  put(out, "node_timex_estimated_error_seconds", number(state.esterror) / 1e6);
  put(out, "node_timex_status", number(state.status));
  put(out, "node_timex_loop_time_constant", number(state.constant));
  put(out, "node_timex_tick_seconds", number(state.tick) / 1e6);
  put(out, "node_timex_tai_offset_seconds", number(state.tai));
  put(out, "node_timex_pps_frequency_hertz", number(state.ppsfreq) / kPpm16);
  put(out, "node_timex_pps_jitter_seconds", number(state.jitter) / unit);
  put(out, "node_timex_pps_shift_seconds", number(state.shift));
  put(out, "node_timex_pps_stability_hertz", number(state.stabil) / kPpm16);
  put(out, "node_timex_pps_jitter_total", number(state.jitcnt));
  put(out, "node_timex_pps_calibration_total", number(state.calcnt));
  put(out, "node_timex_pps_error_total", number(state.errcnt));
  put(out, "node_timex_pps_stability_exceeded_total", number(state.stbcnt));
}

void put_uname(const utsname& name, Readings& out) {
  Labels labels = label("domainname", name.domainname);
  labels.set("machine", name.machine);
  labels.set("nodename", name.nodename);
  labels.set("release", name.release);
  labels.set("sysname", name.sysname);
  labels.set("version", name.version);
  put(out, "node_uname_info", labels, 1);
}

Status collect_timex(Host&, Readings& out) {
  timex state{};  // modes = 0: read only
  const int clock_state = ::adjtimex(&state);
  if (clock_state < 0)
    return fail(Errc::denied, "adjtimex: " + std::system_category().message(errno),
                "Allow adjtimex in the container's seccomp profile, or exclude the collector 'timex'.");
  put_timex(state, clock_state, out);
  return {};
}

Status collect_uname(Host&, Readings& out) {
  utsname name{};
  if (::uname(&name) != 0) return fail(Errc::unavailable, "uname: " + std::system_category().message(errno), "");
  put_uname(name, out);
  return {};
}

}  // namespace ward::probes::node
