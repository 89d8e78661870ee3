/// Saturation of an Odoo server, seen from the kernel: no request, no login, no slot taken. A worker serves one request at
/// a time and the rest wait silently in the accept queue, so this is the first place where a slow Odoo shows.
/// Source: /proc/<master>/net/tcp{,6} (the table of Odoo's own network namespace), /proc/<pid>/{stat,cmdline,fd,limits}.
/// Emits:  odoo_up_listening (0/1), odoo_gevent_listening (0/1), odoo_server_threaded (0/1: workers = 0),
///         odoo_start_time_seconds (Unix time of the master), odoo_workers{kind} (processes; http, cron, gevent, other),
///         odoo_http_workers_busy (workers that hold a connection), odoo_http_backlog (connections waiting),
///         odoo_http_backlog_capacity (connections that may wait; past it clients are refused),
///         odoo_http_saturated (0/1: all busy and some waiting, in two runs in a row),
///         odoo_worker_replacements_total{kind}, odoo_worker_memory_virtual_bytes{kind} (largest; Odoo limits VmSize, not
///         RSS), odoo_worker_memory_limit_bytes{limit="hard"|"soft"}. Events worker_gone, worker_started with kind and age.
/// Errors: not_found when no server listens (odoo_up_listening 0), permission, protocol, internal when several match.
#include "probes/odoo/odoo_workers.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "common/base/duration.hpp"
#include "common/base/parse.hpp"
#include "probes/odoo/worker_set.hpp"

namespace ward::probes {
namespace {

using namespace odoo;

constexpr std::array<MetricMeta, 13> kMetrics{{
    {"odoo_up_listening", MetricType::gauge, "", "1 when a process listens on Odoo's HTTP port."},
    {"odoo_gevent_listening", MetricType::gauge, "", "1 when a process listens on the gevent (websocket) port."},
    {"odoo_server_threaded", MetricType::gauge, "", "1 when Odoo runs in one process (workers = 0)."},
    {"odoo_start_time_seconds", MetricType::gauge, "seconds", "Unix time at which the master started."},
    {"odoo_workers", MetricType::gauge, "", "Worker processes by kind."},
    {"odoo_http_workers_busy", MetricType::gauge, "", "HTTP workers that hold a connection."},
    {"odoo_http_backlog", MetricType::gauge, "", "Connections waiting for a worker in the accept queue."},
    {"odoo_http_backlog_capacity", MetricType::gauge, "", "Connections the accept queue takes before clients are refused."},
    {"odoo_http_saturated", MetricType::gauge, "", "1 when all workers were busy and connections waited, twice in a row."},
    {"odoo_worker_replacements_total", MetricType::counter, "", "Workers that ended while their master stayed."},
    {"odoo_worker_memory_virtual_bytes", MetricType::gauge, "bytes", "Virtual size of the largest worker."},
    {"odoo_worker_memory_limit_bytes", MetricType::gauge, "bytes", "Limit of the virtual size: hard kills, soft recycles."},
    {"odoo_http_connections", MetricType::gauge, "", "Connections held by the threaded server."},
}};

/// The master listens with a backlog of 8 per configured worker (odoo/service/server.py; seen on 14 and 19), cut by the
/// kernel to net.core.somaxconn. /proc has no column for it.
constexpr std::uint64_t kBacklogPerWorker = 8;
constexpr double kTicksPerSecond = 100;  // USER_HZ

void put(Readings& out, std::string_view metric, Labels labels, double value) {
  out.push_back(Reading{std::string(metric), std::move(labels), value});
}
template <class T>
double number(T value) {
  return static_cast<double>(value);
}

FailureReason reason_of(Errc code) {
  if (code == Errc::not_found) return FailureReason::not_found;
  if (code == Errc::denied) return FailureReason::permission;
  return code == Errc::corrupt ? FailureReason::protocol : FailureReason::internal;
}

std::optional<std::uint64_t> read_whole(Host& host, std::string_view path) {
  const auto text = host.read_file(path);
  if (!text) return std::nullopt;
  const auto value = to_u64(trim(*text));
  if (!value) return std::nullopt;
  return *value;
}

class OdooWorkers final : public Probe {
 public:
  explicit OdooWorkers(OdooWorkersOptions options) : options_(std::move(options)) {}

  async::Task<ProbeOutput> collect(Host& host) override { co_return measure(host); }

