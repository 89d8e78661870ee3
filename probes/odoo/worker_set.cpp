#include "probes/odoo/worker_set.hpp"

#include <algorithm>

namespace ward::probes::odoo {
namespace {

constexpr std::int64_t kCronNice = 10;  // WorkerCron calls os.nice(10)
/// A child is looked at again: right after fork() a cron worker still holds the LISTEN socket, the gevent one still its
/// master's command line.
constexpr int kSettledAfter = 2;

WorkerKind classify(Host& host, const Master& master, std::uint32_t pid, const ProcessStat& stat) {
  if (const auto cmdline = host.read_file("/proc/" + std::to_string(pid) + "/cmdline")) {
    const auto words = split_cmdline(*cmdline);
    if (std::ranges::find(words, "gevent") != words.end()) return WorkerKind::gevent;
  }
  switch (owns_socket(host, pid, master.listen_inodes)) {
    case Owns::yes: return WorkerKind::http;
    case Owns::no: return stat.nice >= kCronNice ? WorkerKind::cron : WorkerKind::other;
    case Owns::unknown: return stat.nice >= kCronNice ? WorkerKind::cron : WorkerKind::http;
  }
  return WorkerKind::other;
}

std::size_t index(WorkerKind kind) { return static_cast<std::size_t>(kind); }

}  // namespace

std::string_view to_string(WorkerKind kind) {
  switch (kind) {
    case WorkerKind::http: return "http";
    case WorkerKind::cron: return "cron";
    case WorkerKind::gevent: return "gevent";
    case WorkerKind::other: return "other";
  }
  return "other";
}

bool WorkerSet::refresh(Host& host, const Master& master, std::uint32_t pid, Worker& worker) {
  const auto stat = read_process_stat(host, pid);
  if (!stat || stat->parent != master.pid) return false;
  if (worker.looks > 0 && stat->start_ticks != worker.start_ticks) return false;
  worker.start_ticks = stat->start_ticks;
  worker.virtual_bytes = stat->virtual_bytes;
  if (worker.looks >= kSettledAfter) return true;
  ++worker.looks;
  worker.kind = classify(host, master, pid, *stat);
  if (const auto limits = host.read_file("/proc/" + std::to_string(pid) + "/limits"))
    worker.memory_limit_bytes = parse_address_space_limit(*limits);
  return true;
}

std::vector<WorkerSet::Change> WorkerSet::look(Host& host, const Master& master) {
  std::vector<Change> changes;
  auto pids = children_of(host, master.pid);
  for (const auto& [pid, worker] : workers_)
    if (std::ranges::find(pids, pid) == pids.end()) pids.push_back(pid);  // perhaps only left out of the list
  for (const auto pid : pids) {
    if (const auto known = workers_.find(pid); known != workers_.end()) {
      auto& worker = known->second;
      if (refresh(host, master, pid, worker)) {
        if (!worker.announced && worker.looks >= kSettledAfter) {
          worker.announced = true;
          changes.push_back({worker.kind, worker.start_ticks, false});
        }
        continue;
      }
      changes.push_back({known->second.kind, known->second.start_ticks, true});
      ++replaced_[index(known->second.kind)];
      workers_.erase(known);
    }
    Worker worker;
    if (!refresh(host, master, pid, worker)) continue;
    worker.announced = first_look_;
    workers_.emplace(pid, worker);
  }
  first_look_ = false;
  return changes;
}

void WorkerSet::follow_new_master() {
  workers_.clear();
  first_look_ = true;
}

WorkerSet::Totals WorkerSet::totals(WorkerKind kind) const {
  Totals totals;
  totals.replaced = replaced_[index(kind)];
  for (const auto& [pid, worker] : workers_) {
    if (worker.kind != kind) continue;
    ++totals.count;
    totals.largest_virtual_bytes = std::max(totals.largest_virtual_bytes, worker.virtual_bytes);
    if (worker.memory_limit_bytes) totals.memory_limit_bytes = worker.memory_limit_bytes;
  }
  return totals;
}

}  // namespace ward::probes::odoo