 private:
  using Ports = std::array<PortSockets, 2>;  // HTTP, gevent

  ProbeOutput measure(Host& host);
  ProbeOutput down(Error error);
  bool still_there(Host& host, Ports& ports);
  Status find(Host& host, Ports& ports);
  Status learn_tables(Host& host, std::uint32_t pid);
  [[nodiscard]] Ports fresh_ports() const {
    return {PortSockets{.port = options_.server.port}, PortSockets{.port = options_.gevent_port}};
  }
  void put_http(Host& host, const PortSockets& http, bool threaded, Readings& out);
  void put_workers(Readings& out) const;
  void add_events(Host& host, const std::vector<WorkerSet::Change>& changes, Events& events) const;

  const OdooWorkersOptions options_;
  std::optional<Master> master_;
  TcpTables tables_;
  std::optional<double> started_at_;
  WorkerSet workers_;
  std::uint64_t most_http_workers_ = 0;
  bool was_full_ = false;
};

bool OdooWorkers::still_there(Host& host, Ports& ports) {
  if (!master_) return false;
  const auto stat = read_process_stat(host, master_->pid);
  if (!stat || stat->start_ticks != master_->start_ticks) return false;
  return read_tcp_tables(host, master_->pid, tables_, ports) && ports[0].listen_inodes == master_->listen_inodes;
}

/// Both servers of an Odoo bind to the same interface, so one family holds all their connections.
Status OdooWorkers::learn_tables(Host& host, std::uint32_t pid) {
  auto four = fresh_ports();
  if (auto ok = read_tcp_tables(host, pid, {.four = true, .six = false}, four); !ok) return ok;
  const bool in_four = !four[0].listen_inodes.empty();
  auto both = fresh_ports();
  if (auto ok = read_tcp_tables(host, pid, {.four = true, .six = true}, both); !ok) return ok;
  tables_ = {.four = in_four, .six = both[0].listen_inodes.size() > four[0].listen_inodes.size()};
  return {};
}

Status OdooWorkers::find(Host& host, Ports& ports) {
  const auto last = std::exchange(master_, std::nullopt);
  auto found = find_master(host, options_.server);
  if (!found) return fail(found.error());
  if (auto ok = learn_tables(host, found->pid); !ok) return ok;
  ports = fresh_ports();
  if (auto ok = read_tcp_tables(host, found->pid, tables_, ports); !ok) return ok;
  found->listen_inodes = ports[0].listen_inodes;
  if (!last || last->pid != found->pid || last->start_ticks != found->start_ticks) {
    workers_.follow_new_master();
    most_http_workers_ = 0;
    was_full_ = false;
    started_at_.reset();
    if (const auto uptime = host.read_file("/proc/uptime")) {
      std::string_view rest = *uptime;
      if (const auto seconds = to_double(next_word(rest)))
        started_at_ = to_seconds(host.clock().wall()) - *seconds + number(found->start_ticks) / kTicksPerSecond;
    }
  }
  master_ = std::move(*found);
  return {};
}

ProbeOutput OdooWorkers::down(Error error) {
  ProbeOutput output;
  // Several servers match, or /proc is closed to us: then nothing is known, and nothing must read as "down".
  if (error.code == Errc::not_found) {
    put(output.readings, "odoo_up_listening", {}, 0);
    put(output.readings, "odoo_workers", {{"kind", "http"}}, 0);
  }
  const auto reason = reason_of(error.code);
  output.failure = ProbeFailure{reason, std::move(error)};
  return output;
}

ProbeOutput OdooWorkers::measure(Host& host) {
  auto ports = fresh_ports();
  if (!still_there(host, ports))
    if (auto found = find(host, ports); !found) return down(found.error());
  const auto master_stat = read_process_stat(host, master_->pid);
  if (!master_stat) return down(master_stat.error());
  ProbeOutput output;
  auto& out = output.readings;
  // A prefork master has one thread and never serves; the threaded server has several (workers = 0).
  const auto changes = workers_.look(host, *master_);
  const bool threaded = master_stat->threads > 1 && workers_.totals(WorkerKind::http).count == 0;
  put(out, "odoo_up_listening", {}, 1);
  put(out, "odoo_server_threaded", {}, threaded ? 1 : 0);
  if (started_at_) put(out, "odoo_start_time_seconds", {}, *started_at_);
  if (options_.gevent_port != 0 && !threaded) put(out, "odoo_gevent_listening", {}, ports[1].listen_inodes.empty() ? 0 : 1);
  put_http(host, ports[0], threaded, out);
  if (!threaded) put_workers(out);
  add_events(host, changes, output.events);
  return output;
}

void OdooWorkers::put_http(Host& host, const PortSockets& http, bool threaded, Readings& out) {
  put(out, "odoo_http_backlog", {}, number(http.backlog));
  if (threaded) {
    put(out, "odoo_http_connections", {}, number(http.busy));
    return;
  }
  const auto workers = workers_.totals(WorkerKind::http).count;
  const bool full = workers > 0 && http.busy >= workers && http.backlog > 0;
  put(out, "odoo_http_workers_busy", {}, number(http.busy));
  put(out, "odoo_http_saturated", {}, full && was_full_ ? 1 : 0);
  was_full_ = full;
  most_http_workers_ = std::max(most_http_workers_, workers);
  if (most_http_workers_ == 0) return;  // listening, the workers are not there yet
  const auto somaxconn = read_whole(host, "/proc/sys/net/core/somaxconn");
  const auto wished = kBacklogPerWorker * most_http_workers_;
  put(out, "odoo_http_backlog_capacity", {}, number(somaxconn ? std::min(wished, *somaxconn) : wished));
}

void OdooWorkers::put_workers(Readings& out) const {
  for (const auto kind : kWorkerKinds) {
    const auto totals = workers_.totals(kind);
    const Labels labels{{"kind", std::string(to_string(kind))}};
    put(out, "odoo_workers", labels, number(totals.count));
    put(out, "odoo_worker_replacements_total", labels, number(totals.replaced));
    if (totals.count == 0) continue;
    put(out, "odoo_worker_memory_virtual_bytes", labels, number(totals.largest_virtual_bytes));
    if (kind == WorkerKind::http && totals.memory_limit_bytes)
      put(out, "odoo_worker_memory_limit_bytes", {{"limit", "hard"}}, number(*totals.memory_limit_bytes));
  }
  if (options_.memory_soft_bytes != 0)
    put(out, "odoo_worker_memory_limit_bytes", {{"limit", "soft"}}, number(options_.memory_soft_bytes));
}

void OdooWorkers::add_events(Host& host, const std::vector<WorkerSet::Change>& changes, Events& events) const {
  if (changes.empty()) return;
  std::optional<double> uptime;
  if (const auto text = host.read_file("/proc/uptime")) {
    std::string_view rest = *text;
    if (const auto seconds = to_double(next_word(rest))) uptime = *seconds;
  }
  for (const auto& change : changes) {
    Labels attributes{{"kind", std::string(to_string(change.kind))}};
    if (uptime) {
      const auto age = std::max(0.0, *uptime - number(change.start_ticks) / kTicksPerSecond);
      attributes.set("age", format_duration(std::chrono::seconds{static_cast<std::int64_t>(age)}));
    }
    events.push_back({host.clock().wall(), change.gone ? "worker_gone" : "worker_started", std::move(attributes)});
  }
}

std::unique_ptr<Probe> make(config::Section& target) {
  OdooWorkersOptions options;
  options.server.port = static_cast<std::uint16_t>(target.whole("port", options.server.port, 1, 65'535));
  options.server.command = target.text("command", options.server.command);
  options.server.cgroup = target.text("cgroup", "");
  options.gevent_port = static_cast<std::uint16_t>(target.whole("gevent_port", options.gevent_port, 0, 65'535));
  options.memory_soft_bytes = target.size("limit_memory_soft", 0);
  if (options.server.command.empty()) {
    target.problems().add(target.at("command"), "'command' is empty",
                          "Name a part of Odoo's command line, or leave it out.");
    return nullptr;
  }
  return make_odoo_workers(std::move(options));
}

}  // namespace

std::unique_ptr<Probe> make_odoo_workers(OdooWorkersOptions options) {
  return std::make_unique<OdooWorkers>(std::move(options));
}

ProbeKind odoo_workers_probe() {
  ProbeKind kind;
  kind.name = "odoo_workers";
  kind.job = "odoo";
  kind.interval = std::chrono::seconds{5};
  kind.deadline = std::chrono::seconds{3};
  kind.data_class = DataClass::sli;
  kind.metrics = kMetrics;
  kind.make = make;
  return kind;
}

}  // namespace ward::probes
